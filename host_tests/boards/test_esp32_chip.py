# SPDX-License-Identifier: MIT
"""ESP32: where entropy and the device secret come from, with ESP-IDF's calls written down."""

import ctypes

import pytest
from stm32_driver import HERE, P11CHIP, compile_shared

STUBS = HERE.parent / "stubs" / "esp32"


def build(name, *defines):
    sources = (P11CHIP / "esp32_entropy.c", P11CHIP / "esp32_secret.c", HERE / "esp32_model.c")
    return compile_shared(name, sources, defines, (STUBS,))


class Chip:
    """The compiled files and the variables of the model below them."""

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))
        for name in ("wifi_runs", "bluetooth_runs", "noise_on", "hmac_fails", "key_readable"):
            self.set(name, 0)
        self.set("key_block", -1)
        self.calls = (ctypes.c_char * 64).in_dll(self.library, "model_calls")
        ctypes.memset(self.calls, 0, 64)

    def set(self, name, value):
        ctypes.c_int.in_dll(self.library, "model_" + name).value = value

    def get(self, name):
        return ctypes.c_int.in_dll(self.library, "model_" + name).value

    def entropy(self, length):
        buf = ctypes.create_string_buffer(length)
        self.library.p11_chip_entropy.restype = ctypes.c_bool
        good = self.library.p11_chip_entropy(buf, ctypes.c_size_t(length))
        return good, buf.raw

    def secret(self):
        buf = ctypes.create_string_buffer(b"\x11" * 32, 32)
        self.library.p11_chip_device_secret.restype = ctypes.c_size_t
        return self.library.p11_chip_device_secret(buf), buf.raw


@pytest.fixture()
def chip():
    return Chip(build("esp32"))


def test_without_a_radio_the_noise_source_is_on_while_bytes_are_drawn(chip):
    good, data = chip.entropy(40)
    assert good and all(byte & 0x80 for byte in data)
    assert (
        chip.calls.value == b"ERRD"
    )  # the first bytes, drawn before the noise took hold, are lost
    assert chip.get("noise_on") == 0


@pytest.mark.parametrize("radio", ["wifi_runs", "bluetooth_runs"])
def test_a_running_radio_is_the_source_and_the_adc_is_left_alone(chip, radio):
    chip.set(radio, 1)
    good, data = chip.entropy(40)
    assert good and all(byte & 0x80 for byte in data)
    assert chip.calls.value == b"R"


def test_a_chip_without_radios_in_its_firmware_uses_the_noise_source():
    path = build("esp32-bare", "CONFIG_ESP_WIFI_ENABLED=0", "CONFIG_BT_ENABLED=0")
    chip = Chip(path)
    chip.set("wifi_runs", 1)  # nobody asks
    chip.entropy(8)
    assert chip.calls.value == b"ERRD"


def test_the_device_secret_comes_from_the_efuse_key_with_the_right_purpose(chip):
    chip.set("key_block", 3)
    length, secret = chip.secret()
    assert length == 32
    assert secret[2:] == b"\xa3" * 30  # key 3
    assert secret[1:2] == b"m"  # the fixed message


def test_without_a_burnt_key_there_is_no_secret_and_nothing_that_looks_like_one(chip):
    assert chip.secret() == (0, bytes(32))


def test_a_failing_hmac_is_no_secret(chip):
    chip.set("key_block", 0)
    chip.set("hmac_fails", 1)
    assert chip.secret() == (0, bytes(32))


def test_a_key_that_software_can_read_is_no_secret(chip):
    # Burnt after the first start with secure boot, or with `--no-read-protect`.
    chip.set("key_block", 5)
    chip.set("key_readable", 1)
    assert chip.secret() == (0, bytes(32))


def test_the_first_esp32_has_no_device_secret_function():
    path = build("esp32-first", "SOC_HMAC_SUPPORTED=0")
    assert not hasattr(ctypes.CDLL(str(path)), "p11_chip_device_secret")


def test_the_identity_is_the_factory_mac_address(chip):
    buf = ctypes.create_string_buffer(16)
    chip.library.p11_chip_unique_id(buf)
    assert buf.raw == b"\x24\x0a\xc4\x01\x02\x03" + bytes(10)
