# SPDX-License-Identifier: MIT
"""An update with the power cut in each of its flash operations, over the real store on a simulated
flash and the two slots in RAM; and appslots by itself.

The loader is here what p11board.flashing.booting says; host_tests/port/test_slots.py compares that
with the real one.
"""

import io
import random
import struct
import zlib

import p11crypto
import pytest
from flashsim import Flash, Geometry
from token_kit import certificate, ec_key, guide_certificate, guide_public, log_in
from update_kit import (
    BOARD,
    SIGNER,
    VARIANTS,
    Chip,
    PowerCut,
    application,
    appslots,
    signed,
)

from p11board import flashmap, image
from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store
from pkcs11 import codeverify
from pkcs11.application import Application
from pkcs11.keys import Token
from pkcs11.settings import Settings
from pkcs11.token import Token as Core

OLD = application(9000, "old")
NEW = application(10000, "new")
THIRD = application(5000, "third")
SIGNED = signed(NEW, security=2)
CERTIFICATE = certificate(ec_key())


class Board:
    """A chip with slots and a store; both count the operations of the same plug."""

    def __init__(self):
        self.flash = Flash(Geometry(1, 4096, 4, ZERO_ANY, 256))
        self.chip = Chip(OLD)
        app = Application(self.core())
        app.C_Initialize()
        session = log_in(app)
        app.C_CreateObject(session, guide_public(SIGNER, b"Code Verify Key"))
        app.C_CreateObject(session, guide_certificate(CERTIFICATE))
        app.C_Finalize()
        self.start = bytes(self.chip.data), self.flash.snapshot()
        self.flash.hook = self.plug

    def plug(self, operation, *_):
        if self.chip.step("keys", operation):
            raise PowerCut

    def core(self):
        """A token as after power-on."""
        p11crypto.test_reset()
        seed = random.Random(4)

        def fill(buffer):
            buffer[:] = seed.randbytes(len(buffer))

        return Core(Pal(Store(self.flash, fill)), Settings(iterations=3, clock=lambda: 0))

    def again(self):
        """Everything as before the update."""
        self.chip.data[:], snapshot = self.start
        self.flash.restore(snapshot)
        self.chip.runs, self.chip.operations, self.chip.cut, self.chip.log = "app", 0, None, []

    def update(self, data):
        """What OTA code does."""
        with Token(Application(self.core())) as token:
            codeverify.install(io.BytesIO(data), self.chip.slot(), None, token, BOARD)

    def look(self):
        """(certificate is there, floor) after a boot."""
        with Token(Application(self.core())) as token:
            whole = token.certificate("Device Cert").value == CERTIFICATE
            return whole, codeverify.floor(token)


@pytest.fixture(scope="module")
def board():
    return Board()


def cuts(board):
    """How many operations the whole update has."""
    board.again()
    board.update(SIGNED)
    assert board.chip.boots() == "new" and board.look() == (True, 2)
    return board.chip.operations, list(board.chip.log)


def test_the_header_goes_first_and_comes_last_after_the_floor(board):
    _, log = cuts(board)
    assert log[0] == ("app2", "erase", 0)
    assert log[-1] == ("app2", "program", 0)
    places = [entry[0] for entry in log]
    assert set(places[: places.index("keys")]) == {"app2"}
    assert set(places[places.index("keys") : -1]) == {"keys"}
    assert sum(entry[1] == "program" and entry[2] < 128 for entry in log if len(entry) > 2) == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cut_in_any_operation_leaves_a_bootable_image_and_all_objects(board, variant):
    total, _ = cuts(board)
    assert total > 40
    outcomes = []
    for cut in range(1, total + 1):
        board.again()
        board.chip.cut, board.chip.variant = cut, variant
        with pytest.raises(PowerCut):
            board.update(SIGNED)
        board.chip.cut = None
        version = board.chip.reset()
        outcomes.append(version)
        whole, floor = board.look()
        assert whole and floor in (0, 1, 2)
        assert version == "old" or floor == 2
        assert version == "old" or cut == total
        board.update(SIGNED)  # simply once more
        assert board.chip.reset() == "new" and board.look() == (True, 2)
    assert outcomes[-1] == ("new" if variant == "complete" else "old")


def test_updates_alternate_between_the_slots(board):
    board.again()
    for number in range(5):
        before = board.chip.runs
        board.update(signed(application(6000, f"v{number}"), security=number))
        assert board.chip.reset() == f"v{number}"
        assert board.chip.runs != before
        assert appslots.running(board.chip.region).place.name == board.chip.runs


def test_a_second_cut_while_the_first_is_made_good_is_no_worse(board):
    total, _ = cuts(board)
    draw = random.Random(6)
    for _ in range(60):
        board.again()
        for _ in range(3):
            board.chip.operations = 0
            board.chip.cut = draw.randrange(1, total + 1)
            board.chip.variant = draw.choice(VARIANTS)
            try:
                board.update(SIGNED)
            except PowerCut:
                pass
            board.chip.cut = None
            assert board.chip.reset() in ("old", "new")
            assert board.look()[0]


def test_initialising_the_token_keeps_the_floor_and_takes_the_key(board):
    board.again()
    board.update(SIGNED)
    app = Application(board.core())
    app.C_Initialize()
    app.C_CloseSession(log_in(app))  # the user PIN proved stands in for the SO's
    app.C_InitToken(1, b"12345678", b"another owner")
    app.C_Finalize()
    with Token(Application(board.core())) as token:
        assert codeverify.floor(token) == 2
        with pytest.raises(codeverify.NoKeyError):
            codeverify.verify(io.BytesIO(SIGNED), token=token, board=BOARD)


# --- appslots by itself ---------------------------------------------------------------------------


@pytest.fixture
def chip():
    return Chip(OLD)


def test_when_it_is_not_known_which_slot_runs_neither_is_written(chip):
    chip.runs = None
    with pytest.raises(codeverify.SlotError, match="not known"):
        chip.slot()
    chip.runs = "both"
    with pytest.raises(codeverify.SlotError, match="not known"):
        chip.slot()
    assert not chip.log


def test_an_image_larger_than_the_slot_is_refused_before_any_write(chip):
    for length in (flashmap.APP2.size + 1, 128, 0):
        with pytest.raises(codeverify.SlotError, match="do not fit"):
            chip.slot().begin(length)
    assert not chip.log


def test_the_largest_image_fits(chip):
    slot = chip.slot()
    slot.begin(flashmap.APP2.size)
    assert len(chip.log) == 1


def test_more_or_less_than_announced_is_no_image(chip):
    slot = chip.slot()
    slot.begin(200)
    with pytest.raises(codeverify.SlotError, match="more bytes"):
        slot.write(bytes(201))
    slot.write(NEW[:200])
    with pytest.raises(codeverify.SlotError, match="another length"):
        slot.reader()
    slot = chip.slot()
    slot.begin(len(NEW))
    slot.write(NEW[:5000])
    with pytest.raises(codeverify.SlotError, match="5000 of 10000"):
        slot.commit()
    assert chip.boots() == "old"


@pytest.mark.parametrize("piece", [1, 100, 128, 129, 4096, 10000])
def test_pieces_of_any_size_give_the_same_slot(chip, piece):
    slot = chip.slot()
    slot.begin(len(NEW))
    for at in range(0, len(NEW), piece):
        slot.write(NEW[at : at + piece])
    stream, read = slot.reader(), b""
    while True:
        buf = bytearray(piece)
        count = stream.readinto(buf)
        if not count:
            break
        read += buf[:count]
    assert read == NEW
    slot.commit()
    assert chip.boots() == "new"
    stored = image.parse(chip.read(flashmap.APP2.offset, flashmap.APP2.size))
    assert stored.sequence == 1 and stored.payload == image.parse(NEW).payload


def test_an_error_of_the_flash_is_a_slot_error(chip):
    slot = chip.slot()
    slot.begin(len(NEW))
    chip.runs = "app2"
    with pytest.raises(codeverify.SlotError, match="error 30"):
        slot.write(NEW)


def test_a_signed_file_that_is_no_application_is_not_made_bootable(board):
    board.again()
    for bad in (b"x" * 5000, NEW + bytes(4), NEW[:4] + b"\2" + NEW[5:], NEW[:-4]):
        with pytest.raises(codeverify.SlotError):
            board.update(signed(bad, security=1))
        assert board.chip.boots() == "old"
    assert board.look() == (True, 0)


def test_header_and_image_tool_agree_on_random_headers():
    draw = random.Random(5)
    edges = (0, 1, 4, 7, 8, 0x7C, 0x80, 0x84, 0xBBF80, 0xBBFFC, 0xBC000, 0x80000000, 0xFFFFFFFF)
    verdicts = set()
    for _ in range(3000):
        data = bytearray(NEW[:128])
        for _ in range(draw.randrange(4)):
            struct.pack_into("<I", data, draw.choice((4, 8, 12, 16, 20)), draw.choice(edges))
        if draw.randrange(4):
            struct.pack_into("<I", data, 60, zlib.crc32(data[:60]))
        length = struct.unpack_from("<I", data, 8)[0]
        try:
            image.parse(bytes(data) + bytes(min(length, 1 << 20)))
            good = True
        except image.ImageError as error:
            good = any(w in str(error) for w in ("SHA-256", "stack pointer", "reset vector"))
        try:
            appslots.Header(data)
            mine = True
        except codeverify.SlotError:
            mine = False
        if length <= flashmap.APP.size - 128:  # longer ones do not reach it: Slot.begin
            assert mine == good, data[:64].hex()
            verdicts.add(mine)
    assert verdicts == {True, False}
