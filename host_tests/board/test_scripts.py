# SPDX-License-Identifier: MIT
"""The scripts of tools/mpremote, run with mpremote as their README says."""

import datetime
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "tools" / "mpremote"
DER = serialization.Encoding.DER
KEY = "test script key"


@pytest.fixture(scope="module")
def public_key(board):
    """A pair made by keygen.py; the public key from the PEM it prints."""
    board.p11board("destroy", KEY, "--yes", code=None)
    pem = board.script("keygen.py", "exec", f"LABEL = {KEY!r}")
    return serialization.load_pem_public_key(pem.encode())


def test_token_info_names_the_token(board):
    text = board.script("token_info.py")
    assert "micropython-pkcs11" in text
    assert "0x1041" in text


def test_the_key_of_keygen_is_listed_and_signs(board, public_key):
    listed = board.script("list_objects.py").splitlines()
    assert f"private key  {KEY}" in listed
    assert f"public key   {KEY}" in listed
    for message in (b"hello", b"", bytes(range(256))):
        hexed = board.script("sign.py", "exec", f"LABEL = {KEY!r}; MESSAGE = {message!r}")
        public_key.verify(bytes.fromhex(hexed.strip()), message, ec.ECDSA(hashes.SHA256()))


def test_keygen_does_not_replace_a_key(board, public_key):
    before = board.json("read", KEY, "--class", "public")
    board.script("keygen.py", "exec", f"LABEL = {KEY!r}", code=1)
    assert board.json("read", KEY, "--class", "public") == before


def test_sign_says_that_there_is_no_such_key(board):
    text = board.script("sign.py", "exec", "LABEL = 'test none'", code=1)
    assert "0 private keys" in text


def test_a_wrong_pin_is_refused(board):
    text = board.script("list_objects.py", "exec", "PIN = '9999'", code=1)
    assert "CKR_PIN_INCORRECT" in text
    time.sleep(board.json("info")["token"]["pins"]["user"]["wait_seconds"] + 0.1)
    again = ["resume", "exec", "PIN = '0000'"]  # a reset would start the wait again
    board.script("list_objects.py", *again)


def test_files_are_provisioned_and_removed(emulated, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "script")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(DER)
    spki = key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    files = {"device.der": certificate, "root.der": certificate, "code.der": spki}
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    sources = [tmp_path / file for file in files]
    text = emulated.script("provision.py", "cp", *sources, ":", "+")
    assert "3 objects stored" in text
    assert ".der" not in emulated.mpremote("ls")
    assert bytes.fromhex(emulated.json("read", "Device Cert")["value"]) == certificate
    back = emulated.p11board("export", "Code Verify Key", "--der").stdout_bytes
    assert back == spki
    emulated.mpremote("cp", sources[0], ":")
    assert "is taken" in emulated.script("provision.py")


def test_the_shortcuts_work_as_the_readme_says(board, public_key, monkeypatch, tmp_path):
    text = (SCRIPTS / "README.md").read_text()
    lines = [line.strip() for line in text.splitlines() if "sys.path" in line or "update(" in line]
    assert len(lines) == 2
    config = tmp_path / "mpremote" / "config.py"
    config.parent.mkdir()
    own = "commands = {'mine': 'exec 1'}\n"
    config.write_text(own + "\n".join(lines).replace("CHECKOUT", str(SCRIPTS.parent.parent)))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert "micropython-pkcs11" in board.mpremote("p11")
    assert f"private key  {KEY}" in board.mpremote("p11_objects")
    hexed = board.mpremote("exec", f"LABEL = {KEY!r}", "p11_sign", "MESSAGE=b'hello'")
    public_key.verify(bytes.fromhex(hexed.strip()), b"hello", ec.ECDSA(hashes.SHA256()))
    shown = board.mpremote("help")
    assert all(name.split()[0] in shown for name in ("p11_keygen", "p11_provision", "mine"))
