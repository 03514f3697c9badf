# SPDX-License-Identifier: MIT
"""What keys outlive: power cuts, another firmware; and what the loader refuses."""

import hashlib
import threading
import time

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import csr, flashmap, image, keys
from p11board.cli import cli
from p11board.errors import EmulatorProblem, TransportProblem

LABEL = "test survivor"


def make_pair(emulated):
    with emulated.connected() as token:
        return token.keygen(LABEL, key_id=b"survivor")


def check_pair(emulated, pair):
    """The pair is there, unchanged, and signs."""
    with emulated.connected() as token:
        assert token.read(LABEL, keys.PUBLIC_KEY)["value"].hex() == pair["point"]
        raw = token.sign(hashlib.sha256(b"alive").digest(), LABEL)
    public = keys.public_key(bytes.fromhex(pair["point"]))
    public.verify(csr.der_signature(raw), b"alive", ec.ECDSA(hashes.SHA256()))


def check_public(emulated, pair):
    """The public half is there, unchanged: nothing is written for this, not even a login."""
    with emulated.connected() as token:
        assert token.read(LABEL, keys.PUBLIC_KEY)["value"].hex() == pair["point"]


def test_objects_survive_a_power_cycle_and_reading_them_writes_nothing(emulated):
    pair = make_pair(emulated)
    emulated.emulator.stop()
    before = emulated.emulator.key_region_hash()
    emulated.start()
    check_public(emulated, pair)
    emulated.emulator.stop()
    assert emulated.emulator.key_region_hash() == before
    emulated.start()
    check_pair(emulated, pair)


# Seconds until QEMU's threads have written to the file what the chip has already taken.
SETTLED = 0.5


def test_objects_survive_a_pulled_plug(emulated):
    pair = make_pair(emulated)
    for _ in range(3):
        time.sleep(SETTLED)
        emulated.emulator.kill()
        emulated.start()
        check_pair(emulated, pair)


def pull_the_plug_while_writing(emulated, pair, seconds):
    """Kill the board that long after it began to write objects; everything before has to stay."""
    with pytest.raises(TransportProblem), emulated.connected() as token:
        threading.Timer(seconds, emulated.emulator.kill).start()
        for count in range(2000):
            item = keys.Item(keys.DATA, b"z" * 1000, "data")
            token.import_item(item, f"test filler {count % 3}", replace=True)
    deadline = time.monotonic() + 5
    while emulated.emulator.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    emulated.start()
    check_pair(emulated, pair)


def test_a_plug_pulled_in_the_middle_of_writing_loses_nothing_stored_before(emulated):
    pair = make_pair(emulated)
    time.sleep(SETTLED)
    for seconds in (0.005, 0.02, 0.04, 0.08):
        pull_the_plug_while_writing(emulated, pair, seconds)


@pytest.mark.slow
def test_a_plug_pulled_two_hundred_times_loses_nothing_stored_before(emulated):
    pair = make_pair(emulated)
    for count in range(200):
        pull_the_plug_while_writing(emulated, pair, 0.001 * (count % 100))


def test_objects_survive_a_soft_reset_and_machine_reset(emulated):
    pair = make_pair(emulated)
    emulated.mpremote("soft-reset")
    check_pair(emulated, pair)
    emulated.mpremote("reset")
    check_pair(emulated, pair)


def test_another_firmware_leaves_the_keys_alone(emulated, second_image):
    pair = make_pair(emulated)
    emulated.emulator.stop()
    before = emulated.emulator.key_region_hash()
    emulated.emulator.program(second_image.read_bytes())
    assert emulated.emulator.key_region_hash() == before
    emulated.start()
    check_public(emulated, pair)
    emulated.emulator.stop()
    assert emulated.emulator.key_region_hash() == before
    emulated.start()
    check_pair(emulated, pair)


def test_flash_switches_the_board_off_and_on_again(emulated, second_image):
    pair = make_pair(emulated)
    result = emulated.p11board("flash", second_image)
    assert image.read(second_image).version in result.stdout
    assert "on again" in result.stdout
    check_pair(emulated, pair)


def test_a_refused_image_does_not_even_cycle_the_power(emulated, tmp_path):
    pid = emulated.emulator.status()["pid"]
    big = tmp_path / "big.p11a"
    big.write_bytes(bytes(flashmap.KEYS.offset + 1))
    assert "key region" in emulated.p11board("flash", big, code=1).stderr
    bad = tmp_path / "bad.p11a"
    bad.write_bytes(b"P11A" + bytes(200))
    assert "not a valid application image" in emulated.p11board("flash", bad, code=1).stderr
    assert emulated.emulator.status()["pid"] == pid


def test_a_dry_run_touches_nothing(emulated, second_image):
    pid = emulated.emulator.status()["pid"]
    result = emulated.p11board("flash", second_image, "--dry-run")
    assert "would program" in result.stdout or "already" in result.stdout
    assert emulated.emulator.status()["pid"] == pid


def test_start_finishes_an_interrupted_programming(emulated, firmware):
    pair = make_pair(emulated)
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "r+b") as file:
        file.write(b"\xff" * flashmap.SECTOR_SIZE)  # the header is programmed last
    state = ["--state", emulated.emulator.state, "emulate", "start"]
    result = run_cli(*state, "--image", firmware[0], "--loader", firmware[1])
    assert "programmed firmware.p11a" in result.stdout
    check_pair(emulated, pair)


def run_cli(*arguments):
    """Run p11board without naming a board."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("at", [0, 4, 60, 64, 128, 5000, -1])
def test_the_loader_refuses_a_changed_image(emulated, firmware, at):
    """One flipped bit anywhere, behind the host's back; a good image then boots again."""
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "r+b") as file:
        offset = at if at >= 0 else firmware[0].stat().st_size - 1
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))
    with pytest.raises(EmulatorProblem, match="^loader: "):
        emulated.start()
    assert not emulated.emulator.running()
    emulated.emulator.program(firmware[0].read_bytes())
    emulated.start()


def test_the_loader_says_that_a_blank_region_holds_no_application(emulated):
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "r+b") as file:
        file.write(b"\xff" * flashmap.APP.size)
    with pytest.raises(EmulatorProblem) as caught:
        emulated.start()
    assert "p11board flash" in caught.value.line()
