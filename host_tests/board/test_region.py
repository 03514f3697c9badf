# SPDX-License-Identifier: MIT
"""`p11board backup-region` on the emulated board: the flash as it is, and no secret in it."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import flashmap

SCALAR = 0x1C3B77A0D5E2F4689101B3C5D7E9F0A2B4C6D8EAFC0E1F20314253647586978B


@pytest.fixture
def key_file(tmp_path):
    """A private key whose bytes are known, as a PEM file."""
    path = tmp_path / "known.pem"
    path.write_bytes(
        ec.derive_private_key(SCALAR, ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def region_of(emulated):
    """The key region's bytes in the flash file."""
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "rb") as flash:
        flash.seek(flashmap.KEYS.offset)
        return flash.read(flashmap.KEYS.size)


def test_the_backup_is_the_flash_as_it_is_and_no_private_value_is_in_it(
    emulated, key_file, tmp_path
):
    emulated.p11board("import", key_file, "--label", "known")
    out = tmp_path / "region.bin"

    refused = emulated.p11board("backup-region", out, code=2)
    assert "initial" in refused.stderr and not out.exists()

    said = emulated.json("backup-region", out, "--with-initial-pin")
    assert said == {"file": str(out), "bytes": flashmap.KEYS.size}
    image = out.read_bytes()
    big, little = SCALAR.to_bytes(32, "big"), SCALAR.to_bytes(32, "little")
    for secret in (big, little):
        for at in range(0, 32, 8):
            assert secret[at : at + 8] not in image
    assert b"known" in image  # labels are public: this is the store, and it is in use
    assert image == region_of(emulated)


def test_a_backup_needs_no_pin_once_one_is_set_and_overwrites_nothing(emulated, tmp_path):
    with emulated.connected() as board:
        board.request("set_pin", pin="0000", new_pin="4711-four")
    out = tmp_path / "region.bin"
    emulated.p11board("backup-region", out)
    assert b"4711-four" not in out.read_bytes()
    again = emulated.p11board("backup-region", out, code=2)
    assert "exists" in again.stderr


def test_the_command_says_what_is_missing_when_there_is_no_board(tmp_path):
    command = [sys.executable, "-m", "p11board", "--board", str(tmp_path / "none")]
    done = subprocess.run(
        [*command, "backup-region", str(tmp_path / "x")], capture_output=True, text=True
    )
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
