# SPDX-License-Identifier: MIT
"""What the groups RSA and EC share: a private key, its public half and a certificate.

Promises the guide's checks for every way to provision that is on. `kind` is the module that makes
the objects: objects.py or objects_rsa.py. The "threads" are sessions whose calls take turns.
"""

from ..const import (
    CKA_CLASS,
    CKA_LABEL,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OK,
)
from . import objects
from .switches import IMPORT, PREPROVISIONED

NO_SUCH_LABEL = b"This label doesn't exist"
HALVES = (("private", CKO_PRIVATE_KEY), ("public", CKO_PUBLIC_KEY))
ALL = HALVES + (("certificate", CKO_CERTIFICATE),)


def all_found(bench, session, handles):
    """Check that each object is found under its label and class."""
    for (role, object_class), handle in zip(ALL, handles):
        found = bench.find(session, bench.labels[role], object_class)
        bench.equal(handle, found, "handle of the " + role)
        bench.true(found != 0, "no " + role)


def gone(bench, session, handles):
    """Check that no handle is valid and no label of the run is found."""
    for handle in handles:
        bench.expect(
            CKR_OBJECT_HANDLE_INVALID, bench.app.C_GetAttributeValue, session, handle, [CKA_CLASS]
        )
    for role, label in bench.labels.items():
        for object_class in objects.CLASSES[role]:
            bench.equal(0, bench.find(session, label, object_class), "found again: " + role)


def sensitive(bench, session, private, attribute, room):
    """Check that a private value is refused and nothing is given in its place."""
    call = bench.app.C_GetAttributeValue
    error = bench.expect(CKR_ATTRIBUTE_SENSITIVE, call, session, private, [(attribute, room)])
    bench.equal([None], error.values, "the private value was given away")


def create_object(bench, kind):
    session = bench.start()
    all_found(bench, session, bench.provision(session, IMPORT, kind))


def destroy_object(bench, kind):
    session = bench.start()
    for method in kind.methods(bench):
        handles = bench.provision(session, method, kind)
        bench.clear(session)
        gone(bench, session, handles)


def find_object(bench, kind):
    session = bench.start()
    for method in kind.methods(bench):
        handles = bench.provision(session, method, kind)
        if method == PREPROVISIONED:
            bench.true(handles[0] and handles[1], "no pre-provisioned key")
        else:
            all_found(bench, session, handles)
        bench.equal(0, bench.find(session, NO_SUCH_LABEL, CKO_PUBLIC_KEY), "found without label")


def rounds(bench, kind, turn):
    """Provision, then let turn(sessions, handles) run loops times, for each way to provision."""
    for method in kind.methods(bench):
        first = bench.start()
        handles = bench.provision(first, method, kind)
        sessions = [first] + [bench.start() for _ in range(bench.switches.tasks - 1)]
        for _ in range(bench.switches.loops):
            turn(sessions, handles)
        for session in sessions[1:]:
            bench.app.C_CloseSession(session)


def find_object_multi_thread(bench, kind):
    app = bench.app

    def turn(sessions, handles):
        for (role, object_class), handle in zip(ALL, handles):
            template = [(CKA_LABEL, bench.labels[role]), (CKA_CLASS, object_class)]
            for session in sessions:
                bench.expect(CKR_OK, app.C_FindObjectsInit, session, template)
            for session in sessions:
                found = bench.expect(CKR_OK, app.C_FindObjects, session, 1)
                bench.equal([handle], list(found), "handle of the " + role)
            for session in reversed(sessions):
                bench.expect(CKR_OK, app.C_FindObjectsFinal, session)

    rounds(bench, kind, turn)


def listed(group, rows, kind):
    """Return [(group, [(name, function of bench, or None where the switches exclude it)])].

    rows: (name, function, whether it runs); a function of this file takes the kind, too.
    """

    def bound(test):
        return lambda bench: test(bench, kind)

    return [(group, [(name, bound(test) if go else None) for name, test, go in rows])]
