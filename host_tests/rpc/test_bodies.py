# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""Bodies that cannot be right, answers that do not fit, exceptions: what is answered then."""

import struct

import pytest
from wire import Refused, ay, body, decode, mechanism, n, template, types, u

from pkcs11.const import *


def refused(ckr, function, *args):
    with pytest.raises(Refused) as caught:
        function(*args)
    assert caught.value.ckr == ckr, hex(caught.value.ckr)


# --- bodies that cannot be right -----------------------------------------------------------------


def test_truncated_bodies_are_device_errors(board, caller, session):
    _, private = caller.keypair(session)
    good = [
        body(42, "uMu", u(session), mechanism(0x1041), u(private)),
        body(26, "uaA", u(session), template([(CKA_LABEL, b"key"), (CKA_TOKEN, True)])),
        body(24, "uufA", u(session), u(private), types([3, 0x102], 20)),
        body(18, "uuay", u(session), u(1), ay(b"0000")),
        body(38, "uayfy", u(session), ay(b"data"), n(32)),
    ]
    for whole in good:
        for size in range(len(whole)):
            with pytest.raises(Refused) as caught:
                decode(board.exchange(1, whole[:size]), whole[3], "")
            assert caught.value.ckr in (CKR_DEVICE_ERROR, CKR_FUNCTION_NOT_SUPPORTED)
    assert caller.session_info(session)


def test_lengths_up_to_four_billion_are_not_believed(caller, session):
    for size in (5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE):
        raw = b"\1" + n(size) + b"abcd"
        refused(CKR_DEVICE_ERROR, caller.nothing, 39, "uay", u(session), raw)
        refused(CKR_DEVICE_ERROR, caller.nothing, 26, "uaA", u(session), n(size))
        refused(CKR_DEVICE_ERROR, caller.nothing, 24, "uufA", u(session), u(1), n(size))
        raw = n(1) + n(CKA_LABEL) + b"\1" + n(size) + n(size)
        refused(CKR_DEVICE_ERROR, caller.nothing, 26, "uaA", u(session), raw)


def test_handles_up_to_64_bits_are_only_invalid(caller, session):
    for value in (0, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1):
        refused(CKR_SESSION_HANDLE_INVALID, caller.session_info, value)
        refused(CKR_OBJECT_HANDLE_INVALID, caller.destroy, session, value)
        refused(CKR_SLOT_ID_INVALID, caller.nothing, 12, "u", u(value))


def test_wrong_signatures_are_device_errors(caller, session):
    for signature in ("", "uu", "ay", "u" * 200, "U"):
        refused(CKR_DEVICE_ERROR, caller.nothing, 11, signature, u(session))
    raw = struct.pack(">II", 11, 0x01000001) + b"u" + u(session)
    with pytest.raises(Refused) as caught:
        decode(caller.exchange(raw), 11, "")
    assert caught.value.ckr == CKR_DEVICE_ERROR


def test_null_pins_and_data_do_not_disturb(caller):
    session = caller.open()
    for empty in (ay(None), ay(b""), b"\1" + n(0xFFFFFFFF)):
        with pytest.raises(Refused):
            caller.nothing(18, "uuay", u(session), u(1), empty)
    refused(CKR_ARGUMENTS_BAD, caller.nothing, 18, "uuay", u(session), u(1), ay(4))
    caller.digest_init(session)
    caller.nothing(39, "uay", u(session), ay(None))
    assert len(caller.data(41, "ufy", u(session), n(32))) == 32


def test_an_answer_that_does_not_fit_is_refused(caller, session):
    pairs = [(CKA_CLASS, CKO_DATA), (CKA_VALUE, bytes(3000))]
    handle = caller.create(session, pairs)
    refused(CKR_DEVICE_MEMORY, caller.attributes, session, handle, [CKA_VALUE] * 3)
    found, ckr = caller.attributes(session, handle, [CKA_VALUE] * 2)
    assert not ckr and len(found[1][2]) == 3000


def test_an_exception_nobody_foresaw_is_answered_and_logged(board, caller, monkeypatch):
    from p11board.frames import LOG
    from pkcs11.application import Application

    def broken(self, session):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(Application, "C_GetSessionInfo", broken)
    from p11board.frames import RPC, Frame

    board.sequence += 1
    request = body(13, "u", u(1))
    board.send(Frame(RPC, 1, board.sequence, request).encode())
    log = board.next()
    assert log.kind == LOG and log.payload == b"ZeroDivisionError in a call"
    with pytest.raises(Refused) as caught:
        decode(board.next().payload, 13, "uuuu")
    assert caught.value.ckr == CKR_GENERAL_ERROR


def test_pins_do_not_stay_in_the_buffers(board, caller):
    session = caller.open()
    caller.login(session, b"0000")
    with pytest.raises(Refused):
        caller.nothing(18, "uuay", u(session), u(1), ay(b"WRONG-PIN"), b"")
    old, new = ay(b"0000"), ay(b"SECRET-PIN")
    caller.nothing(15, "uayay", u(session), old, new)
    line = board.server._line
    assert b"SECRET-PIN" not in line.frame and b"WRONG-PIN" not in line.frame
