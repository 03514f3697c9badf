# SPDX-License-Identifier: MIT
"""The twin's RSA, in Python's integers.

Promises what rsa.c promises: 2048 bits, two primes of 1024, 3 <= e < 2^32. ValueError: "modulus",
"exponent" (e), "key" (the numbers are not of one key), "block" (not 256 bytes, or not below n).
"""

import entropy_py as _entropy
from p11crypto_names import RSA_2048, RSA_NAMES
from slots_py import room, slot_of, take, wipe, writable

__all__ = RSA_NAMES

_HALF = 128


def _int(data):
    return int.from_bytes(bytes(data), "big")


def _public(n, e):
    n, e = _int(n), _int(e)
    if n.bit_length() != 2048 or not n & 1:
        raise ValueError("modulus")
    if not 1 < e < 1 << 32 or not e & 1:
        raise ValueError("exponent")
    return n, e


def _block(block, n):
    block = bytes(block)
    if len(block) != 256 or _int(block) >= n:
        raise ValueError("block")
    return _int(block)


def _consistent(n, e, d, p, q, dp, dq, qp):
    return (
        p.bit_length() == q.bit_length() == 1024
        and all(0 < value.bit_length() <= 1024 for value in (dp, dq, qp))
        and p & q & 1
        and p * q == n
        and 1 < d < n
        and (d * e - 1) % (p - 1) == (d * e - 1) % (q - 1) == 0
        and (dp - d) % (p - 1) == (dq - d) % (q - 1) == 0
        and (qp * q - 1) % p == 0
    )


def _power(number, p, q, dp, dq, qp):
    one, other = pow(number, dp, p), pow(number, dq, q)
    return other + q * ((one - other) * qp % p)


def rsa_import(n, e, d, p, q, dp, dq, qp):
    """Return a slot with a private key; the six secret numbers are writable and wiped."""
    secrets = [writable(value) for value in (d, p, q, dp, dq, qp)]
    try:
        room(RSA_2048)
        n, e = _public(n, e)
        numbers = [_int(value) for value in secrets]
        if not _consistent(n, e, *numbers):
            raise ValueError("key")
        block = _int(b"\0" + _entropy.output(255))
        if pow(_power(block, *numbers[1:]), e, n) != block:
            raise ValueError("key")
        value = b"".join(one.to_bytes(_HALF, "big") for one in numbers[1:])
        return take(RSA_2048, value + e.to_bytes(4, "big"))
    finally:
        for view in secrets:
            wipe(view)


def rsa_private(slot, block):
    """Return block to the power of d, 256 bytes."""
    value = slot_of(slot, RSA_2048).value
    p, q, dp, dq, qp = (_int(value[at : at + _HALF]) for at in range(0, 5 * _HALF, _HALF))
    number = _block(block, p * q)
    _entropy.output(0)  # the firmware blinds
    result = _power(number, p, q, dp, dq, qp)
    if pow(result, _int(value[5 * _HALF :]), p * q) != number:
        raise RuntimeError("crypto")
    return result.to_bytes(256, "big")


def rsa_public(n, e, block):
    """Return block to the power of e, 256 bytes."""
    n, e = _public(n, e)
    return pow(_block(block, n), e, n).to_bytes(256, "big")
