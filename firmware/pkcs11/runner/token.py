# SPDX-License-Identifier: MIT
"""Group Own_PKCS11_Token: the run's own last test, that the token holds what it held before.

Assumes it comes last. Promises to clear up first.
"""


def objects_as_before(bench):
    session = bench.start()
    bench.clear(session)
    now = sorted([bench.facts(session, handle) for handle in bench.all(session)])
    bench.equal(len(bench.before), len(now), "objects on the token")
    bench.true(bench.before == now, "an object is not the one that was there before")


def tests(bench):
    """Return [(group, [(name, function)])]."""
    return [("Own_PKCS11_Token", [("ObjectsAsBefore", objects_as_before)])]
