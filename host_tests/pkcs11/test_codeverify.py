# SPDX-License-Identifier: MIT
"""pkcs11.codeverify: what is accepted, each reason to refuse, and what a refusal leaves alone."""

import io
import random
import sys
import types

import p11crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from token_kit import certificate, ec_key, guide_certificate, guide_public, log_in, point, raises
from update_kit import BOARD, SIGNER, Chip, Trickle, application, enrolled, signed

from p11board import signing
from pkcs11 import codeverify, der
from pkcs11.application import Application
from pkcs11.const import CKA_CLASS, CKA_EC_PARAMS, CKA_EC_POINT, CKO_PUBLIC_KEY, CKR_DEVICE_ERROR
from pkcs11.keys import Token

OLD = application(version="old")
NEW = application(version="new")
OTHER = ec_key()


@pytest.fixture
def board(token):
    """The token with the signer's key, opened."""
    with enrolled(token) as opened:
        yield opened


@pytest.fixture
def chip():
    return Chip(OLD)


def verify(token, data, **more):
    return codeverify.verify(io.BytesIO(data), token=token, board=BOARD, **more)


def install(token, data, chip):
    return codeverify.install(io.BytesIO(data), chip.slot(), token=token, board=BOARD)


def flipped(data, at, bit=1):
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def keep(token, template):
    app = Application(token)
    app.C_Initialize()
    app.C_CreateObject(log_in(app), template)
    app.C_Finalize()


# --- what is accepted -----------------------------------------------------------------------------


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


def test_a_certificate_under_the_label_serves_as_well(token):
    keep(token, guide_certificate(certificate(SIGNER), b"Code Verify Key"))
    with Token(Application(token)) as opened:
        verify(opened, signed(NEW))
        with pytest.raises(codeverify.WrongKeyError):
            verify(opened, signed(NEW, OTHER))


def test_while_a_key_is_replaced_both_are_accepted(token, board):
    keep(token, guide_public(OTHER, b"Code Verify Key"))
    verify(board, signed(NEW, SIGNER))
    verify(board, signed(NEW, OTHER))


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


# --- each reason to refuse ------------------------------------------------------------------------

GOOD = signed(NEW)
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


def test_without_a_key_every_image_is_refused(token, chip):
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            install(opened, GOOD, chip)
    keep(token, guide_public(SIGNER, b"Code Verify Key 2"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            install(opened, GOOD, chip)
    assert not chip.log


def test_keys_of_another_kind_under_the_label_do_not_count(token):
    other = ec_key(ec.SECP384R1())
    changed = {CKA_EC_PARAMS: der.OID_P384, CKA_EC_POINT: der.point_encode(point(other))}
    template = guide_public(SIGNER, b"Code Verify Key")
    keep(token, [(kind, changed.get(kind, value)) for kind, value in template])
    keep(token, guide_certificate(certificate(other), b"Code Verify Key"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)


def test_a_key_swapped_in_the_flash_is_noticed_after_login(token, store, make_token):
    enrolled(token).close()
    number = next(n for n, r in store.records.items() if r[2] == b"Code Verify Key")
    data = bytearray(store.records[number][3])
    data[-1] ^= 1  # of the MAC
    store.records[number][3] = bytes(data)
    with Token(Application(make_token())) as opened:
        verify(opened, GOOD)  # before login nobody can know
    with Token(Application(make_token()), b"0000") as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)


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


# --- the version floor ----------------------------------------------------------------------------


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


# --- the manifest's parser ------------------------------------------------------------------------


def test_host_and_board_agree_on_every_field():
    data = signed(NEW, security=0xFFFF, board="x" * 24, version="v" * 24)
    here, there = signing.parse(data), codeverify.Manifest(data[:256])
    for name in ("length", "security", "board", "version", "digest", "key_id", "signature"):
        assert getattr(here, name) == getattr(there, name), name
    assert here.signed() == there.signed


def test_no_flipped_bit_of_a_manifest_goes_unnoticed(board):
    for bit in range(2048):
        with pytest.raises(codeverify.CodeVerifyError):
            verify(board, flipped(GOOD[:256], bit // 8, 1 << bit % 8) + NEW)


def test_random_bytes_give_a_manifest_or_its_error():
    draw = random.Random(3)
    seen = set()
    for _ in range(4000):
        data = bytearray(GOOD[:256])
        for _ in range(draw.randrange(1, 6)):
            at = draw.choice((draw.randrange(256), draw.randrange(64)))
            data[at] = draw.choice((0, 1, 0x20, 0x7F, 0xFF, draw.randrange(256)))
        data = data[: draw.choice((256, 256, 256, draw.randrange(300)))]
        try:
            manifest = codeverify.Manifest(bytes(data))
        except codeverify.ManifestError:
            seen.add("error")
        else:
            seen.add("manifest")
            assert manifest.board.isprintable() and manifest.version.isprintable()
            assert 0 < manifest.length <= 1 << 28 and 0 <= manifest.security <= 0xFFFF
            assert bytes(data) == manifest.signed + manifest.signature
            assert signing.parse(bytes(data)).to_bytes() == bytes(data)
    assert seen == {"error", "manifest"}


# --- corners ---------------------------------------------------------------------------------------


def test_a_certificate_of_an_rsa_key_under_the_label_does_not_count(token):
    import datetime

    import rsa_kit
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rsa")])
    day = datetime.datetime(2024, 1, 1)
    made = (
        x509.CertificateBuilder(name, name, rsa_kit.KEY.public_key(), 5, day)
        .not_valid_after(datetime.datetime(2044, 1, 1))
        .sign(rsa_kit.KEY, hashes.SHA256())
    )
    value = made.public_bytes(serialization.Encoding.DER)
    keep(token, guide_certificate(value, b"Code Verify Key"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)


def test_a_floor_that_cannot_be_raised_stops_the_update(board, chip, monkeypatch):
    from pal.store import StoreError

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


@pytest.mark.parametrize("field, value", [(b"", None), (b"\0\0", None), (b"ab\0", "ab")])
def test_a_text_of_a_manifest_is_not_empty(field, value):
    from pkcs11.manifest import ManifestError, text

    if value is None:
        with pytest.raises(ManifestError):
            text(field)
    else:
        assert text(field) == value
