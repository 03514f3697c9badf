# SPDX-License-Identifier: MIT
"""Running operations: digest, sign, verify, encrypt. One class per family of mechanisms.

Each class is named in the mechanism table and made by an *Init call. Promises: `close` gives back
everything (key slot, hash state) and may be called twice; an operation keeps what it needs, so
destroying the key object does not disturb it. Interface:

    streams            whether the *Update and *Final calls are allowed
    size               length of the result in bytes
    update(data)       more input
    result(data)       digest or signature over the input so far plus data (None: nothing more)
    check(data, sig)   raise P11Error unless sig is good
"""

import p11crypto

from .const import (
    CKR_DATA_INVALID,
    CKR_DATA_LEN_RANGE,
    CKR_DEVICE_ERROR,
    CKR_ENCRYPTED_DATA_INVALID,
    CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE,
)
from .errors import P11Error
from .objects import point_of, rsa_public_of

COORDINATE = (0, 32, 48)  # bytes, by curve
RSA_BYTES = 256
_DIGEST = (0, 20, 28, 32, 48, 64)  # bytes, by hash of p11crypto


class Digest:
    """CKM_SHA…: also the hash part of the mechanisms that hash first."""

    streams = True

    def __init__(self, token, obj, algorithm):
        self.kind = 0
        self.started = False
        self.authorized = True
        self.size = _DIGEST[algorithm]
        self._hash = p11crypto.Hash(algorithm)

    def update(self, data):
        self._hash.update(data)

    def result(self, data):
        if data is not None:
            self._hash.update(data)
        return self._hash.digest()

    def close(self):
        self._hash.wipe()


class Keyed:
    """What operations with a key share: holding it and giving it back."""

    streams = True

    def __init__(self, token, obj, algorithm, hold=True):
        self.kind = 0
        self.started = False
        self.authorized = True
        self.token = token
        self.obj = obj
        self.algorithm = algorithm
        self.slot = token.take(obj) if obj.secret and hold else 0

    def close(self):
        if self.slot:
            self.token.give(self.obj, self.slot)
            self.slot = 0


class Ecdsa(Keyed):
    """CKM_ECDSA: the caller hashed. Signature r || s; a longer hash is cut to the curve's size."""

    streams = False

    def __init__(self, token, obj, algorithm):
        Keyed.__init__(self, token, obj, algorithm)  # super() costs 3000 instructions
        self.size = 2 * COORDINATE[obj.curve]
        self.point = None if self.slot else point_of(obj)

    def result(self, data):
        if not len(data):
            raise P11Error(CKR_DATA_LEN_RANGE)
        return p11crypto.ecdsa_sign(self.slot, data)

    def check(self, data, signature):
        if len(signature) != self.size:
            raise P11Error(CKR_SIGNATURE_LEN_RANGE)
        if not len(data):
            raise P11Error(CKR_DATA_LEN_RANGE)
        try:
            good = p11crypto.ecdsa_verify(self.obj.curve, self.point, data, signature)
        except ValueError:  # the stored point is not on the curve
            raise P11Error(CKR_DEVICE_ERROR)
        if not good:
            raise P11Error(CKR_SIGNATURE_INVALID)


class Rsa(Keyed):
    """CKM_RSA_X_509: the caller made the whole number (current mechanisms v2.40, 2.1.12).

    The key of a token object is in a slot only while a result is computed: there are few slots of
    this size, and every session may have such an operation.
    """

    streams = False
    size = RSA_BYTES

    def __init__(self, token, obj, algorithm):
        Keyed.__init__(self, token, obj, algorithm, bool(obj.slot))

    def block(self, data):
        """Return the number to be signed, as RSA_BYTES bytes."""
        if len(data) > RSA_BYTES:
            raise P11Error(CKR_DATA_LEN_RANGE)
        return bytes(RSA_BYTES - len(data)) + bytes(data)

    def result(self, data):
        block = self.block(data)
        slot = self.slot or self.token.take(self.obj)
        try:
            return p11crypto.rsa_private(slot, block)
        except ValueError:  # not below the modulus
            raise P11Error(CKR_DATA_INVALID)
        finally:
            if not self.slot:
                self.token.give(self.obj, slot)

    def check(self, data, signature):
        if len(signature) != self.size:
            raise P11Error(CKR_SIGNATURE_LEN_RANGE)
        block = self.block(data)
        try:
            found = p11crypto.rsa_public(*rsa_public_of(self.obj), signature)
        except ValueError:  # not below the modulus
            raise P11Error(CKR_SIGNATURE_INVALID)
        if not p11crypto.compare(found, block):
            raise P11Error(CKR_SIGNATURE_INVALID)


class RsaPkcs(Rsa):
    """CKM_RSA_PKCS: EMSA-PKCS1-v1_5 around what the caller gives (RFC 8017 §9.2).

    A signature is good when the whole block is the expected one; nothing in it is parsed.
    """

    def block(self, data):
        rest = RSA_BYTES - 3 - len(data)
        if rest < 8:
            raise P11Error(CKR_DATA_LEN_RANGE)
        return b"\0\1" + b"\xff" * rest + b"\0" + bytes(data)  # join takes no memoryview


class Hashed:
    """A mechanism that hashes first, in one or many parts, then does what `signer` does.

    info: what stands before the hash.
    """

    streams = True
    info = b""

    def __init__(self, token, obj, algorithm):
        self.kind = 0
        self.started = False
        self.authorized = True
        self._signer = self.signer(token, obj, 0)
        self.size = self._signer.size
        try:
            self._hash = p11crypto.Hash(algorithm)
        except BaseException:
            self._signer.close()
            raise

    def update(self, data):
        self._hash.update(data)

    def result(self, data):
        return self._signer.result(self._digest(data))

    def check(self, data, signature):
        self._signer.check(self._digest(data), signature)

    def _digest(self, data):
        if data is not None:
            self._hash.update(data)
        return self.info + self._hash.digest()

    def close(self):
        self._signer.close()
        self._hash.wipe()


class HashedEcdsa(Hashed):
    """CKM_ECDSA_SHA…"""

    signer = Ecdsa


class HashedRsa(Hashed):
    """CKM_SHA256_RSA_PKCS: the hash in its DigestInfo (RFC 8017 §9.2, note 1)."""

    signer = RsaPkcs
    info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


class Mac(Keyed):
    """CKM_SHA256_HMAC and CKM_AES_CMAC over a secret key in its slot."""

    def __init__(self, token, obj, algorithm):
        super().__init__(token, obj, algorithm)
        try:
            if algorithm:
                self.size = _DIGEST[algorithm]
                self._state = p11crypto.Hmac(algorithm, self.slot)
            else:
                self.size = 16
                self._state = p11crypto.Cmac(self.slot)
        except BaseException:
            Keyed.close(self)
            raise

    def update(self, data):
        self._state.update(data)

    def result(self, data):
        if data is not None:
            self._state.update(data)
        return self._state.digest()

    def check(self, data, signature):
        tag = self.result(data)
        if len(signature) != self.size:
            raise P11Error(CKR_SIGNATURE_LEN_RANGE)
        if not p11crypto.compare(tag, signature):
            raise P11Error(CKR_SIGNATURE_INVALID)

    def close(self):
        super().close()
        self._state.wipe()


class Cipher(Keyed):
    """CKM_AES_ECB (no iv) and CKM_AES_CBC_PAD (iv of 16 bytes), in one or many parts.

    `held` keeps a result for which the caller had too little room.
    """

    def __init__(self, token, obj, iv, encrypt):
        super().__init__(token, obj, 0)
        self.padded = iv is not None
        self.encrypt = encrypt
        self.held = None
        self._pending = b""
        try:
            self._state = p11crypto.Aes(self.slot, encrypt, iv)
        except BaseException:
            Keyed.close(self)
            raise

    def ready(self, more):
        """Return the bytes that update() would give for so much more input."""
        size = len(self._pending) + more
        if self.padded and not self.encrypt and size:
            size -= 1  # the last block may be padding
        return size & ~15

    def update(self, data):
        size = self.ready(len(data))
        data = self._pending + bytes(data)
        self._pending = data[size:]
        return self._state.update(data[:size]) if size else b""

    def final(self):
        """Return the last bytes."""
        rest = self._pending
        if not self.padded:
            if rest:
                self._uneven()
            return b""
        if self.encrypt:
            count = 16 - len(rest)
            return self._state.update(rest + bytes((count,)) * count)
        if len(rest) != 16:
            self._uneven()
        block = self._state.update(rest)
        count = block[15]
        if not 1 <= count <= 16 or block[16 - count :] != bytes((count,)) * count:
            raise P11Error(CKR_ENCRYPTED_DATA_INVALID)
        return block[: 16 - count]

    def _uneven(self):
        raise P11Error(CKR_DATA_LEN_RANGE if self.encrypt else CKR_ENCRYPTED_DATA_LEN_RANGE)

    def close(self):
        super().close()
        self._state.wipe()
        self.held = None
