# SPDX-License-Identifier: MIT
"""The mean flash: a RAM device that enforces what real flash does and breaks as real flash breaks.

It keeps per cell what was attempted (a program that power cut short spends the cell although it
may read erased), counts wear, records the state before every operation so that a cut can be
replayed from a copy, and knows the torn variants of an interrupted program or erase, among them
bits that read differently at every boot (`weak`) or at every read (`flicker`), units that fault
when they are read (`faulty`), always or, with `flicker`, now and then.
"""

from pal.flash import FAULTED, ZERO_ANY, ZERO_NONE, ZERO_UNIT, Caps, FlashError, uniform

FRESH, DONE, TORN = 0, 1, 2  # what a cell went through since its last erase
DONE_CELLS = bytes([DONE]) * 64

# how an interrupted operation leaves the flash
NOT_STARTED, PREFIX, HALF, FEW, ROWS, COMPLETE, COMPLETE_WEAK, HALF_WEAK, FAULTS = range(9)
VARIANTS = (NOT_STARTED, PREFIX, HALF, FEW, ROWS, COMPLETE, COMPLETE_WEAK, HALF_WEAK)
VARIANT_NAMES = (
    "not started",
    "prefix",
    "random half of the bits",
    "random 1/64 of the bits",
    "random rows",
    "complete",
    "complete, 1 to 3 weak bits",
    "half of the bits, weak bits among the rest",
    "unit faults on read",
)


class Misuse(AssertionError):
    """The store did what no flash may be asked to do."""


class Geometry:
    """The numbers of a simulated region."""

    def __init__(self, unit, erase, count, zero_mode, max_prog=32, sizes=None, **more):
        self.unit = unit
        self.sectors = uniform(erase, count)
        if sizes:
            self.sectors = [(sum(sizes[:i]), size) for i, size in enumerate(sizes)]
        self.zero_mode = zero_mode
        self.max_prog = max(unit, max_prog)
        self.more = more
        self.size = sum(size for _, size in self.sectors)
        self.key = (unit, erase, count, zero_mode, self.max_prog, tuple(sizes or ()))

    def caps(self):
        """The capability structure of this region."""
        return Caps(self.unit, self.sectors, self.max_prog, self.zero_mode, **self.more)

    def __repr__(self):
        unit, erase, count, zero, span, sizes = self.key
        mode = ("none", "unit", "any")[zero]
        shape = "+".join(map(str, sizes)) if sizes else f"{count}x{erase}"
        return f"U{unit} {shape} zero={mode} call={span}"


class Flash:
    """A flash device (pal.flash) over RAM."""

    def __init__(self, geometry, endurance=None):
        self.geometry = geometry
        self.caps = geometry.caps()
        if endurance:
            self.caps.endurance = endurance
        self.cell = max(16, geometry.unit)
        self.data = bytearray(b"\xff" * geometry.size)
        self.spent = bytearray(geometry.size // self.cell)
        self.size = geometry.size
        self.most = max(geometry.max_prog, self.cell)
        self.wear = [0] * len(geometry.sectors)
        self.weak = {}  # offset: mask of bits that have no value of their own
        self.faulty = set()  # cells that fault when read
        self.flicker = None  # random source: weak bits and faults are drawn at every read
        self.programs = 0
        self.erases = 0
        self.bytes_read = 0
        self.trace = None  # list of snapshots, one before each operation
        self.hook = None  # hook(op, args) -> None, or "error", "silent", "part"
        self.worn_at = endurance if endurance else 0
        self.protected = False  # any program or erase is a Misuse

    # --- copies --------------------------------------------------------------------------------

    def snapshot(self):
        """Return everything that survives a power cut."""
        return (bytes(self.data), bytes(self.spent), self.weak.copy(), self.faulty.copy())

    def restore(self, snap):
        """Take the state of a snapshot."""
        self.data[:] = snap[0]
        self.spent[:] = snap[1]
        self.weak = snap[2].copy()
        self.faulty = snap[3].copy()

    def boot(self, rng):
        """Power comes back: weak bits settle for this boot."""
        for offset, mask in self.weak.items():
            self.data[offset] = self.data[offset] & ~mask | rng.getrandbits(8) & mask

    # --- device --------------------------------------------------------------------------------

    def read(self, offset, buf):
        """Fill buf."""
        n = len(buf)
        self.bytes_read += n
        if self.flicker and self.weak:
            for at, mask in self.weak.items():
                if offset <= at < offset + n:
                    bits = self.flicker.getrandbits(8) & mask
                    self.data[at] = self.data[at] & ~mask | bits
        buf[:] = self.data[offset : offset + n]
        if self.faulty:
            result = 0
            z = self.cell
            for c in range(offset // z, (offset + n + z - 1) // z):
                if c in self.faulty and not (self.flicker and self.flicker.getrandbits(1)):
                    a = max(0, c * z - offset)
                    b = min(n, c * z + z - offset)
                    buf[a:b] = b"\x5a" * (b - a)
                    result = FAULTED
            return result
        return 0

    raw_read = read

    def program(self, offset, buf):
        """Program whole units, verified."""
        n = len(buf)
        if self.protected:
            raise Misuse("program in a clean mount")
        if self.trace is not None:
            self.trace.append((self.snapshot(), offset, bytes(buf)))
        self.programs += 1
        z = self.cell
        end = offset + n
        if offset % z or n % z or not n or n > self.most:
            raise Misuse("unaligned or oversized program")
        if end > self.size or offset < 0:
            raise Misuse("program outside of the region")
        first = offset // z
        last = end // z
        data = self.data
        new = bytes(buf)
        spent = self.spent[first:last]
        if any(spent):
            self.check_again(offset, new, spent)
        if self.hook:
            verdict = self.hook("program", offset, new)
            if verdict:
                if verdict == "silent":
                    self.spent[first:last] = bytes([TORN]) * (last - first)
                raise FlashError(verdict)
        self.spent[first:last] = DONE_CELLS[: last - first]
        old = data[offset:end]
        if old.count(255) == n:
            data[offset:end] = new
        else:
            merged = int.from_bytes(old, "little") & int.from_bytes(new, "little")
            data[offset:end] = merged.to_bytes(n, "little")
        if self.faulty:
            self.faulty.difference_update(range(first, last))
        if self.weak:
            for at in range(offset, end):
                mask = self.weak.get(at)
                if mask is not None:
                    mask &= new[at - offset]
                    if mask:
                        self.weak[at] = mask
                    else:
                        del self.weak[at]
        if data[offset:end] != new:
            raise FlashError("verify")

    def check_again(self, offset, new, spent):
        """A unit is programmed again: allowed for zeros, and for CREATE over its own traces."""
        z = self.cell
        for i, was in enumerate(spent):
            if was == FRESH:
                continue
            part = new[i * z : (i + 1) * z]
            if not any(part):
                if was == DONE and self.geometry.zero_mode == ZERO_NONE:
                    raise Misuse("zeros over a programmed unit, not allowed here")
                continue
            if was == TORN and part[0:4] == b"\x78P11":
                if self.geometry.unit > 1:
                    raise FlashError("unit is not erased")
                continue
            raise Misuse(f"cell {offset // z + i} programmed twice")

    def erase(self, sector):
        """Erase one sector, verified."""
        if self.protected:
            raise Misuse("erase in a clean mount")
        if self.trace is not None:
            self.trace.append((self.snapshot(), -1, sector))
        self.erases += 1
        self.wear[sector] += 1
        if self.worn_at and self.wear[sector] > self.worn_at:
            raise FlashError("worn")
        if self.hook:
            verdict = self.hook("erase", sector, None)
            if verdict:
                raise FlashError("erase")
        self.clean(sector)

    def clean(self, sector):
        """All ones, all fresh."""
        offset, size = self.geometry.sectors[sector]
        z = self.cell
        self.data[offset : offset + size] = b"\xff" * size
        self.spent[offset // z : (offset + size) // z] = bytes(size // z)
        end = offset + size
        if self.weak:
            self.weak = {a: m for a, m in self.weak.items() if not offset <= a < end}
        if self.faulty:
            self.faulty = {c for c in self.faulty if not offset <= c * z < end}

    # --- power cuts ----------------------------------------------------------------------------

    def tear(self, entry, variant, rng):
        """Take the state in which power failed during the traced operation `entry`."""
        snap, offset, what = entry
        self.restore(snap)
        if offset >= 0:
            self.tear_program(offset, what, variant, rng)
        else:
            self.tear_erase(what, variant, rng)

    def tear_program(self, offset, new, variant, rng):
        """Part of a program happened."""
        if variant == NOT_STARTED:
            return
        z = self.cell
        n = len(new)
        first = offset // z
        cells = range(first, first + n // z)
        state = DONE if variant == COMPLETE else TORN
        for i in cells:
            self.spent[i] = state
        old = int.from_bytes(self.data[offset : offset + n], "little")
        full = int.from_bytes(new, "little")
        change = old & ~full  # bits that should go from 1 to 0
        bits = 8 * n
        weak = 0
        if variant == PREFIX:
            # a cut after 0 to n bytes, the next one torn
            keep = rng.randrange(n)
            take = change & ((1 << 8 * keep) - 1)
            take |= change & (rng.getrandbits(8) << 8 * keep)
        elif variant == HALF:
            take = change & rng.getrandbits(bits)
        elif variant == FEW:
            take = change
            for _ in range(6):
                take &= rng.getrandbits(bits)
        elif variant == ROWS:
            take = 0
            row = max(self.geometry.unit, 4)
            for at in range(0, n, row):
                if rng.getrandbits(1):
                    take |= change & (((1 << 8 * row) - 1) << 8 * at)
        elif variant == COMPLETE:
            take = change
        elif variant == COMPLETE_WEAK:
            take = change
            for _ in range(rng.randrange(1, 4)):
                weak |= some_bit(change, bits, rng)
        elif variant == HALF_WEAK:
            take = change & rng.getrandbits(bits)
            weak = change & rng.getrandbits(bits) & ~take
        else:
            take = change & rng.getrandbits(bits)
            for i in cells:
                if rng.getrandbits(1):
                    self.faulty.add(i)
        self.data[offset : offset + n] = (old & ~take).to_bytes(n, "little")
        if weak:
            self.add_weak(offset, weak, n)

    def tear_erase(self, sector, variant, rng):
        """Part of an erase happened."""
        if variant == NOT_STARTED:
            return
        self.wear[sector] += 1
        offset, size = self.geometry.sectors[sector]
        if variant == COMPLETE:
            self.clean(sector)
            return
        z = self.cell
        old = int.from_bytes(self.data[offset : offset + size], "little")
        bits = 8 * size
        ones = (1 << bits) - 1
        change = ones & ~old
        weak = 0
        if variant == PREFIX:
            keep = rng.randrange(size)
            new = old | ((1 << 8 * keep) - 1)
        elif variant == HALF:
            new = old | change & rng.getrandbits(bits)
        elif variant == FEW:
            take = change
            for _ in range(6):
                take &= rng.getrandbits(bits)
            new = old | take
        elif variant == ROWS:
            new = bytearray(self.data[offset : offset + size])
            row = rng.choice((z, 2 * z, 64, 128))
            programmed_first = rng.getrandbits(1)  # some chips program to 0 before they erase
            for at in range(0, size, row):
                what = rng.getrandbits(2)
                if what == 3 and programmed_first:
                    new[at : at + row] = bytes(len(new[at : at + row]))
                elif what & 1:
                    new[at : at + row] = b"\xff" * len(new[at : at + row])
            new = int.from_bytes(new, "little")
        elif variant == COMPLETE_WEAK:
            new = ones
            for _ in range(rng.randrange(1, 4)):
                weak |= some_bit(change or ones, bits, rng)
        elif variant == HALF_WEAK:
            new = old | change & rng.getrandbits(bits)
            # a handful of weak bits, anywhere
            for _ in range(rng.randrange(1, 40)):
                weak |= some_bit(change or ones, bits, rng)
        else:
            new = old | change & rng.getrandbits(bits)
            for i in range(offset // z, (offset + size) // z):
                if not rng.getrandbits(2):
                    self.faulty.add(i)
        self.data[offset : offset + size] = new.to_bytes(size, "little")
        # whatever it looks like, it is not erased
        first = offset // z
        self.spent[first : first + size // z] = bytes([TORN]) * (size // z)
        if weak:
            self.add_weak(offset, weak, size)

    def add_weak(self, offset, mask, n):
        """Mark the bits of mask (little endian over n bytes) as weak."""
        for i, byte in enumerate(mask.to_bytes(n, "little")):
            if byte:
                self.weak[offset + i] = self.weak.get(offset + i, 0) | byte


def some_bit(change, bits, rng):
    """One random bit of `change`, 0 when it has none."""
    for _ in range(64):
        bit = 1 << rng.randrange(bits)
        if change & bit:
            return bit
    return change & -change


__all__ = [
    "Flash",
    "Geometry",
    "Misuse",
    "VARIANTS",
    "VARIANT_NAMES",
    "ZERO_ANY",
    "ZERO_NONE",
    "ZERO_UNIT",
]
