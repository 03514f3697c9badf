# SPDX-License-Identifier: MIT
"""The mean flash: a RAM device that enforces what real flash does and breaks as real flash breaks.

It keeps per cell what was attempted (a program that power cut short spends the cell although it
may read erased), counts wear, and records the state before every operation so that a cut can be
replayed from a copy (`flashtear`). Bits read differently at every boot (`weak`) or at every read
(`flicker`); units fault when they are read (`faulty`), always or, with `flicker`, now and then.
"""

from flashtear import DONE, FRESH, TORN, Tearing

from pal.flash import FAULTED, ZERO_NONE, Caps, FlashError, uniform

DONE_CELLS = bytes([DONE]) * 64


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


class Flash(Tearing):
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
