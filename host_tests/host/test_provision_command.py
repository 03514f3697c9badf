# SPDX-License-Identifier: MIT
"""Certificates from a command that signs requests."""

import json
import sys

import pytest
from host.provision_kit import FILES, carry_out, identity, job, key_pem, write

from p11board.errors import Problem

SIGN = """
import sys, os
sys.path[:0] = {path!r}
from host.provision_kit import *
ca = Authority.__new__(Authority)
ca.key = serialization.load_pem_private_key(open({folder!r} + "/ca.key", "rb").read(), None)
ca.name = x509.load_pem_x509_certificate(open({folder!r} + "/ca.pem", "rb").read()).subject
made = ca.sign(sys.stdin.buffer.read())
assert os.environ["P11BOARD_ID"] == "x" and os.environ["P11BOARD_SERIAL"]
sys.stdout.buffer.write(pem(made))
"""


def by_command(words):
    return [("certificate.signer", "command"), ("certificate.command", json.dumps(words))]


def test_a_command_signs(device, token, tmp_path, ca):
    token.settings.serial = b"01"
    write(tmp_path / "ca.key", key_pem(ca.key))
    write(tmp_path / "sign.py", SIGN.format(path=sys.path, folder=str(tmp_path)).encode())
    words = [sys.executable, "sign.py"]
    carry_out(device, job(tmp_path, FILES, changes=by_command(words)), id="x")
    assert identity(device)[1].issuer == ca.name


@pytest.mark.parametrize(
    "words, error",
    [
        (["sh", "-c", "echo no luck >&2; exit 3"], r"did not sign \(exit code 3\): no luck"),
        (["false"], "no message"),
        (["true"], "is empty"),
        (["echo", "hello"], "the output of echo"),
        (["cat"], "CERTIFICATE REQUEST"),
        (["/no/such/program"], "cannot run /no/such/program"),
        (["sh", "-c", "head -c 2000000 /dev/zero"], "2000000 bytes"),
    ],
    ids=["exit code", "silent", "nothing", "text", "request", "missing", "flood"],
)
@pytest.mark.usefixtures("ca")
def test_a_command_that_does_not_sign_leaves_the_board_as_it_was(device, tmp_path, words, error):
    with pytest.raises(Problem, match=error):
        carry_out(device, job(tmp_path, FILES, changes=by_command(words)), id="x")
    assert "import" not in device.writes and "switch" not in device.writes
