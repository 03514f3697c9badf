# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixtures)
"""pkcs11.codeverify: each reason to refuse an image, and what a refusal leaves alone."""

import p11crypto
import pytest
from codeverify_kit import *
from update_kit import BOARD, signed

from pkcs11 import codeverify
from pkcs11.const import CKA_CLASS, CKO_PUBLIC_KEY

REFUSED = {
    "nothing": (b"", codeverify.ManifestError),
    "an unsigned image": (NEW, codeverify.ManifestError),
    "half a manifest": (GOOD[:255], codeverify.ManifestError),
    "another format": (flipped(GOOD, 4, 2), codeverify.ManifestError),
    "another algorithm": (flipped(GOOD, 6, 2), codeverify.ManifestError),
    "reserved bytes used": (flipped(GOOD, 150), codeverify.ManifestError),
    "length zero": (GOOD[:8] + bytes(4) + GOOD[12:], codeverify.ManifestError),
    "a wrong key": (signed(NEW, OTHER), codeverify.WrongKeyError),
    "a wrong signature": (flipped(GOOD, 200), codeverify.SignatureError),
    "no signature": (GOOD[:192] + bytes(64) + GOOD[256:], codeverify.SignatureError),
    "another length": (flipped(GOOD, 8), codeverify.SignatureError),
    "another security version": (flipped(GOOD, 12), codeverify.SignatureError),
    "another digest": (flipped(GOOD, 64), codeverify.SignatureError),
    "another board": (signed(NEW, board="NUCLEO_F439ZI"), codeverify.BoardError),
    "an older version": (signed(NEW, security=4), codeverify.OldVersionError),
    "a version far ahead": (signed(NEW, security=70), codeverify.VersionLeapError),
    "no image": (signed(NEW, security=5)[:256], codeverify.TruncatedError),
    "one byte less": (signed(NEW, security=5)[:-1], codeverify.TruncatedError),
    "half an image": (signed(NEW, security=5)[:5000], codeverify.TruncatedError),
    "a changed header": (flipped(signed(NEW, security=5), 300), codeverify.ImageError),
    "a changed last byte": (flipped(signed(NEW, security=5), -1), codeverify.ImageError),
}
EARLY = (
    codeverify.ManifestError,
    codeverify.WrongKeyError,
    codeverify.SignatureError,
    codeverify.BoardError,
    codeverify.OldVersionError,
    codeverify.VersionLeapError,
)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_has_its_own_error_and_the_old_image_boots(board, chip, what):
    data, error = REFUSED[what]
    for _ in range(5):
        board.app.token.pal.advance(2)
    with pytest.raises(error) as caught:
        install(board, data, chip)
    assert type(caught.value) is error and str(caught.value)
    assert chip.boots() == "old"
    assert bool(chip.log) == (error not in EARLY), "early reasons come before the first write"
    assert all(operation[0] == "app2" for operation in chip.log)
    assert codeverify.floor(board) == 5
    with pytest.raises(error):
        verify(board, data)
    # The board is as able as before.
    assert install(board, signed(NEW, security=5), chip).security == 5
    assert chip.boots() == "new"


def test_each_refusal_has_another_class():
    kinds = {error for _, error in REFUSED.values()}
    assert len(kinds) == 8 and all(issubclass(k, codeverify.CodeVerifyError) for k in kinds)


def test_a_file_that_goes_on_behind_the_image_is_refused(board, tmp_path, chip):
    path = tmp_path / "image.p11u"
    path.write_bytes(GOOD + b"!")
    with pytest.raises(codeverify.ImageError, match="goes on"):
        codeverify.install(str(path), chip.slot(), token=board, board=BOARD)
    assert chip.boots() == "old"


def test_no_object_no_key_slot_and_no_session_is_left_behind(token, board):
    slots, objects = p11crypto.slots_used(), len(board.find([(CKA_CLASS, CKO_PUBLIC_KEY)]))
    sessions = token.sessions
    verify(board, GOOD)
    for data in (flipped(GOOD, 200), GOOD[:-1], flipped(GOOD, 3000)):
        with pytest.raises(codeverify.CodeVerifyError):
            verify(board, data)
    assert p11crypto.slots_used() == slots
    assert len(board.find([(CKA_CLASS, CKO_PUBLIC_KEY)])) == objects
    assert token.sessions == sessions
