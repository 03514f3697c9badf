# SPDX-License-Identifier: MIT
"""The token for stock firmware, on CPython: its arithmetic against `cryptography`, its p11crypto
against the twin of the C module, and the whole token on a file.
"""

import hashlib
import hmac
import importlib
import os
import random
import sys

import native_host
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from p11board.flash_real_files import key_partition, parse_table

TWIN = importlib.import_module("p11crypto_py")


@pytest.fixture(scope="module")
def native():
    return native_host.build()


@pytest.fixture
def stock(native, monkeypatch):
    """p11crypto of natmod/stock, freshly imported, with os.urandom as its source."""
    monkeypatch.syspath_prepend(str(native_host.STOCK))
    monkeypatch.setitem(sys.modules, "p11native", native)
    before = {name: sys.modules.pop(name, None) for name in ("p11crypto", "p11entropy")}
    module = importlib.import_module("p11crypto")
    assert "natmod" in module.__file__
    yield module
    for name, other in before.items():
        del sys.modules[name]
        if other:
            sys.modules[name] = other


# --- arithmetic ---------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 32, 64, 100])
@pytest.mark.parametrize("aad", [b"", b"a", b"sixteen bytes...", bytes(40)])
def test_gcm_is_that_of_the_standard(native, length, aad):
    key, nonce, data = os.urandom(32), os.urandom(12), os.urandom(length)
    out = bytearray(length + 16)
    assert native.gcm(out, key, nonce, aad, data)
    assert out == AESGCM(key).encrypt(nonce, data, aad)
    back = bytearray(length)
    assert native.gcm(back, key, nonce, aad, out)
    assert back == data


@pytest.mark.parametrize("at", [0, 15, 16, 31, -1])
def test_a_wrong_tag_gives_zeros(native, at):
    key, nonce = bytes(32), bytes(12)
    sealed = bytearray(AESGCM(key).encrypt(nonce, b"x" * 32, b"aad"))
    sealed[at] ^= 1
    out = bytearray(b"\xee" * 32)
    assert not native.gcm(out, key, nonce, b"aad", sealed)
    assert out == bytes(32)
    sealed[at] ^= 1
    assert not native.gcm(out, key, nonce, b"other", sealed)


@pytest.mark.parametrize("pin", [b"0000", b"x" * 64, b"y" * 65, b"z" * 255])
def test_pbkdf2_is_that_of_the_standard(native, pin):
    for salt in (os.urandom(8), os.urandom(64)):
        out = bytearray(32)
        native.pbkdf2(out, pin, salt, 37)
        assert out == hashlib.pbkdf2_hmac("sha256", pin, salt, 37)


def test_signatures_are_good_and_bad_ones_are_refused(native):
    scalar = os.urandom(32)
    point, signature, digest = bytearray(64), bytearray(64), os.urandom(32)
    assert native.public(point, scalar, os.urandom(32))
    assert native.sign(signature, scalar, digest, os.urandom(64))
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"), ec.SECP256R1()
    )
    der = utils.encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    key = numbers.public_key()
    key.verify(der, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    assert native.verify(point, digest, signature)
    signature[40] ^= 1
    assert not native.verify(point, digest, signature)
    with pytest.raises(InvalidSignature):
        key.verify(der, bytes(32), ec.ECDSA(utils.Prehashed(hashes.SHA256())))


@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32])
def test_scalars_out_of_range_are_refused(native, scalar):
    assert not native.public(bytearray(64), scalar, os.urandom(32))


def test_a_shared_secret_is_that_of_the_standard(native):
    scalar, secret = os.urandom(32), bytearray(32)
    peer = ec.generate_private_key(ec.SECP256R1())
    numbers = peer.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert native.ecdh(secret, scalar, point, os.urandom(32))
    ours = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    assert secret == ours.exchange(ec.ECDH(), peer.public_key())
    assert not native.ecdh(secret, scalar, point[:-1] + b"\0", os.urandom(32))
    assert secret == bytes(32)


def test_the_same_digest_signed_twice_has_two_signatures(native):
    """The nonce depends on fresh randomness besides the key and the digest."""
    seen = set()
    for _ in range(3):
        signature = bytearray(64)
        assert native.sign(signature, b"\x07" * 32, b"d" * 32, os.urandom(64))
        seen.add(bytes(signature[:32]))
    assert len(seen) == 3


# --- p11crypto ----------------------------------------------------------------------------------


def test_what_one_side_sealed_the_other_unseals(stock):
    """A store written by stock firmware is served by the full firmware, and the other way round."""
    ours = stock.master_new()
    value = bytes(stock._slot(ours))
    wrap = stock.master_wrap(ours, bytearray(b"1234"), b"s" * 16, 5, b"aad")
    theirs = TWIN.master_unwrap(bytearray(b"1234"), b"s" * 16, 5, b"aad", wrap)
    again = TWIN.master_wrap(theirs, bytearray(b"1234"), b"t" * 16, 0, b"aad")
    back = stock.master_unwrap(bytearray(b"1234"), b"t" * 16, 0, b"aad", again)
    assert bytes(stock._slot(back)) == value
    assert stock.master_unwrap(bytearray(b"1235"), b"t" * 16, 0, b"aad", again) is None

    key = stock.ec_generate(stock.P256)
    sealed = stock.seal(ours, key, b"context", b"x")
    other = TWIN.unseal(theirs, sealed, b"context", b"x", TWIN.EC_P256)
    assert TWIN.ec_public(other) == stock.ec_public(key)
    resealed = TWIN.seal(theirs, other, b"more", b"")
    assert stock.ec_public(stock.unseal(ours, resealed, b"more", b"", stock.EC_P256))
    assert stock.mac(ours, b"c", b"data") == TWIN.mac(theirs, b"c", b"data")
    with pytest.raises(ValueError, match="sealed"):
        stock.unseal(ours, resealed, b"less", b"", stock.EC_P256)


def test_signatures_of_each_are_good_for_the_other(stock):
    key = stock.ec_generate(stock.P256)
    point = stock.ec_public(key)
    for digest in (b"\x01", b"d" * 20, b"e" * 32, b"f" * 64):
        assert TWIN.ecdsa_verify(TWIN.P256, point, digest, stock.ecdsa_sign(key, digest))
    other = TWIN.ec_generate(TWIN.P256)
    signature = TWIN.ecdsa_sign(other, b"d" * 32)
    assert stock.ecdsa_verify(stock.P256, TWIN.ec_public(other), b"d" * 32, signature)
    assert not stock.ecdsa_verify(stock.P256, point, b"d" * 32, signature)


def test_released_slots_are_wiped_and_their_handles_dead(stock):
    key = stock.ec_generate(stock.P256)
    value = stock._slot(key)
    stock.release(key)
    assert value == bytes(32)
    with pytest.raises(ValueError, match="slot"):
        stock.ec_public(key)
    assert stock.slots_used() == 0


def test_imported_scalars_are_checked_and_wiped(stock):
    for scalar in (bytearray(32), bytearray(b"\xff" * 32), bytearray(31)):
        with pytest.raises(ValueError, match="scalar"):
            stock.ec_import(stock.P256, scalar)
    scalar = bytearray(b"\x05" * 32)
    stock.ec_import(stock.P256, scalar)
    assert scalar == bytes(32)


def test_hmac_is_that_of_the_standard(stock):
    entropy = sys.modules["p11entropy"]
    for key in (b"", b"k", b"k" * 64, b"k" * 65):
        assert entropy.hmac(key, b"message") == hmac.digest(key, b"message", "sha256")


# --- entropy ------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [lambda n: bytes(n), lambda n: b"\xa5" * n])
def test_a_dead_source_fails_closed(stock, monkeypatch, source):
    """What os.urandom of MicroPython's stm32 port up to 1.28 does when its generator fails."""
    monkeypatch.setattr(sys.modules["p11entropy"], "_raw", source)
    with pytest.raises(OSError):
        stock.random(bytearray(8))
    with pytest.raises(OSError):
        stock.ec_generate(stock.P256)
    assert stock.entropy_info()[0] == 2


def test_a_biased_source_fails_closed(stock, monkeypatch):
    biased = random.Random(3)

    def draw(count):
        return bytes(0 if biased.random() < 0.4 else biased.getrandbits(8) for _ in range(count))

    monkeypatch.setattr(sys.modules["p11entropy"], "_raw", draw)
    with pytest.raises(OSError):
        for _ in range(50):
            stock.hardware_poll(bytearray(512))
    assert stock.entropy_info()[0] == 2
    assert stock.entropy_info()[3] == 2


def test_outputs_differ_and_a_reseed_happens_before_each_key(stock):
    a, b = bytearray(40), bytearray(40)
    stock.random(a)
    stock.random(b)
    assert a != b and any(a) and any(b)
    before = stock.entropy_info()[5]
    stock.ec_generate(stock.P256)
    assert stock.entropy_info()[5] == before + 1


# --- the file as flash --------------------------------------------------------------------------


def test_the_store_lives_in_a_file(stock, tmp_path):
    flash_file = importlib.import_module("flash_file")
    from pal.store import Store

    path = str(tmp_path / "token")
    store = Store(flash_file.FlashFile(path), stock.random)
    store.mount()
    store.format()
    store.commit([(0x100, 1, 0, b"label", b"data")])
    again = Store(flash_file.FlashFile(path), stock.random)
    again.mount()
    assert again.read(0x100) == (b"label", bytearray(b"data"))


def test_a_file_of_another_length_is_refused(stock, tmp_path):
    flash_file = importlib.import_module("flash_file")
    path = tmp_path / "token"
    path.write_bytes(b"something else")
    with pytest.raises(OSError, match="another length"):
        flash_file.FlashFile(str(path))


# --- the package --------------------------------------------------------------------------------


def test_the_partition_table_for_stock_firmware_has_the_keys_and_the_files_in_their_places():
    sys.path.insert(0, str(native_host.NATMOD))
    try:
        table = importlib.import_module("package").partition_table()
    finally:
        sys.path.remove(str(native_host.NATMOD))
    parts = {part.name: part for part in parse_table(table)}
    assert key_partition(parts.values()).area == (0x1F0000, 0x10000)
    assert parts["vfs"].area == (0x200000, 0x200000)
    assert parts["factory"].offset == 0x10000 and len(table) == 0xC00
