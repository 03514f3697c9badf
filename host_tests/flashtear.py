# SPDX-License-Identifier: MIT
"""How flash looks after an operation that power cut short: the torn variants of a program or an erase.

`Tearing` is the part of flashsim.Flash that takes the state of a traced operation cut off; among
the variants are bits that read differently at every boot and units that fault when they are read.
"""

FRESH, DONE, TORN = 0, 1, 2  # what a cell went through since its last erase

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


class Tearing:
    """tear() for a flash in RAM with the attributes of flashsim.Flash."""

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
