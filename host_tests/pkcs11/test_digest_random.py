# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Digests and random numbers (facts 1.7; the guide's NoObject group)."""

import hashlib

import pytest
from token_kit import *

MESSAGE = (
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
    b"lmnopqrsmnopqrstnopqrstu"
)
ALGORITHMS = {
    CKM_SHA_1: hashlib.sha1,
    CKM_SHA224: hashlib.sha224,
    CKM_SHA256: hashlib.sha256,
    CKM_SHA384: hashlib.sha384,
    CKM_SHA512: hashlib.sha512,
}


@pytest.fixture
def open_session(app):
    return app.C_OpenSession(1, RO)


def test_the_896_bit_message(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    app.C_DigestUpdate(open_session, MESSAGE)
    with pytest.raises(P11Error) as error:
        app.C_DigestFinal(open_session, 0)
    assert error.value.length == 32
    assert app.C_DigestFinal(open_session, 32) == hashlib.sha256(MESSAGE).digest()


@pytest.mark.parametrize("number", ALGORITHMS)
def test_all_hashes_in_one_and_in_many_parts(app, open_session, number):
    if number not in app.C_GetMechanismList(1):
        pytest.skip("not offered")
    wanted = ALGORITHMS[number](MESSAGE).digest()
    app.C_DigestInit(open_session, number)
    assert app.C_Digest(open_session, MESSAGE) == wanted
    app.C_DigestInit(open_session, (number, None))
    for at in range(0, len(MESSAGE), 7):
        app.C_DigestUpdate(open_session, memoryview(MESSAGE)[at : at + 7])
    assert app.C_DigestFinal(open_session) == wanted


def test_nothing_hashed_is_the_hash_of_nothing(app, open_session):
    app.C_DigestInit(open_session, (CKM_SHA256, b""))
    app.C_DigestUpdate(open_session, b"")
    assert app.C_DigestFinal(open_session) == hashlib.sha256().digest()
    app.C_DigestInit(open_session, CKM_SHA256)
    assert app.C_Digest(open_session, b"") == hashlib.sha256().digest()


@pytest.mark.parametrize("number", [0x253, CKM_ECDSA, CKM_EC_KEY_PAIR_GEN, -1, 1 << 40])
def test_mechanisms_that_do_not_hash(app, open_session, number):
    with raises(CKR_MECHANISM_INVALID):
        app.C_DigestInit(open_session, number)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_DigestUpdate(open_session, b"x")


@pytest.mark.parametrize("mechanism", [None, b"", "x", (), (CKM_SHA256,), (None, None), 1.5])
def test_a_mechanism_that_is_none(app, open_session, mechanism):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_DigestInit(open_session, mechanism)


@pytest.mark.parametrize("parameter", [b"x", 1, "text", (1, 2), [0]])
def test_a_parameter_nobody_asked_for(app, open_session, parameter):
    with raises(CKR_MECHANISM_PARAM_INVALID):
        app.C_DigestInit(open_session, (CKM_SHA256, parameter))


def test_one_operation_at_a_time(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    with raises(CKR_OPERATION_ACTIVE):
        app.C_DigestInit(open_session, CKM_SHA256)
    app.C_DigestUpdate(open_session, b"abc")
    assert app.C_DigestFinal(open_session) == hashlib.sha256(b"abc").digest()


def test_a_wrong_session_does_not_disturb_the_operation(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    for call in (
        lambda: app.C_DigestInit(0, CKM_SHA256),
        lambda: app.C_DigestUpdate(0, b"x"),
        lambda: app.C_DigestFinal(0),
    ):
        with raises(CKR_SESSION_HANDLE_INVALID):
            call()
    app.C_DigestUpdate(open_session, b"abc")
    assert app.C_DigestFinal(open_session) == hashlib.sha256(b"abc").digest()


@pytest.mark.parametrize("data", [None, 5, "text", [1], True])
def test_bad_data_ends_the_digest(app, open_session, data):
    for call in (app.C_DigestUpdate, app.C_Digest):
        app.C_DigestInit(open_session, CKM_SHA256)
        with raises(CKR_ARGUMENTS_BAD):
            call(open_session, data)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_DigestFinal(open_session)


def test_too_little_room_keeps_the_digest_and_tells_the_size(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    for room in (0, 1, 31):
        for call in (
            lambda room=room: app.C_DigestFinal(open_session, room),
            lambda room=room: app.C_Digest(open_session, b"x", room),
        ):
            with pytest.raises(P11Error) as error:
                call()
            assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == 32
    assert len(app.C_DigestFinal(open_session, 33)) == 32


def test_calls_without_an_operation(app, open_session):
    for call in (
        lambda: app.C_DigestUpdate(open_session, b"x"),
        lambda: app.C_DigestFinal(open_session),
        lambda: app.C_Digest(open_session, b"x"),
        lambda: app.C_DigestFinal(open_session, 0),
    ):
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            call()


def test_one_shot_does_not_finish_parts(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    app.C_DigestUpdate(open_session, b"x")
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Digest(open_session, b"y")
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_DigestFinal(open_session)


def test_another_kind_of_call_does_not_end_the_digest(app, open_session):
    app.C_DigestInit(open_session, CKM_SHA256)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(open_session, DIGEST)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Verify(open_session, DIGEST, bytes(64))
    assert app.C_Digest(open_session, b"") == hashlib.sha256().digest()


def test_digests_in_many_sessions_interleave(app):
    sessions = [app.C_OpenSession(1, RO) for _ in range(8)]
    for session in sessions:
        app.C_DigestInit(session, CKM_SHA256)
    for part in range(5):
        for session in sessions:
            app.C_DigestUpdate(session, bytes((session, part)))
    for session in sessions:
        data = b"".join(bytes((session, part)) for part in range(5))
        assert app.C_DigestFinal(session) == hashlib.sha256(data).digest()


# --- random ------------------------------------------------------------------------------------


def test_random_blocks_differ(app):
    session = app.C_OpenSession(1, RO)
    blocks = [app.C_GenerateRandom(session, 10), app.C_GenerateRandom(session, 10)]
    app.C_CloseSession(session)
    session = app.C_OpenSession(1, RO)
    blocks.append(app.C_GenerateRandom(session, 10))
    for other in blocks[1:]:
        assert sum(a == b for a, b in zip(blocks[0], other)) <= 1


@pytest.mark.parametrize("length", [1, 1023, 1024, 1025, 5000, 65536])
def test_random_of_any_length(app, length):
    session = app.C_OpenSession(1, RO)
    data = app.C_GenerateRandom(session, length)
    assert len(data) == length
    if length > 1000:
        assert len(set(data)) > 200 and data[-8:] != bytes(8)


def test_random_into_a_buffer(app):
    session = app.C_OpenSession(1, RO)
    buffer = bytearray(3000)
    app.C_GenerateRandom(session, memoryview(buffer)[:2000])
    assert buffer[:2000] != bytes(2000) and buffer[2000:] == bytes(1000)


@pytest.mark.parametrize(
    "length",
    [0, -1, None, b"xx", "8", 1.5, bytearray(), True, [], memoryview(b"immutable")],
)
def test_random_arguments(app, length):
    session = app.C_OpenSession(1, RO)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GenerateRandom(session, length)


def test_more_random_than_fits_in_memory(app):
    session = app.C_OpenSession(1, RO)
    with raises(CKR_HOST_MEMORY):
        app.C_GenerateRandom(session, 1 << 40)


def test_a_source_that_dies_stops_key_generation_and_then_random_numbers(app, session):
    import p11crypto

    p11crypto.test_source(lambda size: bytes(size))
    with raises(CKR_DEVICE_ERROR):
        generate(app, session)
    with raises(CKR_DEVICE_ERROR):
        app.C_GenerateRandom(session, 16)
    assert find(app, session) == []


def test_a_source_that_is_dead_at_power_on_gives_nothing(app):
    import p11crypto

    p11crypto.test_source(lambda size: bytes(size))
    session = app.C_OpenSession(1, RW)
    with raises(CKR_DEVICE_ERROR):
        app.C_GenerateRandom(session, 16)
    with raises(CKR_DEVICE_ERROR):
        app.C_Login(session, CKU_USER, b"0000")


def test_a_seed_is_mixed_in_and_never_replaces(app):
    session = app.C_OpenSession(1, RO)
    app.C_SeedRandom(session, b"same")
    first = app.C_GenerateRandom(session, 16)
    app.C_SeedRandom(session, b"same")
    assert app.C_GenerateRandom(session, 16) != first
    for seed in (None, 5, "text"):
        with raises(CKR_ARGUMENTS_BAD):
            app.C_SeedRandom(session, seed)
