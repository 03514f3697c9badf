# SPDX-License-Identifier: MIT
"""Writes docs/CRYPTOKI.md from the tables of firmware/pkcs11: functions, mechanisms, attributes.

`make docs` runs it; a test fails while the page is not what the tables say.
"""

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "CRYPTOKI.md"
for folder in ("host_tests/twin", "firmware", "."):
    sys.path.insert(0, str(ROOT / folder))

from pkcs11 import (  # noqa: E402
    api,
    attributes,
    calls_cipher,
    calls_crypto,
    calls_general,
    calls_keys,
    calls_object,
    const,
    mechanisms,
)

MODULES = (calls_general, calls_object, calls_keys, calls_crypto, calls_cipher)
# sections of PKCS#11 v2.40 and the first function of each
SECTIONS = {
    "C_Initialize": "5.4 General-purpose functions",
    "C_GetSlotList": "5.5 Slot and token management",
    "C_OpenSession": "5.6 Session management",
    "C_CreateObject": "5.7 Object management",
    "C_EncryptInit": "5.8 Encryption",
    "C_DecryptInit": "5.9 Decryption",
    "C_DigestInit": "5.10 Message digesting",
    "C_SignInit": "5.11 Signing and MACing",
    "C_VerifyInit": "5.12 Verifying signatures and MACs",
    "C_DigestEncryptUpdate": "5.13 Dual-function",
    "C_GenerateKey": "5.14 Key management",
    "C_SeedRandom": "5.15 Random number generation",
    "C_GetFunctionStatus": "5.16 Parallel function management",
}
ELSEWHERE = {"C_WaitForSlotEvent": "C_GetSlotInfo"}  # listed last, but of section 5.5
USES = (
    (const.CKF_DIGEST, "digest"),
    (const.CKF_SIGN, "sign"),
    (const.CKF_VERIFY, "verify"),
    (const.CKF_ENCRYPT, "encrypt"),
    (const.CKF_DECRYPT, "decrypt"),
    (const.CKF_GENERATE, "generate"),
    (const.CKF_GENERATE_KEY_PAIR, "generate pair"),
    (const.CKF_DERIVE, "derive"),
)
BITS = {const.CKK_EC, const.CKK_RSA}  # key types whose sizes are bits
IN_BITS = ("CKM_GENERIC_SECRET_KEY_GEN",)
NUMBERS = ("CKA_CLASS", "CKA_KEY_TYPE")
KINDS = ("CK_BBOOL", "CK_ULONG", "bytes", "CK_DATE", "bytes", "bytes", "secret bytes", "computed")
SHAPES = ("data", "certificate", "EC public", "EC private", "secret", "RSA public", "RSA private")
# sets of classes that have a name; bits as in attributes.SHAPES
GROUPS = {
    0x7F: "all",
    0x7E: "certificate, keys",
    0x7C: "keys",
    0x6E: "certificate, public and private keys",
    0x6C: "public and private keys",
    0x60: "RSA keys",
    0x58: "private and secret keys",
    0x48: "private keys",
    0x36: "certificate, public and secret keys",
    0x34: "public and secret keys",
    0x24: "public keys",
    0x0C: "EC keys",
}
WAYS = (
    (attributes.CREATE, "create"),
    (attributes.GENERATE, "generate"),
    (attributes.COPY, "copy"),
    (attributes.MODIFY, "set"),
)

HEAD = """# Cryptoki: what the token offers

Made by `make docs` from the tables of `firmware/pkcs11`; do not edit. A firmware whose `p11crypto` lacks a part leaves
out the mechanisms that need it. Names and numbers are those of PKCS#11 v2.40. Where the token answers otherwise than
SoftHSM2, `host_tests/softhsm/softhsm_differences.py` names the paragraph.
"""

ATTRIBUTES = """## Attributes

"Given by" says where a template may name the attribute: `create` C_CreateObject, `generate` C_GenerateKey,
C_GenerateKeyPair and C_DeriveKey, `copy` C_CopyObject, `set` C_SetAttributeValue, `any` each of these. **Bold**
classes need it in C_CreateObject. Flags are FALSE, strings empty where nothing else is said. `CKA_VALUE` of a key is
readable only where the key is a secret key, extractable and not sensitive; private components never are.
"""


def function_of(name):
    """Return the Python function behind a C_ name, or None."""
    for module in MODULES:
        if hasattr(module, name):
            return getattr(module, name)
    return None


def describe(name):
    """Return what a function does, or that it is not offered."""
    if name == "C_GetFunctionList":
        return "Return the names of the 68 functions."
    function = function_of(name)
    if function is not None:
        return inspect.getdoc(function).split("\n")[0]
    if name in api.NOT_PARALLEL:
        return "– `CKR_FUNCTION_NOT_PARALLEL`"
    return "– `CKR_FUNCTION_NOT_SUPPORTED`"


def table(heads, rows):
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def functions():
    """Return the part about the 68 functions."""
    ordered = [name for name in api.FUNCTIONS if name not in ELSEWHERE]
    for name, before in ELSEWHERE.items():
        ordered.insert(ordered.index(before), name)
    parts = []
    rows = []
    for name in ordered:
        if name in SECTIONS:
            rows = []
            parts.append((SECTIONS[name], rows))
        rows.append(("`%s`" % name, describe(name)))
    offered = sum(not text.startswith("–") for _, rows in parts for _, text in rows)
    text = "## Functions\n\nAll %d answer; %d do something.\n" % (len(ordered), offered)
    for title, rows in parts:
        text += "\n### %s\n\n%s" % (title, table(("Function", "What it does"), rows))
    return text


def sizes(row):
    """Return the key sizes of a mechanism with their unit."""
    low, high = row[mechanisms.MIN], row[mechanisms.MAX]
    if not high:
        return "–"
    unit = (
        "bits" if set(row[mechanisms.KEYS]) & BITS or row[mechanisms.NAME] in IN_BITS else "bytes"
    )
    return "%d %s" % (low, unit) if low == high else "%d to %d %s" % (low, high, unit)


def offered_mechanisms():
    """Return the part about mechanisms."""
    rows = []
    for row in sorted(mechanisms.TABLE):
        uses = [use for flag, use in USES if row[mechanisms.FLAGS] & flag]
        keys = [const.name_of("CKK_", key)[4:] for key in row[mechanisms.KEYS]]
        rows.append(
            (
                "`%s`" % row[mechanisms.NAME],
                "0x%04x" % row[mechanisms.TYPE],
                ", ".join(uses),
                ", ".join(keys) or "–",
                sizes(row),
            )
        )
    heads = ("Mechanism", "Number", "Use", "Key types", "Key sizes")
    return "## Mechanisms\n\n" + table(heads, rows)


def default(row):
    """Return the defaults of an attribute that are not FALSE or empty."""
    kind = row[attributes.KIND]
    if kind == attributes.ULONG:
        value = row[attributes.DEFAULT]
        return "`CK_UNAVAILABLE_INFORMATION`" if value == 0xFFFFFFFF else str(value)
    if kind != attributes.BOOL:
        return ""
    bit = 1 << row[attributes.CODE]
    shapes = row[attributes.SHAPES]
    true = sum(
        1 << number
        for number, flags in enumerate(attributes.DEFAULT_FLAGS)
        if shapes >> number & 1 and flags & bit
    )
    if not true:
        return ""
    return "TRUE" if true == shapes else "TRUE for " + classes(true)


def rule(row):
    """Return who may give an attribute, and which way it turns."""
    rules = row[attributes.RULES]
    ways = [way for bit, way in WAYS if rules & bit]
    text = "any" if len(ways) == len(WAYS) else ", ".join(ways) or "the token only"
    if rules & attributes.ONLY_TRUE:
        text += "; TRUE stays"
    if rules & attributes.ONLY_FALSE:
        text += "; FALSE stays"
    if rules & attributes.SO_ONLY:
        text += "; TRUE by the SO only"
    return text


def classes(shapes):
    """Return the classes of a bit set in words."""
    if shapes in GROUPS:
        return GROUPS[shapes]
    return ", ".join(shape for number, shape in enumerate(SHAPES) if shapes >> number & 1)


def where(row):
    """Return the classes that have an attribute, those that need it in bold."""
    shapes, needed = row[attributes.SHAPES], row[attributes.NEEDED]
    parts = ["**%s**" % classes(needed)] if needed else []
    if shapes & ~needed:
        parts.append(classes(shapes & ~needed))
    return ", ".join(parts)


def known_attributes():
    """Return the part about attributes."""
    rows = []
    for row in sorted(attributes.TABLE):
        number = row[attributes.TYPE]
        kind = "CK_ULONG" if row[attributes.NAME] in NUMBERS else KINDS[row[attributes.KIND]]
        name = "`%s`" % row[attributes.NAME]
        rows.append((name, "0x%03x" % number, kind, where(row), rule(row), default(row)))
    heads = ("Attribute", "Number", "Type", "Classes", "Given by", "Default")
    return ATTRIBUTES + "\n" + table(heads, rows)


def page():
    """Return the whole page."""
    return "\n".join((HEAD, functions(), offered_mechanisms(), known_attributes()))


if __name__ == "__main__":
    PAGE.write_text(page())
    print("docs: %s" % PAGE.relative_to(ROOT))
