# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""General calls, slot, token and mechanisms (facts 1.5; the guide's StartFinish, Capabilities)."""

import pytest
from token_kit import *

from pkcs11 import FUNCTIONS, mechanisms
from pkcs11.application import Application


@pytest.fixture
def fresh(token):
    """An Application that has not been initialised."""
    return Application(token)


def test_second_initialize_is_refused(app):
    with raises(CKR_CRYPTOKI_ALREADY_INITIALIZED):
        app.C_Initialize()


@pytest.mark.parametrize("args", [None, 0, CKF_OS_LOCKING_OK, 3])
def test_initialize_takes_the_flags_of_the_standard(fresh, args):
    fresh.C_Initialize(args)


@pytest.mark.parametrize("args", [4, -1, b"reserved", "x", [], True])
def test_initialize_refuses_other_arguments_and_stays_uninitialised(fresh, args):
    with raises(CKR_ARGUMENTS_BAD):
        fresh.C_Initialize(args)
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        fresh.C_GetInfo()


def test_initialize_fails_when_the_store_cannot_be_served(fresh, store):
    from pal.store import StoreError

    store.fail_mount = StoreError.UNRECOGNISED
    with raises(CKR_FUNCTION_FAILED):
        fresh.C_Initialize()
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        fresh.C_GetSlotList()
    store.fail_mount = None
    fresh.C_Initialize()


def test_finalize_before_initialize_and_twice(fresh):
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        fresh.C_Finalize()
    fresh.C_Initialize()
    fresh.C_Finalize()
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        fresh.C_Finalize()


def test_finalize_with_a_reserved_pointer_changes_nothing(app, session):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_Finalize(b"")
    assert app.C_GetSessionInfo(session).state == CKS_RW_USER_FUNCTIONS


def test_finalize_closes_the_sessions(app, session, token):
    app.C_Finalize()
    app.C_Initialize()
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_GetSessionInfo(session)
    assert token.sessions == 0


def test_calls_before_initialize_say_so(fresh):
    for name, args in (
        ("C_GetInfo", ()),
        ("C_GetSlotList", (True,)),
        ("C_GetSlotInfo", (99,)),
        ("C_GetTokenInfo", (99,)),
        ("C_GetMechanismList", (99,)),
        ("C_GetMechanismInfo", (99, None)),
        ("C_InitToken", (99, None, None)),
        ("C_OpenSession", (99, 0)),
        ("C_CloseSession", (0,)),
        ("C_CloseAllSessions", (99,)),
        ("C_Login", (0, 9, None)),
        ("C_CreateObject", (0, None)),
        ("C_DestroyObject", (0, 0)),
        ("C_GetAttributeValue", (0, 0, None)),
        ("C_FindObjectsInit", (0, None)),
        ("C_FindObjects", (0, 0)),
        ("C_DigestInit", (0, None)),
        ("C_DigestUpdate", (0, None)),
        ("C_SignInit", (0, None, 0)),
        ("C_Sign", (0, None)),
        ("C_VerifyInit", (0, None, 0)),
        ("C_Verify", (0, None, None)),
        ("C_GenerateKeyPair", (0, None, None, None)),
        ("C_GenerateRandom", (0, 0)),
        ("C_SeedRandom", (0, None)),
        ("C_WaitForSlotEvent", (None,)),
    ):
        with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
            getattr(fresh, name)(*args)


def test_there_are_68_functions_and_all_answer(app):
    assert len(FUNCTIONS) == len(set(FUNCTIONS)) == 68
    assert app.C_GetFunctionList() == FUNCTIONS
    for name in FUNCTIONS:
        assert callable(getattr(app, name))


def test_function_list_refuses_a_null_pointer_and_works_before_initialize(fresh):
    with raises(CKR_ARGUMENTS_BAD):
        fresh.C_GetFunctionList(None)
    assert len(fresh.C_GetFunctionList()) == 68


@pytest.mark.parametrize(
    "name",
    "GetOperationState SetOperationState EncryptInit Encrypt EncryptUpdate EncryptFinal"
    " DecryptInit Decrypt DecryptUpdate DecryptFinal"
    " DigestKey SignRecoverInit SignRecover VerifyRecoverInit VerifyRecover DigestEncryptUpdate"
    " DecryptDigestUpdate SignEncryptUpdate DecryptVerifyUpdate WrapKey UnwrapKey".split(),
)
def test_functions_that_are_not_offered_say_so(app, session, name):
    if CKM_AES_ECB in app.C_GetMechanismList(1):
        if name.startswith(("Encrypt", "Decrypt")):
            pytest.skip("offered by this build")
    with raises(CKR_FUNCTION_NOT_SUPPORTED):
        getattr(app, "C_" + name)(session, None)


def test_the_parallel_functions_of_cryptoki_1_say_so(app, session):
    with raises(CKR_FUNCTION_NOT_PARALLEL):
        app.C_GetFunctionStatus(session)
    with raises(CKR_FUNCTION_NOT_PARALLEL):
        app.C_CancelFunction(session)


def test_module_functions_exist_under_the_names_of_the_standard():
    import pkcs11

    for name in FUNCTIONS:
        assert callable(getattr(pkcs11, name))


def test_get_info(app):
    info = app.C_GetInfo()
    assert info.cryptokiVersion == (2, 40)
    assert len(info.manufacturerID) <= 32 and len(info.libraryDescription) <= 32
    assert info.flags == 0


def test_one_slot_with_id_1(app):
    assert app.C_GetSlotList() == [1]
    assert app.C_GetSlotList(False) == [1]
    assert app.C_GetSlotList(True, 1) == app.C_GetSlotList(True, 7) == [1]


def test_slot_list_into_too_little_room_tells_the_count(app):
    with pytest.raises(P11Error) as error:
        app.C_GetSlotList(True, 0)
    assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == 1
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GetSlotList(None)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GetSlotList(True, b"")


@pytest.mark.parametrize("slot", [0, 2, 99, -1, None, b"", True, 1.0])
def test_other_slots_do_not_exist(app, slot):
    for name, args in (
        ("C_GetSlotInfo", ()),
        ("C_GetTokenInfo", ()),
        ("C_GetMechanismList", ()),
        ("C_GetMechanismInfo", (CKM_ECDSA,)),
        ("C_OpenSession", (RW,)),
        ("C_CloseAllSessions", ()),
        ("C_InitToken", (b"1234", b"label")),
    ):
        with raises(CKR_SLOT_ID_INVALID):
            getattr(app, name)(slot, *args)


def test_slot_info(app):
    info = app.C_GetSlotInfo(1)
    assert info.flags == CKF_TOKEN_PRESENT | CKF_HW_SLOT
    assert len(info.slotDescription) <= 64 and len(info.manufacturerID) <= 32


def test_token_info_of_a_blank_token_shows_default_mode_and_writes_nothing(app, store):
    info = app.C_GetTokenInfo(1)
    for flag in (
        CKF_TOKEN_INITIALIZED,
        CKF_USER_PIN_INITIALIZED,
        CKF_LOGIN_REQUIRED,
        CKF_USER_PIN_TO_BE_CHANGED,
        CKF_SO_PIN_TO_BE_CHANGED,
        CKF_RNG,
    ):
        assert info.flags & flag
    assert not info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED | CKF_WRITE_PROTECTED)
    assert (info.ulMinPinLen, info.ulMaxPinLen) == (4, 64)
    assert store.blank and not store.writes


def test_token_info_counts_sessions_and_memory(app, session):
    app.C_OpenSession(1, RO)
    before = app.C_GetTokenInfo(1)
    assert before.ulMaxSessionCount == before.ulMaxRwSessionCount == 16
    assert before.ulSessionCount == 2 and before.ulRwSessionCount == 1
    generate(app, session)
    after = app.C_GetTokenInfo(1)
    assert after.ulFreePublicMemory < before.ulFreePublicMemory <= before.ulTotalPublicMemory


def test_texts_fit_the_fields_of_the_structure(app):
    info = app.C_GetTokenInfo(1)
    assert len(info.label) <= 32 and len(info.manufacturerID) <= 32
    assert len(info.model) <= 16 and len(info.serialNumber) <= 16


def test_waiting_for_a_slot_event_never_blocks(app):
    with raises(CKR_NO_EVENT):
        app.C_WaitForSlotEvent(CKF_DONT_BLOCK)
    with raises(CKR_FUNCTION_NOT_SUPPORTED):
        app.C_WaitForSlotEvent(0)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_WaitForSlotEvent(CKF_DONT_BLOCK, b"reserved")


# --- mechanisms --------------------------------------------------------------------------------


def test_the_mechanisms_of_the_guide_have_its_sizes_and_flags(app):
    pair = app.C_GetMechanismInfo(1, CKM_EC_KEY_PAIR_GEN)
    assert pair.flags & CKF_GENERATE_KEY_PAIR and pair.ulMinKeySize <= 256 <= pair.ulMaxKeySize
    ecdsa = app.C_GetMechanismInfo(1, CKM_ECDSA)
    assert ecdsa.flags & CKF_SIGN and ecdsa.flags & CKF_VERIFY
    assert ecdsa.ulMinKeySize <= 256 <= ecdsa.ulMaxKeySize
    assert app.C_GetMechanismInfo(1, CKM_SHA256) == (0, 0, CKF_DIGEST)


def test_every_listed_mechanism_has_info_and_a_name_of_the_standard(app):
    numbers = app.C_GetMechanismList(1)
    assert len(numbers) == len(set(numbers))
    for number in numbers:
        info = app.C_GetMechanismInfo(1, number)
        assert info.ulMinKeySize <= info.ulMaxKeySize and info.flags
        row = mechanisms.BY_TYPE[number]
        assert name_of("CKM_", number) == row[mechanisms.NAME]


def test_mechanism_list_into_too_little_room_tells_the_count(app):
    count = len(app.C_GetMechanismList(1))
    with pytest.raises(P11Error) as error:
        app.C_GetMechanismList(1, count - 1)
    assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == count
    assert len(app.C_GetMechanismList(1, count)) == count


@pytest.mark.parametrize("number", [0x253, 0, -1, 1 << 40, None, b"", "x"])
def test_unknown_mechanisms_have_no_info(app, number):
    with raises(CKR_MECHANISM_INVALID):
        app.C_GetMechanismInfo(1, number)


# --- errors ------------------------------------------------------------------------------------


def test_an_error_shows_name_and_number():
    error = P11Error(CKR_PIN_INCORRECT)
    assert str(error) == "CKR_PIN_INCORRECT (0xA0)"
    assert repr(error) == "P11Error: CKR_PIN_INCORRECT (0xA0)"
    assert error.name == "CKR_PIN_INCORRECT"
    assert "0x7777" in str(P11Error(0x7777))


def test_failures_below_become_codes(app, session, monkeypatch):
    import p11crypto

    def broken(*args):
        raise OSError(5)

    monkeypatch.setattr(p11crypto, "random", broken)
    with raises(CKR_DEVICE_ERROR):
        app.C_GenerateRandom(session, 8)

    def full(*args):
        raise MemoryError

    monkeypatch.setattr(p11crypto, "random", full)
    with raises(CKR_HOST_MEMORY):
        app.C_GenerateRandom(session, 8)


def test_exceptions_nobody_foresaw_become_codes_too(app, session, monkeypatch, power_on):
    import p11crypto

    for error, code in ((KeyError("x"), CKR_GENERAL_ERROR), (TypeError(), CKR_ARGUMENTS_BAD)):

        def broken(*args, error=error):
            raise error

        monkeypatch.setattr(p11crypto, "random_add", broken)
        with raises(code):
            app.C_SeedRandom(session, b"seed")
    assert len(power_on) == 2
    power_on.clear()


def test_store_failures_become_codes(app, session, store):
    from pal.store import StoreError as codes

    for number, code in (
        (codes.FULL, CKR_DEVICE_MEMORY),
        (codes.TOO_BIG, CKR_DEVICE_MEMORY),
        (codes.IO, CKR_DEVICE_ERROR),
        (codes.WORN, CKR_TOKEN_WRITE_PROTECTED),
    ):

        def commit(puts, deletes=(), number=number):
            raise codes(number)

        app.token.pal.commit = commit
        with raises(code):
            generate(app, session)
