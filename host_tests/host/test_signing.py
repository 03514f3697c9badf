# SPDX-License-Identifier: MIT
"""sign-image and verify-image: keys as they come in files, what is refused, what is written."""

import json
import random

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from p11board import image, signing, updating
from p11board.cli import cli
from p11board.errors import FileProblem, Problem, TransportProblem

VECTORS = (0x1000).to_bytes(4, "little") + (0x9).to_bytes(4, "little")
DATA = image.make(VECTORS + bytes(range(256)) * 8, "1.2.3").to_bytes()
KEY = ec.derive_private_key(0xA5A5A5A5A5, ec.SECP256R1())
PASSWORD = b"open sesame"

Encoding, Format = serialization.Encoding, serialization.PrivateFormat
FORMS = {
    "SEC1 PEM": (Encoding.PEM, Format.TraditionalOpenSSL, None),
    "SEC1 DER": (Encoding.DER, Format.TraditionalOpenSSL, None),
    "PKCS#8 PEM": (Encoding.PEM, Format.PKCS8, None),
    "PKCS#8 DER": (Encoding.DER, Format.PKCS8, None),
    "encrypted PKCS#8 PEM": (Encoding.PEM, Format.PKCS8, PASSWORD),
    "encrypted PKCS#8 DER": (Encoding.DER, Format.PKCS8, PASSWORD),
    "encrypted SEC1 PEM": (Encoding.PEM, Format.TraditionalOpenSSL, PASSWORD),
}


def private(key, encoding=Encoding.PEM, form=Format.PKCS8, password=None):
    lock = serialization.BestAvailableEncryption(password) if password else None
    return key.private_bytes(encoding, form, lock or serialization.NoEncryption())


@pytest.fixture
def files(tmp_path):
    """A folder with an image, a key, its public half and a password."""
    (tmp_path / "app.p11a").write_bytes(DATA)
    (tmp_path / "key.pem").write_bytes(private(KEY))
    public = KEY.public_key().public_bytes(
        Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "password").write_bytes(PASSWORD + b"\n")
    return tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    return result


def sign(files, *more, key="key.pem", name="app.p11a", code=0):
    arguments = ("sign-image", files / name, "--security-version", 3, *more)
    if key:
        arguments += ("--key", files / key)
    return run(*arguments, code=code)


@pytest.mark.parametrize("form", FORMS)
def test_the_key_file_may_have_any_usual_form(files, form):
    encoding, container, password = FORMS[form]
    (files / "key").write_bytes(private(KEY, encoding, container, password))
    more = ("--password-file", files / "password") if password else ()
    sign(files, *more, key="key")
    manifest, inner = signing.unwrap((files / "app.p11u").read_bytes())
    assert inner == DATA and manifest.verify(KEY.public_key())
    assert (manifest.security, manifest.board) == (3, "AST1030_EVB")
    assert manifest.version == "1.2.3"
    assert sorted(path.name for path in files.iterdir() if path.name[:3] == "app") == [
        "app.p11a",
        "app.p11u",
    ]


def test_json_names_what_was_signed(files):
    facts = json.loads(sign(files, "--json").stdout)
    assert facts["file"].endswith("app.p11u")
    assert facts["length"] == len(DATA) and facts["security_version"] == 3
    assert facts["key"] == signing.key_id(KEY.public_key()).hex()


def test_a_detached_manifest_is_the_manifest_alone(files):
    sign(files, "--detached")
    manifest = files / "app.p11s"
    assert len(manifest.read_bytes()) == 256
    check = ("verify-image", files / "app.p11a", "--key", files / "public.pem")
    assert "valid: version 1.2.3" in run(*check, "--manifest", manifest).output
    assert "not a signed image" in run(*check, code=1).output


def test_an_image_of_another_board_is_signed_with_a_version_given(files):
    (files / "firmware.bin").write_bytes(b"any bytes at all")
    assert "--image-version" in sign(files, name="firmware.bin", code=2).output
    sign(files, "--image-version", "7", "--for", "NUCLEO_F439ZI", name="firmware.bin")
    manifest, _ = signing.unwrap((files / "firmware.p11u").read_bytes())
    assert (manifest.board, manifest.version) == ("NUCLEO_F439ZI", "7")


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda d: d[:-1], "cut short"),
        (lambda d: d + b"\0", "bytes follow"),
        (lambda d: d[:300] + b"?" + d[301:], "damaged"),
        (
            lambda d: image.make(VECTORS + bytes(8), "1", sequence=4).to_bytes(),
            "read out of a board",
        ),
    ],
)
def test_an_application_the_loader_would_refuse_is_not_signed(files, change, words):
    (files / "app.p11a").write_bytes(change(DATA))
    assert words in sign(files, code=1).output
    assert not (files / "app.p11u").exists()


def test_keys_that_cannot_sign_are_refused_in_one_line(files):
    (files / "rsa.pem").write_bytes(private(rsa.generate_private_key(65537, 2048)))
    (files / "p384.pem").write_bytes(private(ec.generate_private_key(ec.SECP384R1())))
    (files / "locked.pem").write_bytes(private(KEY, password=b"other"))
    for key, words in (
        ("rsa.pem", "an RSA private key"),
        ("public.pem", "a private key is needed"),
        ("p384.pem", "private key"),
        ("locked.pem", "password"),
        ("absent.pem", "cannot read"),
    ):
        result = CliRunner().invoke(
            cli,
            ["sign-image", str(files / "app.p11a"), "--security-version", "3"]
            + ["--key", str(files / key), "--password-file", str(files / "password")],
        )
        assert result.exit_code in (1, 2) and words in result.output, (key, result.output)
        assert len(result.output.strip().splitlines()) == 1
        assert not (files / "app.p11u").exists()


def test_one_key_is_named_and_the_image_is_not_overwritten(files):
    assert "name one key" in sign(files, key=None, code=2).output
    assert "name one key" in sign(files, "--label", "x", code=2).output
    assert "would replace" in sign(files, "-o", files / "app.p11a", code=2).output
    assert (files / "app.p11a").read_bytes() == DATA


@pytest.mark.parametrize("version", ["-1", "65536", "x"])
def test_a_security_version_has_16_bits(files, version):
    arguments = ("--key", files / "key.pem", "--security-version", version)
    run("sign-image", files / "app.p11a", *arguments, code=2)


def test_verify_image_tells_a_wrong_key_from_a_wrong_signature(files):
    sign(files)
    path = files / "app.p11u"
    good = path.read_bytes()
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(signing.sign(DATA, other, 3, "B", "1").to_bytes() + DATA)
    check = ("verify-image", path, "--key", files / "public.pem")
    assert "NOT valid: signed for another key" in run(*check, code=1).output
    path.write_bytes(good[:255] + bytes([good[255] ^ 1]) + good[256:])
    assert "NOT valid: the signature is wrong" in run(*check, code=1).output
    path.write_bytes(good[:-1] + b"?")
    assert "not the one that was signed" in run(*check, code=1).output
    path.write_bytes(good[:-1])
    assert "2183 bytes behind the manifest" in run(*check, code=1).output
    run("verify-image", path, "--key", files / "key.pem", code=1)


def test_a_key_that_signs_wrongly_is_noticed():
    class Broken:
        def public_key(self):
            return ec.derive_private_key(77, ec.SECP256R1()).public_key()

        def sign(self, data, algorithm):
            return KEY.sign(data, algorithm)

    with pytest.raises(Problem, match="does not verify"):
        signing.sign(DATA, Broken(), 1, "B", "1")


def test_texts_and_lengths_that_do_not_fit_are_refused():
    for board, version in (("", "1"), ("B" * 25, "1"), ("B", "ü"), ("B", "1\n")):
        with pytest.raises(Problem, match="printable ASCII"):
            signing.sign(DATA, KEY, 1, board, version)
    with pytest.raises(FileProblem, match="0 bytes"):
        signing.sign(b"", KEY, 1, "B", "1")


def test_random_bytes_never_surprise_the_parser():
    good = signing.sign(DATA, KEY, 1, "B", "1").to_bytes()
    draw = random.Random(1)
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(draw.randrange(4)):
            data[draw.randrange(256)] = draw.randrange(256)
        data = bytes(data[: draw.choice((256, 256, draw.randrange(257)))])
        try:
            assert signing.parse(data).to_bytes() == data
        except Problem:
            pass


# --- the conversation with the board --------------------------------------------------------------


def test_the_feeder_gives_what_is_asked_for_and_then_nothing():
    sent, seen = [], []
    feeder = updating.Feeder(b"abcdefgh", sent.append, seen.append)
    feeder(b"noise\r\n> 3\r\n> ")
    feeder(b'5\r\n> 9\r\n= {"before": "1"}\r\n')
    assert sent == [b"YWJj\n", b"ZGVmZ2g=\n", b" " * 12 + b"\n"]
    assert seen == [3, 8, 8] and feeder.answer == {"before": "1"}


@pytest.mark.parametrize("line", [b"> x\n", b"= x\n", b"= []\n", b"= {}\n", b'= {"before": 1}\n'])
def test_a_board_that_makes_no_sense_is_reported(line):
    feeder = updating.Feeder(b"", lambda data: None, lambda done: None)
    with pytest.raises(TransportProblem, match="makes no sense"):
        feeder(line)


def test_a_board_cannot_ask_for_more_than_a_piece():
    sent = []
    feeder = updating.Feeder(bytes(10000), sent.append, lambda done: None)
    feeder(b"> -5\n> 10000\n")
    assert [len(line) for line in sent] == [1, 4097]
