# SPDX-License-Identifier: MIT
"""Profiles: what a provisioned board has, as TOML.

`KEYS` is the whole schema: docs/PROVISIONING.md shows it (a test compares them), `parse` checks
against it.  Promise: a file that says anything else than the schema allows is refused with its
name, the key, and what would be right; nothing of it is ignored.
"""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from p11board.errors import FileProblem, UsageProblem
from p11board.files import read_file

TEXT_MAX = 1000  # characters
LIST_MAX = 16

PLAIN, JITP, JITR, CLAIM, TRUSTED_USER = "plain", "jitp", "jitr", "claim", "trusted-user"
CLAIM_KINDS = (CLAIM, TRUSTED_USER)
DEMO = "demo"  # in place of a file name: the demo CA's

# key: (type, default, meaning). Types: text, texts, yes/no, file, files, a number's bounds, or
# a tuple of the words allowed. Files are relative to the profile; {serial}, {id} and the columns
# of a CSV file may stand in texts and file names.
KEYS = {
    "kind": (
        (PLAIN, JITP, JITR, CLAIM, TRUSTED_USER),
        None,
        "which flow; see above",
    ),
    "token.initialise": ("yes/no", True, "set PINs and label; no: leave the token as it is"),
    "token.label": ("text", "micropython-pkcs11", "label of the token, at most 32 bytes"),
    "key.source": (("board", "file"), "board", "made on the board, or imported"),
    "key.file": ("file", "", "the key to import: SEC1 or PKCS#8, PEM or DER, may be encrypted"),
    "key.password_file": ("file", "", "its password, on the first line; else it is asked for"),
    "certificate.signer": (
        ("demo", "command", "file", "none"),
        "file",
        "who signs: the demo CA, a command, somebody else by files, or nobody yet",
    ),
    "certificate.subject": ("text", "CN={id}", "subject of the request, RFC 4514"),
    "certificate.dns": ("texts", (), "DNS names for the SubjectAltName"),
    "certificate.ip": ("texts", (), "IP addresses for the SubjectAltName"),
    "certificate.uri": ("texts", (), "URIs for the SubjectAltName"),
    "certificate.email": ("texts", (), "e-mail addresses for the SubjectAltName"),
    "certificate.command": (
        "texts",
        (),
        "program and arguments: gets the request (PEM) on its standard input, prints the "
        "certificate (PEM), then its chain if any",
    ),
    "certificate.trust": (
        "files",
        (),
        "certificates that the path must lead to; only a claim profile can do without",
    ),
    "certificate.chain": ("files", (), "certificates between, stored on the board as needed"),
    "certificate.renew_days": ((1, 3650), 30, "`renew` acts when fewer days are left"),
    "certificate.days": ((1, 3650), 365, "life of a certificate of the demo CA"),
    "objects.root": ("file", "", "certificate to store as 'Root Cert': of the server's CA"),
    "objects.code_verify": ("file", "", "public key or certificate for 'Code Verify Key'"),
    "objects.jitp": (
        "file",
        "",
        "certificate for 'JITP Cert': of the CA that signed the device's",
    ),
    "claim.certificate": ("file", "", "certificate to store as 'Claim Cert'"),
    "claim.key": ("file", "", "its private key, to store as 'Claim Key'"),
    "claim.password_file": ("file", "", "password of that key"),
    "claim.max_hours": ((0, 8760), 0, "refuse a claim certificate that lives longer; 0: any"),
    "claim.discard": ("yes/no", True, "destroy the claim once the board has its own identity"),
}

# What each kind cannot do without.
NEEDS = {
    PLAIN: (),
    JITP: ("objects.jitp", "objects.root"),
    JITR: ("objects.jitp", "objects.root"),
    CLAIM: ("claim.certificate", "claim.key", "objects.root"),
    TRUSTED_USER: ("claim.certificate", "claim.key", "objects.root"),
}
CLAIM_HOURS = {TRUSTED_USER: 1}  # default of claim.max_hours


@dataclass(frozen=True)
class Profile:
    """A checked profile: `values` by key, file names relative to `folder`."""

    name: str
    values: dict
    folder: Path

    def __getitem__(self, key):
        return self.values[key]

    @property
    def claims(self):
        """Whether the board gets claim credentials."""
        return self["kind"] in CLAIM_KINDS

    @property
    def certified(self):
        """Whether somebody here or elsewhere signs the board's request now."""
        return self["certificate.signer"] != "none"


def built_in():
    """Names of the profiles that come with this package."""
    folder = resources.files("p11board") / "profiles"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def text_of(name):
    """(text, folder) of a profile: a file, or the name of one that comes with this package."""
    if name in built_in():
        file = resources.files("p11board") / "profiles" / f"{name}.toml"
        return file.read_text("utf-8"), Path()
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageProblem(
            f"no profile {name!r}", f"name a .toml file, or one of: {', '.join(built_in())}"
        )
    try:
        return read_file(path, f"the profile {name}").decode("utf-8"), path.parent
    except UnicodeDecodeError:
        raise FileProblem(f"{name} is not UTF-8 text", "a profile is a TOML file") from None


def load(name, changes=()):
    """The Profile of a file or built-in name. changes: list of (key, value as TOML or text)."""
    text, folder = text_of(name)
    return parse(text, name, folder, changes)


def parse(text, name, folder=Path(), changes=()):
    """The Profile in a TOML text. Raises FileProblem."""
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileProblem(f"{name} is no TOML ({error})", "see docs/PROVISIONING.md") from None
    given = {}
    for key, value in tables.items():
        for inner, leaf in value.items() if isinstance(value, dict) else [(None, value)]:
            given[key if inner is None else f"{key}.{inner}"] = leaf
    for key, value in changes:
        given[key] = _from_option(key, value)
    values = {key: row[1] for key, row in KEYS.items()}
    for key, value in given.items():
        values[key] = _checked(key, value, name)
    if values["kind"] is None:
        raise FileProblem(f"{name} has no kind", f"one of: {', '.join(KEYS['kind'][0])}")
    if "claim.max_hours" not in given:
        values["claim.max_hours"] = CLAIM_HOURS.get(values["kind"], 0)
    _check_together(values, name)
    return Profile(name, values, folder)


def _from_option(key, text):
    """The value of `--set KEY=TEXT`: TOML, or plain text where it is no TOML."""
    kind = KEYS[key][0] if key in KEYS else None
    if kind in ("text", "file") or (isinstance(kind, tuple) and isinstance(kind[0], str)):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return [text] if kind in ("texts", "files") else text


def _checked(key, value, name):
    if key not in KEYS:
        near = get_close_matches(key, KEYS, 1)
        hint = f"do you mean {near[0]}?" if near else "see docs/PROVISIONING.md for the keys"
        raise FileProblem(f"{name}: there is no key {key!r}", hint)
    kind = KEYS[key][0]
    wrong = None
    if kind == "yes/no":
        wrong = None if isinstance(value, bool) else "true or false"
    elif kind in ("text", "file"):
        wrong = None if _is_text(value) else f"a text of at most {TEXT_MAX} printable characters"
    elif kind in ("texts", "files"):
        fine = isinstance(value, list) and len(value) <= LIST_MAX and all(map(_is_text, value))
        wrong = None if fine else f"a list of at most {LIST_MAX} texts"
    elif isinstance(kind[0], str):
        wrong = None if isinstance(value, str) and value in kind else f"one of: {', '.join(kind)}"
    else:
        low, high = kind
        fine = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        wrong = None if fine else f"a whole number from {low} to {high}"
    if wrong:
        raise FileProblem(f"{name}: {key} is {_shown(value)}", f"it has to be {wrong}")
    return tuple(value) if isinstance(value, list) else value


def _is_text(value):
    return isinstance(value, str) and len(value) <= TEXT_MAX and value.isprintable()


def _shown(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def _check_together(values, name):
    """What no single key shows."""
    for key in NEEDS[values["kind"]]:
        if not values[key]:
            raise FileProblem(f"{name}: a {values['kind']} profile needs {key}")
    if len(values["token.label"].encode()) > 32:
        raise FileProblem(f"{name}: token.label has more than 32 bytes")
    if values["key.source"] == "file" and not values["key.file"]:
        raise FileProblem(f"{name}: key.source is file, but there is no key.file")
    if values["key.source"] == "board" and values["key.file"]:
        raise FileProblem(
            f"{name}: key.file is given, but the key is made on the board",
            'say source = "file" to import it',
        )
    signer = values["certificate.signer"]
    claims = values["kind"] in CLAIM_KINDS
    if (signer == "command") != bool(values["certificate.command"]):
        raise FileProblem(f'{name}: certificate.command belongs to certificate.signer = "command"')
    if signer == "none" and not claims:
        raise FileProblem(f"{name}: only a claim profile can do without a signer")
    if signer in ("command", "file") and not claims and not values["certificate.trust"]:
        raise FileProblem(
            f"{name}: certificate.trust is empty", "name the certificate of the CA that signs"
        )
