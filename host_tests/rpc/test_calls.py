# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""The calls of p11-kit's RPC protocol, against the server in this process."""

import hashlib

import p11crypto
import pytest
from token_kit import certificate, ec_key, point, verifies
from wire import Caller, Refused, ay, n, template, u

from pkcs11 import mechanisms, rpc_calls
from pkcs11.attributes import TABLE, TYPE
from pkcs11.const import *


def refused(ckr, function, *args):
    with pytest.raises(Refused) as caught:
        function(*args)
    assert caught.value.ckr == ckr, hex(caught.value.ckr)


# --- the table -----------------------------------------------------------------------------------

LETTERS = {"ay": "b", "aA": "A", "fA": "t", "fy": "f", "fu": "f", "u": "u", "y": "y", "M": "M"}
LETTERS.update({"s": "s", "z": "s"})


def letters(signature):
    """p11-kit's signature in the letters of our decoder."""
    found = ""
    at = 0
    while at < len(signature):
        size = 2 if signature[at] in "af" else 1
        found += LETTERS[signature[at : at + size]]
        at += size
    return found


def test_decoding_columns_say_the_same_as_the_signatures():
    rows = [row for row in rpc_calls.CALLS if row]
    for row in rows + [rpc_calls.INIT_TOKEN_2, rpc_calls.DERIVE_KEY_2]:
        head = row[rpc_calls.HEAD]
        assert head[0] == ">" and set(head[1:]) <= {"Q"}
        coded = "u" * (len(head) - 1) + row[rpc_calls.TAIL].decode()
        assert coded == letters(row[rpc_calls.REQUEST].decode()), row
        if row[rpc_calls.STYLE] == rpc_calls.BYTES:
            assert row[rpc_calls.REPLY] == b"ay" and row[rpc_calls.TAIL].endswith(b"f")
        if row[rpc_calls.STYLE] in (rpc_calls.NUMBERS, rpc_calls.SECRETS):
            assert set(row[rpc_calls.REPLY]) <= set(b"u")


def test_each_row_names_a_function_of_the_api_and_sits_at_its_id():
    from pkcs11.api import FUNCTIONS

    for number, row in enumerate(rpc_calls.CALLS):
        if row:
            assert row[rpc_calls.NAME] in FUNCTIONS, number
    assert len(rpc_calls.CALLS) == 66
    names = [row and row[0] for row in rpc_calls.CALLS]
    for number, name in ((9, "C_InitToken"), (24, "C_GetAttributeValue"), (43, "C_Sign")):
        assert names[number] == name


def test_mechanisms_with_parameters_are_known_to_the_coder():
    for number in mechanisms.NUMBERS:
        takes = number in (CKM_ECDH1_DERIVE, CKM_AES_CBC_PAD, 0x1082)
        assert takes == (number in rpc_calls.PARAMETER), hex(number)


# --- general -------------------------------------------------------------------------------------


def test_a_client_sees_one_slot_and_its_token(caller):
    assert caller.slots() == [1]
    assert caller.slots(room=0) == 1
    texts, numbers, versions = caller.token_info()
    assert [len(text) for text in texts] == [32, 32, 16, 16, 16]
    assert numbers[0] & CKF_TOKEN_INITIALIZED
    assert versions[0] == (0, 0)


def test_info_structures_have_the_widths_of_the_standard(caller):
    info = caller.call(3, "", "vsusv")
    assert info.v() == (2, 40) and len(info.s()) == 32
    info.u()
    assert len(info.s()) == 32 and info.v() is not None
    info.end()
    info = caller.call(5, "u", "ssuvv", u(1))
    assert (len(info.s()), len(info.s())) == (64, 32)
    assert info.u() & CKF_TOKEN_PRESENT
    refused(CKR_SLOT_ID_INVALID, caller.call, 5, "u", "ssuvv", u(2))


def test_a_wrong_handshake_is_refused(board):
    caller = Caller(board.connect())
    parts = ay(b"something else"), b"\0", ay(b"\0")
    refused(CKR_GENERAL_ERROR, caller.nothing, 1, "ayyay", *parts)
    refused(CKR_CRYPTOKI_NOT_INITIALIZED, caller.slots)


def test_calls_before_initialize_and_after_finalize_say_so(caller):
    refused(CKR_CRYPTOKI_ALREADY_INITIALIZED, caller.initialize)
    caller.finalize()
    refused(CKR_CRYPTOKI_NOT_INITIALIZED, caller.open)
    caller.initialize()
    assert caller.open()


def test_what_is_not_offered_is_not_supported(caller):
    session = caller.open()
    for number in (16, 17, 40, 46, 47, 52, 53, 54, 55, 56, 57, 60, 61, 66, 67, 68, 87, 90, 0, 255):
        refused(CKR_FUNCTION_NOT_SUPPORTED, caller.nothing, number, "u", u(session))
    for number in (256 + 11, 1 << 31, 0xFFFFFFFF):
        refused(CKR_FUNCTION_NOT_SUPPORTED, caller.nothing, number, "u", u(session))
    assert caller.session_info(session)


def test_waiting_for_a_slot_event_never_blocks(caller):
    refused(CKR_NO_EVENT, caller.one, 65, "u", u(CKF_DONT_BLOCK))
    refused(CKR_FUNCTION_NOT_SUPPORTED, caller.one, 65, "u", u(0))


# --- objects -------------------------------------------------------------------------------------


def test_a_key_pair_signs_and_verifies(caller, session):
    public, private = caller.keypair(session)
    digest = bytes(range(32))
    caller.sign_init(session, private)
    assert caller.sign(session, digest, room=0) == 64
    assert caller.sign(session, digest, room=63) == 64
    signature = caller.sign(session, digest)
    found, ckr = caller.attributes(session, public, [CKA_EC_POINT])
    assert ckr == 0
    assert verifies(found[0][2][2:], digest, signature)
    caller.verify_init(session, public)
    caller.verify(session, digest, signature)
    caller.verify_init(session, public)
    refused(CKR_SIGNATURE_INVALID, caller.verify, session, digest, bytes(64))


def test_objects_can_be_written_found_read_and_destroyed(caller, session):
    key = ec_key()
    der = certificate(key)
    pairs = [(CKA_CLASS, CKO_CERTIFICATE), (CKA_CERTIFICATE_TYPE, 0), (CKA_TOKEN, True)]
    pairs += [(CKA_LABEL, b"Device Cert"), (CKA_VALUE, der), (CKA_ID, b"\7")]
    handle = caller.create(session, pairs)
    assert caller.find(session, [(CKA_LABEL, b"Device Cert")]) == [handle]
    assert caller.find(session, [(CKA_LABEL, b"Device")]) == []
    found, ckr = caller.attributes(session, handle, [CKA_VALUE, CKA_CLASS, CKA_TOKEN])
    assert [value for _, _, value in found] == [der, CKO_CERTIFICATE, True] and not ckr
    found, ckr = caller.attributes(session, handle, [CKA_VALUE], room=0)
    assert found == [(CKA_VALUE, len(der), None)] and not ckr
    found, ckr = caller.attributes(session, handle, [CKA_VALUE, CKA_CLASS], room=8)
    assert found == [(CKA_VALUE, None, None), (CKA_CLASS, 8, CKO_CERTIFICATE)]
    assert ckr == CKR_BUFFER_TOO_SMALL
    caller.nothing(25, "uuaA", u(session), u(handle), template([(CKA_LABEL, b"new")]))
    assert caller.find(session, [(CKA_LABEL, b"new")])
    caller.destroy(session, handle)
    assert caller.find(session) == []


def test_refused_attributes_leave_the_others_readable(caller, session):
    _, private = caller.keypair(session)
    kinds = [CKA_LABEL, CKA_VALUE, CKA_MODULUS, CKA_SIGN]
    found, ckr = caller.attributes(session, private, kinds)
    assert ckr in (CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID)
    assert [value for _, _, value in found] == [b"key", None, None, True]


def test_every_attribute_of_the_table_can_be_asked_for(caller, session):
    public, private = caller.keypair(session)
    kinds = [row[TYPE] for row in TABLE] + [0xCE534351, 0x80000001, 0x40000600]
    for handle in (public, private):
        for room in (0, 4096):
            found, _ = caller.attributes(session, handle, kinds, room)
            assert len(found) == len(kinds)


def test_a_32_bit_client_gets_lengths_of_four(caller, session):
    caller.keypair(session)
    assert caller.attributes(session, caller.find(session)[0], [CKA_CLASS])[0][0][1] == 8
    pairs = template([(CKA_CLASS, CKO_PRIVATE_KEY)], width=4)
    caller.nothing(26, "uaA", u(session), pairs)
    (handle,) = caller.call(27, "ufu", "au", u(session), n(1)).au()
    caller.nothing(28, "u", u(session))
    assert caller.attributes(session, handle, [CKA_CLASS])[0][0][1] == 4


def test_destroyable_travels_as_a_byte_string(caller, session):
    pairs = [(CKA_CLASS, CKO_DATA), (CKA_VALUE, b"x"), (CKA_DESTROYABLE, False)]
    handle = caller.create(session, pairs)
    found, ckr = caller.attributes(session, handle, [CKA_DESTROYABLE])
    assert found == [(CKA_DESTROYABLE, 1, b"\0")] and not ckr
    refused(CKR_ACTION_PROHIBITED, caller.destroy, session, handle)


def test_values_of_the_wrong_size_are_refused(caller, session):
    def create(raw):
        parts = u(session), n(1) + raw
        return caller.one(20, "uaA", *parts)

    refused(CKR_ATTRIBUTE_VALUE_INVALID, create, n(CKA_CLASS) + b"\1" + n(3) + u(0))
    refused(CKR_ATTRIBUTE_VALUE_INVALID, create, n(CKA_TOKEN) + b"\1" + n(2) + b"\1")
    refused(CKR_ATTRIBUTE_VALUE_INVALID, create, n(CKA_TOKEN) + b"\1" + n(1) + b"\2")
    refused(CKR_ATTRIBUTE_VALUE_INVALID, create, n(CKA_LABEL) + b"\1" + n(2) + n(1) + b"a")
    refused(CKR_ATTRIBUTE_TYPE_INVALID, create, n(0x40000211) + b"\1" + n(24) + n(0))


def test_session_objects_and_copies_work(caller, session):
    pairs = [(CKA_CLASS, CKO_DATA), (CKA_LABEL, b"d"), (CKA_VALUE, b"some data")]
    handle = caller.create(session, pairs)
    copy = caller.one(21, "uuaA", u(session), u(handle), template([(CKA_LABEL, b"e")]))
    found, _ = caller.attributes(session, copy, [CKA_VALUE, CKA_LABEL])
    assert [value for _, _, value in found] == [b"some data", b"e"]
    assert caller.one(23, "uu", u(session), u(copy)) > 0
    caller.close(session)
    assert caller.find(caller.open()) == []


# --- digest, random ------------------------------------------------------------------------------


def test_digest_in_one_and_many_parts(caller):
    session = caller.open()
    data = bytes(1000)
    caller.digest_init(session)
    assert caller.digest(session, data, room=0) == 32
    assert caller.digest(session, data) == hashlib.sha256(data).digest()
    caller.digest_init(session)
    for _ in range(3):
        caller.nothing(39, "uay", u(session), ay(data))
    assert caller.data(41, "ufy", u(session), n(0)) == 32
    assert caller.data(41, "ufy", u(session), n(32)) == hashlib.sha256(data * 3).digest()


def test_random_of_any_length(caller):
    session = caller.open()
    for size in (1, 16, 1000, 1024, 1025, 5000, 100000):
        value = caller.random(session, size)
        assert len(value) == size
        assert size < 8 or value.count(0) < size / 4
    caller.nothing(63, "uay", u(session), ay(b"seed"))
    assert caller.random(session, 0) == b""
    assert caller.random(session, 0xFFFFFFFF) == b""  # 0.25: a buffer of length 0
    refused(CKR_SESSION_HANDLE_INVALID, caller.random, 99, 0)
    refused(CKR_ARGUMENTS_BAD, caller.random, session, 0x100001)
    refused(CKR_SESSION_HANDLE_INVALID, caller.random, 99, 5000)


def test_a_generator_that_fails_half_way_is_an_error_not_a_short_answer(caller, monkeypatch):
    session = caller.open()
    calls = []
    original = p11crypto.random

    def random(buf):
        calls.append(len(buf))
        if len(calls) == 3:
            raise OSError(5, "EIO")
        original(buf)

    monkeypatch.setattr("pkcs11.calls_crypto.p11crypto.random", random)
    refused(CKR_DEVICE_ERROR, caller.random, session, 5000)
    assert len(calls) == 3
    monkeypatch.undo()
    assert len(caller.random(session, 5000)) == 5000


# --- versions ------------------------------------------------------------------------------------


def test_a_client_of_version_0_does_not_see_what_it_cannot_encode(board):
    seen = {}
    for number, version in enumerate((0, 1, 2), 1):
        caller = Caller(board.connect(number, version), version)
        caller.initialize()
        seen[version] = caller.mechanisms()
        assert caller.mechanisms(room=0) == len(seen[version])
        assert caller.mechanisms(room=1) == len(seen[version])
    hidden = set(seen[1]) - set(seen[0])
    assert hidden == set(mechanisms.NUMBERS) & set(rpc_calls.UNKNOWN_TO_0)
    assert CKM_ECDSA in seen[0] and CKM_ECDSA_SHA256 not in seen[0]
    assert seen[1] == seen[2] == list(mechanisms.NUMBERS)


@pytest.mark.parametrize(
    "version, answered", [(0, 0), (1, 1), (2, 2), (3, 2), (0x47, 2), (255, 2)]
)
def test_the_answered_version_is_the_lower_one(board, version, answered):
    from p11board.frames import HELLO

    assert board.ask(HELLO, 3, bytes([version])).payload == bytes([answered])


@pytest.mark.parametrize("version", [0, 1, 2])
def test_mechanisms_are_decoded_as_the_offered_version_encodes_them(board, version):
    caller = Caller(board.connect(1, version), version)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    public, private = caller.keypair(session)
    caller.sign_init(session, private, CKM_ECDSA_SHA256)
    signature = caller.sign(session, b"a message of any length")
    caller.verify_init(session, public, CKM_ECDSA_SHA256)
    caller.verify(session, b"a message of any length", signature)
    refused(CKR_MECHANISM_INVALID, caller.sign_init, session, private, 0x1087)
    refused(CKR_MECHANISM_INVALID, caller.sign_init, session, private, 0x1057)
    refused(CKR_ARGUMENTS_BAD, caller.nothing, 42, "uMu", u(session), n(0xFFFFFFFF), u(private))


@pytest.mark.skipif(not hasattr(p11crypto, "ecdh"), reason="this p11crypto has no ECDH")
@pytest.mark.parametrize("version", [1, 2])
def test_ecdh_is_derived_by_both_calls(board, version):
    caller = Caller(board.connect(1, version), version)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    peer = ec_key()
    public = [(CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107")), (CKA_DERIVE, True)]
    private = [(CKA_DERIVE, True)]
    parts = caller.mech(CKM_EC_KEY_PAIR_GEN), template(public[:1]), template(private)
    results = caller.call(59, "uMaAaA", "uu", u(session), *parts)
    _, base = results.u(), results.u()
    wanted = template([(CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True), (CKA_VALUE_LEN, 32)])
    mech = caller.mech(CKM_ECDH1_DERIVE, (CKD_NULL, None, point(peer)))
    call, reply = (62, "u") if version == 1 else (89, "uPu")
    results = caller.call(call, "uMuaA", reply, u(session), mech, u(base), wanted)
    if version == 2:
        assert (results.u(), results.y()) == (0, 0)
    derived = results.u()
    assert derived
    if version == 2:
        results = caller.call(call, "uMuaA", reply, u(session), mech, u(9999), wanted)
        assert results.u() == CKR_KEY_HANDLE_INVALID


def test_init_token_cuts_and_trims_the_label(board):
    for number, (call, signature) in enumerate(((9, "uayz"), (88, "uays")), 1):
        caller = Caller(board.connect(number, 1), 1)
        caller.initialize()
        label = b"my token".ljust(32) + b"rubbish behind it"
        parts = u(1), ay(b"so pin 123"), n(len(label)) + label
        caller.nothing(call, signature, *parts)
        assert caller.token_info()[0][0] == b"my token".ljust(32)
        board.end(number)
