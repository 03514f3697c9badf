# SPDX-License-Identifier: MIT
"""Groups Full_PKCS11_StartFinish and Full_PKCS11_Capabilities.

Promises the guide's checks of initialisation, slots, sessions and the mechanism list. Each test
finds the library initialised.
"""

from ..const import (
    CKF_DIGEST,
    CKF_GENERATE_KEY_PAIR,
    CKF_SIGN,
    CKF_VERIFY,
    CKM_EC_KEY_PAIR_GEN,
    CKM_ECDSA,
    CKM_RSA_PKCS,
    CKM_RSA_X_509,
    CKM_SHA256,
    CKR_ARGUMENTS_BAD,
    CKR_BUFFER_TOO_SMALL,
    CKR_CRYPTOKI_ALREADY_INITIALIZED,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_OK,
    CKR_SESSION_HANDLE_INVALID,
)
from .bench import RW


def first_test(bench):
    code = bench.code(bench.app.C_Finalize)
    if code != CKR_CRYPTOKI_NOT_INITIALIZED:
        bench.equal(CKR_OK, code)
    bench.expect(CKR_OK, bench.app.C_Initialize)


def get_function_list(bench):
    names = bench.expect(CKR_OK, bench.app.C_GetFunctionList)
    bench.equal(68, len(names), "functions")
    bench.expect(CKR_ARGUMENTS_BAD, bench.app.C_GetFunctionList, None)


def initialize_finalize(bench):
    app = bench.app
    bench.expect(CKR_CRYPTOKI_ALREADY_INITIALIZED, app.C_Initialize)
    bench.expect(CKR_ARGUMENTS_BAD, app.C_Finalize, 0x1234)
    bench.expect(CKR_OK, app.C_Finalize)
    bench.expect(CKR_CRYPTOKI_NOT_INITIALIZED, app.C_Finalize)
    bench.expect(CKR_CRYPTOKI_NOT_INITIALIZED, app.C_GetInfo)


def get_slot_list(bench):
    app = bench.app
    count = bench.length(app.C_GetSlotList, True, 0)
    bench.true(count >= 1, "no slot")
    bench.equal(count, len(bench.expect(CKR_OK, app.C_GetSlotList, True, count)))
    bench.equal(count, len(bench.expect(CKR_OK, app.C_GetSlotList, True, count + 5)))
    bench.expect(CKR_BUFFER_TOO_SMALL, app.C_GetSlotList, True, 0)


def open_session_close_session(bench):
    app = bench.app
    slot = app.C_GetSlotList(True)[0]
    session = bench.expect(CKR_OK, app.C_OpenSession, slot, RW)
    bench.true(session != 0, "session handle 0")
    bench.expect(CKR_OK, app.C_CloseSession, session)
    bench.expect(CKR_SESSION_HANDLE_INVALID, app.C_CloseSession, session)
    bench.expect(CKR_OK, app.C_Finalize)
    bench.expect(CKR_CRYPTOKI_NOT_INITIALIZED, app.C_OpenSession, slot, RW)


def capabilities(bench):
    app = bench.app
    switches = bench.switches
    slot = app.C_GetSlotList(True)[0]
    count = bench.length(app.C_GetMechanismList, slot, 0)
    offered = bench.expect(CKR_OK, app.C_GetMechanismList, slot, count)
    bench.equal(count, len(offered))

    def info(mechanism, size, flags):
        found = bench.expect(CKR_OK, app.C_GetMechanismInfo, slot, mechanism)
        bench.true(found.flags & flags, "flags of mechanism 0x%x" % mechanism)
        if size:
            in_range = found.ulMinKeySize <= size <= found.ulMaxKeySize
            bench.true(in_range, "key sizes of mechanism 0x%x" % mechanism)

    if CKM_RSA_PKCS in offered:
        info(CKM_RSA_PKCS, 2048, CKF_SIGN)
        info(CKM_RSA_X_509, 2048, CKF_VERIFY)
    bench.true(not switches.rsa or CKM_RSA_PKCS in offered, "CKM_RSA_PKCS is missing")
    if CKM_ECDSA in offered:
        info(CKM_ECDSA, 256, CKF_SIGN | CKF_VERIFY)
    bench.true(not switches.ec or CKM_ECDSA in offered, "CKM_ECDSA is missing")
    info(CKM_SHA256, 0, CKF_DIGEST)
    if switches.generate:
        info(CKM_EC_KEY_PAIR_GEN, 256, CKF_GENERATE_KEY_PAIR)


def tests(bench):
    """Return [(group, [(name, function)])]."""
    start_finish = [
        ("AFQP_StartFinish_FirstTest", first_test),
        ("AFQP_GetFunctionList", get_function_list),
        ("AFQP_InitializeFinalize", initialize_finalize),
        ("AFQP_GetSlotList", get_slot_list),
        ("AFQP_OpenSessionCloseSession", open_session_close_session),
    ]
    return [
        ("Full_PKCS11_StartFinish", start_finish),
        ("Full_PKCS11_Capabilities", [("AFQP_Capabilities", capabilities)]),
    ]
