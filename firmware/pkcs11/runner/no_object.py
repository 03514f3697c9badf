# SPDX-License-Identifier: MIT
"""Group Full_PKCS11_NoObject: digest and random numbers.

Promises the guide's checks; the "threads" are sessions whose calls take turns.
"""

from ..const import (
    CKM_SHA256,
    CKR_BUFFER_TOO_SMALL,
    CKR_MECHANISM_INVALID,
    CKR_OK,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_SESSION_HANDLE_INVALID,
)
from . import vectors

UNKNOWN = 0x253  # no mechanism of the standard's digests
BLOCK = 10  # bytes
DRAWS = 3


def digest(bench):
    app = bench.app
    session = bench.start()
    bench.expect(CKR_OK, app.C_DigestInit, session, CKM_SHA256)
    bench.expect(CKR_OK, app.C_DigestUpdate, session, vectors.MESSAGE)
    bench.equal(32, bench.length(app.C_DigestFinal, session, 0), "length")
    value = bench.expect(CKR_OK, app.C_DigestFinal, session, 32)
    bench.equal(vectors.MESSAGE_DIGEST, bytes(value), "digest of the 896-bit message")
    bench.expect(CKR_OK, app.C_DigestInit, session, CKM_SHA256)
    value = bench.expect(CKR_OK, app.C_Digest, session, vectors.MESSAGE, 32)
    bench.equal(vectors.MESSAGE_DIGEST, bytes(value), "digest in one call")


def digest_error_conditions(bench):
    app = bench.app
    session = bench.start()
    bench.expect(CKR_MECHANISM_INVALID, app.C_DigestInit, session, UNKNOWN)
    bench.expect(CKR_SESSION_HANDLE_INVALID, app.C_DigestInit, 0, CKM_SHA256)
    bench.expect(CKR_OPERATION_NOT_INITIALIZED, app.C_DigestUpdate, session, b"data")
    bench.expect(CKR_OK, app.C_DigestInit, session, CKM_SHA256)
    bench.expect(CKR_SESSION_HANDLE_INVALID, app.C_DigestUpdate, 0, b"data")
    bench.expect(CKR_OK, app.C_DigestUpdate, session, vectors.MESSAGE)
    bench.expect(CKR_SESSION_HANDLE_INVALID, app.C_DigestFinal, 0, 32)
    bench.expect(CKR_BUFFER_TOO_SMALL, app.C_DigestFinal, session, 31)
    value = bench.expect(CKR_OK, app.C_DigestFinal, session, 32)
    bench.equal(vectors.MESSAGE_DIGEST, bytes(value), "digest after refused calls")
    bench.expect(CKR_OPERATION_NOT_INITIALIZED, app.C_DigestUpdate, session, b"data")


def _same(one, other):
    return sum([1 for a, b in zip(one, other) if a == b])


def _alike(bench):
    """Draw three blocks, two from one session; True when one has two bytes of the first in place."""
    app = bench.app
    session = bench.start()
    blocks = [bytes(app.C_GenerateRandom(session, BLOCK)) for _ in range(2)]
    app.C_CloseSession(session)
    blocks.append(bytes(app.C_GenerateRandom(bench.start(), BLOCK)))
    for block in blocks:
        bench.equal(BLOCK, len(block), "length")
    return any([_same(blocks[0], block) > 1 for block in blocks[1:]])


def generate_random(bench):
    # By chance alone one draw in 750 is alike: only a generator whose draws all are is to blame.
    bench.true(not all(_alike(bench) for _ in range(DRAWS)), "random blocks are alike")


def generate_random_multi_thread(bench):
    sessions = [bench.start() for _ in range(bench.switches.tasks)]
    before = bytes(BLOCK)
    for _ in range(bench.switches.loops):
        for session in sessions:
            block = bytes(bench.expect(CKR_OK, bench.app.C_GenerateRandom, session, BLOCK))
            bench.true(block != before, "two sessions got the same block")
            before = block


def tests(bench):
    """Return [(group, [(name, function)])]."""
    listed = [
        ("AFQP_Digest", digest),
        ("AFQP_Digest_ErrorConditions", digest_error_conditions),
        ("AFQP_GenerateRandom", generate_random),
        ("AFQP_GenerateRandomMultiThread", generate_random_multi_thread),
    ]
    return [("Full_PKCS11_NoObject", listed)]
