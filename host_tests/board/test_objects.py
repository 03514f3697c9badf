# SPDX-License-Identifier: MIT
"""Objects through the command line: stored, listed, read, exported, replaced, destroyed."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from p11board import keys
from p11board.board import parse_answer
from p11board.errors import TokenError

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
GUIDE = ("Device Cert", "Root Cert", "JITP Cert", "Code Verify Key")


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test certificate")])
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_a_certificate_comes_back_byte_for_byte(board, tmp_path, certificate, label, encoding):
    file, back = tmp_path / "cert", tmp_path / "back"
    file.write_bytes(certificate.public_bytes(encoding))
    assert "test certificate" in board.p11board("import", file, "--label", label).stdout
    form = ["--der"] if encoding == DER else []
    board.p11board("export", label, "-o", back, *form)
    assert back.read_bytes() == file.read_bytes()
    found = board.json("read", label)
    assert found["class"] == keys.CERTIFICATE
    assert found["value"] == certificate.public_bytes(DER).hex()


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_a_public_key_comes_back_byte_for_byte(board, tmp_path, key, label, encoding):
    file, back = tmp_path / "key", tmp_path / "back"
    file.write_bytes(key.public_key().public_bytes(encoding, SPKI))
    board.p11board("import", file, "--label", label)
    form = ["--der"] if encoding == DER else []
    board.p11board("export", label, "-o", back, *form)
    assert back.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("form", ["TraditionalOpenSSL", "PKCS8"])
@pytest.mark.parametrize("encoding", [PEM, DER])
def test_private_keys_are_stored_with_their_public_half(
    board, tmp_path, key, label, form, encoding
):
    file = tmp_path / "key"
    form = getattr(serialization.PrivateFormat, form)
    file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    board.p11board("import", file, "--label", label)
    mine = [o for o in board.json("objects") if o["label"] == label]
    assert sorted(o["class"] for o in mine) == [keys.PRIVATE_KEY, keys.PUBLIC_KEY]
    identifier = keys.key_identifier(keys.point(key.public_key())).hex()
    assert {o["id"] for o in mine} == {identifier}


def test_an_encrypted_private_key_is_opened_on_the_host(board, tmp_path, key, label):
    file, password = tmp_path / "key.pem", tmp_path / "password"
    file.write_bytes(
        key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
        )
    )
    result = board.p11board("import", file, "--label", label, code=2)
    assert "--password-file" in result.stderr
    password.write_text("wrong\n")
    board.p11board("import", file, "--label", label, "--password-file", password, code=1)
    password.write_text("pw\n")
    board.p11board("import", file, "--label", label, "--password-file", password)


def test_any_label_can_be_stored(board, tmp_path):
    for label in ("test ünïcode 鍵", "test 'quotes\" \\ %s {}", "test " + "x" * 245):
        file = tmp_path / "data"
        file.write_bytes(b"some bytes")
        board.p11board("import", file, "--as", "data", "--label", label)
        assert board.json("read", label)["value"] == b"some bytes".hex()
        board.p11board("destroy", label, "--yes")


def test_the_labels_of_the_guide_hold_certificates_and_keys(emulated, tmp_path, certificate, key):
    cert, public = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(certificate.public_bytes(PEM))
    public.write_bytes(key.public_key().public_bytes(PEM, SPKI))
    emulated.p11board("keygen")
    for label in GUIDE:
        emulated.p11board("import", public if "Key" in label else cert, "--label", label)
    labels = {o["label"] for o in emulated.json("objects")}
    assert labels == {*GUIDE, "Device Priv TLS Key", "Device Pub TLS Key"}


def test_nothing_is_replaced_unless_told(board, tmp_path, label):
    file = tmp_path / "data"
    file.write_bytes(b"first")
    board.p11board("import", file, "--as", "data", "--label", label)
    file.write_bytes(b"second")
    result = board.p11board("import", file, "--as", "data", "--label", label, code=1)
    assert "--replace" in result.stderr
    assert bytes.fromhex(board.json("read", label)["value"]) == b"first"
    board.p11board("import", file, "--as", "data", "--label", label, "--replace")
    assert bytes.fromhex(board.json("read", label)["value"]) == b"second"
    assert sum(o["label"] == label for o in board.json("objects")) == 1


def test_a_key_pair_is_not_replaced_unless_told(board, label):
    first = board.json("keygen", "--label", label)
    result = board.p11board("keygen", "--label", label, code=1)
    assert "--replace" in result.stderr
    assert board.json("read", label, "--class", "public")["value"] == first["point"]
    second = board.json("keygen", "--label", label, "--replace")
    assert second["point"] != first["point"]
    assert sum(o["label"] == label for o in board.json("objects")) == 2


def test_destroying_asks_first(board, tmp_path, label):
    file = tmp_path / "data"
    file.write_bytes(b"x")
    board.p11board("import", file, "--as", "data", "--label", label)
    result = board.p11board("destroy", label, code=2)
    assert "--yes" in result.stderr
    board.p11board("destroy", label, "--yes")
    result = board.p11board("destroy", label, "--yes", code=2)
    assert "no object has the label" in result.stderr


def test_a_wrong_label_is_not_found(board):
    for command in (["read"], ["export"]):
        result = board.p11board(*command, "test no such thing", code=1)
        assert "test no such thing" in result.stderr
    result = board.p11board("sign", "-", "--label", "test no such thing", code=1, input="x")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_label_that_only_begins_alike_is_another(board, label):
    board.p11board("keygen", "--label", label)
    board.p11board("read", label[:-1], code=1)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_private_keys_of_a_wrong_length_are_refused_by_the_token_too(board, label, length):
    item = keys.Item(keys.PRIVATE_KEY, b"\1" * length, "a bad key", "P-256")
    with board.connected() as token, pytest.raises(TokenError) as caught:
        token.import_item(item, label)
    assert caught.value.ckr.startswith("CKR_")
    assert not any(o["label"] == label for o in board.json("objects"))


@pytest.mark.parametrize(
    "scalar", ["00" * 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"]
)
def test_scalars_outside_the_group_are_refused(board, label, scalar):
    item = keys.Item(keys.PRIVATE_KEY, bytes.fromhex(scalar), "a bad key", "P-256")
    with board.connected() as token, pytest.raises(TokenError):
        token.import_item(item, label)


@pytest.mark.parametrize("point", ["", "04", "04" + "01" * 64, "02" + "01" * 32, "05" * 65])
def test_points_off_the_curve_are_refused(board, label, point):
    item = keys.Item(keys.PUBLIC_KEY, bytes.fromhex(point), "a bad key", "P-256")
    with board.connected() as token, pytest.raises(TokenError):
        token.import_item(item, label)


def test_a_label_of_4_kilobytes_is_refused_and_nothing_stored(board):
    before = [o["label"] for o in board.json("objects")]
    item = keys.Item(keys.DATA, b"x", "data")
    with board.connected() as token, pytest.raises(TokenError) as caught:
        token.import_item(item, "test " + "y" * 4096)
    assert caught.value.ckr.startswith("CKR_")
    assert [o["label"] for o in board.json("objects")] == before


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00\x7f" * 50,
        b"[]",
        b"null",
        b'{"cmd": "import"}',
        b'{"cmd": 5}',
        b'{"cmd": "sign", "label": [], "digest": {}}',
        b'{"cmd": "random", "length": -1}',
        b'{"cmd": "random", "length": 1e99}',
        b'{"cmd": "read", "label": "x", "class": "nonsense"}',
        b'{"cmd": "' + b"[" * 3000,
        b"x" * 20000,
    ],
    ids=lambda line: line[:40].decode("latin-1").encode("unicode_escape").decode() or "empty",
)
def test_nonsense_requests_get_one_line_of_error_and_the_board_goes_on(board, line):
    with board.connected() as token:
        answer = parse_answer(token.link.ask(line))
        assert answer["error"] and answer["hint"]
    board.json("random")


def test_a_truncated_certificate_file_is_refused_on_the_host(board, tmp_path, certificate, label):
    der = certificate.public_bytes(DER)
    for data in (der[:100], der[:-1], certificate.public_bytes(PEM)[:300]):
        file = tmp_path / "cut"
        file.write_bytes(data)
        result = board.p11board("import", file, "--label", label, code=1)
        assert "truncated" in result.stderr


def test_sign_refuses_a_digest_of_another_length(board, label):
    board.p11board("keygen", "--label", label)
    result = board.p11board("sign", "--label", label, "--digest", "00" * 31, code=2)
    assert "31 bytes" in result.stderr
    with board.connected() as token, pytest.raises(TokenError):
        token.request("sign", login=True, label=label, digest=b"")
