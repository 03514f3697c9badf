# SPDX-License-Identifier: MIT
"""Commands that use keys: keygen, csr, sign, verify, digest, random."""

import hashlib
import sys

import click
from cryptography.hazmat.primitives import serialization

from p11board import csr as requests
from p11board import keys
from p11board.board import DEVICE_PRIVATE, DEVICE_PUBLIC, DIGEST_ROOM, public_label
from p11board.context import (
    Session,
    board_option,
    hexadecimal,
    json_option,
    pin_option,
    read_input,
    write_result,
)
from p11board.errors import EXIT_ERROR, FileProblem, UsageProblem

label_option = click.option(
    "--label", default=DEVICE_PRIVATE, show_default=True, help="Label of the private key."
)
out_option = click.option("--out", "-o", type=click.Path(), help="File to write instead.")


@click.command()
@label_option
@click.option("--public-label", help="Label of the public key, if it is to be another.")
@click.option("--id", "key_id", callback=hexadecimal, metavar="HEX", help="CKA_ID of the pair.")
@click.option("--replace", is_flag=True, help="Take the place of a pair that has these labels.")
@out_option
@pin_option
@board_option
@json_option
@click.pass_obj
def keygen(session: Session, label, public_label, key_id, replace, out):
    """Generate a P-256 key pair on the board.

    The private key never leaves it. Prints the public key (PEM).
    """
    with session.board() as board, session.output.busy("The board generates a key pair"):
        pair = board.keygen(label, public_label, key_id, replace)
    pem = _pem(keys.public_key(bytes.fromhex(pair["point"])))
    if session.output.as_json:
        session.output.data({**pair, "pem": pem.decode()}, None)
    if out or not session.output.as_json:
        write_result(session.output, out, pem)


def _pem(public):
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@click.command()
@label_option
@click.option("--public-label", "public", help="Label of the public key.")
@click.option("--subject", required=True, metavar="NAME", help='Such as "CN=board-1,O=Example".')
@click.option("--dns", multiple=True, metavar="NAME", help="DNS name for SubjectAltName.")
@click.option("--der", is_flag=True, help="Write DER instead of PEM.")
@out_option
@pin_option
@board_option
@json_option
@click.pass_obj
def csr(session: Session, label, public, subject, dns, der, out):
    """Make a certificate request; the board signs it.

    The request is built here, its signature comes from the private key on the board.
    """
    name = requests.parse_subject(subject)
    names = [requests.general_name("dns", text) for text in dns]
    with session.board() as board, session.output.busy("The board signs the request"):
        request = requests.of_board(board, label, public or public_label(label), name, names)
    encoding = serialization.Encoding.DER if der else serialization.Encoding.PEM
    data = request.public_bytes(encoding)
    if session.output.as_json:
        pem = request.public_bytes(serialization.Encoding.PEM).decode()
        session.output.data({"subject": name.rfc4514_string(), "pem": pem}, None)
    if out or not session.output.as_json:
        write_result(session.output, out, data)


@click.command()
@click.argument("file", required=False, metavar="[FILE|-]")
@label_option
@click.option("--digest", "given", callback=hexadecimal, metavar="HEX", help="Sign this SHA-256.")
@click.option("--raw", is_flag=True, help="Signature as r || s instead of DER.")
@out_option
@pin_option
@board_option
@json_option
@click.pass_obj
def sign(session: Session, file, label, given, raw, out):
    """Sign FILE with a key on the board.

    SHA-256, with ECDSA or PKCS#1 v1.5 as the key says; the file is hashed here. Prints the
    signature in hex, or writes it to a file with --out.
    """
    digest = _digest_of(file, given)
    with session.board() as board, session.output.busy("The board signs"):
        signature = board.sign(digest, label)
    if not raw and len(signature) != keys.RSA_BITS // 8:
        signature = requests.der_signature(signature)
    facts = {"label": label, "digest": digest.hex(), "signature": signature.hex()}
    if out:
        write_result(session.output, out, signature)
        if not session.output.as_json:
            return
    session.output.data(facts, lambda _: session.output.say(signature.hex()))


@click.command()
@click.argument("file", metavar="FILE|-")
@click.argument("signature", metavar="SIGNATURE", required=False)
@click.option("--label", default=DEVICE_PUBLIC, show_default=True, help="Label of the public key.")
@click.option("--hex", "given", callback=hexadecimal, metavar="HEX", help="The signature itself.")
@board_option
@json_option
@click.pass_obj
def verify(session: Session, file, signature, label, given):
    """Verify a signature over FILE on the board.

    SIGNATURE is a file, DER or r || s (RSA: its 256 bytes); or give it with --hex. Exit code 1: not valid.
    """
    if (signature is None) == (given is None):
        raise UsageProblem("no signature given", "name a SIGNATURE file or use --hex")
    if file == signature == "-":
        raise UsageProblem("standard input cannot be both the file and its signature")
    raw = _raw_signature(read_input(signature) if given is None else given)
    digest = _digest_of(file, None)
    with session.board() as board, session.output.busy("The board verifies"):
        valid = board.verify(digest, raw, label)
    words = "valid" if valid else "NOT valid"
    session.output.data(
        {"label": label, "valid": valid},
        lambda _: session.output.say(f"signature {words} under {label!r}"),
    )
    if not valid:
        sys.exit(EXIT_ERROR)


def _digest_of(file, given):
    if (file is None) == (given is None):
        raise UsageProblem("nothing to sign", "name a FILE ('-': standard input) or use --digest")
    if given is None:
        return hashlib.sha256(read_input(file)).digest()
    if len(given) != 32:
        raise UsageProblem(f"the digest has {len(given)} bytes, SHA-256 has 32")
    return given


def _raw_signature(data):
    if len(data) == keys.RSA_BITS // 8 or (len(data) == 64 and data[:1] != b"\x30"):
        return data
    try:
        return requests.raw_signature(data)
    except (ValueError, OverflowError):
        if len(data) == 64:
            return data
    raise FileProblem(
        f"the signature ({len(data)} bytes) is neither DER nor r || s",
        "a P-256 signature has 64 bytes raw, 68 to 72 as DER; one of RSA has 256",
    )


@click.command()
@click.argument("file", metavar="FILE|-")
@board_option
@json_option
@click.pass_obj
def digest(session: Session, file):
    """SHA-256 of FILE, computed on the board."""
    data = read_input(file)
    if len(data) > DIGEST_ROOM:
        raise UsageProblem(
            f"{file} has {len(data)} bytes, the board takes {DIGEST_ROOM} in one request",
            "use sha256sum for large files",
        )
    with session.board() as board:
        value = board.digest(data)
    session.output.data({"sha256": value.hex()}, lambda _: session.output.say(value.hex()))


@click.command()
@click.argument("length", type=click.IntRange(1, 1 << 20), default=32)
@out_option
@board_option
@json_option
@click.pass_obj
def random(session: Session, length, out):
    """Random bytes from the board's generator.

    LENGTH bytes (default 32), in hex, or to a file with --out.
    """
    with session.board() as board, session.output.progress("Random bytes", length) as advance:
        value = board.random(length, advance)
    if out:
        write_result(session.output, out, value)
        if not session.output.as_json:
            return
    session.output.data({"random": value.hex()}, lambda _: session.output.say(value.hex()))
