# SPDX-License-Identifier: MIT
"""What a RESOLUTION decides, and what it must leave alone: scripted, so that each case is hit.

Random cuts find these once in some 100 000 chains: a seal that read well at the boot after its cut
and does not later, with another commit behind it; a seal that did not and does later.
"""

import random

import pytest
from controls import AcceptedTwice, VerdictReachesBack
from cutting import Flash, Geometry
from flashtear import COMPLETE, NOT_STARTED
from model import random_filler

from pal import cells
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import SECRET, Store, StoreError

GEOMETRIES = [Geometry(1, 1024, 4, ZERO_ANY, 16), Geometry(16, 1024, 4, ZERO_NONE, 16)]


def mounted(flash, store_class=Store, seed=2):
    """The store as the next boot finds it."""
    store = store_class(flash, random_filler(random.Random(seed)))
    store.mount()
    return store


def spoil(flash, store, cell):
    """A control cell of the active sector reads differently from what was written."""
    at = store.base[store.active] + cell * store.z
    flash.data[at + 5] &= 0x0F
    flash.data[at + 9] ^= 0x01


def commit_without_seal(store, oid, data):
    """A transaction up to COMMIT; returns the cell of its COMMIT."""
    s = store.active
    store.ready(s, 8, store.keep_small)
    buf = store.build((b"\0", b"", data), 2 + len(data))
    store.begin(s)
    store.record(buf, cells.RECORD, 0, oid, 2 + len(data), store.version + 1)
    store.close_with(cells.COMMIT)
    return store.tail[s] - 1


def sealed_once(flash, store_class, second):
    """A commit whose seal has become unreadable, then `second` is cut, then the recovery is.

    Returns what is left of the first after each way to cut the recovery.
    """
    store = mounted(flash, store_class, 1)
    store.commit([(0x100, 0, 0, b"", b"sealed, shown, and here to stay")])
    seal = store.tail[store.active] - 1
    second(store)
    spoil(flash, store, seal)
    snap = flash.snapshot()
    flash.trace = []
    mounted(flash, store_class)
    trace, flash.trace = flash.trace, None
    assert len(trace) > 3
    left = []
    rng = random.Random(1)
    for entry in trace:
        for variant in (NOT_STARTED, COMPLETE):
            flash.restore(snap)
            flash.tear(entry, variant, rng)
            store = mounted(flash, store_class)
            left.append(0x100 in store.ids() and bytes(store.read(0x100)[1]))
    return set(left)


def login_without_seal(store):
    """A SUCCESS cell whose seal was not begun."""
    store.ready(store.active, 8, store.keep_small)
    store.event(store.active, cells.SUCCESS, 2, 1)


SECOND = {
    "commit": lambda store: commit_without_seal(store, 0x101, b"in doubt"),
    "success": login_without_seal,
}
KEPT = {b"sealed, shown, and here to stay"}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
@pytest.mark.parametrize("second", SECOND)
def test_a_verdict_does_not_reach_back_to_a_sealed_commit(geometry, second):
    assert sealed_once(Flash(geometry), Store, SECOND[second]) == KEPT


@pytest.mark.parametrize("second", SECOND)
def test_without_the_rule_it_does(second):
    assert sealed_once(Flash(GEOMETRIES[0]), VerdictReachesBack, SECOND[second]) != KEPT


def readable_after_all(flash, store_class):
    """A commit that both a verdict and, at a later boot, its seal accept.

    Returns how often it is listed, and how much the mount that sees both has to do.
    """
    store = mounted(flash, store_class, 1)
    store.commit([(0x100, 0, 0, b"", b"before")])
    commit = commit_without_seal(store, 0x101, b"accepted by both")
    s = store.active
    start = store.t_start
    store.close_with(cells.SEAL)
    store.fence(s)
    store.write_verdict(s, (1, start, start, store.t_cells, store.t_crc))
    assert store.tail[s] > commit + 3
    before = flash.programs
    store = mounted(flash, store_class)
    assert bytes(store.read(0x101)[1]) == b"accepted by both"
    listed = [e for e in store.index if store.index.a[e] == 0x101]
    return len(listed), flash.programs - before


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_what_seal_and_verdict_both_accept_is_listed_once(geometry):
    assert readable_after_all(Flash(geometry), Store) == (1, 0)


def test_without_the_rule_the_sector_has_to_be_moved():
    assert readable_after_all(Flash(GEOMETRIES[0]), AcceptedTwice)[1] > 0


def test_a_dead_entry_at_the_place_of_a_live_one_is_not_purged():
    flash = Flash(GEOMETRIES[0])
    store = mounted(flash)
    store.commit([(0x100, 0, SECRET, b"", b"the only copy")])
    a = store.index.a
    e = store.entry(0x100)
    store.index.add(0x100, a[e + 1], store.active, a[e + 3], 1, a[e + 6], a[e + 7])
    store.purge()
    assert bytes(store.read(0x100)[1]) == b"the only copy"
    assert bytes(mounted(flash).read(0x100)[1]) == b"the only copy"


def test_without_the_comparison_a_record_wipes_itself():
    flash = Flash(GEOMETRIES[0])
    store = mounted(flash, AcceptedTwice)
    store.commit([(0x100, 0, SECRET, b"", b"the only copy")])
    a = store.index.a
    e = store.entry(0x100)
    store.index.add(0x100, a[e + 1], store.active, a[e + 3], 1, a[e + 6], a[e + 7])
    store.purge()
    with pytest.raises(StoreError):
        mounted(flash).read(0x100)


def phantom_retire(store_class):
    """A sector that a later one retired, half erased, says again what a verdict had voided.

    What it names is in use. Returns whether the object there is still served.
    """
    flash = Flash(Geometry(1, 1024, 5, ZERO_ANY, 16))
    store = mounted(flash, store_class)
    store.commit([(0x100, 0, 0, b"", b"still here")])
    home = store.active
    half_erased = store.open_next()
    store.begin(half_erased)
    store.retire(home)
    store.seal()
    newest = store.open_next()
    store.begin(newest)
    store.retire(half_erased)
    store.seal()
    assert half_erased < newest
    store = mounted(flash, store_class)
    return 0x100 in store.ids() and bytes(store.read(0x100)[1]) == b"still here"


class RetiredInAnyOrder(Store):
    """RETIRE cells are taken sector by sector, whatever became of the sector they lie in."""

    def retired(self, scans):
        for scan in scans:
            for p, q in scan.retires if scan else ():
                if scans[p] and self.seq[p] == q:
                    self.discard(p, scans)
        super().retired(scans)


def test_a_retired_sector_retires_nobody():
    assert phantom_retire(Store)
    assert not phantom_retire(RetiredInAnyOrder)
