# SPDX-License-Identifier: MIT
"""The log: sectors are erased, stamped, opened; cells are appended (FORMAT.md §2, §3).

Promises: a cell is programmed once between two erases, except for zeros that fence or purge; a
transaction is sealed only after everything before it was verified; the first append of a boot to
a sector is preceded by a fence. Knows nothing of which records are live.
"""

from binascii import crc32

from micropython import const

from .cells import (
    CELL,
    COMMIT,
    HEADER_SIZE,
    MAJOR,
    MINOR,
    SEAL,
    STAMP,
    pack_close,
    pack_header,
    pack_mark,
    pack_record,
)
from .flash import ZERO_NONE, FlashError
from .index import Index

# StoreError codes
FULL = const(1)
WORN = const(2)
DAMAGED_DATA = const(3)
UNRECOGNISED = const(4)
FOREIGN = const(5)
NEWER = const(6)
IO = const(7)
TOO_BIG = const(8)
NOT_FOUND = const(9)

CODES = (
    "",
    "FULL",
    "WORN",
    "DAMAGED",
    "UNRECOGNISED",
    "FOREIGN",
    "NEWER",
    "IO",
    "TOO_BIG",
    "NOT_FOUND",
)

# states of a sector
USED = const(1)
SPARE = const(2)  # erased and stamped in this boot
OLD = const(3)  # stamped in an earlier boot
DIRTY = const(4)  # to be erased
LOST = const(5)  # in use, not recognisable
MARK = const(6)  # holds CREATE
BLANK = const(7)  # reads erased, no stamp
BROKEN = const(8)  # cannot be erased

SLOTS = const(4)
_SPAN = const(32)


class StoreError(Exception):
    """The store could not do what was asked. `code` is one of the numbers above."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code

    def __str__(self):
        return CODES[self.code]


# Outside the class body, where MicroPython would fold the names of constants on the left, too.
StoreError.FULL = FULL
StoreError.WORN = WORN
StoreError.DAMAGED = DAMAGED_DATA
StoreError.UNRECOGNISED = UNRECOGNISED
StoreError.FOREIGN = FOREIGN
StoreError.NEWER = NEWER
StoreError.IO = IO
StoreError.TOO_BIG = TOO_BIG
StoreError.NOT_FOUND = NOT_FOUND


class Log:
    """Geometry, sector table and appending."""

    FORMAT = (MAJOR, MINOR)
    READS = (MAJOR,)  # majors that this code understands

    def __init__(self, device, random):
        caps = device.caps
        self.device = device
        self.random = random
        self.zero_mode = caps.zero_mode
        self.count = n = caps.count
        self.z = z = max(CELL, caps.prog_unit)
        self.cells = caps.erase_unit // z
        self.base = [offset for offset, _ in caps.sectors]
        self.f = f = max(1, min(caps.max_prog, _SPAN) // z)
        self.header_cells = HEADER_SIZE // z
        self.body = 1 + 2 * self.header_cells
        reserve = 2 * f + 5
        if self.zero_mode == ZERO_NONE and n < 8:
            # room for the RETIRE of a sector without content, however often power fails
            reserve = f + 2 + (f + 3) * (1 + 6 // (n - 1))
        self.keep_small = reserve + 5  # cells kept free by deletes and events
        self.keep_put = reserve + 11
        self.keep_move = reserve
        self.keep_retire = f + 2
        self.unit = CELL if caps.prog_unit < 8 else caps.prog_unit  # never all ones
        self.cell = bytearray(z)
        self.zeros = bytes(f * z)
        self.clear()

    def clear(self):
        """Forget everything that was learned from the flash."""
        n = self.count
        self.index = Index()
        self.state = bytearray(n)
        self.seq = [0] * n
        self.seed = [0] * n
        self.wear = [0] * n
        self.tail = [0] * n
        self.major = bytearray(n)
        self.fenced = 0  # bit per sector: appended to in this boot
        self.taint = 0  # bit per sector: to be evacuated
        self.void = 0  # bit per sector: holds nothing accepted
        self.active = -1
        self.top = 0  # highest sequence
        self.version = 0
        self.store_id = 0
        self.worn = False

    # --- sectors -------------------------------------------------------------------------------

    def erase(self, s):
        """Erase a sector and stamp it. StoreError WORN when it does not take twice."""
        cell = self.cell
        for _ in range(2):
            self.wear[s] += 1
            self.state[s] = DIRTY
            try:
                self.device.erase(s)
                self.blank_cell()
                pack_mark(cell, STAMP, self.wear[s])
                self.device.program(self.base[s], cell)
            except FlashError:
                continue
            self.state[s] = SPARE
            self.taint &= ~(1 << s)
            self.void &= ~(1 << s)
            return
        self.state[s] = BROKEN
        self.worn = True
        raise StoreError(WORN)

    def spares(self):
        """Number of sectors that can be opened."""
        n = 0
        for state in self.state:
            if state == SPARE or state == OLD:
                n += 1
        return n

    def next_spare(self):
        """The least worn spare, the next one round the region among equals; -1: none."""
        best = -1
        n = self.count
        for i in range(n):
            s = (self.active + 1 + i) % n
            if self.state[s] == SPARE or self.state[s] == OLD:
                if best < 0 or self.wear[s] < self.wear[best]:
                    best = s
        return best

    def number(self):
        """A random 32-bit number."""
        buf = bytearray(4)
        self.random(buf)
        return int.from_bytes(buf, "little")

    def open_next(self):
        """Make a spare the active sector."""
        s = self.next_spare()
        if s < 0:
            raise StoreError(WORN if self.worn else FULL)
        if self.state[s] != SPARE:
            self.erase(s)  # stamped in an earlier boot: the stamp may be weak
        used = 1 << s
        for i in range(self.count):
            if self.state[i] == USED:
                used |= 1 << i
        z = self.z
        header = bytearray(self.header_cells * z)
        seq = self.top + 1
        major, minor = self.FORMAT
        nonce = self.number()
        fields = (major, minor, s, self.count, seq, nonce, self.store_id, used, self.version)
        self.seed[s] = pack_header(header, fields)
        self.put(s, 1, header)
        self.put(s, 1 + self.header_cells, header)
        self.top = seq
        self.seq[s] = seq
        self.major[s] = major
        self.state[s] = USED
        self.fenced |= 1 << s
        self.active = s
        return s

    # --- cells ---------------------------------------------------------------------------------

    def blank_cell(self):
        """Clear the buffer of the next control cell."""
        self.cell[:] = self.zeros[0 : self.z]

    def put(self, s, c, buf):
        """Program whole cells at cell c, one call per span."""
        z = self.z
        f = self.f
        n = len(buf) // z
        self.tail[s] = c + n
        offset = self.base[s] + c * z
        if n == 1:
            self.device.program(offset, buf)
            return
        view = memoryview(buf)
        done = 0
        while done < n:
            step = f - (c + done) % f
            if step > n - done:
                step = n - done
            self.device.program(offset + done * z, view[done * z : (done + step) * z])
            done += step

    def fence(self, s):
        """Zero what an interrupted program call may have touched. False: the flash refused."""
        c = self.tail[s]
        end = (c // self.f + 1) * self.f
        self.tail[s] = end
        try:
            z = self.z
            self.device.program(self.base[s] + c * z, memoryview(self.zeros)[0 : (end - c) * z])
        except FlashError:
            self.tail[s] = self.cells
            return False
        self.fenced |= 1 << s
        return True

    def ready(self, s, need, keep):
        """True when `need` cells can be appended to sector s with `keep` left; fences it."""
        limit = self.cells - keep
        if self.fenced & 1 << s:
            return self.tail[s] + need <= limit
        end = (self.tail[s] // self.f + 1) * self.f
        if end + need > limit:
            return False
        return self.fence(s)

    # --- transactions --------------------------------------------------------------------------

    def begin(self, s):
        """Start a transaction at the tail of sector s, which must be `ready`."""
        self.t_sector = s
        self.t_start = self.tail[s]
        self.t_crc = self.seed[s]
        self.t_ids = 0
        self.t_seen = set()
        self.t_count = 0

    def record(self, buf, tf, kind, oid, length, version):
        """Append a record: buf is a header cell to be filled in, then the padded payload.

        Returns the cell it went to.
        """
        s = self.t_sector
        z = self.z
        view = memoryview(buf)
        pack_record(buf, tf, kind, oid, length, version, view[z : z + length], self.seed[s])
        self.t_crc = crc32(view[0:CELL], self.t_crc)
        self.names(oid)
        c = self.tail[s]
        self.put(s, c, buf)
        return c

    def names(self, oid):
        """Count a header in; its id goes into the exclusive-or once."""
        self.t_count += 1
        if oid not in self.t_seen:
            self.t_seen.add(oid)
            self.t_ids ^= oid

    def mark(self, tf, kind, oid, length, version):
        """Append a header without payload: TOMBSTONE, RETIRE, STATE. Returns its cell."""
        s = self.t_sector
        self.blank_cell()
        cell = self.cell
        pack_record(cell, tf, kind, oid, length, version, None, self.seed[s])
        self.t_crc = crc32(memoryview(cell)[0:CELL], self.t_crc)
        self.names(oid)
        c = self.tail[s]
        self.put(s, c, cell)
        return c

    def seal(self):
        """COMMIT, then SEAL: from here on the transaction holds."""
        self.close_with(COMMIT)
        self.close_with(SEAL)

    def close_with(self, kind):
        """Append COMMIT or SEAL of the transaction."""
        s = self.t_sector
        if kind == COMMIT:
            self.t_cells = self.tail[s] - self.t_start
        self.blank_cell()
        pack_close(
            self.cell, kind, self.t_cells, self.t_crc, self.t_ids, self.t_count, self.seed[s]
        )
        self.put(s, self.tail[s], self.cell)
