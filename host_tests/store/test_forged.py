# SPDX-License-Identifier: MIT
"""Bytes that look like cells: object contents chosen by a caller, remains of an earlier life."""

import random

import pytest
from controls import LengthsBelieved, VerdictByStart
from cutting import Flash, Geometry, make_world
from flashtear import COMPLETE
from model import Call, Violation, random_filler

from pal import cells
from pal.flash import ZERO_ANY
from pal.index import LIVE
from pal.store import Store, StoreError

GEOMETRY = Geometry(1, 1024, 4, ZERO_ANY, 16)


def forged(seed, sector, sequence):
    """Cells that retire a sector, as an object's content would have them."""
    cell = bytearray(16)
    out = bytearray(14)  # mask and label length come before: from here on whole cells
    cells.pack_record(cell, cells.RETIRE, sector, 0, 0, sequence, None, seed)
    headers = cells.crc32(cell, seed)
    out += cell
    for kind in (cells.COMMIT, cells.SEAL):
        cells.pack_close(cell, kind, 1, headers, 0, 1, seed)
        out += cell
    return bytes(out) + b"not yet written when power fails..."


def cut_in_the_forgery(store_class, seed_of):
    """Write the forgery, cut before its record is complete; returns what is left of the others."""
    world = make_world(GEOMETRY, 2, store_class)
    world.step(Call("create", ((0x100, 0, 0, b"", b"precious" * 30),)))
    store = world.store
    while store.active == 1 or len(set(store.state)) < 3:
        world.step(Call("attempt", slot=0))
        if store.index.a[store.entry(0x100) + 2] & 0xFF != store.active:
            break
    home = store.index.a[store.entry(0x100) + 2] & 0xFF
    content = forged(seed_of(store), home, store.seq[home])
    trace = []
    call, old, new = world.step(Call("create", ((0x101, 0, 0, b"", content),)), trace)
    at = next(
        i for i, (_, offset, buf) in enumerate(trace) if offset >= 0 and buf[0] == cells.SEAL
    )
    world.flash.tear(trace[at], COMPLETE, world.rng)
    world.recover(call.torn(old, new), "forged")


def test_object_contents_cannot_pass_for_cells():
    cut_in_the_forgery(Store, lambda store: 0)
    cut_in_the_forgery(Store, lambda store: store.store_id)


class ConstantSeed(Store):
    """CRCs that do not depend on the life of the sector."""

    def open_next(self):
        s = super().open_next()
        self.seed[s] = 0
        return s

    class SCAN(Store.SCAN):
        def __init__(self, store, window, sector, seed, begin):
            store.seed[sector] = 0
            super().__init__(store, window, sector, 0, begin)


def test_without_the_seed_of_the_sector_they_can():
    with pytest.raises((Violation, StoreError)):
        cut_in_the_forgery(ConstantSeed, lambda store: 0)


def test_each_life_of_a_sector_has_its_own_seed():
    flash = Flash(GEOMETRY)
    store = Store(flash, random_filler(random.Random(1)))
    store.mount()
    seeds = set()
    for _ in range(400):
        store.attempt(0)
        seeds.add(store.seed[store.active])
    assert len(seeds) >= store.top - 1


def test_a_record_never_wipes_itself():
    """Every payload that is zeroed is dead, and no live record lies at its place."""

    class Watched(Store):
        def zeroise(self, e):
            a = self.index.a
            for other in self.index:
                if other != e and a[other + 2] & LIVE and a[other]:
                    same = a[other + 2] & 0xFF == a[e + 2] & 0xFF
                    assert not (same and a[other + 1] == a[e + 1])
            assert not a[e + 2] & LIVE
            super().zeroise(e)

    world = make_world(GEOMETRY, 4, Watched)
    for _ in range(300):
        world.step()
        if world.rng.random() < 0.2:
            world.boot()
    world.check([world.model])


def undecided(store_class, *verdicts):
    """A transaction with COMMIT but no SEAL, then verdicts (what, cells before its start).

    Returns whether the next mount shows it.
    """
    flash = Flash(GEOMETRY)
    store = store_class(flash, random_filler(random.Random(1)))
    store.mount()
    store.commit([(0x100, 0, 0, b"", b"sealed")])
    s = store.active
    start = store.tail[s]
    buf = store.build((b"\x00", b"", b"in doubt"), 10)
    store.begin(s)
    store.record(buf, cells.RECORD, 0, 0x101, 10, store.version + 1)
    store.close_with(cells.COMMIT)
    for what, earlier in verdicts:
        store.fence(s)
        fields = (what, start - earlier, start if what else 0, store.t_cells, store.t_crc)
        store.write_verdict(s, fields if what else (0, start - earlier, 0, 0, 0))
    store = store_class(flash, random_filler(random.Random(2)))
    store.mount()
    assert store.read(0x100)[1] == b"sealed"
    return 0x101 in store.ids()


def test_a_verdict_counts_for_a_range():
    assert undecided(Store)
    assert undecided(Store, (1, 0))
    assert not undecided(Store, (0, 0))
    assert not undecided(Store, (0, 3))


def test_the_last_verdict_wins():
    assert not undecided(Store, (1, 0), (0, 2))
    assert undecided(Store, (0, 2), (1, 0))


def test_a_verdict_by_exact_start_would_miss_what_it_is_about():
    assert undecided(VerdictByStart, (0, 3))


def inside_an_announced_payload(store_class):
    """A torn record announces ten cells; a recovery and a transaction went to where they would be.

    Returns whether the next mount sees that transaction.
    """
    flash = Flash(GEOMETRY)
    store = store_class(flash, random_filler(random.Random(1)))
    store.mount()
    store.commit([(0x100, 0, 0, b"", b"sealed")])
    s = store.active
    buf = store.build((b"\x00", b"", b"announced" * 17), 155)
    start = store.tail[s]
    store.begin(s)
    cells.pack_record(buf, cells.RECORD, 0, 0x101, 155, 9, memoryview(buf)[16:171], store.seed[s])
    store.put(s, start, buf[:48])  # header and two cells of ten
    store.fence(s)
    store.write_verdict(s, (0, start, 0, 0, 0))
    buf = store.build((b"\x00", b"", b"recovery"), 10)
    store.begin(s)
    store.record(buf, cells.RECORD, 0, 0x102, 10, store.version + 1)
    store.seal()
    assert store.tail[s] < start + 11
    store = store_class(flash, random_filler(random.Random(2)))
    store.mount()
    assert 0x101 not in store.ids()
    return 0x102 in store.ids()


def test_a_recovery_may_lie_inside_an_announced_payload():
    assert inside_an_announced_payload(Store)
    assert not inside_an_announced_payload(LengthsBelieved)
