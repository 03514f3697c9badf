# SPDX-License-Identifier: MIT
"""A new identity takes the place of the old one: objects move to other labels, all at once.

Promises: one transaction of the store, so that a power cut leaves the old identity or the new one
and never a key of one beside a certificate of the other. What had the new labels is destroyed, of
its keys no copy is left. Nothing is moved unless everything that was named is there exactly once.
"""

from . import attributes, objects
from .api import code_of
from .calls_object import renamed
from .const import CKA_CLASS, CKA_LABEL, CKR_ACTION_PROHIBITED, CKR_ARGUMENTS_BAD
from .errors import P11Error
from .hostlink_objects import Refused, class_of

LABEL_MAX = 255  # bytes


def switch(token, request):
    """Carry out "moves", a list of [class, label now, label wanted]; return {"moved", "gone"}."""
    app = token.app
    app.session(token.session)
    app.token.ready()
    pairs = []
    gone = []
    for name, now, wanted in request["moves"]:
        if now == wanted or not 0 < len(wanted.encode()) <= LABEL_MAX:
            raise P11Error(CKR_ARGUMENTS_BAD)
        number = class_of(name)
        found = _found(token, number, now)
        if len(found) != 1:
            raise Refused(
                "%d objects to move" % len(found), "exactly one %s must be %r" % (name, now)
            )
        _allowed(found[0], attributes.MODIFIABLE)
        pairs.append((found[0], renamed(found[0], wanted.encode())))
        for old in _found(token, number, wanted):
            _allowed(old, attributes.DESTROYABLE)
            gone.append(old.id)
    moving = [obj.id for obj, _ in pairs]
    if not pairs or len(set(moving + gone)) != len(moving + gone):
        raise P11Error(CKR_ARGUMENTS_BAD)
    try:
        app.token.exchange(pairs, gone)
    except (app.token.pal.StoreError, OSError, MemoryError) as error:
        raise P11Error(code_of(error))
    return {"moved": len(pairs), "gone": len(gone)}


def _found(token, number, label):
    """Return the token objects (not those of a session) of a class and label."""
    wanted = ((CKA_CLASS, number), (CKA_LABEL, label.encode()))
    query = objects.Query(wanted)
    return [token.app.token.get(i) for i in token.app.token.find(query, token.app)]


def _allowed(obj, flag):
    if not obj.flags & flag or obj.damaged:
        raise P11Error(CKR_ACTION_PROHIBITED)
