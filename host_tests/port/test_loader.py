# SPDX-License-Identifier: MIT
"""The loader against its Python description: it starts what image.parse accepts, else says why."""

import ctypes
import hashlib
import random
import struct
import subprocess
import zlib

import pytest
from qemu_machine import ROOT, Machine, tiny_program

from p11board import flashing, image

REASONS = {
    "erased": "the application region is erased",
    "no 'P11A'": "no image header",
    "header is damaged": "the header is damaged",
    "header version": "unknown header version",
    "too few": "the payload does not fit",
    "do not fit": "the payload does not fit",
    "cut short": "the payload does not fit",
    "no vector table": "the vector table lies outside the payload",
    "payload is damaged": "the payload is damaged",
    "stack pointer": "the vector table is invalid",
    "reset vector": "the vector table is invalid",
}


@pytest.fixture(scope="module")
def boot(firmware, tmp_path_factory):
    """boot(data): what the UART says when the chip begins with `data`, up to the end of a line."""
    flash = tmp_path_factory.mktemp("loader") / "flash.bin"
    flashing.create_blank(flash)

    def boot(data):
        with open(flash, "r+b") as file:
            file.write(data.ljust(0x2000, b"\xff"))
        machine = Machine(flash, firmware.with_name("loader.elf")).start()
        try:
            first = machine.until(b"K" if expected(data) is None else b"\r\n", 10)
            return first if first == b"K" else machine.until(b"\r\n", 10)
        finally:
            machine.kill()

    yield boot
    flash.unlink()


def expected(data):
    """None if the image is good, else the loader's line."""
    try:
        image.parse(data.ljust(0x100000, b"\xff"))
    except image.ImageError as error:
        reason = next(text for words, text in REASONS.items() if words in str(error))
        return f"loader: no valid application image in flash: {reason}\r\n".encode()
    return None


def rehead(data, offset, value):
    """A header word changed, the CRC made right."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, offset, value & 0xFFFFFFFF)
    struct.pack_into("<I", changed, 60, zlib.crc32(changed[:60]))
    return bytes(changed)


def revector(offset, value):
    """An image whose vectors are changed, the hash made right."""
    payload = bytearray(tiny_program())
    struct.pack_into("<I", payload, offset, value)
    return image.Image(bytes(payload), "1").to_bytes()


@pytest.mark.emulated
def test_a_good_image_is_started(boot, tiny_image):
    assert boot(tiny_image) == b"K"


@pytest.mark.emulated
def test_an_image_for_another_address_is_copied_there(boot):
    load = 0x40000
    assert boot(image.make(tiny_program(load), "1", load=load).to_bytes()) == b"K"


@pytest.mark.emulated
@pytest.mark.parametrize(
    "change",
    [
        lambda d: b"",
        lambda d: bytes(len(d)),
        lambda d: d[:24] + b"?" + d[25:],
        lambda d: rehead(d, 4, 2),
        lambda d: rehead(d, 8, 4),
        lambda d: rehead(d, 8, 0x100000 - 127),
        lambda d: rehead(d, 8, 0xFFFFFFFF),
        lambda d: rehead(d, 12, 1),
        lambda d: rehead(d, 12, 0xBC000),
        lambda d: rehead(d, 12, 0xFFFFFF80),
        lambda d: rehead(d, 16, 0x80000000),
        lambda d: rehead(d, 16, 0x80),
        lambda d: d[:-1] + b"?",
        lambda d: d[:70] + b"?" + d[71:],
        lambda d: revector(0, 0),
        lambda d: revector(0, 0xC0008),
        lambda d: revector(4, 0x82),
        lambda d: revector(4, 0x60000001),
    ],
)
def test_a_bad_image_is_refused_in_one_line(boot, tiny_image, change):
    data = change(tiny_image)
    assert boot(data) == expected(data)


@pytest.mark.emulated
@pytest.mark.slow
def test_loader_and_image_tool_agree_on_random_headers(boot, tiny_image):
    draw = random.Random(1)
    edges = (0, 4, 8, 0x7C, 0x80, 0x84, 0x8C, 0x90, 0xBBF74, 0xBC000, 0xC0000, 0xFFF80, 0xFFFFFFFC)
    for _ in range(150):
        data = rehead(tiny_image, draw.choice((4, 8, 12, 16, 20)), draw.choice(edges))
        answer = expected(data)
        assert boot(data) == (b"K" if answer is None else answer), data[:64].hex()


@pytest.fixture(scope="module")
def sha256(tmp_path_factory):
    """The loader's SHA-256, compiled for the host."""
    library = tmp_path_factory.mktemp("sha256") / "sha256.so"
    source = ROOT / "firmware" / "ports" / "ast1030" / "loader" / "sha256.c"
    flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", library, source], check=True)
    function = ctypes.CDLL(str(library)).sha256
    function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]

    def sha256(message):
        digest = ctypes.create_string_buffer(32)
        function(digest, message, len(message))
        return digest.raw

    return sha256


def test_the_loaders_sha256_is_sha256(sha256):
    draw = random.Random(2)
    for length in [*range(200), 1000, 65537]:
        message = draw.randbytes(length)
        assert sha256(message) == hashlib.sha256(message).digest(), length
