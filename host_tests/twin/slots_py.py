# SPDX-License-Identifier: MIT
"""The twin's key slots: 64 and four for RSA, with handles that carry the slot's generation.

Promises what slots.c promises: a handle is index | generation << 8, never valid again once its
slot was freed; a freed slot holds zeros. ValueError("slot") for a stale or foreign handle or a
kind that was not asked for; MemoryError when no slot is free.
"""

from p11crypto_names import RSA_2048

SLOTS = 64
LARGE_SLOTS = 4
SECRET_MAX = 64  # bytes of the longest value that is no RSA key
GENERATIONS = 1 << 22  # a handle stays a small int on a 32-bit MicroPython


class Slot:
    """One place for a key; kind 0 means free."""

    def __init__(self):
        self.kind = 0
        self.generation = 1
        self.value = bytearray()


table = [Slot() for _ in range(SLOTS + LARGE_SLOTS)]


def slot_of(handle, *kinds):
    """Return the Slot behind a handle, of one of the kinds (any when none is given)."""
    index, generation = handle & 0xFF, handle >> 8
    if handle > 0 and index < len(table):
        slot = table[index]
        if slot.kind and slot.generation == generation and (not kinds or slot.kind in kinds):
            return slot
    raise ValueError("slot")


def room(kind):
    """Return the index of a free slot for a kind; MemoryError when there is none."""
    for index in range(SLOTS, len(table)) if kind == RSA_2048 else range(SLOTS):
        if not table[index].kind:
            return index
    raise MemoryError


def take(kind, value):
    """Copy value into a free slot and return its handle."""
    index = room(kind)
    slot = table[index]
    slot.kind = kind
    slot.value = bytearray(value)
    return index | slot.generation << 8


def _free(slot):
    wipe(slot.value)
    slot.kind = 0
    slot.generation = slot.generation % (GENERATIONS - 1) + 1


def release(slot):
    """Wipe and free a slot; its handle is never valid again."""
    _free(slot_of(slot))


def wipe_all():
    """Wipe and free all slots."""
    for slot in table:
        if slot.kind:
            _free(slot)


def slots_used():
    """Return the number of slots in use."""
    return sum(1 for slot in table if slot.kind)


def writable(buf):
    """Return buf as a writable view of bytes. TypeError when it is read-only."""
    view = memoryview(buf)
    if view.readonly:
        raise TypeError("secrets travel in writable buffers")
    return view.cast("B")


def wipe(buf):
    """Fill a writable buffer with zeros."""
    view = writable(buf)
    view[:] = bytes(len(view))
