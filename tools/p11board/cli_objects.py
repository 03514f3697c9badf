# SPDX-License-Identifier: MIT
"""Commands about objects in the token: info, objects, read, export, import, destroy."""

import getpass
import sys
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from p11board import key_files, keys, report
from p11board.board import public_label
from p11board.context import (
    Session,
    board_option,
    hexadecimal,
    json_option,
    pin_option,
    read_input,
    write_result,
)
from p11board.errors import UsageProblem

KINDS = {
    "certificate": keys.CERTIFICATE,
    "public": keys.PUBLIC_KEY,
    "private": keys.PRIVATE_KEY,
    "data": keys.DATA,
}

class_option = click.option(
    "--class", "kind", type=click.Choice(list(KINDS)), help="If several objects have the label."
)
out_option = click.option("--out", "-o", type=click.Path(), help="File to write instead.")


@click.command()
@board_option
@json_option
@click.pass_obj
def info(session: Session):
    """What the board is: firmware, token, entropy, flash, store."""
    with session.board() as board:
        facts = board.info()
    session.output.data(facts, lambda _: session.output.pairs(report.info_lines(facts)))


@click.command()
@click.option("--public-only", is_flag=True, help="Do not log in: private objects stay hidden.")
@pin_option
@board_option
@json_option
@click.pass_obj
def objects(session: Session, public_only):
    """List the objects in the token."""
    with session.board() as board:
        found = board.objects(private=not public_only)
    session.output.data(found, lambda _: report.show_objects(session.output, found))


@click.command()
@click.argument("label")
@class_option
@pin_option
@board_option
@json_option
@click.pass_obj
def read(session: Session, label, kind):
    """The value of a certificate, public key or data object, in hex."""
    with session.board() as board:
        found = board.read(label, KINDS.get(kind))
    found["value"] = found["value"].hex()
    rows = [(name, value) for name, value in found.items() if name != "handle"]
    session.output.data(found, lambda _: session.output.pairs(rows))


@click.command()
@click.argument("label")
@class_option
@click.option("--der", is_flag=True, help="DER instead of PEM.")
@out_option
@board_option
@click.pass_obj
def export(session: Session, label, kind, der, out):
    """Write a certificate or public key as a PEM (or DER) file."""
    with session.board() as board:
        found = board.read(label, KINDS.get(kind))
    write_result(session.output, out, exported(found, der))


def exported(found, der=False):
    """The file form of an object the board returned: PEM or DER; data objects as they are."""
    encoding = serialization.Encoding.DER if der else serialization.Encoding.PEM
    if found["class"] == keys.CERTIFICATE:
        if der:
            return found["value"]
        try:
            return x509.load_der_x509_certificate(found["value"]).public_bytes(encoding)
        except ValueError:
            raise UsageProblem(
                f"{found['label']!r} holds no X.509 certificate", "get its bytes with --der"
            ) from None
    if found["class"] == keys.PUBLIC_KEY:
        return keys.public_key(found["value"]).public_bytes(
            encoding, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return found["value"]


@click.command("import")
@click.argument("file", metavar="FILE|-")
@click.option("--label", required=True, help="Label to store it under, such as 'Device Cert'.")
@click.option("--as", "kind", type=click.Choice(list(KINDS)), help="What to take from the file.")
@click.option("--id", "key_id", callback=hexadecimal, metavar="HEX", help="CKA_ID to give it.")
@click.option("--public-label", "public", help="With a private key: label of its public half.")
@click.option("--replace", is_flag=True, help="Replace an object of this class and label.")
@click.option("--password-file", metavar="FILE", help="Password of an encrypted private key.")
@pin_option
@board_option
@json_option
@click.pass_obj
def import_file(session: Session, file, label, kind, key_id, public, replace, password_file):
    """Store a certificate or key from a PEM or DER file.

    Certificates (X.509), public keys, private keys (SEC1, PKCS#1, PKCS#8, encrypted PKCS#8) on
    P-256 or of RSA with 2048 bits; with `--as data` any bytes. With a private key its public half
    is stored too. The guide's labels: 'Device Priv TLS Key', 'Device Pub TLS Key', 'Device Cert',
    'Root Cert', 'Code Verify Key', 'JITP Cert'.
    """
    data = read_input(file)
    name = "standard input" if file == "-" else file
    if kind == "data":
        item = keys.Item(keys.DATA, data, f"{len(data)} bytes")
    else:
        item = key_files.decode(data, name, KINDS.get(kind), lambda: password(name, password_file))
    with session.board() as board, session.output.busy("Storing"):
        handles = [store(board, item, label, key_id, public, replace)]
    session.output.data(
        {"class": item.kind, "label": label, "handle": handles[0]},
        lambda _: session.output.say(f"stored {item.description} as {label!r}"),
    )


def store(board, item, label, key_id=None, public=None, replace=False):
    """Store an item; a private key together with its public half. Returns the handle.

    Key, public half and certificate get one CKA_ID, by which programs match them.  The public
    half goes first: a private key without it could not be used for a request.
    """
    if key_id is None and item.point:
        key_id = keys.key_identifier(item.point)
    if item.kind == keys.PRIVATE_KEY:
        half = keys.public_half(item)
        board.import_item(half, public or public_label(label), key_id, replace)
    return board.import_item(item, label, key_id, replace)


def password(name, password_file):
    """The password of an encrypted key (bytes): from a file, else typed."""
    if password_file:
        return read_input(password_file).splitlines()[0]
    if not sys.stdin.isatty():
        raise UsageProblem(
            f"{name} holds an encrypted private key", "give its password with --password-file"
        )
    return getpass.getpass(f"Password of {Path(name).name}: ").encode()


@click.command()
@click.argument("label")
@class_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pin_option
@board_option
@json_option
@click.pass_obj
def destroy(session: Session, label, kind, yes):
    """Destroy the objects with this label, after asking."""
    with session.board() as board:
        found = board.find(label, KINDS.get(kind))
        if not found:
            raise UsageProblem(f"no object has the label {label!r}", "see `p11board objects`")
        what = ", ".join(o["class"] for o in found)
        if not yes:
            _confirm(f"Destroy {label!r} ({what})? It cannot be undone.")
        count = board.destroy(label, KINDS.get(kind))
    session.output.data(
        {"label": label, "destroyed": count},
        lambda _: session.output.say(f"destroyed {label!r} ({what})"),
    )


def _confirm(question):
    if not sys.stdin.isatty():
        raise UsageProblem("this destroys objects and nobody is there to ask", "say --yes")
    click.confirm(question, abort=True, err=True)
