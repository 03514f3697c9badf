# SPDX-License-Identifier: MIT
"""Application images: made, parsed, refused."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from p11board import image

VECTORS = struct.pack("<2I", 0xC0000, 0x81).ljust(128, b"\0") + b"\xfe\xe7\0\0"


def rehead(data, offset, value):
    """`data` with a header word changed and the header's CRC made right again."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, offset, value)
    struct.pack_into("<I", changed, 60, zlib.crc32(changed[:60]))
    return bytes(changed)


def test_the_header_is_as_documented():
    made = image.make(VECTORS, "1.2.3", sequence=7)
    data = made.to_bytes()
    assert data[:4] == b"P11A"
    assert struct.unpack_from("<5I", data, 4) == (1, len(VECTORS), 0, 0, 7)
    assert data[24:48] == b"1.2.3".ljust(24, b"\0")
    assert data[48:60] == bytes(12)
    assert struct.unpack_from("<I", data, 60)[0] == zlib.crc32(data[:60])
    assert data[64:96] == made.digest
    assert data[96:128] == bytes(32)
    assert data[128:] == VECTORS


def test_parse_returns_what_was_made_and_ignores_the_erased_rest():
    made = image.make(VECTORS, "24 characters, no more..", sequence=0xFFFFFFFF)
    assert image.parse(made.to_bytes() + b"\xff" * 5000) == made


def test_the_payload_is_padded_to_words():
    assert len(image.make(VECTORS + b"\1", "1").payload) == len(VECTORS) + 4


@pytest.mark.parametrize("version", ["", "x" * 25, "naïve", "two\nlines", "nul\0"])
def test_a_version_that_does_not_fit_is_refused(version):
    with pytest.raises(image.ImageError, match="version"):
        image.make(VECTORS, version)


@pytest.mark.parametrize(
    "change, why",
    [
        (lambda d: d[:127], "header alone"),
        (lambda d: b"\xff" * 200, "erased"),
        (lambda d: b"ELF!" + d[4:], "no 'P11A'"),
        (lambda d: d[:30] + b"!" + d[31:], "header is damaged"),
        (lambda d: d[:60] + bytes(4) + d[64:], "header is damaged"),
        (lambda d: rehead(d, 4, 2), "header version 2"),
        (lambda d: d[:-1], "cut short"),
        (lambda d: d[:-1] + b"!", "payload is damaged"),
        (lambda d: d[:64] + bytes(32) + d[96:], "payload is damaged"),
        (lambda d: rehead(d, 12, 2), "do not fit"),
        (lambda d: rehead(d, 12, 0xBC000 - 128), "do not fit"),
        (lambda d: rehead(d, 12, 0xFFFFFFFC), "do not fit"),
        (lambda d: rehead(d, 16, 4), "no vector table"),
        (lambda d: rehead(d, 16, 128), "no vector table"),
        (lambda d: rehead(d, 8, 4), "too few"),
    ],
)
def test_a_bad_image_is_refused_with_the_reason(change, why):
    with pytest.raises(image.ImageError, match=why):
        image.parse(change(image.make(VECTORS, "1").to_bytes()))


@pytest.mark.parametrize(
    "stack, reset, why",
    [
        (0, 0x81, "stack"),
        (0xC0008, 0x81, "stack"),
        (0xC0004, 0x81, "stack"),
        (0xC0000, 0x80, "reset"),
        (0xC0000, 0x85, "reset"),
    ],
)
def test_vectors_that_cannot_work_are_refused(stack, reset, why):
    with pytest.raises(image.ImageError, match=why):
        image.make(struct.pack("<2I", stack, reset) + VECTORS[8:], "1")


def test_a_payload_larger_than_the_region_is_refused():
    with pytest.raises(image.ImageError, match="fit"):
        image.make(VECTORS + bytes(0x100000), "1")


def test_the_file_runs_as_a_script_with_the_standard_library_alone(tmp_path):
    program, made = tmp_path / "program.bin", tmp_path / "program.p11a"
    program.write_bytes(VECTORS)
    tool = [sys.executable, "-I", "-S", image.__file__]
    subprocess.run([*tool, "make", program, made, "--version", "9.9"], check=True)
    assert image.read(made).version == "9.9"
    shown = subprocess.run([*tool, "show", made], check=True, capture_output=True, text=True)
    assert "version 9.9" in shown.stdout
    made.write_bytes(b"P11A")
    refused = subprocess.run([*tool, "show", made], capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith("image: not an application image")
    assert "Traceback" not in refused.stderr
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == [
        "program.bin",
        "program.p11a",
    ]
