# SPDX-License-Identifier: MIT
"""The commands of a verified update: sign-image, verify-image, update."""

import sys
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import cli_objects, csr, key_files, keys, selection, signing, updating
from p11board.board import public_label
from p11board.context import Session, board_option, json_option, pin_option, read_input
from p11board.emulator import BOARD
from p11board.errors import EXIT_ERROR, FileProblem, UsageProblem
from p11board.files import read_file

FILE = click.Path(dir_okay=False, path_type=Path)
P256_NEEDED = "images are signed with a P-256 key"
CLASSES = {keys.CERTIFICATE, keys.PUBLIC_KEY}


@click.command("sign-image")
@click.argument("image_file", metavar="IMAGE", type=FILE)
@click.option(
    "--key", "key_file", type=FILE, help="P-256 private key: PEM or DER, SEC1 or PKCS#8."
)
@click.option("--label", metavar="LABEL", help="Instead: a private key on the connected board.")
@click.option(
    "--security-version",
    "security",
    required=True,
    type=click.IntRange(0, signing.SECURITY_MAX),
    help="Boards that had a higher one refuse the image; raise it when an older one is unsafe.",
)
@click.option("--for", "target", default=BOARD, show_default=True, help="Board the image is for.")
@click.option("--image-version", "version", metavar="TEXT", help="Default: the image's own.")
@click.option("--detached", is_flag=True, help="Write the manifest alone (.p11s).")
@click.option("--out", "-o", type=FILE, help="Default: IMAGE with the suffix .p11u or .p11s.")
@click.option(
    "--password-file",
    type=click.Path(),
    help="Password of an encrypted key ('-': standard input).",
)
@pin_option
@board_option
@json_option
@click.pass_obj
def sign_image(
    session: Session,
    image_file,
    key_file,
    label,
    security,
    target,
    version,
    detached,
    out,
    password_file,
):
    """Sign an update image for `pkcs11.codeverify`.

    Writes the image with a manifest of 256 bytes before it, signed with ECDSA P-256 and SHA-256.
    The public half of the key belongs into the boards as "Code Verify Key".
    """
    data = read_file(image_file)
    own = signing.version_of(data, target)
    if own is None and version is None:
        raise UsageProblem("this image does not say its version", "give it with --image-version")
    if (key_file is None) == (label is None):
        raise UsageProblem("name one key", "a file with --key, or one on the board with --label")
    arguments = (security, target, version or own)
    if label is None:
        manifest = signing.sign(data, read_key(key_file, password_file), *arguments)
    else:
        with session.board() as board, session.output.busy("The board signs"):
            point = board.read(public_label(label), keys.PUBLIC_KEY)["value"]
            key = csr.TokenKey(keys.public_key(point), lambda digest: board.sign(digest, label))
            manifest = signing.sign(data, key, *arguments)
    out = out or image_file.with_suffix(".p11s" if detached else ".p11u")
    if out.resolve() == image_file.resolve():
        raise UsageProblem("the signed image would replace the image", "name another file with -o")
    updating.write_file(out, manifest.to_bytes() + (b"" if detached else data))
    session.output.data(
        {"file": str(out), **facts(manifest)},
        lambda _: session.output.say(f"{out}: {words(manifest)}"),
    )


def read_key(path, password_file):
    """The private key in a file; its password is asked for when it has one."""

    def password():
        return cli_objects.password(path, password_file)

    item = key_files.decode(read_file(path), path.name, keys.PRIVATE_KEY, password)
    if item.curve != "P-256":
        raise FileProblem(f"{path.name} holds {item.description}", P256_NEEDED)
    return ec.derive_private_key(int.from_bytes(item.value, "big"), ec.SECP256R1())


def facts(manifest):
    """A manifest for --json."""
    return {
        "board": manifest.board,
        "version": manifest.version,
        "security_version": manifest.security,
        "length": manifest.length,
        "sha256": manifest.digest.hex(),
        "key": manifest.key_id.hex(),
    }


def words(manifest):
    """A manifest in one line."""
    return (
        f"version {manifest.version} for {manifest.board}, security version "
        f"{manifest.security}, key {manifest.key_id.hex()[:16]}…"
    )


@click.command("verify-image")
@click.argument("image_file", metavar="IMAGE", type=FILE)
@click.option("--key", "key_file", type=FILE, required=True, help="Public key or certificate.")
@click.option("--manifest", "detached", type=FILE, help="The detached manifest (.p11s) of IMAGE.")
@json_option
@click.pass_obj
def verify_image(session: Session, image_file, key_file, detached):
    """Check a signed image on this computer, as a board would. Exit code 1: not valid."""
    data = read_file(image_file)
    if detached:
        data = read_file(detached) + data
    manifest, _ = signing.unwrap(data)
    item = key_files.decode(read_file(key_file), key_file.name)
    if item.kind not in CLASSES or len(item.point) != 65:
        raise FileProblem(f"{key_file} holds {item.description}", P256_NEEDED)
    public = keys.public_key(item.point)
    if signing.key_id(public) != manifest.key_id:
        why = "signed for another key"
    else:
        why = "" if manifest.verify(public) else "the signature is wrong"
    session.output.data(
        {"valid": not why, "why": why, **facts(manifest)},
        lambda _: session.output.say(
            f"{'NOT valid: ' + why if why else 'valid'}: {words(manifest)}"
        ),
    )
    if why:
        sys.exit(EXIT_ERROR)


@click.command()
@click.argument("image_file", metavar="IMAGE", type=FILE)
@click.option("--dry-run", is_flag=True, help="Have the board verify the image; install nothing.")
@board_option
@json_option
@click.pass_obj
def update(session: Session, image_file, dry_run):
    """Have the board verify and install a signed image (.p11u), and start it.

    The board checks signature, board and security version before it writes anything, and the
    image before it can boot. A refusal changes nothing: the board goes on as it was.
    """
    data = read_input(image_file)
    manifest, _ = signing.unwrap(data)
    port = selection.choose(session.board_name, session.emulator)
    with session.output.progress("To the board", len(data)) as advance:
        answer = updating.update(port, data, advance, dry_run)
    if dry_run:
        line = f"the board would take it: {words(manifest)}"
    else:
        line = f"version {answer['version']} runs now (it was {answer['before']})"
    session.output.data({**facts(manifest), **answer}, lambda _: session.output.say(line))
