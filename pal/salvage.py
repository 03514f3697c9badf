# SPDX-License-Identifier: MIT
"""Second reading of an accepted transaction in which a record header is rotten (FORMAT.md §3).

One wrong bit is put right when header CRC and payload CRC then agree: 48 bits vouch for it. What
stays unreadable is named by the exclusive-or of ids in COMMIT, when it is the only one.
"""

import struct
from binascii import crc32

from .cells import CELL, PAYLOAD_MAX, RECORD_FORM, STATE, wipe
from .index import BAD
from .scan import hash_of


def judge(buf, z, seed):
    """Fields of the header at buf[0:] and whether header and payload agree; None: no header."""
    tf, kind, oid, length, version, pcrc, hcrc = struct.unpack_from(RECORD_FORM, buf, 0)
    view = memoryview(buf)
    head = crc32(view[0:10], seed)
    if crc32(view[10:14], head) & 0xFFFF != hcrc or not 0x10 <= tf <= STATE | 15:
        return None
    if tf >= 0x30:
        length_ok = True
        good = pcrc == head
    else:
        length_ok = length <= PAYLOAD_MAX and z + length <= len(buf)
        good = length_ok and crc32(view[z : z + length], head) == pcrc
    return (tf, kind, oid, length, version, good) if length_ok else None


def mend(buf, z, seed):
    """As `judge`, after putting one wrong bit of the header right in buf. None: beyond repair."""
    for bit in range(8 * CELL):
        buf[bit >> 3] ^= 1 << (bit & 7)
        fields = judge(buf, z, seed)
        if fields and fields[5]:
            return fields
        buf[bit >> 3] ^= 1 << (bit & 7)
    return None


def salvage(store, scan, held):
    """Enter the records of `held` that can be read into the index of the store."""
    z = store.z
    s = scan.sector
    seed = scan.seed
    index = store.index
    base = store.base[s]
    end = held.start + held.n
    c = held.start
    missing = held.count
    gap = 0  # cells that are no record
    found = set()
    before = index.words
    while c < end:
        room = min(end - c, 1 + (PAYLOAD_MAX + z - 1) // z)
        buf = bytearray(room * z)
        store.device.read(base + c * z, buf)
        fields = judge(buf, z, seed) or mend(buf, z, seed)
        if not fields:
            c += 1
            gap += 1
            continue
        tf, kind, oid, length, version, good = fields
        missing -= 1
        found.add(oid)
        if tf >= 0x40:
            if good:
                scan.extra((tf, kind, oid, length, version))
        elif tf >= 0x30:
            a = index.a
            e = index.words - 8
            if e < before or a[e] != oid or a[e + 1] != c - 1 or a[e + 3] != tf:
                index.add(oid, c, s, tf, version, 0, 0)
        else:
            place = s if good else s | BAD
            payload = memoryview(buf)[z : z + length]
            label_hash = hash_of(payload) if good and tf < 0x20 and length else 0
            index.add(oid, c, place, tf | kind << 8, version, length, label_hash)
            c += (length + z - 1) // z
        wipe(buf)
        c += 1
    lost = held.ids
    for oid in found:
        lost ^= oid
    if missing == 1 or (missing == 2 and gap == 2):
        if lost and lost != 4:
            scan.lost.append((lost, held.start))
    elif missing > 0:
        scan.unnamed += missing
