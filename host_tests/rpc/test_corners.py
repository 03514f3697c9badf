# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""Single functions of the RPC server at their limits, and requests that end where they must not."""

import p11crypto
import pytest
from wire import Caller, Refused, ay, body, decode, mechanism, n, template, u

from p11board.frames import ACK, END, LOG, RPC, pieces
from pkcs11.application import Application
from pkcs11.const import *
from pkcs11.errors import P11Error
from pkcs11.rpc_answer import Answer
from pkcs11.rpc_line import HEADER
from pkcs11.rpc_request import Request


def refused(ckr, function, *args):
    with pytest.raises(Refused) as caught:
        function(*args)
    assert caught.value.ckr == ckr, hex(caught.value.ckr)


# --- answers ------------------------------------------------------------------------------------


@pytest.fixture
def answer():
    """An Answer with room for 32 bytes in a longer buffer."""
    buffer = bytearray(64)
    return Answer(buffer, memoryview(buffer), 0, 32)


def test_unavailable_information_has_64_bits_on_the_line(answer):
    answer.ulong(CK_UNAVAILABLE_INFORMATION)
    answer.ulong(CK_UNAVAILABLE_INFORMATION - 1)
    assert bytes(answer.buffer[:16]) == b"\xff" * 8 + b"\0\0\0\0\xff\xff\xff\xfe"


@pytest.mark.parametrize(
    "fits, grows",
    [
        (lambda a: a.octets(bytes(28)), lambda a: a.octets(bytes(29))),
        (lambda a: a.data(bytes(27)), lambda a: a.data(bytes(28))),
        (lambda a: a.ulongs([1, 2, 3]), lambda a: a.ulongs([1, 2, 3, 4])),
        (
            lambda a: a.attributes([CKA_LABEL, 9], [None], 8, 0),
            lambda a: a.attributes([CKA_LABEL, 9] * 2, [None] * 2, 8, 0),
        ),
    ],
    ids=["octets", "data", "ulongs", "attributes"],
)
def test_an_answer_never_grows_over_its_end(answer, fits, grows):
    with pytest.raises(P11Error) as caught:
        grows(answer)
    assert caught.value.ckr == CKR_DEVICE_MEMORY
    answer.at = 0
    fits(answer)
    assert not any(answer.buffer[32:])


def test_an_attribute_that_nobody_knows_comes_as_unavailable(caller, session):
    handle = caller.create(
        session, [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))]
    )
    found, ckr = caller.attributes(session, handle, [CKA_KEY_GEN_MECHANISM, CKA_VALUE_LEN])
    assert not ckr and [value for _, _, value in found] == [(1 << 64) - 1, 16]
    assert [size for _, size, _ in found] == [8, 8]
    found, _ = caller.attributes(session, handle, [CKA_VALUE_LEN], room=4)
    assert found == [(CKA_VALUE_LEN, 4, 16)]  # a client with a CK_ULONG of 32 bits


# --- requests -----------------------------------------------------------------------------------


def request_of(data, behind=b"\0" * 16):
    """A Request that points at data, with other bytes behind it in the buffer."""
    buffer = bytearray(data + behind)
    request = Request()
    request.load(buffer, memoryview(buffer), 0, len(data))
    return request


def test_bytes_behind_a_body_are_never_part_of_it():
    whole = template([(CKA_LABEL, b"label"), (CKA_TOKEN, True)])
    for behind in (b"\0" * 16, b"\1" * 16, b"\xff" * 16):
        for size in range(len(whole)):
            with pytest.raises(P11Error) as caught:
                request_of(whole[:size], behind).template()
            assert caught.value.ckr == CKR_DEVICE_ERROR
        for size in range(9):
            with pytest.raises(P11Error):
                request_of(ay(b"data")[:size], behind).data()
    assert len(request_of(whole).template()) == 2


@pytest.mark.parametrize(
    "coded, value",
    [
        (n(4) + n(4) + b"abcd", b"abcd"),
        (n(0) + n(0), b""),
        (n(0) + n(0xFFFFFFFF), b""),  # a NULL pointer without length
        (n(5) + n(4) + b"abcd", None),
        (n(4) + n(0xFFFFFFFF), None),
    ],
)
def test_the_two_lengths_of_a_value_agree(coded, value):
    request = request_of(n(1) + n(CKA_LABEL) + b"\1" + coded)
    if value is None:
        with pytest.raises(P11Error) as caught:
            request.template()
        assert caught.value.ckr == CKR_ATTRIBUTE_VALUE_INVALID
    else:
        assert request.template() == [(CKA_LABEL, value)]


@pytest.mark.parametrize("raw, value", [(b"\1", True), (b"\0", False), (b"\2", None), (b"", None)])
def test_an_attribute_younger_than_the_protocol_comes_as_bytes(raw, value):
    coded = n(1) + n(CKA_DESTROYABLE) + b"\1" + n(len(raw)) + n(len(raw)) + raw
    if value is None:
        with pytest.raises(P11Error) as caught:
            request_of(coded).template()
        assert caught.value.ckr == CKR_ATTRIBUTE_VALUE_INVALID
    else:
        assert request_of(coded).template() == [(CKA_DESTROYABLE, value)]


def test_mechanisms_of_the_new_encoding(local):
    caller = Caller(local.connect(1, 2), 2)
    caller.initialize()
    session = caller.open()
    for kind in (CKM_AES_CBC_PAD, CKM_ECDH1_DERIVE):  # want a parameter and get none
        missing = n(kind) + b"\0"
        refused(CKR_KEY_HANDLE_INVALID, caller.nothing, 29, "uMu", u(session), missing, u(0))
    refused(CKR_MECHANISM_INVALID, caller.nothing, 42, "uMu", u(session), n(0x7777), u(0))
    refused(CKR_ARGUMENTS_BAD, caller.nothing, 42, "uMu", u(session), n(0xFFFFFFFF), u(0))
    iv = mechanism(CKM_AES_CBC_PAD, bytes(16), True)
    refused(CKR_KEY_HANDLE_INVALID, caller.nothing, 29, "uMu", u(session), iv, u(0))


def test_numbers_that_end_too_early_are_device_errors(local, caller, session):
    for call, signature in ((11, "u"), (13, "u"), (22, "uu"), (23, "uu")):
        whole = body(call, signature, *[u(session)] * len(signature))
        for size in range(8 + len(signature), len(whole)):
            with pytest.raises(Refused) as caught:
                decode(local.exchange(1, whole[:size]), call, "")
            assert caught.value.ckr == CKR_DEVICE_ERROR
    assert caller.session_info(session)


def test_calls_that_nobody_knows(local, caller, session):
    caller.session_info(session)  # 13: known, with other bytes before it is not
    for number in (0, 66, 80, 255, 0x0100000D, 0xFFFFFFFF):
        refused(CKR_FUNCTION_NOT_SUPPORTED, caller.nothing, number, "u", u(session))


def test_attributes_of_nothing_are_an_error_and_no_list(caller, session):
    refused(CKR_OBJECT_HANDLE_INVALID, caller.attributes, session, 9999, [CKA_CLASS])
    refused(CKR_SESSION_HANDLE_INVALID, caller.attributes, 9999, 1, [CKA_CLASS])


def test_a_body_that_ends_with_its_buffer_is_a_device_error(local, caller):
    dispatcher = local.server._dispatcher
    for error in (IndexError(), __import__("struct").error()):
        dispatcher.failed(error)
        with pytest.raises(Refused) as caught:
            decode(bytes(dispatcher.line.out[HEADER : dispatcher.answer.at]), 0, "")
        assert caught.value.ckr == CKR_DEVICE_ERROR


# --- the server and long messages ----------------------------------------------------------------


def test_a_connection_that_was_never_initialised_can_be_closed(local):
    local.connect(3)
    local.end(3)
    exchange = local.connect(3)
    Caller(exchange).initialize()
    local.end(3)
    assert local.ask(RPC, 3, b"").kind == END


def test_no_memory_for_a_connection_ends_it_and_not_the_server(local, caller, monkeypatch):
    from p11board.frames import HELLO, Frame

    def none():
        raise MemoryError

    monkeypatch.setattr(local.server, "_application", none)
    local.sequence += 1
    local.send(Frame(HELLO, 5, local.sequence, b"").encode())
    assert local.next().kind == LOG
    assert local.next().kind == END
    monkeypatch.undo()
    assert caller.open()


def answer_to(local, request):
    """Send a long request; return the answer to its first frame that is not acknowledged."""
    for part in pieces(request, local.hello.chunk):
        answer = local.ask(RPC, 1, *part)
        if answer.kind != ACK:
            return answer


def refused_long(local, request, ckr):
    with pytest.raises(Refused) as caught:
        decode(answer_to(local, request).payload, request[3], "")
    assert caught.value.ckr == ckr


def test_a_long_request_with_a_signature_of_another_length(local, caller, session):
    refused_long(local, body(39, "uayy", u(session), ay(bytes(20000))), CKR_DEVICE_ERROR)
    refused_long(local, body(39, "ua", u(session), ay(bytes(20000))), CKR_DEVICE_ERROR)


def test_a_long_request_whose_first_frame_says_too_little(local, caller, session):
    request = body(39, "uay", u(session), ay(bytes(20000)))
    data = n(len(request)) + request[-4:] + request
    answer = local.ask(RPC, 1, data[:30], True, False)
    with pytest.raises(Refused) as caught:
        decode(answer.payload, 39, "")
    assert caught.value.ckr == CKR_DEVICE_ERROR


def test_a_long_request_may_only_ask_for_the_length(local, caller, session):
    caller.digest_init(session)
    request = body(38, "uayfy", u(session), ay(bytes(20000)), n(0xFFFFFFFF))
    results = decode(answer_to(local, request).payload, 38, "ay")
    assert results.ay() == 32
    assert len(caller.digest(session, bytes(20000))) == 32


@pytest.mark.parametrize("more", [0, 1, 100])
def test_frames_of_a_long_request_may_be_cut_anywhere(local, caller, session, more):
    """The first frame ends before the data, the last one has the caller's room only."""
    caller.digest_init(session)
    data = bytes(20000)
    request = body(38, "uayfy", u(session), ay(data), n(32))
    coded = n(len(request)) + request[-4:] + request
    cuts = [0, 8 + 8 + 5 + 8 + 5 + more]  # prefix, head, session, length
    while cuts[-1] + 1000 < len(coded) - 4:
        cuts.append(cuts[-1] + 1000)
    cuts += [len(coded) - 4, len(coded)]
    for start, stop in zip(cuts, cuts[1:]):
        part = coded[start:stop]
        answer = local.ask(RPC, 1, part, stop < len(coded), start > 0)
    assert decode(answer.payload, 38, "ay").ay() == bytes(p11crypto.sha256(data))


@pytest.mark.parametrize("name", ["C_DigestUpdate", "C_DigestFinal"])
def test_no_memory_in_the_middle_of_a_long_request(local, caller, session, monkeypatch, name):
    caller.digest_init(session)

    def none(*args):
        raise MemoryError

    monkeypatch.setattr(Application, name, none)
    request = body(38, "uayfy", u(session), ay(bytes(20000)), n(32))
    answer = answer_to(local, request)
    assert answer.kind == LOG and answer.payload == b"MemoryError in a call"
    with pytest.raises(Refused) as caught:
        decode(local.next().payload, 38, "")
    assert caught.value.ckr == CKR_DEVICE_MEMORY
    monkeypatch.undo()
    assert caller.session_info(session)
