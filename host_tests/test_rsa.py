# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""RSA of the C core and of its twin against `cryptography`, and against each other."""

import random

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from twin_kit import *

SALT = bytes(range(16))


def raw(number, size=None):
    return number.to_bytes(size or (number.bit_length() + 7) // 8, "big")


def secrets(key):
    """The six secret numbers in the order of rsa_import, as writable buffers."""
    own = key.private_numbers()
    return [bytearray(raw(value)) for value in (own.d, own.p, own.q, own.dmp1, own.dmq1, own.iqmp)]


def public(key):
    own = key.public_key().public_numbers()
    return raw(own.n), raw(own.e)


def imported(module, key):
    return module.rsa_import(*public(key), *secrets(key))


def block_of(info):
    """EMSA-PKCS1-v1_5 (RFC 8017 §9.2) of a DigestInfo."""
    return b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info


@BOTH
@pytest.mark.parametrize("exponent", [3, 65537])
def test_powers_are_those_of_cryptography(module, exponent):
    rng = random.Random(exponent)
    for _ in range(2):
        key = rsa.generate_private_key(exponent, 2048)
        slot = imported(module, key)
        n, e = public(key)
        own = key.private_numbers()
        for _ in range(10):
            block = b"\0" + rng.randbytes(255)
            power = module.rsa_private(slot, block)
            assert int.from_bytes(power, "big") == pow(
                int.from_bytes(block, "big"), own.d, own.p * own.q
            )
            assert module.rsa_public(n, e, power) == block
        message = rng.randbytes(100)
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        info = b"010\r\x06\t`\x86H\x01e\x03\x04\x02\x01\x05\0\x04 " + module.sha256(message)
        assert module.rsa_public(n, e, signature) == block_of(info)
        assert module.rsa_private(slot, block_of(info)) == signature
        module.release(slot)


def _prime_below(bits, rng, fits):
    """A number of this size that is prime to Miller and Rabin and fits."""
    while True:
        value = rng.getrandbits(bits) | 1 | 3 << (bits - 2)
        if fits(value) and pow(2, value - 1, value) == 1 and pow(3, value - 1, value) == 1:
            return value


@BOTH
def test_a_consistent_key_whose_factor_is_no_prime_is_refused(module):
    """All equations hold modulo p - 1, but p is a product: the power does not come back."""
    rng = random.Random(9)
    e = 65537
    q = _prime_below(1024, rng, lambda v: (v - 1) % e)
    while True:
        p = _prime_below(512, rng, lambda v: True) * _prime_below(512, rng, lambda v: True)
        if p.bit_length() == 1024 and (p - 1) % e and (p * q).bit_length() == 2048:
            break
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    buffers = [bytearray(raw(value)) for value in numbers]
    with pytest.raises(ValueError, match="^key$"):
        module.rsa_import(raw(p * q), raw(e), *buffers)
    assert not any(map(any, buffers)) and module.slots_used() == 0


@BOTH
@pytest.mark.parametrize("bits", [1024, 2047, 2049, 3072])
def test_other_sizes_are_refused_by_their_modulus(module, bits):
    key = rsa.generate_private_key(65537, bits if bits % 2 == 0 else 2048)
    n, e = public(key)
    n = raw(int.from_bytes(n, "big") & (1 << bits) - 1 | 1 << (bits - 1)) if bits % 2 else n
    with pytest.raises(ValueError, match="^modulus$"):
        module.rsa_import(n, e, *secrets(key))
    with pytest.raises(ValueError, match="^modulus$"):
        module.rsa_public(n, e, bytes(256))


@BOTH
def test_the_secret_numbers_are_wiped_and_never_read_from_constants(module):
    key = rsa.generate_private_key(65537, 2048)
    buffers = secrets(key)
    module.rsa_import(*public(key), *buffers)
    assert not any(map(any, buffers))
    for at in range(6):
        buffers = secrets(key)
        buffers[at] = bytes(buffers[at])
        with pytest.raises(TypeError):
            module.rsa_import(*public(key), *buffers)
    assert module.slots_used() == 1


@WAYS
def test_what_one_seals_the_other_opens(a, b):
    mine = a.master_new()
    theirs = b.master_unwrap(b"1", SALT, 0, b"", a.master_wrap(mine, b"1", SALT, 0, b""))
    key = rsa.generate_private_key(65537, 2048)
    slot = imported(a, key)
    blob = a.seal(mine, slot, b"context", b"aad")
    assert len(blob) == 672
    opened = b.unseal(theirs, blob, b"context", b"aad", b.RSA_2048)
    block = block_of(b"same")
    assert a.rsa_private(slot, block) == b.rsa_private(opened, block)
    for kind in (b.P256, b.P384, b.SECRET):
        with pytest.raises(ValueError, match="^sealed$"):
            b.unseal(theirs, blob, b"context", b"aad", kind)


@BOTH
def test_the_fifth_rsa_key_raises_memory_error_and_others_still_fit(module):
    key = rsa.generate_private_key(65537, 2048)
    handles = [imported(module, key) for _ in range(4)]
    with pytest.raises(MemoryError):
        imported(module, key)
    assert module.ec_generate(module.P256) and module.slots_used() == 5
    module.release(handles[2])
    assert imported(module, key) not in handles
