# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""Secret keys in the C core and in the twin: published vectors, each other, and their edges."""

import random

import pytest
from published import nist, records, wycheproof
from twin_kit import *


def secret(module, value):
    return module.secret_import(bytearray(value))


@BOTH
@pytest.mark.parametrize("mode", ["ECB", "CBC"])
@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_gives_the_nist_vectors(module, mode, bits):
    seen = 0
    for kind in ("GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT"):
        name = "ciphers/AES/%s/%s%s%d.rsp" % (mode, mode, kind, bits)
        for section, record in records(nist(name)):
            if "KEY" not in record:
                continue
            key, plain, cipher = (
                bytes.fromhex(record[n]) for n in ("KEY", "PLAINTEXT", "CIPHERTEXT")
            )
            iv = bytes.fromhex(record["IV"]) if mode == "CBC" else None
            encrypt = section.startswith("ENCRYPT")
            slot = secret(module, key)
            data, wanted = (plain, cipher) if encrypt else (cipher, plain)
            state = module.Aes(slot, encrypt, iv)
            got = b"".join(state.update(data[at : at + 16]) for at in range(0, len(data), 16))
            assert got == wanted
            module.release(slot)
            seen += 1
    assert seen > 500


@BOTH
def test_cmac_gives_the_verdicts_of_wycheproof(module):
    seen = 0
    for group in wycheproof("Hash", "aes_cmac_test.json"):
        for case in group["tests"]:
            key, message, tag = (bytes.fromhex(case[n]) for n in ("key", "msg", "tag"))
            slot = secret(module, key) if key else 0
            if len(key) not in (16, 24, 32):
                with pytest.raises(ValueError):
                    module.Cmac(slot)
            else:
                state = module.Cmac(slot)
                for at in range(0, len(message), 7):
                    state.update(message[at : at + 7])
                good = state.digest()[: group["tagSize"] // 8] == tag
                assert good == (case["result"] == "valid"), case["tcId"]
            if slot:
                module.release(slot)
            seen += 1
    assert seen > 200


RFC_4231 = [
    (
        "0b" * 20,
        b"Hi There".hex(),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
]


@BOTH
def test_hmac_gives_the_vectors_of_rfc_4231(module):
    for key, data, code in RFC_4231:
        state = module.Hmac(module.SHA256, secret(module, bytes.fromhex(key)))
        state.update(bytes.fromhex(data))
        assert state.digest().hex() == code


@BOTH
@pytest.mark.parametrize("curve, bits", [(1, 256), (2, 384)])
def test_ecdh_gives_the_shared_secrets_of_wycheproof(module, curve, bits):
    seen = 0
    for group in wycheproof("Protocol", "ecdh_secp%dr1_ecpoint_test.json" % bits):
        for case in group["tests"]:
            scalar = int(case["private"], 16).to_bytes(bits // 8, "big")
            point = bytes.fromhex(case["public"])
            if case["result"] == "acceptable" or len(point) != 1 + bits // 4:
                continue
            key = module.ec_import(curve, bytearray(scalar))
            if case["result"] == "invalid":
                with pytest.raises(ValueError, match="^point$"):
                    module.ecdh(key, point, bits // 8)
            else:
                shared = module.ecdh(key, point, bits // 8)
                assert module.secret_export(shared).hex() == case["shared"], case["tcId"]
                module.release(shared)
            module.release(key)
            seen += 1
    assert seen > 100


def test_both_agree_on_everything_that_secrets_do():
    rng = random.Random(6)
    for _ in range(150):
        key, data = rng.randbytes(rng.choice((16, 24, 32))), rng.randbytes(rng.randint(0, 300))
        iv, whole = rng.choice((None, rng.randbytes(16))), rng.randbytes(16 * rng.randint(0, 8))
        cut = rng.randint(0, len(data))
        outcomes = []
        for module in (py, c):
            slot = secret(module, key)
            got = []
            for alg in range(1, 6):
                state = module.Hmac(alg, slot)
                state.update(data[:cut])
                got.append(state.digest())
                state.update(data[cut:])
                got.append(state.digest())
            state = module.Cmac(slot)
            state.update(data[:cut])
            got.append(state.digest())
            state.update(data[cut:])
            got.append(state.digest())
            for encrypt in (True, False):
                state = module.Aes(slot, encrypt, iv)
                got += [state.update(whole), state.update(whole)]
            outcomes.append(got)
            module.release(slot)
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("a, b", [(py, c), (c, py)], ids=["twin-core", "core-twin"])
def test_bytes_sealed_by_one_are_opened_by_the_other_and_only_as_they_were(a, b):
    rng = random.Random(7)
    salt = bytes(16)
    mine = a.master_new()
    theirs = b.master_unwrap(b"1", salt, 0, b"", a.master_wrap(mine, b"1", salt, 0, b""))
    for length in (0, 1, 15, 16, 17, 255, 4096):
        data, context, aad = rng.randbytes(length), rng.randbytes(6), rng.randbytes(20)
        blob = a.seal_bytes(mine, context, aad, data)
        opened = b.unseal_bytes(theirs, blob, context, aad)
        assert opened == data and isinstance(opened, bytearray)
        damaged = bytearray(blob)
        damaged[rng.randrange(len(blob))] ^= 1
        for args in ((damaged, context, aad), (blob, b"other", aad), (blob, context, b"")):
            with pytest.raises(ValueError, match="^sealed$"):
                b.unseal_bytes(theirs, *args)
        with pytest.raises(ValueError, match="^sealed$"):  # another purpose, another key
            b.unseal(theirs, blob, context, aad, b.SECRET)


@BOTH
def test_secrets_come_and_go(module):
    buffer = bytearray(b"secret value")
    slot = module.secret_import(buffer)
    assert not any(buffer) and module.secret_size(slot) == 12
    assert module.secret_export(slot) == b"secret value"
    for length in (0, 65, -1):
        with pytest.raises(ValueError, match="^length$"):
            module.secret_generate(length)
    values = {bytes(module.secret_export(module.secret_generate(64))) for _ in range(5)}
    assert len(values) == 5
    for other in (module.master_new(), module.ec_generate(1)):
        for call in (module.secret_export, module.secret_size, module.Cmac):
            with pytest.raises(ValueError, match="^slot$"):
                call(other)


@BOTH
def test_an_operation_ends_with_its_slot_or_with_wipe(module):
    slot = secret(module, bytes(16))
    one, two, three = module.Hmac(3, slot), module.Cmac(slot), module.Aes(slot, True, None)
    three.update(bytes(16))
    module.release(slot)
    for call in (one.digest, two.digest, lambda: three.update(bytes(16))):
        with pytest.raises(ValueError, match="^slot$"):
            call()
    one.wipe()
    with pytest.raises(ValueError, match="^hash$"):
        one.digest()
