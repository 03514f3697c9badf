# SPDX-License-Identifier: MIT
"""The stored seed of a board without an entropy source (record 0x0005, FORMAT.md §4.3).

Promises: at each boot the seed S of generation g is mixed into two independent halves, the next
seed S' and the input R of the generator. S' and g + 1 replace S in one transaction that leaves no
copy of S, and is read back, before R gives any output: no two boots give the same stream, and
power cuts leave S (whose R was never used) or S'. When the write fails, a board with a source
goes on without the seed; one without refuses: p11crypto.random keeps raising OSError(EIO).
Assumes: the first seed came from the host's generator at manufacture (`provision`), and nobody
copies a flash image back to a board, or to a second one, without provisioning it anew.
"""

import struct

import p11crypto
from micropython import const

from .store import CRITICAL, NV_SEED, SECRET, StoreError

LAYOUT = const(1)
SIZE = const(64)  # bytes of a seed
_HEAD = "<B3xI"  # layout, generation

_pool = bytearray(SIZE)  # what a store without a seed may use for the numbers of its sectors


def needed():
    """Return whether this firmware has no entropy source."""
    return hasattr(p11crypto, "has_source") and not p11crypto.has_source()


def nv_seed_read(store):
    """Return (generation, seed as bytearray), (0, empty) when none was ever provisioned.

    StoreError DAMAGED when there is a record that cannot be used.
    """
    if NV_SEED not in store.ids():
        return 0, bytearray()
    data = store.read(NV_SEED)[1]
    layout, generation = struct.unpack_from(_HEAD, data)
    if layout != LAYOUT or len(data) != 8 + SIZE:
        p11crypto.wipe(data)
        raise StoreError(StoreError.DAMAGED)
    seed = data[8:]
    p11crypto.wipe(data)
    return generation, seed


def nv_seed_write(store, generation, seed):
    """Replace the stored seed and read it back. StoreError: the old or the new one is there."""
    data = bytearray(struct.pack(_HEAD, LAYOUT, generation))
    data.extend(seed)
    try:
        store.commit([(NV_SEED, 0, SECRET | CRITICAL, b"", data)])
    finally:
        p11crypto.wipe(data)
    found, back = nv_seed_read(store)
    same = found == generation and p11crypto.compare(back, seed)
    p11crypto.wipe(back)
    if not same:
        raise StoreError(StoreError.IO)


def nv_seed_poll(store, identity=b"", extra=b""):
    """Mix, rewrite, then seed the generator. Returns the new generation, 0 without a seed.

    identity: what distinguishes this chip; extra: a seed from the host, the first one or another
    to be mixed in. StoreError when the new seed could not be stored: nothing was seeded, which
    only a board with a source survives.
    """
    generation, old = nv_seed_read(store)
    if not generation and not extra:
        return 0
    fresh = bytearray(SIZE if p11crypto.has_source() else 0)
    if fresh:
        p11crypto.hardware_poll(fresh)
    generation = generation % 0xFFFFFFFF + 1
    parts = (old, fresh, extra, identity, struct.pack("<I", generation))
    kept = _half(b"keep", parts)
    used = _half(b"use", parts)
    try:
        nv_seed_write(store, generation, kept)
        p11crypto.entropy_seed(used, identity[:SIZE])
    finally:
        for secret in (old, fresh, kept, used):
            p11crypto.wipe(secret)
    return generation


def _half(name, parts):
    """Return 64 bytes of SHA-512 over a name and parts, each behind its length."""
    state = p11crypto.Hash(p11crypto.SHA512)
    for part in (b"micropython-pkcs11 seed", name) + parts:
        state.update(struct.pack("<I", len(part)))
        state.update(part)
    half = bytearray(state.digest())
    state.wipe()
    return half


# --- the board ---------------------------------------------------------------------------------


def identity():
    """Return the chip's identity, empty where there is none."""
    try:
        from machine import unique_id
    except ImportError:
        return b""
    return unique_id()


def start(pal):
    """Seed this boot from the mounted store of a Pal. Never raises: pal.seed_error has why not."""
    pal.seed_error = None
    if p11crypto.entropy_info()[0]:
        return
    try:
        if not nv_seed_poll(pal.store, identity()):
            pal.seed_error = "no seed was provisioned"
    except (StoreError, OSError) as error:
        pal.seed_error = str(error)


def provision(pal, seed):
    """Take 64 bytes of the host's generator as the first seed, or mix them into the one there is.

    Returns the generation. The writable buffer is wiped. ValueError: not 64 bytes. StoreError.
    """
    try:
        if len(seed) != SIZE:
            raise ValueError("seed")
        _pool[:] = seed
        generation = nv_seed_poll(pal.store, identity(), seed)
        pal.seed_error = None
        return generation
    finally:
        p11crypto.wipe(_pool)
        p11crypto.wipe(seed)


def generation(pal):
    """Return the generation of the stored seed, 0 when there is none or it is damaged."""
    try:
        number, seed = nv_seed_read(pal.store)
    except StoreError:
        return 0
    p11crypto.wipe(seed)
    return number


def store_random(device):
    """Return random(buf) for the store on device: p11crypto's, and before it is seeded a stand-in.

    Mounting and the seed's own transaction may have to open a sector, whose header wants numbers
    that nobody else foresees. The stand-in is a hash over the whole region, so over the seed in
    it; what it gives is only written into sector headers.
    """
    calls = [0]

    def fill(buf):
        if p11crypto.entropy_info()[0] == 1:
            p11crypto.random(buf)
            return
        calls[0] += 1
        state = p11crypto.Hash(p11crypto.SHA512)
        state.update(b"micropython-pkcs11 store")
        state.update(struct.pack("<I", calls[0]))
        state.update(_pool)
        part = bytearray(256)
        for start, size in device.caps.sectors:
            for at in range(start, start + size, 256):
                device.read(at, part)
                state.update(part)
        buf[:] = state.digest()[: len(buf)]
        p11crypto.wipe(part)
        state.wipe()

    return fill


def seeded_pal(device):
    """Return a Pal over a new store on device that seeds the generator when it is mounted."""
    from .pal import Pal
    from .store import Store

    pal = Pal(Store(device, store_random(device)))
    pal.after_mount = start
    return pal


def at_boot():
    """Seed this boot from the board's store; one line on the console when that fails."""
    from .pal import board

    pal = board()
    try:
        pal.mount()
        reason = pal.seed_error
    except StoreError as error:
        reason = str(error)
    if reason:
        print("no random numbers: %s" % reason)
