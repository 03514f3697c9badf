# SPDX-License-Identifier: MIT
"""The random part: which calls a walk may take, with words of softhsm_values.

Weights favour calls that lead somewhere; each argument is now and then a bad one.
"""

WORDS_OF = {
    "session": ("rw", "rw", "rw", "rw", "rw2", "ro", "closed", "0"),
    "object": (
        "private public aes hmac certificate data token-private token-public token-certificate"
        " token-data mute-private mute-public mute-aes deriving readable-aes fixed-data"
        " uncopyable-data permanent-data private-data"
    ).split(),
    "sign": ("ECDSA", "ECDSA", "SHA256_HMAC", "AES_CMAC", "UNKNOWN", "SHA256"),
    "digest": ("SHA256", "SHA_1", "SHA512", "ECDSA", "UNKNOWN", "null"),
    "cipher": ("AES_ECB", "CBC", "AES_ECB", "CBC-no-iv", "UNKNOWN"),
    "data": ("text", "digest", "block", "blocks", "empty", "null"),
    "signature": ("$signature", "own-signature", "zeros-64", "zeros-32", "zeros-16", "null"),
    "room": ("all", "all", "all", "size", "15"),
    "template": (
        "t-private t-public t-aes t-hmac t-certificate t-data t-token-private t-token-public"
        " t-token-data t-private-data t-no-class t-private-no-value t-data-unknown t-private-verify"
        " t-private-local t-public-no-point t-bad-class"
    ).split(),
    "change": (
        "c-label c-id c-class c-token c-value c-unknown c-sensitive c-no-sign c-private"
        " c-session c-extractable c-local"
    ).split(),
    "query": ("t-empty", "s-label", "s-keys", "s-token", "s-id", "s-other-label", "s-two"),
    "attributes": (
        "a-class a-label a-value a-common a-copyable a-unknown a-mixed a-modulus a-size a-short"
        " a-value-label a-value-size a-short-bool"
    ).split(),
    "user": ("USER", "USER", "SO", "CONTEXT", "7"),
    "pin": ("user-pin", "user-pin", "so-pin", "wrong-pin", "empty"),
    "count": ("1", "2", "30"),
    "length": ("1", "8", "100"),
    "flags": ("RW", "RO", "RO", "PARALLEL"),
    "slot": ("slot", "slot", "slot", "bad-slot"),
}

# objects that a call with a mechanism works with, so that not every second one fails
_PRIVATE = ("private", "token-private", "deriving")
_PUBLIC = ("public", "token-public")
_AES = ("aes", "readable-aes")
FITTING = {
    ("C_SignInit", "ECDSA"): _PRIVATE,
    ("C_VerifyInit", "ECDSA"): _PUBLIC,
    ("C_SignInit", "SHA256_HMAC"): ("hmac",),
    ("C_VerifyInit", "SHA256_HMAC"): ("hmac",),
}

# weight and the kinds of the arguments
CALLS = {
    "C_OpenSession": (1, "slot flags"),
    "C_CloseSession": (1, "session"),
    "C_GetSessionInfo": (2, "session"),
    "C_Login": (2, "session user pin"),
    "C_Logout": (1, "session"),
    "C_CreateObject": (3, "session template"),
    "C_CopyObject": (2, "session object change"),
    "C_DestroyObject": (2, "session object"),
    "C_GetObjectSize": (1, "session object"),
    "C_GetAttributeValue": (6, "session object attributes"),
    "C_SetAttributeValue": (3, "session object change"),
    "C_FindObjectsInit": (3, "session query"),
    "C_FindObjects": (3, "session count"),
    "C_FindObjectsFinal": (2, "session"),
    "C_DigestInit": (3, "session digest"),
    "C_Digest": (2, "session data room"),
    "C_DigestUpdate": (3, "session data"),
    "C_DigestFinal": (2, "session room"),
    "C_SignInit": (4, "session sign object"),
    "C_Sign": (3, "session data room"),
    "C_SignUpdate": (3, "session data"),
    "C_SignFinal": (2, "session room"),
    "C_VerifyInit": (4, "session sign object"),
    "C_Verify": (3, "session data signature"),
    "C_VerifyUpdate": (2, "session data"),
    "C_VerifyFinal": (2, "session signature"),
    "C_EncryptInit": (3, "session cipher object"),
    "C_Encrypt": (2, "session data room"),
    "C_EncryptUpdate": (2, "session data"),
    "C_EncryptFinal": (1, "session"),
    "C_DecryptInit": (2, "session cipher object"),
    "C_Decrypt": (2, "session data room"),
    "C_DecryptUpdate": (2, "session data"),
    "C_DecryptFinal": (1, "session"),
    "C_GenerateRandom": (1, "session length"),
}
# calls that are likely next after another one, so that operations come to an end
NEXT = {
    "C_FindObjectsInit": ("C_FindObjects", "C_FindObjects", "C_FindObjectsFinal"),
    "C_FindObjects": ("C_FindObjects", "C_FindObjectsFinal"),
    "C_DigestInit": ("C_Digest", "C_DigestUpdate", "C_DigestFinal"),
    "C_DigestUpdate": ("C_DigestUpdate", "C_DigestFinal"),
    "C_SignInit": ("C_Sign", "C_Sign", "C_SignUpdate"),
    "C_SignUpdate": ("C_SignUpdate", "C_SignFinal"),
    "C_VerifyInit": ("C_Verify", "C_Verify", "C_VerifyUpdate"),
    "C_VerifyUpdate": ("C_VerifyUpdate", "C_VerifyFinal"),
    "C_EncryptInit": ("C_Encrypt", "C_EncryptUpdate"),
    "C_EncryptUpdate": ("C_EncryptUpdate", "C_EncryptFinal"),
    "C_DecryptInit": ("C_Decrypt", "C_DecryptUpdate"),
    "C_DecryptUpdate": ("C_DecryptUpdate", "C_DecryptFinal"),
    "C_CreateObject": ("C_GetAttributeValue",),
}


def calls(choose, state, objects, steps):
    """Iterate over the calls of one walk as text. choose: a random.Random."""
    names = list(CALLS)
    weights = [CALLS[name][0] for name in names]
    name = session = None
    for _ in range(steps):
        follows = name in NEXT and choose.random() < 0.75
        name = choose.choice(NEXT[name]) if follows else choose.choices(names, weights)[0]
        words = []
        for kind in CALLS[name][1].split():
            if kind == "object":
                fitting = FITTING.get((name, words[-1]), _AES if name.endswith("Init") else ())
                fitting = [word for word in objects if word in fitting]
                good = fitting and choose.random() < 0.9
                words.append(choose.choice(fitting if good else objects))
            elif kind == "session" and follows and session is not None:
                words.append(session)
            else:
                words.append(choose.choice(WORDS_OF[kind]))
            if kind == "session":
                session = words[-1]
        if "session" in CALLS[name][1] and state == "so" and words[0] == "ro":
            words[0] = "rw"
        if name in ("C_EncryptUpdate", "C_DecryptUpdate", "C_EncryptFinal", "C_DecryptFinal"):
            words.append("all")
        yield " ".join([name, *words])
