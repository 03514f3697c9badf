# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixtures)
"""pkcs11.codeverify: what is accepted, and the version floor that an update raises."""

import io
import sys
import types

import pytest
from codeverify_kit import *
from token_kit import raises
from update_kit import BOARD, Trickle, enrolled, signed

from pal.store import StoreError
from pkcs11 import codeverify
from pkcs11.application import Application
from pkcs11.const import CKR_DEVICE_ERROR
from pkcs11.keys import Token


def test_a_good_image_is_accepted_and_described(board):
    found = verify(board, signed(NEW, security=7, version="2.1"))
    assert (found.length, found.security, found.board) == (len(NEW), 7, BOARD)
    assert found.version == "2.1"


def test_a_file_a_stream_and_a_range_of_flash_are_read_alike(board, chip, tmp_path):
    data = signed(OLD)
    path = tmp_path / "image.p11u"
    path.write_bytes(data)
    assert codeverify.verify(str(path), token=board, board=BOARD).length == len(OLD)
    assert verify(board, data).length == len(OLD)
    region = codeverify.Range(chip.region("app"), 0, len(OLD))
    assert codeverify.verify(region, data[:256], board, BOARD).length == len(OLD)


def test_a_partition_is_read_through_readblocks(board):
    class Partition:
        def readblocks(self, block, buf, offset):
            assert block == 0
            buf[:] = (b"?" * 100 + NEW)[offset : offset + len(buf)]

    part = codeverify.Range(Partition(), 100, len(NEW))
    codeverify.verify(part, signed(NEW)[:256], board, BOARD)
    part = codeverify.Range(Partition(), 99, len(NEW))
    with pytest.raises(codeverify.ImageError):
        codeverify.verify(part, signed(NEW)[:256], board, BOARD)


def test_a_lost_unit_of_the_flash_is_an_error(board, chip):
    region = chip.region("app")
    region.read = lambda offset, buf: 2
    with pytest.raises(OSError):
        codeverify.verify(codeverify.Range(region), signed(OLD)[:256], board, BOARD)


@pytest.mark.parametrize("most", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("size", [1, 127, 4095, 4096, 4097, 12288])
def test_images_and_pieces_of_any_size_are_streamed(board, size, most):
    data = signed(b"\xa5" * size)
    stream = Trickle(data + b"more", most)
    assert codeverify.verify(stream, token=board, board=BOARD).length == size
    assert stream.read(9) == b"more"  # nothing behind the image is touched


def test_without_a_token_one_is_opened_and_closed(token, monkeypatch):
    enrolled(token).close()
    monkeypatch.setattr("pkcs11.board_token", lambda: token)
    monkeypatch.setattr("pkcs11.application", lambda: Application(token))
    monkeypatch.setitem(sys.modules, "geometry", types.SimpleNamespace(BOARD=BOARD))
    assert codeverify.verify(io.BytesIO(signed(NEW))).length == len(NEW)
    assert codeverify.floor() == 0
    with pytest.raises(codeverify.SignatureError):
        codeverify.verify(io.BytesIO(flipped(signed(NEW), 255)))
    with pytest.raises(codeverify.BoardError):
        codeverify.verify(io.BytesIO(signed(NEW, board="PYBV11")))
    assert not token.sessions


def test_an_update_raises_the_floor_and_older_versions_are_refused_from_then_on(
    token, chip, make_token
):
    board = enrolled(token)
    install(board, signed(NEW, security=3), chip)
    assert codeverify.floor(board) == 3
    chip.reset()
    with pytest.raises(codeverify.OldVersionError, match="version 2, this board takes 3"):
        install(board, signed(OLD, security=2), chip)
    install(board, signed(OLD, security=3), chip)  # the same version again is no roll-back
    board.close()
    with Token(Application(make_token())) as opened:
        assert codeverify.floor(opened) == 3


def test_verifying_alone_raises_nothing(board):
    verify(board, signed(NEW, security=9))
    assert codeverify.floor(board) == 0


def test_the_floor_is_raised_before_the_image_can_boot(board, chip, store):
    """Whoever pulls the plug between the two gains no second chance for an old image."""
    store.fail_at = store.writes + 1
    with raises(CKR_DEVICE_ERROR):
        install(board, signed(NEW, security=1), chip)
    assert chip.boots() == "old"
    store.fail_at = None


def test_flash_that_does_not_hold_what_was_written_does_not_boot(board, chip):
    region = chip.region("app2")
    real = region.program

    def forgetful(offset, data):
        real(offset, data)
        if offset > 4096:
            chip.data[region.place.offset + offset] ^= 0x10

    region.program = forgetful
    slot = chip.slot()
    slot.region = region
    with pytest.raises(codeverify.SlotError, match="does not hold"):
        codeverify.install(io.BytesIO(GOOD), slot, token=board, board=BOARD)
    assert chip.boots() == "old"
    assert codeverify.floor(board) == 0


def test_a_floor_that_cannot_be_raised_stops_the_update(board, chip, monkeypatch):
    def broken(number):
        raise StoreError(StoreError.IO)

    pal = board.app.token.pal
    monkeypatch.setattr(pal, "advance", broken)
    with raises(CKR_DEVICE_ERROR):
        install(board, signed(NEW, security=3), chip)
    monkeypatch.undo()
    monkeypatch.setattr(pal, "value", broken)
    with raises(CKR_DEVICE_ERROR):
        verify(board, signed(NEW))
