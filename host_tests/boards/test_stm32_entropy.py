# SPDX-License-Identifier: MIT
"""The STM32 random number generator driver against a register-level model that can fail."""

import ctypes

import pytest
from stm32_driver import HERE, P11CHIP, compile_shared, hook_up

FAMILIES = {
    "F4": (0x50060800, 0x40023834, 1 << 6),
    "L4": (0x50060800, 0x4002104C, 1 << 18),
    "G4": (0x50060800, 0x4002104C, 1 << 26),
    "WB": (0x58001000, 0x58000050, 1 << 18),
    "H7": (0x48021800, 0x580244DC, 1 << 6),
}
READY, CLOCK_NOW, SEED_NOW, CLOCK_WAS, SEED_WAS = 1, 2, 4, 1 << 5, 1 << 6


class Generator:
    """Registers of the generator; `fail(n)` decides what the n-th word does."""

    def __init__(self, family):
        self.base, self.clock, self.clock_bit = FAMILIES[family]
        self.regs = {}
        self.status = 0
        self.count = 0  # words drawn
        self.restarts = 0
        self.waits = 0  # looks at the status register until a word is ready
        self.left = 0
        self.word = lambda n: (n * 0x9E3779B1 + 0x1234567) & 0xFFFFFFFF or 1
        self.before = lambda n: 0  # error flags shown before word n
        self.after = lambda n: 0  # error flags that come up while word n is read
        self.clock_dead = False
        self.semaphore_taken = False
        self.held = False
        self.violations = []

    def enabled(self):
        on = self.regs.get(self.base, 0) & 4
        return on and self.regs.get(self.clock, 0) & self.clock_bit

    def reg_read(self, address):
        if address == self.base + 4:
            if not self.enabled():
                return 0
            self.status |= self.before(self.count)
            if self.status & (CLOCK_NOW | CLOCK_WAS | SEED_NOW | SEED_WAS):
                return self.status
            self.left -= 1
            return self.status | (READY if self.left < 0 else 0)
        if address == self.base + 8:
            value = self.word(self.count)
            self.status |= self.after(self.count)
            self.count += 1
            self.left = self.waits
            return value
        if address == 0x58024400:
            on = self.regs.get(address, 0) & 1 << 12
            return self.regs.get(address, 0) | (1 << 13 if on and not self.clock_dead else 0)
        if address == 0x58001480:  # HSEM of the WB
            self.held = not self.semaphore_taken
            return 0x80000400 if self.held else 0x80000800
        return self.regs.get(address, 0)

    def reg_write(self, address, value):
        if address == self.base + 4:
            self.status &= value | ~(CLOCK_WAS | SEED_WAS)  # cleared by writing zero
            self.status &= ~(CLOCK_NOW | SEED_NOW) if not self.stays else -1
        elif address == 0x58001400:
            self.held = False
        else:
            if address == self.base and value & 4 and not self.regs.get(self.base, 0) & 4:
                self.restarts += 1
            if address == self.clock and self.clock_dead:
                return
            self.regs[address] = value

    stays = False  # do the current-state flags outlive a restart?

    def bus_read32(self, address):
        return 0

    def bus_write32(self, address, value):
        self.violations.append("flash write")

    def cpu(self, what, value):
        return 0


class Driver:
    """The compiled driver over one generator."""

    def __init__(self, family, folder):
        import shutil

        built = compile_shared(
            "rng-" + family,
            (P11CHIP / "stm32_entropy.c", HERE / "stm32_model.c", HERE / "wipe.c"),
            ("STM32_FAMILY_" + family,),
        )
        own = folder / "rng.so"
        shutil.copy(built, own)
        self.generator = Generator(family)
        self.library = ctypes.CDLL(str(own))
        self.hooks = hook_up(self.library, self.generator)
        self.library.p11_chip_entropy.restype = ctypes.c_bool

    def draw(self, length):
        """(good, bytes)."""
        buf = ctypes.create_string_buffer(b"\xee" * length, length)
        good = self.library.p11_chip_entropy(buf, ctypes.c_size_t(length))
        return good, buf.raw


@pytest.fixture(params=list(FAMILIES))
def driver(request, tmp_path):
    return Driver(request.param, tmp_path)


def test_words_are_handed_out_after_the_pipeline_was_discarded(driver):
    good, data = driver.draw(10)
    assert good
    word = driver.generator.word
    expected = b"".join(word(n).to_bytes(4, "little") for n in (13, 14, 15))
    assert data == expected[:10]
    assert driver.generator.restarts == 1


def test_a_running_generator_is_not_started_again(driver):
    assert driver.draw(8)[0] and driver.draw(8)[0]
    assert driver.generator.restarts == 1


def test_slow_words_are_waited_for(driver):
    driver.generator.waits = 50
    assert driver.draw(64)[0]


@pytest.mark.parametrize("flag", [SEED_NOW, SEED_WAS, CLOCK_NOW, CLOCK_WAS])
def test_an_error_flag_restarts_the_generator_and_the_request(driver, flag):
    driver.generator.before = lambda n: flag if n == 20 else 0
    struck = [False]

    def once(n):
        if n == 20 and not struck[0]:
            struck[0] = True
            return flag
        return 0

    driver.generator.before = once
    good, data = driver.draw(64)
    assert good and driver.generator.restarts == 2
    first = driver.generator.word(20 + 13)  # twenty drawn, then a new pipeline
    assert data[:4] == first.to_bytes(4, "little")


def test_an_error_between_the_flag_and_the_word_spoils_the_word(driver):
    struck = []
    driver.generator.after = lambda n: (
        SEED_WAS if n == 15 and not struck and not struck.append(1) else 0
    )
    good, data = driver.draw(64)
    spoilt = driver.generator.word(15).to_bytes(4, "little")
    assert good and spoilt not in data
    assert driver.generator.restarts == 2


@pytest.mark.parametrize("flag", [SEED_NOW | SEED_WAS, CLOCK_NOW | CLOCK_WAS])
def test_an_error_that_stays_fails_the_request_and_leaves_zeros_marked_as_failure(driver, flag):
    driver.generator.before = lambda n: flag
    driver.generator.stays = True
    assert driver.draw(32) == (False, bytes(32))
    assert driver.generator.restarts == 3


def test_zero_is_never_taken_for_random(driver):
    driver.generator.word = lambda n: 0
    assert driver.draw(32) == (False, bytes(32))


def test_a_stuck_word_is_never_taken_for_random(driver):
    driver.generator.word = lambda n: 0xA5A5A5A5
    assert driver.draw(32) == (False, bytes(32))


def test_a_generator_that_is_never_ready_is_a_failure(driver):
    driver.generator.waits = driver.generator.left = 1 << 30
    assert driver.draw(32) == (False, bytes(32))


def test_a_clock_that_does_not_come_on_is_a_failure(driver):
    driver.generator.clock_dead = True
    assert driver.draw(32) == (False, bytes(32))


def test_a_generator_that_somebody_switched_off_is_started_again(driver):
    assert driver.draw(8)[0]
    driver.generator.regs[driver.generator.base] = 0
    assert driver.draw(8)[0]
    assert driver.generator.restarts == 2


def test_after_a_failure_a_repaired_generator_serves_again(driver):
    driver.generator.word = lambda n: 0
    assert not driver.draw(8)[0]
    driver.generator.word = lambda n: n + 1
    assert driver.draw(8)[0]


@pytest.mark.parametrize("driver", ["WB"], indirect=True)
def test_the_radio_processor_and_we_take_turns(driver):
    assert driver.draw(8)[0]
    assert not driver.generator.held
    driver.generator.semaphore_taken = True
    assert driver.draw(8) == (False, bytes(8))


@pytest.mark.parametrize("driver", ["H7"], indirect=True)
def test_the_h7_generator_runs_on_its_own_oscillator(driver):
    driver.generator.regs[0x58024454] = 1 << 8  # another source was chosen
    assert driver.draw(8)[0]
    assert driver.generator.regs[0x58024454] == 0
    assert driver.generator.regs[0x58024400] & 1 << 12
