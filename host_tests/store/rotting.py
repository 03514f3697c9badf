# SPDX-License-Identifier: MIT
"""What a rotten image may and may not do to the store."""

from model import Violation

from pal.store import StoreError


def inspect(world, store, known=()):
    """Compare the store with the model. Returns the ids that are damaged.

    Every object is served unchanged or reported as damaged; nothing else appears.
    """
    model = world.model
    damaged = set()
    ids = list(store.ids())
    health = store.health()
    missing = set(model.objects) - set(ids) - set(known)
    if len(ids) != len(set(ids)) or (missing and not health["unnamed"] and not health["lost"]):
        raise Violation(f"ids {sorted(ids)} instead of {sorted(model.objects)}")
    for oid in ids:
        try:
            label, data = store.read(oid)
        except StoreError as error:
            if error.code != StoreError.DAMAGED:
                raise
            damaged.add(oid)
            continue
        kind, flags, _, _ = store.info(oid)
        if oid not in model.objects:
            raise Violation(f"object {oid} is back")
        if (kind, flags, label, bytes(data)) != model.objects[oid]:
            raise Violation(f"object {oid} is served with other content")
    if damaged != set(health["damaged"]):
        raise Violation(f"damaged {damaged}, reported {health['damaged']}")
    return damaged, missing


def rot(world, snap, flips, most=1, events=True):
    """Flip bits of an image, mount it, check. Returns the damaged ids."""
    flash = world.flash
    flash.restore(snap)
    for bit in flips:
        flash.data[bit >> 3] ^= 1 << (bit & 7)
        flash.spent[bit // 8 // flash.cell] |= 1
    flash.bytes_read = 0
    store = world.boot()
    if flash.bytes_read > 2 * flash.size:
        raise Violation(f"mount reads {flash.bytes_read} bytes")
    damaged, missing = inspect(world, store)
    if len(damaged) + len(missing) > most:
        raise Violation(f"{len(damaged) + len(missing)} objects lost")
    if most == 1 and store.health()["unnamed"]:
        raise Violation("one bit cannot be beyond naming")
    if events:
        for slot in range(2):
            if store.fails(slot) not in world.model.fails[slot]:
                raise Violation(f"failures of {slot}: {store.fails(slot)}")
        if [store.value(2), store.value(3)] != world.model.counters:
            raise Violation("counters")
    return damaged, missing


def after(world, damaged, missing):
    """Second mount: the same answer; then damaged objects can be deleted and written anew."""
    store = world.boot()
    if inspect(world, store, missing)[0] != damaged:
        raise Violation("another answer at the second mount")
    world.check_secrets("rot")
    if store.health()["lost"]:
        return  # read-only
    for oid in damaged:
        store.commit((), (oid,))
    store = world.boot()
    if set(store.ids()) != set(world.model.objects) - damaged - missing:
        raise Violation("a damaged object was not deleted, or took another one along")
