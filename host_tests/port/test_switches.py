# SPDX-License-Identifier: MIT
"""The build switches that docs/TLS.md names: the firmware without them builds, starts and signs."""

import subprocess

import pytest
from factory import program
from qemu_machine import ROOT, Board

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

PROGRAM = """
import pkcs11
from hashlib import sha256
try:
    import tls
    print("tls")
except ImportError as error:
    print(error)
with pkcs11.open(pin=bytearray(b"0000")) as token:
    public, private = token.generate("key")
    print(public.verify(digest := sha256(b"m").digest(), private.sign(digest)))
"""


def text_bytes(elf):
    """Code and constants of a program, in bytes."""
    done = subprocess.run(["arm-none-eabi-size", elf], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[1].split()[0])


@pytest.mark.parametrize(
    ("switch", "module", "saved"),
    [("TLS=0", "no module named 'tls'", 90_000), ("TLS13=0", "tls", 20_000)],
)
def test_a_firmware_without_tls_or_its_version_1_3_signs_and_is_smaller(
    switch, module, saved, firmware, tmp_path
):
    command = ["make", "-s", "firmware", switch, f"OUT={tmp_path}/build"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "build" / "firmware.p11a"
    whole = text_bytes(firmware.with_name("firmware.elf"))
    assert whole - text_bytes(made.with_name("firmware.elf")) > saved

    chip = program(tmp_path / "flash.bin", made.parent)
    board = Board(chip, made.with_name("loader.elf")).start()
    try:
        assert board.run(PROGRAM).split("\r\n")[:2] == [module, "True"]
    finally:
        board.kill()
