# SPDX-License-Identifier: MIT
"""The C core against independent implementations: `cryptography`, a model of CTR_DRBG written
from SP 800-90A, and published vectors (NIST CAVS, Wycheproof).
"""

import ctypes
import hashlib
import random

import p11crypto_c as core
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from published import nist, records, wycheproof

CURVES = {
    core.P256: (ec.SECP256R1(), 32, hashes.SHA256()),
    core.P384: (ec.SECP384R1(), 48, hashes.SHA384()),
}


@pytest.fixture(autouse=True)
def power_on():
    core.test_source()
    core.test_reset()
    yield
    core.test_source()
    core.test_reset()


def _public(curve, point):
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve][0], point)


def _accepts(curve, point, digest, signature):
    _, size, algorithm = CURVES[curve]
    r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    der = utils.encode_dss_signature(r, s)
    try:
        _public(curve, point).verify(der, digest, ec.ECDSA(utils.Prehashed(algorithm)))
        return True
    except InvalidSignature:
        return False


@pytest.mark.parametrize("curve, cases", [(core.P256, 500), (core.P384, 100)])
def test_cryptography_accepts_what_the_core_signs(curve, cases):
    size = CURVES[curve][1]
    rng = random.Random(1)
    for _ in range(cases):
        slot = core.ec_generate(curve)
        point = core.ec_public(slot)
        digest = rng.randbytes(size)
        assert _accepts(curve, point, digest, core.ecdsa_sign(slot, digest))
        core.release(slot)


@pytest.mark.parametrize("curve, cases", [(core.P256, 500), (core.P384, 100)])
def test_the_core_accepts_what_cryptography_signs_and_rejects_one_flipped_bit(curve, cases):
    group, size, algorithm = CURVES[curve]
    rng = random.Random(2)
    for _ in range(cases):
        key = ec.generate_private_key(group)
        scalar = bytearray(key.private_numbers().private_value.to_bytes(size, "big"))
        numbers = key.public_key().public_numbers()
        point = b"\4" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
        slot = core.ec_import(curve, scalar)
        assert core.ec_public(slot) == point and not any(scalar)
        core.release(slot)
        digest = rng.randbytes(size)
        r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(algorithm))))
        signature = bytearray(r.to_bytes(size, "big") + s.to_bytes(size, "big"))
        assert core.ecdsa_verify(curve, point, digest, signature)
        signature[rng.randrange(2 * size)] ^= 1 << rng.randrange(8)
        assert not core.ecdsa_verify(curve, point, digest, signature)


def test_scalars_at_the_edges_give_the_points_cryptography_gives():
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    edges = {1, 2, 3, order - 1, order - 2, order >> 1, (order >> 1) + 1}
    edges |= {1 << bit for bit in range(256)} | {(1 << bit) - 1 for bit in range(2, 256)}
    for scalar in sorted(edges):
        if not 0 < scalar < order:
            continue
        slot = core.ec_import(core.P256, bytearray(scalar.to_bytes(32, "big")))
        numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
        assert core.ec_public(slot)[1:33] == numbers.x.to_bytes(32, "big")
        assert core.ec_public(slot)[33:] == numbers.y.to_bytes(32, "big")
        core.release(slot)


@pytest.mark.parametrize("name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_hashes_agree_with_hashlib_at_every_length_around_a_block(name):
    rng = random.Random(name)
    algorithm = getattr(core, name.upper())
    for length in [*range(0, 260), 1000, 4096]:
        data = rng.randbytes(length)
        cut = rng.randrange(length + 1)
        running = core.Hash(algorithm)
        running.update(data[:cut])
        running.update(data[cut:])
        assert running.digest() == hashlib.new(name, data).digest()


# --- the generator, predicted ------------------------------------------------------------------


class CtrDrbg:
    """CTR_DRBG, AES-256, derivation function, SP 800-90A §10.2.1 and §10.3.2, from the text."""

    def __init__(self, seed_material):
        self.key, self.v = bytes(32), 0
        self.update(self.derive(seed_material))

    @staticmethod
    def aes(key, block):
        context = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        return context.update(block)

    @classmethod
    def derive(cls, data, length=48):
        s = len(data).to_bytes(4, "big") + length.to_bytes(4, "big") + data + b"\x80"
        s += bytes(-len(s) % 16)
        key, temp = bytes(range(32)), b""
        for i in range(3):
            chain = bytes(16)
            message = i.to_bytes(4, "big") + bytes(12) + s
            for at in range(0, len(message), 16):
                block = bytes(a ^ b for a, b in zip(chain, message[at : at + 16]))
                chain = cls.aes(key, block)
            temp += chain
        key, x, out = temp[:32], temp[32:48], b""
        while len(out) < length:
            x = cls.aes(key, x)
            out += x
        return out[:length]

    def block(self):
        self.v = (self.v + 1) % (1 << 128)
        return self.aes(self.key, self.v.to_bytes(16, "big"))

    def update(self, provided):
        temp = self.block() + self.block() + self.block()
        temp = bytes(a ^ b for a, b in zip(temp, provided))
        self.key, self.v = temp[:32], int.from_bytes(temp[32:], "big")

    def reseed(self, seed_material):
        self.update(self.derive(seed_material))

    def generate(self, length):
        out = b""
        while len(out) < length:
            out += self.block()
        self.update(bytes(48))
        return out[:length]


def test_the_model_of_ctr_drbg_gives_the_nist_vectors():
    # CAVS, AES-256 use df, no prediction resistance, counts 0: nonce, entropy, reseed, output.
    vectors = [
        "1b54b8ff0642bff521f15c1c0b665f3f"
        "5a194d5e2b31581454def675fb7958fec7db873e5689fc9d03217c68d8033820"
        "f9e65e04d856f3a9c44a4cbdc1d00846f5983d771c1b137e4e0f9d8ef409f92e"
        "a054303d8a7ea9889d903e077c6f218f",
        "e26c8a13dae5c2da81023f27ab10b878"
        "fea104f90c5881df7ad1c863307bad22c98770ecd0d717513a2807682582e3e1"
        "8e81d7935c8a7bacddd5176e7ca4911b9f8f5b1d9c349152fa215393eb006384"
        "fd87337c305a0a8ef8eef797601732c2",
        "b023f6a6f73d4749b36eb54867994432"
        "2462ad760ddbca4e013688bf61381f190c7b2de57cbeeec81d6ab7b6f067b75a"
        "dc3545887f8d2aa5d9b9dfcbfa425d610faa9c247eb5d71145f302918e908ae5"
        "c0620c68515a4618e572db6e4c14473d",
    ]
    for vector in vectors:
        data = bytes.fromhex(vector)
        model = CtrDrbg(data[16:48] + data[:16])
        model.generate(16)
        model.reseed(data[48:80])
        assert model.generate(16) == data[80:]


def test_the_whole_stream_of_the_generator_is_the_predicted_one():
    feed, log = random.Random(3), bytearray()

    def source(count):
        log.extend(feed.randbytes(count))
        return log[-count:]

    def draw(count):
        buf = bytearray(count)
        core.random(buf)
        return bytes(buf)

    core.test_source(source)
    first = draw(7)
    assert len(log) == 1024 + 128
    model = CtrDrbg(bytes(log[1024:]) + b"micropython-pkcs11" + b"host test chip 1")
    assert first == model.generate(7)
    assert draw(1024) == model.generate(1024)
    assert draw(3000) == model.generate(1024) + model.generate(1024) + model.generate(952)
    core.random_add(b"additional")
    model.generate(0)
    model.update(model.derive(hashlib.sha512(b"additional").digest()))
    assert draw(32) == model.generate(32)
    for _ in range(1024 - 7):  # the requests since instantiation
        assert draw(5) == model.generate(5)
    assert len(log) == 1024 + 128
    reseeded = draw(5)
    assert len(log) == 1024 + 256
    model.reseed(bytes(log[-128:]))
    assert reseeded == model.generate(5)
    core.master_new()  # a long-term key: fresh seed first
    assert len(log) == 1024 + 384
    model.reseed(bytes(log[-128:]))
    model.generate(32)
    assert draw(16) == model.generate(16)


# --- published vectors -------------------------------------------------------------------------


def test_aes_256_gcm_gives_the_nist_vectors():
    gcm = (ctypes.c_uint8 * 4096)()
    out, tag = (ctypes.c_uint8 * 256)(), (ctypes.c_uint8 * 16)()
    size, lib, seen = ctypes.c_size_t, core.lib, 0
    for _, record in records(nist("ciphers/AES/GCM/gcmEncryptExtIV256.rsp")):
        fields = ("Key", "IV", "PT", "AAD", "CT", "Tag")
        if "Key" not in record:
            continue
        key, iv, plain, aad, cipher, expected = (bytes.fromhex(record[n]) for n in fields)
        if len(iv) != 12 or len(expected) != 16 or len(plain) > len(out):
            continue
        lib.p11_mbedtls_gcm_init(gcm)
        assert lib.p11_mbedtls_gcm_setkey(gcm, 2, key, 256) == 0
        args = [gcm, 1, size(len(plain)), iv, size(12), aad, size(len(aad)), plain, out]
        assert lib.p11_mbedtls_gcm_crypt_and_tag(*args, size(16), tag) == 0
        assert bytes(out[: len(plain)]) == cipher and bytes(tag) == expected
        lib.p11_mbedtls_gcm_free(gcm)
        seen += 1
    assert seen >= 300


@pytest.mark.parametrize("kind", ["SigVer", "SigGen"])
def test_ecdsa_gives_the_verdicts_of_fips_186_3(kind):
    curves = {"P-256": core.P256, "P-384": core.P384}
    seen = 0
    for section, record in records(nist("asymmetric/ECDSA/FIPS_186-3/%s.rsp" % kind)):
        name, _, algorithm = section.partition(",")
        if name not in curves or "R" not in record:
            continue
        size = CURVES[curves[name]][1]
        x, y, r, s = (int(record[n], 16).to_bytes(size, "big") for n in ("Qx", "Qy", "R", "S"))
        message = bytes.fromhex(record["Msg"])
        digest = hashlib.new(algorithm.replace("-", "").lower(), message).digest()
        verdict = core.ecdsa_verify(curves[name], b"\4" + x + y, digest, r + s)
        assert verdict == (not record.get("Result", "P").startswith("F"))
        seen += 1
    assert seen >= 100


@pytest.mark.parametrize(
    "file, curve, name",
    [
        ("ecdsa_secp256r1_sha256_p1363_test.json", core.P256, "sha256"),
        ("ecdsa_secp256r1_sha512_p1363_test.json", core.P256, "sha512"),
        ("ecdsa_secp384r1_sha384_p1363_test.json", core.P384, "sha384"),
        ("ecdsa_secp384r1_sha512_p1363_test.json", core.P384, "sha512"),
    ],
)
def test_ecdsa_gives_the_verdicts_of_wycheproof(file, curve, name):
    size, seen = CURVES[curve][1], 0
    for group in wycheproof("Signature", file):
        key = group.get("publicKey") or group["key"]
        point = bytes.fromhex(key["uncompressed"])
        for case in group["tests"]:
            digest = hashlib.new(name, bytes.fromhex(case["msg"])).digest()
            signature = bytes.fromhex(case["sig"])
            if len(signature) != 2 * size:
                with pytest.raises(ValueError, match="signature"):
                    core.ecdsa_verify(curve, point, digest, signature)
                assert case["result"] == "invalid"
            else:
                verdict = core.ecdsa_verify(curve, point, digest, signature)
                assert verdict == (case["result"] == "valid"), case["tcId"]
            seen += 1
    assert seen > 200
