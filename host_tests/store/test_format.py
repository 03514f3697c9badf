# SPDX-License-Identifier: MIT
"""docs/FORMAT.md against the code: every number that both of them know."""

import random
import re
import struct
from binascii import crc32
from pathlib import Path

import pytest
from cutting import Flash, Geometry, geometries
from model import random_filler

from pal import cells, log, store
from pal.birth import RESET_INTENT
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import CRITICAL, SECRET, Store
from pal.writer import LAST_ID, RECORDS_MAX

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "FORMAT.md").read_text(encoding="utf-8")
GEOMETRY = Geometry(1, 1024, 4, ZERO_ANY, 16)


def image():
    """A small store and its bytes."""
    flash = Flash(GEOMETRY)
    made = Store(flash, random_filler(random.Random(1)))
    made.mount()
    made.commit([(0x123, 7, SECRET, b"label", b"data")])
    made.attempt(1)
    made.success(1)
    made.commit([], [0x123])
    return made, flash.data


def row(*words):
    """True when a table of FORMAT.md has a row that starts with these cells."""
    pattern = r"\| *" + r" *\| *".join(re.escape(word) for word in words)
    return re.search(pattern, TEXT) is not None


@pytest.mark.parametrize(
    "byte, name",
    [
        (cells.COMMIT, "COMMIT"),
        (cells.SEAL, "SEAL"),
        (cells.RESOLUTION, "RESOLUTION"),
        (cells.ATTEMPT, "ATTEMPT"),
        (cells.SUCCESS, "SUCCESS"),
        (cells.SUCCESS_SEAL, "SUCCESS SEAL"),
    ],
)
def test_type_bytes(byte, name):
    assert row("0x%02X" % byte, name)


@pytest.mark.parametrize(
    "base, name", [(0x10, "RECORD"), (0x20, "PART"), (0x30, "TOMBSTONE"), (0x40, "RETIRE")]
)
def test_record_types(base, name):
    assert row("0x%xn" % (base >> 4), name)
    assert getattr(cells, name) == base


def test_flags_and_ids():
    assert "1 SECRET, 2 CRITICAL, 4 CHAIN" in TEXT
    assert "8 DAMAGED" in TEXT
    assert (SECRET, CRITICAL, cells.CHAIN, cells.DAMAGED) == (1, 2, 4, 8)
    ids = {1: store.TOKEN_INFO, 2: store.USER_KEY, 3: store.SO_KEY, 4: store.PIN_STATE}
    ids |= {5: store.NV_SEED, 6: RESET_INTENT}
    for number, constant in ids.items():
        assert number == constant
        assert row("0x%04X" % number)
    assert row("0x0100 … 0x%04X" % LAST_ID)
    assert "At most %d records per call" % RECORDS_MAX in TEXT
    assert "No payload is longer than %d bytes" % cells.PAYLOAD_MAX in TEXT
    assert "version 1.0" in TEXT.splitlines()[0]
    assert (cells.MAJOR, cells.MINOR) == (1, 0)


def test_a_sector_is_what_the_document_says():
    made, data = image()
    s = made.active
    sector = data[1024 * s : 1024 * s + 1024]
    # STAMP
    assert sector[0] == 0x87
    assert sector[1:4] == b"P11"
    assert struct.unpack_from("<II", sector, 4) == (1, 0)
    assert struct.unpack_from("<I", sector, 12)[0] == crc32(sector[:12])
    # HEADER twice
    header = sector[16:48]
    assert header == sector[48:80]
    assert header[0:4] == b"P11S"
    assert tuple(header[4:8]) == (1, 0, s, 4)
    sequence, _, name, used, version = struct.unpack_from("<IIIII", header, 8)
    assert (sequence, name, used, version) == (1, made.store_id, 1 << s, 0)
    seed = struct.unpack_from("<I", header, 28)[0]
    assert seed == crc32(header[:28])
    # a transaction of nothing, then RECORD, COMMIT, SEAL
    body = sector[80:]
    for at, kind in ((0, 0x91), (16, 0xA2)):
        assert struct.unpack_from("<BBHIHH", body, at) == (kind, 0, 0, seed, 0, 0)
        assert struct.unpack_from("<I", body, at + 12)[0] == crc32(body[at : at + 12], seed)
    record = body[32:64]
    assert struct.unpack_from("<BBHHI", record) == (0x11, 7, 0x123, 11, 1)
    assert record[16:] == bytes(16)  # deleted, so zeroed: was mask, length, label, data
    head = crc32(record[:10], seed)
    payload = b"\0\5labeldata"
    assert struct.unpack_from("<I", record, 10)[0] == crc32(payload, head)
    assert struct.unpack_from("<H", record, 14)[0] == crc32(record[:14], seed) & 0xFFFF
    h = crc32(record[:16], seed)
    for at, kind in ((64, 0x91), (80, 0xA2)):
        assert struct.unpack_from("<BBHIHH", body, at) == (kind, 0, 2, h, 0x123, 1)
    for at, kind in ((96, 0xC3), (112, 0xD5), (128, 0xE6)):
        assert struct.unpack_from("<BBHII", body, at) == (kind, 1, 0, 1, 0)
        assert struct.unpack_from("<I", body, at + 12)[0] == crc32(body[at : at + 12], seed)
    tombstone = body[144:160]
    assert tombstone == body[160:176]
    assert struct.unpack_from("<BBHHI", tombstone) == (0x30, 0, 0x123, 0, 2)
    assert struct.unpack_from("<I", tombstone, 10)[0] == crc32(tombstone[:10], seed)
    assert struct.unpack_from("<BBHIHH", body, 176)[4:] == (0x123, 2)
    assert body[208:] == b"\xff" * len(body[208:])


def test_create_is_what_the_document_says():
    flash = Flash(GEOMETRY)
    made = Store(flash, random_filler(random.Random(1)))
    made.mount()
    trace = flash.trace = []
    made.commit([(0x100, 0, 0, b"", b"")])
    for copy in range(2):
        cell = trace[copy][2]
        assert cell[0:4] == b"\x78P11"
        assert struct.unpack_from("<II", cell, 4) == (0, copy)
        assert struct.unpack_from("<I", cell, 12)[0] == crc32(cell[:12])


def test_resolution_is_what_the_document_says():
    cell = bytearray(16)
    cells.pack_verdict(cell, 2, 5, 9, 1, 77, 0x1234)
    assert struct.unpack("<BBHHHII", cell)[:6] == (0xB4, 2, 5, 9, 1, 77)
    assert struct.unpack_from("<I", cell, 12)[0] == crc32(cell[:12], 0x1234)


@pytest.mark.parametrize("geometry", geometries(), ids=repr)
def test_limits_of_a_body(geometry):
    made = Store(Flash(geometry), random_filler(random.Random(1)))
    n = len(geometry.sectors)
    f = made.f
    assert made.z == max(geometry.unit, 16)
    assert f == max(1, min(geometry.max_prog, 32) // made.z)
    assert made.body == (5 if made.z == 16 else 3)
    r = 2 * f + 5
    if geometry.zero_mode == ZERO_NONE and n < 8:
        r = f + 2 + (f + 3) * (1 + 6 // (n - 1))
    assert (made.keep_put, made.keep_small, made.keep_move) == (r + 11, r + 5, r)
    assert made.keep_retire == f + 2
    for words in (
        "R = 2f + 5",
        "f + 2 + (f + 3) · (1 + ⌊6 / (N − 1)⌋)",
        "C − R − 11",
        "C − f − 2",
    ):
        assert words in TEXT


def test_error_codes_have_names():
    for name in ("FULL", "WORN", "DAMAGED", "UNRECOGNISED", "FOREIGN", "NEWER", "IO"):
        assert str(store.StoreError(getattr(store.StoreError, name))) == name
    assert log.CODES[store.StoreError.TOO_BIG] == "TOO_BIG"
