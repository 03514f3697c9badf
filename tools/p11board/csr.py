# SPDX-License-Identifier: MIT
"""Certificate requests (PKCS#10, RFC 2986) whose signature the board makes.

The host builds the request with `cryptography`; `TokenKey` stands in for the private key and
passes each digest on to the board.  The private key is never on the host.
"""

import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from p11board.errors import Problem, UsageProblem
from p11board.keys import PUBLIC_KEY, public_key


def der_signature(raw):
    """Ecdsa-Sig-Value (RFC 3279) from the token's r || s (64 bytes for P-256)."""
    half = len(raw) // 2
    return utils.encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    )


def raw_signature(der, size=32):
    """r || s, each `size` bytes, from an Ecdsa-Sig-Value. Raises ValueError."""
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class TokenKey(ec.EllipticCurvePrivateKey):
    """A private key on the board, as `cryptography` sees it: it can sign, and nothing else.

    public: the matching public key; sign_digest: callable, digest (bytes) -> r || s.
    """

    def __init__(self, public, sign_digest):
        self._public = public
        self._sign_digest = sign_digest

    def sign(self, data, signature_algorithm):
        """DER signature of `data`, hashed here, signed on the board."""
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, utils.Prehashed):
            digest = data
        else:
            context = hashes.Hash(algorithm)
            context.update(data)
            digest = context.finalize()
        return der_signature(self._sign_digest(digest))

    def public_key(self):
        """The public half."""
        return self._public

    @property
    def curve(self):
        """The curve of the key."""
        return self._public.curve

    @property
    def key_size(self):
        """Bits of the curve."""
        return self._public.key_size

    def exchange(self, algorithm, peer_public_key):
        """Not offered by the token."""
        raise NotImplementedError("the token's key only signs")

    def private_numbers(self):
        """The private value never leaves the board."""
        raise NotImplementedError("the private key is on the board")

    def private_bytes(self, encoding, format, encryption_algorithm):
        """The private value never leaves the board."""
        raise NotImplementedError("the private key is on the board")

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def parse_subject(text):
    """An X.509 name from RFC 4514 text such as "CN=board-1,O=Example,C=DE"."""
    try:
        name = x509.Name.from_rfc4514_string(text)
    except ValueError as error:
        reason = str(error).rstrip(".") or "not RFC 4514"
        raise UsageProblem(
            f"subject {text!r} cannot be read ({reason})",
            'write it like "CN=board-1,O=Example,C=DE"',
        ) from None
    if not name.rdns:
        raise UsageProblem("the subject is empty", 'write it like "CN=board-1,O=Example,C=DE"')
    return name


# Kinds of names in a SubjectAltName: name in profiles and options -> how it is made from text.
NAME_KINDS = {
    "dns": x509.DNSName,
    "ip": lambda text: x509.IPAddress(ipaddress.ip_address(text)),
    "uri": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
}


def general_name(kind, text):
    """A name for SubjectAltName (RFC 5280 §4.2.1.6). kind: a key of NAME_KINDS."""
    try:
        if not text or len(text) > 255:
            raise ValueError("1 to 255 characters are needed")
        return NAME_KINDS[kind](text)
    except ValueError as error:
        reason = str(error).split(". ")[0]
        raise UsageProblem(f"{text!r} is no {kind} name ({reason})", "names are ASCII") from None


def of_board(board, label, public, subject, names=()):
    """A checked request for the key pair of these labels on a board. See build."""
    found = public_key(board.read(public, PUBLIC_KEY)["value"])
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise UsageProblem(
            "requests are made with EC keys",
            "for an RSA key use OpenSSL with the PKCS#11 provider: docs/use/openssl-provider.md",
        )
    token_key = TokenKey(found, lambda digest: board.sign(digest, label))
    return build(token_key, subject, names)


def build(key, subject, names=()):
    """A certificate request for `key`, checked before it is returned.

    subject: x509.Name; names: x509.GeneralName objects for the SubjectAltName extension.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    request = builder.sign(key, hashes.SHA256())
    if not request.is_signature_valid:
        raise Problem(
            "the board's signature on the request does not match its public key",
            "the public and private key under these labels are not a pair; run `p11board keygen`",
        )
    return request
