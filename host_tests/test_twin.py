# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""The twin of p11crypto written with `cryptography` and the C core are the same module.

Whatever one wraps, seals, signs or authenticates, the other opens, byte for byte; whatever one
refuses, the other refuses with the same exception.
"""

import random
import re
from pathlib import Path

import pytest
from p11crypto_names import HOOKS, NAMES
from twin_kit import *

ROOT = Path(__file__).resolve().parent.parent
SALT = bytes(range(16))


def _share(a, b, pin=b"0000"):
    """A master key in both modules, carried over by a wrap."""
    master = a.master_new()
    return master, b.master_unwrap(pin, SALT, 0, b"", a.master_wrap(master, pin, SALT, 0, b""))


def _outcome(call, *args):
    try:
        return ("value", call(*args))
    except Exception as error:
        return (type(error), str(error))


def test_both_have_exactly_the_same_names():
    binding = ROOT / "firmware" / "cmodules" / "p11crypto" / "modp11crypto.c"
    table = binding.read_text().split(" globals_table[] = {")[1].split("\n};")[0]
    board = set(re.findall(r"\{ MP_ROM_QSTR\(MP_QSTR_(?!__)(\w+)\),", table))
    assert board == set(NAMES) - set(HOOKS)
    for name in NAMES:
        assert callable(getattr(py, name)) == callable(getattr(c, name)), name
    assert len([name for name in NAMES if isinstance(getattr(c, name), int)]) == 12


@WAYS
def test_what_one_wraps_the_other_opens(a, b):
    rng = random.Random(1)
    for iterations in (0, 1, 2, 1000):
        for secret in (b"", rng.randbytes(32)):
            a.test_source(secret=secret)
            b.test_source(secret=secret)
            pin, aad = rng.randbytes(rng.randint(1, 255)), rng.randbytes(rng.randint(0, 100))
            salt = rng.randbytes(rng.randint(8, 64))
            blob = a.master_wrap(a.master_new(), pin, salt, iterations, aad)
            assert b.master_unwrap(pin, salt, iterations, aad, blob)
            pin = bytes((pin[0] ^ 1,)) + pin[1:]
            assert b.master_unwrap(pin, salt, iterations, aad, blob) is None


@WAYS
def test_the_device_pin_is_the_same_and_only_there_with_a_device_secret(a, b):
    rng = random.Random(3)
    for secret in (b"", rng.randbytes(32), rng.randbytes(32)):
        a.test_source(secret=secret)
        b.test_source(secret=secret)
        mine, theirs = bytearray(b"x" * 32), bytearray(32)
        assert a.device_pin(mine) == b.device_pin(theirs) == bool(secret)
        assert mine == theirs and any(mine) == bool(secret)
    for wrong in (bytearray(31), bytearray(33)):
        assert (
            _outcome(a.device_pin, wrong)
            == _outcome(b.device_pin, wrong)
            == (ValueError, "length")
        )


@WAYS
def test_what_one_seals_the_other_opens(a, b):
    rng = random.Random(2)
    mine, theirs = _share(a, b)
    for case in range(250):
        curve = rng.choice([a.P256, a.P384])
        key = a.ec_generate(curve)
        context, aad = rng.randbytes(rng.randint(1, 32)), rng.randbytes(rng.randint(0, 300))
        blob = a.seal(mine, key, context, aad)
        opened = b.unseal(theirs, blob, context, aad, curve)
        digest = rng.randbytes(32)
        if case % 5 == 0:
            assert a.ec_public(key) == b.ec_public(opened)
            signature = b.ecdsa_sign(opened, digest)
            assert a.ecdsa_verify(curve, a.ec_public(key), digest, signature)
        damaged = bytearray(blob)
        damaged[rng.randrange(len(blob))] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError, match="^sealed$"):
            b.unseal(theirs, damaged, context, aad, curve)
        a.release(key)
        b.release(opened)


@WAYS
def test_codes_of_data_are_the_same(a, b):
    rng = random.Random(3)
    mine, theirs = _share(a, b)
    for _ in range(300):
        context, data = rng.randbytes(rng.randint(1, 32)), rng.randbytes(rng.randint(0, 2000))
        assert a.mac(mine, context, data) == b.mac(theirs, context, data)


def test_hashes_are_the_same():
    rng = random.Random(4)
    for algorithm in range(1, 6):
        one, two = py.Hash(algorithm), c.Hash(algorithm)
        for _ in range(20):
            data = rng.randbytes(rng.randint(0, 200))
            one.update(data)
            two.update(data)
            assert one.digest() == two.digest() == one.copy().digest() == two.copy().digest()
        one.wipe()
        two.wipe()
        for module in (one, two):
            assert _outcome(module.digest) == (ValueError, "hash")
            assert _outcome(module.update, b"") == (ValueError, "hash")
            assert _outcome(module.copy) == (ValueError, "hash")


# Name, shape of the arguments (n number, b bytes, B writable, c curve or algorithm, i iterations,
# s a handle that is not live), and whether the result is a new slot.
CALLS = [
    ("ec_generate", "c", True),
    ("ec_import", "cB", True),
    ("ec_import", "cb", True),
    ("ec_public", "n", False),
    ("ec_check", "cb", False),
    ("ecdsa_sign", "nb", False),
    ("ecdsa_verify", "cbbb", False),
    ("master_wrap", "nbbib", False),
    ("master_unwrap", "bbibb", True),
    ("seal", "nnbb", False),
    ("unseal", "nbbbn", True),
    ("mac", "nbb", False),
    ("compare", "bb", False),
    ("release", "s", False),
    ("Hash", "c", False),
    ("entropy_seed", "Bb", False),
    ("secret_import", "B", True),
    ("secret_generate", "n", True),
    ("secret_export", "n", False),
    ("secret_size", "n", False),
    ("ecdh", "nbn", True),
    ("seal_bytes", "nbbb", False),
    ("unseal_bytes", "nbbb", False),
    ("rsa_import", "bbBBBBBB", True),
    ("rsa_private", "nb", False),
    ("rsa_public", "bbb", False),
    ("Hmac", "cn", False),
    ("Cmac", "n", False),
    ("Aes", "nnb", False),
]
VALUES = {
    "n": ["master", "key", "secret", "stale", 0, -1, 1, 2, 3, 4, 5, 1 << 31, 1 << 40],
    "s": ["stale", 0, -1, 63 | 1 << 8, 64 | 1 << 8, 1 << 31, 1 << 40],
    "c": [-1, 0, 1, 2, 3, 5, 6, 9],
    "i": [-1, 0, 1, 2, 10_000_001, 1 << 31],
    "b": [b"", b"1", bytes(7), SALT, b"\1" * 32, bytes(33), bytes(65), bytes(256)]
    + ["point", "wrapped", "sealed", "signature"],
}
VALUES["B"] = VALUES["b"]


def _cast(module):
    """What the names in VALUES stand for in one module."""
    master, key = module.master_new(), module.ec_generate(module.P256)
    stale = module.ec_generate(module.P256)
    module.release(stale)
    return {
        "master": master,
        "key": key,
        "stale": stale,
        "secret": module.secret_import(bytearray(range(16))),
        "wrapped": module.master_wrap(master, b"1", SALT, 0, b""),
        "sealed": module.seal(master, key, b"1", b""),
        "point": module.ec_public(key),
        "signature": module.ecdsa_sign(key, b"1"),
    }


def test_both_refuse_the_same_arguments_in_the_same_words():
    casts = {module: _cast(module) for module in (py, c)}
    rng = random.Random(5)
    seen = set()
    for case in range(20000):
        name, shape, makes_slot = rng.choice(CALLS)
        chosen = [rng.choice(VALUES[kind]) for kind in shape]
        outcomes = []
        for module, cast in casts.items():
            args = [cast.get(v, v) if isinstance(v, str) else v for v in chosen]
            args = [bytearray(v) if kind == "B" else v for kind, v in zip(shape, args)]
            kind, value = _outcome(getattr(module, name), *args)
            if kind == "value" and makes_slot and value is not None:
                module.release(value)
            if kind == "value" and not isinstance(value, (bool, type(None))):
                value = "something"  # keys, nonces and handles differ
            outcomes.append((kind, value))
        if outcomes[0][0] is TypeError:  # each runtime has its own words for it
            outcomes = [outcome[0] for outcome in outcomes]
        assert outcomes[0] == outcomes[1], (case, name, chosen)
        seen.add((name, outcomes[0]))
    assert len(seen) >= 40  # successes, verdicts and each word were met
    assert py.slots_used() == c.slots_used() == 3


@BOTH
def test_an_imported_scalar_is_wiped_whatever_happens(module):
    for curve, scalar in ((1, bytes(32)), (1, b"\1" * 31), (9, b"\1" * 32), (1, b"\1" * 32)):
        buffer = bytearray(scalar)
        _outcome(module.ec_import, curve, buffer)
        assert not any(buffer)
    assert module.slots_used() == 1
    with pytest.raises(TypeError):
        module.ec_import(1, b"\1" * 32)


@BOTH
def test_a_stuck_source_stops_keys_and_random_numbers_until_power_on(module):
    key = module.ec_generate(module.P256)
    module.test_source(lambda count: bytes(count))
    for call in (lambda: module.ec_generate(1), module.master_new):
        with pytest.raises(OSError) as error:
            call()
        assert error.value.errno == 5
    buffer = bytearray(b"x" * 8)
    assert _outcome(module.random, buffer)[0] is OSError
    assert _outcome(module.ecdsa_sign, key, bytes(32))[0] is OSError
    assert _outcome(module.hardware_poll, bytearray(8))[0] is OSError
    assert module.entropy_info()[0] == 2 and module.entropy_info()[4] == 1
    module.test_source()
    assert _outcome(module.random, buffer)[0] is OSError
    module.test_reset()
    module.random(buffer)
    assert module.entropy_info()[0] == 1


@BOTH
def test_without_a_source_nothing_is_random_until_a_seed_came(module):
    def draw():
        buffer = bytearray(16)
        module.random(buffer)
        return bytes(buffer)

    seen = []
    for personal in (b"", b"a", b"b", b"b"):
        module.test_no_source()
        module.test_reset()
        assert not module.has_source() and module.entropy_info() == (0, 0, 0, 0, 0, 0)
        for call in (draw, module.master_new, lambda: module.random_add(b"1")):
            with pytest.raises(OSError) as error:
                call()
            assert error.value.errno == 5
        seed = bytearray(b"\1" * 64)
        module.entropy_seed(seed, personal)
        assert not any(seed) and module.entropy_info()[0] == 1
        seen.append([draw() for _ in range(1100)])
        assert len(set(seen[-1])) == 1100 and module.master_new()
        assert _outcome(module.hardware_poll, bytearray(8))[0] is OSError
    assert seen[2] == seen[3] and seen[0] != seen[1] != seen[2]


@WAYS
def test_both_take_the_same_number_of_samples_for_the_same_calls(a, b):
    for module in (a, b):
        module.test_reset()
        module.random(bytearray(10))
        module.random(bytearray(100))
        module.ec_generate(module.P256)
        module.master_new()
        module.hardware_poll(bytearray(64))
        for _ in range(1100):
            module.random(bytearray(1))
    assert a.entropy_info() == b.entropy_info()


@BOTH
def test_the_sixty_fifth_key_raises_memory_error(module):
    handles = [module.ec_generate(module.P256) for _ in range(64)]
    assert len(set(handles)) == 64 and module.slots_used() == 64
    with pytest.raises(MemoryError):
        module.ec_generate(module.P256)
    module.release(handles[10])
    module.ec_generate(module.P256)
    with pytest.raises(ValueError, match="^slot$"):
        module.release(handles[10])
    module.wipe_all()
    assert module.slots_used() == 0
