# SPDX-License-Identifier: MIT
"""Each reason for which a certificate is refused, and that good paths are found."""

import base64
import datetime
import random
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from host.provision_kit import Authority, pem
from hypothesis import given
from hypothesis import strategies as st

from p11board import chain, key_files, keys
from p11board.chain import BadCertificate
from p11board.errors import Problem

DER = serialization.Encoding.DER


def usage(**yes):
    """A KeyUsage with these bits."""
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: yes.get(name, False) for name in names.split()})


@pytest.fixture(scope="module")
def root():
    return Authority("root")


@pytest.fixture(scope="module")
def middle(root):
    return Authority("middle", root)


def leaf_of(issuer, public, **how):
    return issuer.issue(public, "CN=leaf", **how)


@pytest.fixture
def public(ec_key):
    return ec_key.public_key()


def test_a_path_is_found_whatever_the_order_of_the_others(root, middle, public):
    lower = Authority("lower", middle)
    leaf = leaf_of(lower, public)
    others = [middle.certificate, lower.certificate, Authority("middle").certificate]
    for _ in range(5):
        random.Random(7).shuffle(others)
        path = chain.path_to_trust(leaf, others, [root.certificate])
        assert path == [leaf, lower.certificate, middle.certificate, root.certificate]


def test_a_trusted_certificate_need_not_be_a_root(root, middle, public):
    leaf = leaf_of(middle, public)
    assert chain.path_to_trust(leaf, [], [middle.certificate]) == [leaf, middle.certificate]


def test_a_pinned_certificate_is_its_own_path(root, public):
    leaf = leaf_of(root, public, extensions=[(x509.BasicConstraints(False, None), True)])
    with pytest.raises(BadCertificate, match="is no CA"):
        chain.path_to_trust(leaf, [], [leaf])


def test_an_issuer_with_another_kind_of_key_works(public):
    class Rsa(Authority):
        def __init__(self):
            self.key = rsa.generate_private_key(65537, 2048)
            self.name = x509.Name.from_rfc4514_string("CN=rsa")
            extensions = [(x509.BasicConstraints(True, None), True)]
            self.certificate = self.issue(self.key.public_key(), self.name, extensions=extensions)

    ca = Rsa()
    assert len(chain.path_to_trust(leaf_of(ca, public), [], [ca.certificate])) == 2


LEAVES = {
    "expired": ({"end": -0.1}, "expired on"),
    "not yet": ({"begin": 1}, "is not valid before"),
    "CA": ({"extensions": [(x509.BasicConstraints(True, None), True)]}, "is a CA"),
    "no signatures": ({"extensions": [(usage(key_agreement=True), True)]}, "digital signatures"),
    "for e-mail": (
        {"extensions": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)]},
        "other purposes than TLS",
    ),
    "critical": (
        {
            "extensions": [
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True)
            ]
        },
        "not understood .1.2.3.4",
    ),
}


@pytest.mark.parametrize("case", LEAVES)
def test_a_leaf_that_will_not_do_is_refused(root, public, case):
    how, reason = LEAVES[case]
    with pytest.raises(BadCertificate, match=reason):
        chain.path_to_trust(leaf_of(root, public, **how), [], [root.certificate])


@pytest.mark.parametrize(
    "extensions",
    [
        [(usage(digital_signature=True), True)],
        [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True)],
        [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), False)],
    ],
    ids=["key usage", "purpose", "uncritical"],
)
def test_a_leaf_that_says_what_it_is_for_will_do(root, public, extensions):
    assert chain.path_to_trust(
        leaf_of(root, public, extensions=extensions), [], [root.certificate]
    )


CA = (x509.BasicConstraints(True, None), True)
ISSUERS = {
    "expired": ({"end": -0.1}, "expired on"),
    "no CA": ({"extensions": [(x509.BasicConstraints(False, None), True)]}, "is no CA"),
    "says nothing": ({"extensions": []}, "is no CA"),
    "no signing": ({"extensions": [CA, (usage(crl_sign=True), True)]}, "must not sign"),
    "path length": (
        {"extensions": [(x509.BasicConstraints(True, 0), True)]},
        "allows fewer CAs below it",
    ),
}


@pytest.mark.parametrize("case", ISSUERS)
def test_an_issuer_that_may_not_is_refused(root, public, case):
    how, reason = ISSUERS[case]
    upper = Authority("upper", root, **how)
    lower = Authority("lower", upper)
    others = [upper.certificate, lower.certificate]
    with pytest.raises(BadCertificate, match=reason):
        chain.path_to_trust(leaf_of(lower, public), others, [root.certificate])


def test_a_path_length_that_is_kept_is_fine(root, public):
    upper = Authority("upper", root, extensions=[(x509.BasicConstraints(True, 0), True)])
    leaf = leaf_of(upper, public)
    assert len(chain.path_to_trust(leaf, [upper.certificate], [root.certificate])) == 3


def test_a_ca_of_the_same_name_is_not_enough(root, public):
    impostor = Authority("root")
    with pytest.raises(BadCertificate, match="no path leads"):
        chain.path_to_trust(leaf_of(impostor, public), [], [root.certificate])


def test_certificates_that_sign_each_other_end_the_search(public):
    first, second = Authority("first"), Authority("second")
    extensions = [CA]
    a = second.issue(first.key.public_key(), first.name, extensions=extensions)
    b = first.issue(second.key.public_key(), second.name, extensions=extensions)
    with pytest.raises(BadCertificate):
        chain.path_to_trust(leaf_of(first, public), [a, b], [])


def test_a_path_has_an_end(root, public):
    cas = [root]
    for number in range(chain.DEPTH_MAX):
        cas.append(Authority(f"ca {number}", cas[-1]))
    others = [ca.certificate for ca in cas[1:]]
    with pytest.raises(BadCertificate, match="more than 8"):
        chain.path_to_trust(leaf_of(cas[-1], public), others, [root.certificate])


def test_a_certificate_is_for_one_key(root, public):
    leaf = leaf_of(root, public)
    chain.check_key(leaf, keys.point(public))
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(BadCertificate, match="is for another key"):
        chain.check_key(leaf, keys.point(other))


def test_a_changed_certificate_is_never_good(root, public):
    der = leaf_of(root, public).public_bytes(DER)
    rng = random.Random(1)
    refused = 0
    for _ in range(300):
        changed = bytearray(der)
        changed[rng.randrange(len(der))] ^= 1 << rng.randrange(8)
        try:
            (leaf,) = key_files.certificates(bytes(changed), "file")
            chain.path_to_trust(leaf, [], [root.certificate])
            chain.check_key(leaf, keys.point(public))
        except Problem as problem:
            assert "\n" not in problem.line()
            refused += 1
    # The only bits that may change are those of the encoding the signature is in.
    assert refused >= 299


def test_files_of_certificates_are_read_in_order_or_refused(root, middle, ec_key):
    both = pem(middle.certificate, root.certificate)
    assert key_files.certificates(both, "f") == [middle.certificate, root.certificate]
    assert key_files.certificates(root.certificate.public_bytes(DER), "f") == [root.certificate]
    public = ec_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for data, reason in (
        (b" \n", "is empty"),
        (public, "certificates are needed"),
        (both + public, "certificates are needed"),
        (both[:-40], "does not end|broken|truncated"),
        (b"\0" * 50, "neither PEM nor DER"),
    ):
        with pytest.raises(Problem) as caught:
            key_files.certificates(data, "f")
        assert re.search(reason, caught.value.line()), data


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_certificates_or_a_problem(data, as_pem):
    if as_pem:
        body = base64.b64encode(data)
        data = b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----\n"
    with pytest.raises(Problem) as caught:
        key_files.certificates(data, "f")
    assert "\n" not in caught.value.line()


def test_a_summary_says_what_a_report_needs(root, public):
    leaf = leaf_of(root, public)
    found = chain.summary(leaf)
    assert found["subject"] == "CN=leaf" and found["issuer"] == "CN=root"
    assert found["sha256"] == leaf.fingerprint(hashes.SHA256()).hex()
    assert datetime.datetime.strptime(found["not_after"], "%Y-%m-%dT%H:%M:%SZ")
