# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the store holds: sealed secrets, MACs, and what happens when the flash was changed."""

import os

import p11crypto
import pytest
from token_kit import *

from pkcs11 import objects
from pkcs11.application import Application

KEY = ec_key()
CERT = certificate(KEY)


def slot_values(kind):
    """What the twin's slots of a kind hold; the C core does not tell."""
    if os.environ.get("P11CRYPTO", "py") != "py":
        pytest.skip("the C core keeps its slots to itself")
    import slots_py

    return [bytes(slot.value) for slot in slots_py.table if slot.kind == kind]


@pytest.fixture
def filled(app, session):
    """The guide's objects in the token."""
    app.C_CreateObject(session, guide_private(KEY))
    app.C_CreateObject(session, guide_public(KEY))
    app.C_CreateObject(session, guide_certificate(CERT))
    app.C_CreateObject(
        session,
        [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"d"), (CKA_VALUE, b"data value")],
    )
    return session


def record_of(store, label):
    (number,) = store.find(label)
    return number, store.records[number]


def test_the_flash_holds_no_scalar_no_pin_and_no_master_key(app, filled, store):
    app.C_SetPIN(filled, b"0000", b"a long secret pin")
    (master,) = slot_values(p11crypto.MASTER)
    dump = store.dump()
    for secret in (scalar(KEY), scalar(KEY)[::-1], master, b"a long secret pin"):
        assert secret not in dump
        assert secret.hex().encode() not in dump
    assert CERT in dump and point(KEY) in dump


def test_generated_keys_are_sealed_as_well(app, session, store):
    generate(app, session)
    number, record = record_of(store, PRIVATE_LABEL)
    assert record[1] & 1  # SECRET
    app.C_SignInit(session, CKM_ECDSA, find(app, session, (CKA_LABEL, PRIVATE_LABEL))[0])
    (secret,) = slot_values(p11crypto.EC_P256)
    assert secret not in store.dump()


def test_the_same_key_is_never_sealed_the_same_way_twice(app, session, store):
    for label in (b"one", b"two"):
        app.C_CreateObject(session, guide_private(KEY, label))
    one, two = (record_of(store, label)[1][3][-60:] for label in (b"one", b"two"))
    assert one != two and one[12:] != two[12:]


def positions(data):
    """Every byte of a short record, a sample of a long one."""
    return range(len(data)) if len(data) < 300 else range(0, len(data), 7)


@pytest.mark.parametrize("label", [PRIVATE_LABEL, PUBLIC_LABEL, CERT_LABEL, b"d"])
def test_a_record_changed_in_flash_is_not_used(filled, store, restart, label):
    number, record = record_of(store, label)
    good = record[3]
    for at in positions(good):
        changed = bytearray(good)
        changed[at] ^= 0x10
        record[3] = bytes(changed)
        app = restart()
        session = log_in(app)
        for handle in find(app, session):
            try:
                object_class = get(app, session, handle, CKA_CLASS)
            except P11Error as error:
                assert error.ckr == CKR_DEVICE_ERROR
                continue
            if object_class == CKO_PRIVATE_KEY and label == PRIVATE_LABEL:
                with raises_one_of(
                    CKR_DEVICE_ERROR, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT
                ):
                    app.C_SignInit(session, CKM_ECDSA, handle)
            elif label != PRIVATE_LABEL:
                assert get(app, session, handle, CKA_LABEL) != label
    record[3] = good
    app = restart()
    assert len(find(app, log_in(app))) == 4


def test_a_changed_label_or_class_is_noticed(filled, store, restart):
    for label in (PUBLIC_LABEL, CERT_LABEL, PRIVATE_LABEL):
        number, record = record_of(store, label)
        record[2] = b"other"
        app = restart()
        session = log_in(app)
        assert find(app, session, (CKA_LABEL, label)) == []
        if label == PRIVATE_LABEL:
            (handle,) = find(app, session, (CKA_LABEL, b"other"))
            with raises(CKR_DEVICE_ERROR):
                app.C_SignInit(session, CKM_ECDSA, handle)
        else:
            assert find(app, session, (CKA_LABEL, b"other")) == []
        record[2] = label


def test_records_cannot_be_exchanged(app, session, store, restart):
    other = ec_key()
    app.C_CreateObject(session, guide_public(KEY, b"Code Verify Key"))
    app.C_CreateObject(session, guide_public(other, b"somebody else"))
    number, record = record_of(store, b"Code Verify Key")
    _, foreign = record_of(store, b"somebody else")
    record[3] = foreign[3]
    app = restart()
    session = log_in(app)
    assert find(app, session, (CKA_LABEL, b"Code Verify Key")) == []
    assert len(find(app, session, (CKA_CLASS, CKO_PUBLIC_KEY))) == 2  # one is damaged


def test_an_old_version_of_a_record_is_refused(app, session, store, restart):
    handle = app.C_CreateObject(session, guide_private(KEY))
    number, record = record_of(store, PRIVATE_LABEL)
    old = record[3]
    app.C_SetAttributeValue(session, handle, [(CKA_ID, b"new")])
    store.records[number][3] = old
    app = restart()
    session = log_in(app)
    (handle,) = find(app, session, (CKA_LABEL, PRIVATE_LABEL))
    with raises(CKR_DEVICE_ERROR):
        app.C_SignInit(session, CKM_ECDSA, handle)


def test_before_login_nothing_is_checked_and_the_login_catches_up(filled, store, restart):
    number, record = record_of(store, CERT_LABEL)
    record[3] = record[3].replace(b"device", b"devise")
    app = restart()
    session = app.C_OpenSession(1, RW)
    (handle,) = find(app, session, (CKA_LABEL, CERT_LABEL))
    assert get(app, session, handle, CKA_VALUE) != CERT
    app.C_Login(session, CKU_USER, b"0000")
    with raises(CKR_DEVICE_ERROR):
        get(app, session, handle, CKA_VALUE)
    assert find(app, session, (CKA_LABEL, CERT_LABEL)) == []


def test_a_value_changed_after_it_was_checked_is_noticed(app, filled, store):
    (handle,) = find(app, filled, (CKA_LABEL, CERT_LABEL))
    assert get(app, filled, handle, CKA_VALUE) == CERT
    number, record = record_of(store, CERT_LABEL)
    record[3] = record[3].replace(b"device", b"devise")
    with raises(CKR_DEVICE_ERROR):
        get(app, filled, handle, CKA_VALUE)


def test_a_damaged_object_is_listed_cannot_be_used_and_can_be_deleted(filled, store, restart):
    damaged = [record_of(store, label)[0] for label in (PRIVATE_LABEL, CERT_LABEL)]
    store.damaged.update(damaged)
    app = restart()
    session = log_in(app)
    everything = find(app, session)
    assert len(everything) == 4
    broken = []
    for handle in everything:
        try:
            get(app, session, handle, CKA_CLASS)
        except P11Error as error:
            assert error.ckr == CKR_DEVICE_ERROR
            broken.append(handle)
    assert len(broken) == 2
    assert len(find(app, session, (CKA_CLASS, CKO_CERTIFICATE))) == 1
    for handle in broken:
        for call in (
            lambda handle=handle: app.C_SignInit(session, CKM_ECDSA, handle),
            lambda handle=handle: app.C_VerifyInit(session, CKM_ECDSA, handle),
            lambda handle=handle: app.C_SetAttributeValue(session, handle, [(CKA_ID, b"")]),
            lambda handle=handle: app.C_CopyObject(session, handle, []),
        ):
            with raises(CKR_DEVICE_ERROR):
                call()
        app.C_DestroyObject(session, handle)
    assert len(find(app, session)) == 2


def test_a_damaged_private_object_stays_hidden_from_the_public(filled, store, restart):
    store.damaged.add(record_of(store, PRIVATE_LABEL)[0])
    app = restart()
    assert len(find(app, app.C_OpenSession(1, RO))) == 3


def test_damaged_pin_records_stop_the_token_and_nothing_is_overwritten(filled, store, make_token):
    store.damaged.add(0x01)
    app = Application(make_token())
    before = dict(store.records)
    for _ in range(2):
        with raises(CKR_FUNCTION_FAILED):
            app.C_Initialize()
    assert store.records == before


def test_pin_records_that_make_no_sense(filled, store, make_token):
    info, wrap = store.records[0x01], store.records[0x02]
    for record in (info, wrap):
        good = record[3]
        for bad in (b"", good[:-1], good + b"x", b"\x07" + good[1:]):
            record[3] = bad
            with pytest.raises(P11Error) as error:
                Application(make_token()).C_Initialize()
            assert error.value.ckr == CKR_FUNCTION_FAILED
        record[3] = good
    good = wrap[3]
    for at in (1, 8):  # the role, the generation of the master key
        wrap[3] = good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]
        with raises(CKR_FUNCTION_FAILED):
            Application(make_token()).C_Initialize()


def test_pin_records_as_format_md_has_them(filled, store, app):
    info, wrap = store.records[0x01][3], store.records[0x02][3]
    label = b"micropython-pkcs11".ljust(32)
    assert info == b"\x01\0\0\0" + label + app.token.keyring.uuid + b"\x01\0\0\0"
    assert wrap[:12] == b"\x01\0\x01\x0a\0\0\0\0\x01\0\0\0" and len(wrap) == 88
    app.C_SetPIN(filled, b"0000", b"123456")
    assert store.records[0x02][3][:12] == b"\x01\0\0\x0a\x32\0\0\0\x01\0\0\0"


def test_the_limit_is_that_of_the_record(filled, store, make_token):
    token = make_token(limits=(3, 3))
    token.mount()
    assert token.keyring.tries_left(0) == 10


def test_changed_wraps_are_wrong_pins(filled, store, restart):
    record = store.records[0x02]
    good = record[3]
    for at in (12, 27, 28, 40, 87):
        changed = bytearray(good)
        changed[at] ^= 1
        record[3] = bytes(changed)
        app = restart()
        app.token.settings.clock.now += 31000
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(app.C_OpenSession(1, RW), CKU_USER, b"0000")


def test_a_device_secret_is_part_of_the_key(make_token, store, clock):
    p11crypto.test_source(secret=b"d" * 32)
    app = Application(make_token())
    app.C_Initialize()
    session = log_in(app)
    app.C_CreateObject(session, guide_private(KEY))
    p11crypto.test_reset()
    p11crypto.test_source()  # the flash in another board
    app = Application(make_token())
    app.C_Initialize()
    session = app.C_OpenSession(1, RW)
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(session, CKU_USER, b"0000")


def test_payloads_as_format_md_has_them(app, session, store):
    app.C_CreateObject(session, guide_certificate(CERT) + [(CKA_ID, b"\x01\x02")])
    _, record = record_of(store, CERT_LABEL)
    assert record[0] == CKO_CERTIFICATE and not record[1]
    data = record[3]
    tlv = b"\x01\x02\x00\x01\x02\x02\x0b\x00TestSubject"
    head = b"\x01\xff" + len(tlv).to_bytes(2, "little") + (0x1D).to_bytes(4, "little")
    assert data[: len(head + tlv)] == head + tlv
    assert data[len(head + tlv) : -16] == CERT
    assert objects.HEAD == len(head)
