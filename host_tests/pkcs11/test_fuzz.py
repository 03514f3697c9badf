# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Garbage in sequences of calls: always a CKR code, never another exception, no changed object.

test_fuzz_calls has each function alone, and memory; here hypothesis shrinks what it finds.

The `power_on` fixture fails a test when the layer met an exception that it did not foresee, so
CKR_GENERAL_ERROR cannot hide one here.
"""

import p11crypto
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore
from token_kit import *

from pal.pal import Pal
from pkcs11 import FUNCTIONS, attributes
from pkcs11.application import Application
from pkcs11.settings import Settings
from pkcs11.token import Token

KEY = ec_key()
CERT = certificate(KEY)
LENIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.sampled_from([1 << 31, 1 << 32, 1 << 64, -(1 << 40)]),
    st.binary(max_size=70),
    st.binary(max_size=70).map(bytearray),
    st.binary(max_size=70).map(memoryview),
    st.sampled_from([bytes(255), bytes(256), bytes(4096), bytes(65535), bytes(65536)]),
    st.text(max_size=5),
    st.floats(),
    st.just(()),
    st.just([]),
    st.just({}),
    st.just(object()),
)
kinds = st.one_of(
    st.sampled_from([row[attributes.TYPE] for row in attributes.TABLE]),
    st.sampled_from([0x7777, 0x80000001, 0x40000211, -1, 1 << 40]),
    junk,
)
good_values = st.one_of(
    st.booleans(),
    st.sampled_from([0, 1, 2, 3, 4, 16, 31]),
    st.sampled_from([OID_P256, wrapped(KEY), scalar(KEY), CERT, b"", b"20240101", b"label"]),
    junk,
)
templates = st.one_of(
    st.lists(st.tuples(kinds, good_values), max_size=6),
    st.lists(st.tuples(kinds, good_values), max_size=3).map(tuple),
    st.lists(kinds, max_size=5),
    st.lists(junk, max_size=3),
    st.sampled_from(
        [
            guide_private(KEY),
            guide_public(KEY),
            guide_certificate(CERT),
            guide_pair()[0],
            guide_pair()[1],
            [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_VALUE, b"x" * 100)],
            [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))],
            [(CKA_VALUE_LEN, 16)],
        ]
    ).flatmap(
        lambda good: st.lists(st.tuples(kinds, good_values), max_size=2).map(
            lambda more: good + more
        )
    ),
    junk,
)
mechanism_numbers = st.sampled_from(
    [CKM_ECDSA, CKM_ECDSA_SHA256, CKM_SHA256, CKM_EC_KEY_PAIR_GEN, CKM_AES_KEY_GEN]
    + [
        CKM_AES_ECB,
        CKM_AES_CBC_PAD,
        CKM_SHA256_HMAC,
        CKM_AES_CMAC,
        CKM_ECDH1_DERIVE,
        CKM_GENERIC_SECRET_KEY_GEN,
        0,
        0x7777,
    ]
)
mechanisms = st.one_of(
    mechanism_numbers,
    st.tuples(mechanism_numbers, junk),
    st.tuples(mechanism_numbers, st.tuples(junk, junk, junk)),
    junk,
)
small = st.one_of(st.integers(0, 12), junk)  # handles: sessions and objects are numbered from 1
data = st.one_of(st.sampled_from([DIGEST, b"", bytes(64), bytes(65536)]), junk)

ARGUMENTS = {
    "C_Initialize": (junk,),
    "C_Finalize": (junk,),
    "C_GetInfo": (),
    "C_GetSlotList": (junk, junk),
    "C_GetSlotInfo": (small,),
    "C_GetTokenInfo": (small,),
    "C_GetMechanismList": (small, junk),
    "C_GetMechanismInfo": (small, mechanisms),
    "C_InitToken": (small, junk, junk),
    "C_InitPIN": (small, junk),
    "C_SetPIN": (small, junk, junk),
    "C_OpenSession": (small, small),
    "C_CloseSession": (small,),
    "C_CloseAllSessions": (small,),
    "C_GetSessionInfo": (small,),
    "C_Login": (small, small, st.one_of(st.just(b"0000"), junk)),
    "C_Logout": (small,),
    "C_CreateObject": (small, templates),
    "C_CopyObject": (small, small, templates),
    "C_DestroyObject": (small, small),
    "C_GetObjectSize": (small, small),
    "C_GetAttributeValue": (small, small, templates),
    "C_SetAttributeValue": (small, small, templates),
    "C_FindObjectsInit": (small, templates),
    "C_FindObjects": (small, small),
    "C_FindObjectsFinal": (small,),
    "C_DigestInit": (small, mechanisms),
    "C_Digest": (small, data, junk),
    "C_DigestUpdate": (small, data),
    "C_DigestFinal": (small, junk),
    "C_SignInit": (small, mechanisms, small),
    "C_Sign": (small, data, junk),
    "C_SignUpdate": (small, data),
    "C_SignFinal": (small, junk),
    "C_VerifyInit": (small, mechanisms, small),
    "C_Verify": (small, data, data),
    "C_VerifyUpdate": (small, data),
    "C_VerifyFinal": (small, data),
    "C_EncryptInit": (small, mechanisms, small),
    "C_Encrypt": (small, data, junk),
    "C_EncryptUpdate": (small, data, junk),
    "C_EncryptFinal": (small, junk),
    "C_DecryptInit": (small, mechanisms, small),
    "C_Decrypt": (small, data, junk),
    "C_DecryptUpdate": (small, data, junk),
    "C_DecryptFinal": (small, junk),
    "C_GenerateKey": (small, mechanisms, templates),
    "C_GenerateKeyPair": (small, mechanisms, templates, templates),
    "C_DeriveKey": (small, mechanisms, small, templates),
    "C_SeedRandom": (small, data),
    "C_GenerateRandom": (small, small),
    "C_WaitForSlotEvent": (small, junk),
}
calls = st.sampled_from(FUNCTIONS).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*ARGUMENTS.get(name, (small, junk))).map(list))
)


@pytest.fixture
def fresh():
    """Make a token with one object of each kind and a logged-in session; return (app, store)."""

    def make():
        p11crypto.test_reset()
        store = MemoryStore()
        app = Application(Token(Pal(store), Settings(iterations=1, clock=lambda: 0)))
        app.C_Initialize()
        app.token.keyring._delay = lambda role: 0
        session = log_in(app)
        generate(app, session)
        app.C_CreateObject(session, guide_certificate(CERT))
        app.C_CreateObject(session, guide_private(KEY)[:3] + guide_private(KEY)[4:])
        app.C_OpenSession(1, RO)
        find(app, session)
        return app, store

    return make


def try_call(app, name, arguments):
    """Return whether the call succeeded; anything but P11Error comes through."""
    try:
        getattr(app, name)(*arguments)
        return True
    except P11Error as error:
        assert error.name.startswith("CKR_")
        return False


@given(sequence=st.lists(calls, min_size=1, max_size=12))
@settings(LENIENT, max_examples=400)
def test_any_sequence_of_any_calls(fresh, power_on, sequence):
    app, store = fresh()
    power_on.clear()
    for name, arguments in sequence:
        before = {number: list(record) for number, record in store.records.items()}
        if not try_call(app, name, arguments):
            objects = {number for number in before if number >= 0x100}
            assert objects == {number for number in store.records if number >= 0x100}
            for number in objects:
                assert store.records[number] == before[number]
        assert not power_on, (name, power_on)
    if app.token is None:
        app.C_Initialize()
    app.C_Finalize()
    assert p11crypto.slots_used() == 0


@given(arguments=st.lists(junk, max_size=7), name=st.sampled_from(FUNCTIONS))
@settings(LENIENT, max_examples=200)
def test_any_number_of_arguments(fresh, power_on, name, arguments):
    app, _ = fresh()
    try_call(app, name, arguments)
    power_on.clear()  # too few or too many are TypeErrors, answered with CKR_ARGUMENTS_BAD
