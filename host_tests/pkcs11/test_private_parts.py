# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The private part of a key is for nobody: not as an attribute, not in a copy, not in an error.

test_private has the rules of who sees a private object at all.
"""

import p11crypto
import pytest
import rsa_kit
from secret_kit import secret
from token_kit import *

KEY = ec_key()
VALUE = bytes(range(16, 32))
READABLE = ((CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True))

PRIVATE_PARTS = (CKA_VALUE, *rsa_kit.SECRETS)


def everything(app, session, handle):
    """All that C_GetAttributeValue gives of an object, in one byte string."""
    found = []
    for kind in range(0x300):
        try:
            found.append(app.C_GetAttributeValue(session, handle, [kind])[0])
        except P11Error as error:
            assert error.values == [None], name_of("CKA_", kind)
            found.append(str(error).encode())
    return b"|".join(value if type(value) is bytes else b"%r" % value for value in found)


def hiding_places(secret):
    """The secret as it is, backwards, in hexadecimal."""
    return (secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode())


@pytest.mark.parametrize("token_object", [True, False])
def test_the_scalar_is_in_no_attribute_of_any_object(app, session, token_object):
    template = [entry for entry in guide_private(KEY) if entry[0] != CKA_TOKEN]
    more = [(CKA_TOKEN, token_object), (CKA_EXTRACTABLE, True)]
    private = app.C_CreateObject(session, template + more)
    app.C_CreateObject(session, guide_public(KEY))
    app.C_CreateObject(session, guide_certificate(certificate(KEY)))
    app.C_CopyObject(session, private, [(CKA_TOKEN, True)])
    app.C_CopyObject(session, private, [(CKA_TOKEN, False), (CKA_LABEL, b"copy")])
    app.C_SetAttributeValue(session, private, [(CKA_ID, b"x")])
    handles = find(app, session)
    assert len(handles) == 5
    for handle in handles:
        text = everything(app, session, handle)
        assert not any(place in text for place in hiding_places(scalar(KEY)))


@pytest.mark.parametrize("kind", PRIVATE_PARTS, ids=lambda kind: name_of("CKA_", kind))
def test_the_scalar_of_a_generated_key_cannot_be_asked_for(app, session, kind):
    public, private = generate(app, session)
    for handle in (private, app.C_CopyObject(session, private, [])):
        for asked in ([kind], [(kind, 0)], [(kind, 9999)], [CKA_CLASS, kind]):
            with pytest.raises(P11Error) as caught:
                app.C_GetAttributeValue(session, handle, asked)
            code = CKR_ATTRIBUTE_SENSITIVE if kind == CKA_VALUE else CKR_ATTRIBUTE_TYPE_INVALID
            assert caught.value.ckr == code and caught.value.length is None
            assert caught.value.values[-1] is None
    with raises(CKR_ATTRIBUTE_TYPE_INVALID):
        app.C_GetAttributeValue(session, public, [kind])


def test_a_refused_import_does_not_tell_the_value(app, session):
    value = bytearray(scalar(KEY))
    template = [*guide_private(KEY)[:-1], (CKA_VALUE, value), (CKA_VERIFY, True)]
    with pytest.raises(P11Error) as caught:
        app.C_CreateObject(session, template)
    shown = (str(caught.value) + repr(caught.value) + repr(caught.value.args)).encode()
    assert not any(place in shown for place in hiding_places(scalar(KEY)))
    assert caught.value.values is None and not any(value)


def test_a_sensitive_key_cannot_be_guessed_by_its_value_and_a_readable_one_is_found(app, session):
    readable = app.C_CreateObject(session, secret(CKK_AES, VALUE, *READABLE))
    app.C_CreateObject(session, secret(CKK_AES, VALUE))
    app.C_CreateObject(session, guide_private(KEY))
    used = p11crypto.slots_used()
    assert find(app, session, (CKA_VALUE, VALUE)) == [readable]
    assert find(app, session, (CKA_VALUE, scalar(KEY))) == []
    assert find(app, session, (CKA_VALUE, b"")) == []
    assert p11crypto.slots_used() == used
