# SPDX-License-Identifier: MIT
"""The cells of FORMAT.md: their types, how each is packed, how each is judged.

Knows bytes only, nothing of sectors or devices. Every function that judges a cell works on a copy
in RAM that the caller read once and uses from there.
"""

import struct
from binascii import crc32

from micropython import const

MAJOR = const(1)
MINOR = const(0)

CELL = const(16)  # bytes of a cell that carry content
HEADER_SIZE = const(32)
PAYLOAD_MAX = const(4080)  # with its header 4096 bytes

# Upper half of the first byte of a record header; the lower half are flags.
RECORD = const(0x10)
PART = const(0x20)
TOMBSTONE = const(0x30)
RETIRE = const(0x40)
STATE = const(0x50)

SECRET = const(1)
CRITICAL = const(2)
CHAIN = const(4)
DAMAGED = const(8)

COMMIT = const(0x91)
SEAL = const(0xA2)
RESOLUTION = const(0xB4)
ATTEMPT = const(0xC3)
SUCCESS = const(0xD5)
SUCCESS_SEAL = const(0xE6)
STAMP = const(0x87)
CREATE = const(0x78)

MAGIC = b"P11S"
RECORD_FORM = "<BBHHIIH"  # type and flags, kind, id, length, version, payload CRC, header CRC
CLOSE_FORM = "<BBHIHHI"  # type, 0, n, h, exclusive-or of the ids, number of headers, CRC
VERDICT_FORM = "<BBHHHII"  # type, verdict, from, at, n or slot, h or number, CRC
EVENT_FORM = "<BBHIII"  # type, slot, 0, number, 0, CRC
HEADER_FORM = "<4sBBBBIIIIII"  # magic, then the fields of FORMAT.md §2
MARK_FORM = "<B3sIII"  # STAMP, CREATE: type, "P11", value, copy, CRC

# A table by first byte: 1 a cell closed by a full CRC, 2 a record header, 0 neither.
_kinds = bytearray(256)
for _type in (COMMIT, SEAL, RESOLUTION, ATTEMPT, SUCCESS, SUCCESS_SEAL):
    _kinds[_type] = 1
for _type in range(RECORD, STATE + 16):
    _kinds[_type] = 2
KINDS = bytes(_kinds)


def pack_record(buf, tf, kind, oid, length, version, payload, seed):
    """Write a record header into buf[0:16]. payload: buffer of `length` bytes, or None."""
    struct.pack_into(RECORD_FORM, buf, 0, tf, kind, oid, length, version, 0, 0)
    view = memoryview(buf)
    head = crc32(view[0:10], seed)
    struct.pack_into("<I", buf, 10, crc32(payload, head) if length and payload else head)
    struct.pack_into("<H", buf, 14, crc32(view[10:14], head) & 0xFFFF)


def pack_close(buf, kind, cells, headers_crc, ids, count, seed):
    """Write COMMIT or SEAL into buf[0:16]."""
    struct.pack_into(CLOSE_FORM, buf, 0, kind, 0, cells, headers_crc, ids, count, 0)
    struct.pack_into("<I", buf, 12, crc32(memoryview(buf)[0:12], seed))


def pack_verdict(buf, verdict, start, at, n, h, seed):
    """Write a RESOLUTION into buf[0:16]."""
    struct.pack_into(VERDICT_FORM, buf, 0, RESOLUTION, verdict, start, at, n, h, 0)
    struct.pack_into("<I", buf, 12, crc32(memoryview(buf)[0:12], seed))


def pack_event(buf, kind, slot, number, seed):
    """Write ATTEMPT, SUCCESS or SUCCESS SEAL into buf[0:16]."""
    struct.pack_into(EVENT_FORM, buf, 0, kind, slot, 0, number, 0, 0)
    struct.pack_into("<I", buf, 12, crc32(memoryview(buf)[0:12], seed))


def pack_mark(buf, kind, value, copy=0):
    """Write STAMP (value: erases) or CREATE (value: id of the store it replaces) into buf."""
    struct.pack_into(MARK_FORM, buf, 0, kind, b"P11", value, copy, 0)
    struct.pack_into("<I", buf, 12, crc32(memoryview(buf)[0:12]))


def pack_header(buf, fields):
    """Write a sector header into buf[0:32]; returns the seed of the sector.

    fields: in the order of HEADER_FORM, without the magic.
    """
    struct.pack_into(HEADER_FORM, buf, 0, MAGIC, *(fields + (0,)))
    seed = crc32(memoryview(buf)[0:28])
    struct.pack_into("<I", buf, 28, seed)
    return seed


def closed_by_crc(view, seed):
    """True when the control cell in view[0:16] carries its CRC."""
    return crc32(view[0:12], seed) == struct.unpack_from("<I", view, 12)[0]


def mark_value(view, kind):
    """Return the value of a STAMP or CREATE in view, or -1."""
    if view[0] != kind or not closed_by_crc(view, 0):
        return -1
    return struct.unpack_from("<I", view, 4)[0]


def header_fields(view):
    """Return the fields of a sector header and its seed, or None. A single wrong bit is put right.

    The order is that of HEADER_FORM without the magic; the last one, its CRC, is the seed.
    """
    copy = bytearray(view[0:HEADER_SIZE])
    for bit in range(-1, 8 * HEADER_SIZE):
        if bit >= 0:
            if bit == 0 and not near(copy, MAGIC):
                return None
            copy[bit >> 3] ^= 1 << (bit & 7)
        seed = struct.unpack_from("<I", copy, 28)[0]
        if copy[0:4] == MAGIC and crc32(memoryview(copy)[0:28]) == seed:
            fields = struct.unpack_from(HEADER_FORM, copy, 0)
            return fields[1:]
        if bit >= 0:
            copy[bit >> 3] ^= 1 << (bit & 7)
    return None


def near(copy, wanted):
    """True when copy starts with `wanted`, one bit aside."""
    bits = 0
    for i in range(len(wanted)):
        diff = copy[i] ^ wanted[i]
        while diff:
            bits += 1
            diff &= diff - 1
    return bits < 2


def mended_event(view, seed):
    """Return an ATTEMPT whose single wrong bit is put right, or None."""
    if not near(view, b"\xc3"):
        return None
    copy = bytearray(view[0:CELL])
    for bit in range(8 * CELL):
        copy[bit >> 3] ^= 1 << (bit & 7)
        if copy[0] == ATTEMPT and closed_by_crc(memoryview(copy), seed):
            return copy
        copy[bit >> 3] ^= 1 << (bit & 7)
    return None


def torn_create(view):
    """True when view may be a CREATE of a blank region that power cut short."""
    whole = bytearray(CELL)
    for copy in range(2):
        pack_mark(whole, CREATE, 0, copy)
        for i in range(len(view)):
            wanted = whole[i] if i < CELL else 0
            if view[i] & wanted != wanted:
                break
        else:
            return True
    return False


def choose_mask(payload, unit, size):
    """Mask the first `size` bytes of a padded payload so that no aligned unit is all ones.

    Byte 0 is free for the mask. One mask in 256 is ruled out by each unit at most, and there are
    fewer than 256 units, so one is always found.
    """
    ones = b"\xff" * unit
    last = 0
    for mask in range(256):
        for i in range(1, size):
            payload[i] ^= last ^ mask
        payload[0] = last = mask
        for i in range(0, len(payload) - unit + 1, unit):
            if payload[i : i + unit] == ones:
                break
        else:
            return


def unmask(view):
    """Undo the mask of a payload in place."""
    mask = view[0]
    if mask:
        for i in range(1, len(view)):
            view[i] ^= mask
        view[0] = 0


def wipe(buf):
    """Overwrite a bytearray that held a payload."""
    n = len(buf)
    buf[0:n] = bytes(n)
