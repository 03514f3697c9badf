# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the tests of PINs share: the flags of the token, wrong PINs in a row."""

from token_kit import *

LOW = CKF_USER_PIN_COUNT_LOW
FINAL = CKF_USER_PIN_FINAL_TRY
LOCKED = CKF_USER_PIN_LOCKED


def flags(app):
    return app.C_GetTokenInfo(1).flags


def fail(app, session, clock, count, pin=b"9999", user=CKU_USER):
    """Give a wrong PIN count times, each after the delay."""
    for _ in range(count):
        clock.now += 31000
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(session, user, pin)
    clock.now += 31000
