# SPDX-License-Identifier: MIT
"""C_ functions about objects: making, changing, finding, reading (PKCS#11 v2.40 §5.7).

Promises: a call that fails changes nothing; a secret value given in a bytearray or writable
memoryview is wiped before the call returns; results never contain a private component.
"""

from . import builder, objects
from .attributes import (
    BOOL,
    BY_TYPE,
    COPY,
    COPYABLE,
    CREATE,
    DESTROYABLE,
    KIND,
    MODIFIABLE,
    MODIFY,
    PRIVATE,
    SECRET,
    SHAPES,
    TOKEN,
    ULONG,
    VALUE,
)
from .calls_general import wipe
from .const import (
    CKA_CLASS,
    CKA_LABEL,
    CKO_PRIVATE_KEY,
    CKO_SECRET_KEY,
    CKR_ACTION_PROHIBITED,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_BUFFER_TOO_SMALL,
    CKR_DEVICE_ERROR,
    CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_SESSION_READ_ONLY,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_USER_NOT_LOGGED_IN,
    CKU_SO,
)
from .errors import P11Error
from .templates import Template, checked, entries, shape_in
from .token import SESSION_ID


def place(app, session, drafts, replaced=()):
    """Store drafts that carry slot or value, token objects in one transaction; return handles.

    replaced: handles of token objects that the same transaction destroys. Whatever happens, no slot
    of a failed draft stays taken.
    """
    kept = []
    try:
        gone = [_destroyable(app, session, handle).id for handle in replaced]
        for draft in drafts:
            if not draft.flags & TOKEN:
                app.token.keep(draft, app, session.handle)
                kept.append(draft.id)
        if len(kept) < len(drafts):
            app.token.add([draft for draft in drafts if draft.flags & TOKEN], gone)
    except BaseException:
        for number in kept:
            app.token.destroy(number)
        builder.drop(drafts)
        raise
    return [app.handle_of(draft.id) for draft in drafts]


def C_CreateObject(app, session, template, replaced=()):
    """Return the handle of a new object made of the values in template.

    replaced (not of the standard): handles of token objects that a new token object takes the place
    of; the same transaction destroys them.
    """
    try:
        session = app.session(session)
        template = entries(template)
        object_class, key_type, shape = shape_in(template)
        checked_template = Template(template, shape, CREATE, app.user == CKU_SO)
        checked_template.require()
        flags = checked_template.merged()
        app.may_write(session, flags)
        draft = builder.imported(object_class, key_type, checked_template, flags)
        return place(app, session, [draft], replaced)[0]
    finally:
        _wipe_secrets(template)


def _wipe_secrets(template):
    """Wipe the secret values in a template of whatever shape the caller gave."""
    if type(template) is not list and type(template) is not tuple:
        return
    secret = False
    for entry in template:
        if type(entry) in (tuple, list) and len(entry) == 2 and type(entry[0]) is int:
            if entry[0] == CKA_CLASS and entry[1] in (CKO_PRIVATE_KEY, CKO_SECRET_KEY):
                secret = True
    if secret:
        for entry in template:
            if type(entry) in (tuple, list) and len(entry) == 2 and type(entry[0]) is int:
                if entry[0] in BY_TYPE and BY_TYPE[entry[0]][KIND] in (VALUE, SECRET):
                    wipe(entry[1])


def C_CopyObject(app, session, handle, template):
    """Return the handle of a copy; template may name what may differ."""
    session = app.session(session)
    template = entries(template)
    obj = _usable(app, handle)
    if not obj.flags & COPYABLE:
        raise P11Error(CKR_ACTION_PROHIBITED)
    change = Template(template, obj.shape, COPY, app.user == CKU_SO)
    change.sticky(obj.flags)
    flags = change.merged(obj.flags)
    if obj.flags & PRIVATE and not flags & PRIVATE:
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    app.may_write(session, flags)
    draft = _changed(obj, change, flags)
    draft.size = obj.size
    if obj.secret:
        draft.slot = app.token.twin(obj)
    else:
        draft.value = app.token.value(obj)
    return place(app, session, [draft])[0]


def C_DestroyObject(app, session, handle, *others):
    """Destroy an object; of a token object with a secret no copy is left in flash.

    others (not of the standard): token objects that go with it, all of them in one transaction.
    """
    session = app.session(session)
    numbers = [_destroyable(app, session, each).id for each in (handle,) + others]
    if others:
        app.token.remove(numbers)
    else:
        app.token.destroy(numbers[0])


def _destroyable(app, session, handle):
    """Return the object of a handle that this session may destroy."""
    obj = app.object(handle)
    app.may_destroy(session, obj)
    if not obj.flags & DESTROYABLE and not obj.damaged:
        raise P11Error(CKR_ACTION_PROHIBITED)
    return obj


def C_GetObjectSize(app, session, handle):
    """Return the size of an object in bytes."""
    app.session(session)
    return app.token.size_of(app.object(handle))


def C_GetAttributeValue(app, session, handle, template):
    """Return the values of a list of attribute types, or of pairs (type, room in bytes).

    When some cannot be given, the error (SENSITIVE, TYPE_INVALID or BUFFER_TOO_SMALL) carries the
    others in `values`, None in the place of those.
    """
    app.session(session)
    if type(template) is not list and type(template) is not tuple or not len(template):
        raise P11Error(CKR_ARGUMENTS_BAD)
    for entry in template:
        if type(entry) is not int:
            if type(entry) not in (tuple, list) or len(entry) != 2 or type(entry[0]) is not int:
                raise P11Error(CKR_ARGUMENTS_BAD)
            if entry[1] is not None and type(entry[1]) is not int:
                raise P11Error(CKR_ARGUMENTS_BAD)
    obj = _usable(app, handle)
    problem = 0
    length = None
    values = []
    for entry in template:
        number, room = (entry, None) if type(entry) is int else entry
        value = None
        if number not in BY_TYPE or not BY_TYPE[number][SHAPES] >> obj.shape & 1:
            problem = problem or CKR_ATTRIBUTE_TYPE_INVALID
        else:
            row = BY_TYPE[number]
            try:
                value = app.token.read(obj, row)
            except P11Error as error:
                if error.ckr != CKR_ATTRIBUTE_SENSITIVE:
                    raise
                problem = problem or CKR_ATTRIBUTE_SENSITIVE
            if room is not None and value is not None:
                needed = length_of(row, value)
                if room < needed:
                    value = None
                    length = needed
                    problem = problem or CKR_BUFFER_TOO_SMALL
        values.append(value)
    if problem:
        raise P11Error(problem, length, values)
    return values


def length_of(row, value):
    """Return the length of a value in the C encoding of a 32-bit machine."""
    kind = row[KIND]
    if kind == BOOL:
        return 1
    return 4 if kind == ULONG or type(value) is int else len(value)


def C_SetAttributeValue(app, session, handle, template):
    """Change attributes of an object, all or none."""
    session = app.session(session)
    template = entries(template)
    if not len(template):
        raise P11Error(CKR_ARGUMENTS_BAD)
    obj = _usable(app, handle)
    if obj.id < SESSION_ID:
        if not session.rw:
            raise P11Error(CKR_SESSION_READ_ONLY)
        if app.user is None:
            raise P11Error(CKR_USER_NOT_LOGGED_IN)
    if not obj.flags & MODIFIABLE:
        raise P11Error(CKR_ACTION_PROHIBITED)
    change = Template(template, obj.shape, MODIFY, app.user == CKU_SO)
    change.sticky(obj.flags)
    draft = _changed(obj, change, change.merged(obj.flags))
    if obj.id < SESSION_ID:
        app.token.replace(obj, draft)
    else:
        obj.flags = draft.flags
        obj.label = draft.label
        obj.tlv = draft.tlv


def renamed(obj, label):
    """Return a draft of obj with another label."""
    change = Template([(CKA_LABEL, label)], obj.shape, MODIFY, False)
    return _changed(obj, change, change.merged(obj.flags))


def _usable(app, handle):
    obj = app.object(handle)
    if obj.damaged:
        raise P11Error(CKR_DEVICE_ERROR)
    return obj


def _changed(obj, change, flags):
    """Return a draft of obj with the changes of a Template."""
    values = objects.decode(obj.tlv)
    for row, value in change.stored():
        values[row[0]] = value
    label = bytes(change.values[CKA_LABEL]) if CKA_LABEL in change.values else obj.label
    pairs = [(BY_TYPE[kind], value) for kind, value in values.items()]
    return objects.Object(
        obj.object_class,
        obj.key_type,
        obj.shape,
        checked(flags, obj.shape),
        label,
        objects.encode(pairs),
    )


# --- searching ---------------------------------------------------------------------------------


def C_FindObjectsInit(app, session, template=None):
    """Start a search; None or an empty template finds everything visible."""
    session = app.session(session)
    query = objects.Query(() if template is None else template)
    if session.found is not None:
        raise P11Error(CKR_OPERATION_ACTIVE)
    session.found = app.token.find(query, app)


def C_FindObjects(app, session, maximum):
    """Return up to maximum handles, [] at the end. A bad maximum ends the search."""
    session = app.session(session)
    if type(maximum) is not int or maximum < 1:
        session.found = None
        raise P11Error(CKR_ARGUMENTS_BAD)
    if session.found is None:
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    handles = []
    while session.found and len(handles) < maximum:
        handles.append(app.handle_of(session.found.pop(0)))
    return handles


def C_FindObjectsFinal(app, session):
    """End the search."""
    session = app.session(session)
    if session.found is None:
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    session.found = None
