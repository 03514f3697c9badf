# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixtures)
"""The manifest of an update image: host and board parse it alike, no bit of it is without meaning."""

import random

import pytest
from codeverify_kit import *
from update_kit import signed

from p11board import signing
from pkcs11 import codeverify
from pkcs11.manifest import ManifestError, text


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


@pytest.mark.parametrize("field, value", [(b"", None), (b"\0\0", None), (b"ab\0", "ab")])
def test_a_text_of_a_manifest_is_not_empty(field, value):
    if value is None:
        with pytest.raises(ManifestError):
            text(field)
    else:
        assert text(field) == value
