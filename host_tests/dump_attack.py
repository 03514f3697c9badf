# SPDX-License-Identifier: MIT
"""What a thief does with a copy of the key region: carve, try PINs off line, open what opens.

Written from docs/FORMAT.md with hashlib and `cryptography`, without the code of the token. Wrapped
master keys and token infos are carved out of the raw bytes, so dead copies count, too; only the
list of objects is read through the store.
"""

import hashlib
import hmac
import struct
from collections import namedtuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flashsim import Flash, Geometry

from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store

Wrap = namedtuple("Wrap", "role default iterations generation salt blob")
Info = namedtuple("Info", "uuid generation")
Opened = namedtuple("Opened", "pin role master keys")
LABEL = slice(4, 36)
PRIVATE_KEY, SECRET_KEY = 3, 4


def mac(key, *parts):
    """HMAC-SHA256 over the parts."""
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def carve(region):
    """Every wrapped master key and every token info in raw bytes, live or dead."""
    wraps, infos = set(), set()
    for at in range(len(region) - 88):
        layout, role, default, limit, iterations, generation = struct.unpack_from(
            "<BBBBII", region, at
        )
        if layout != 1:
            continue
        if role < 2 and default < 2 and 3 <= limit <= 15 and iterations <= 10_000_000:
            if generation < 1000:
                salt, blob = region[at + 12 : at + 28], region[at + 28 : at + 88]
                wraps.add(Wrap(role, default, iterations, generation, salt, blob))
        head = region[at : at + 56]
        if role < 2 and head[2:4] == b"\0\0" and all(32 <= byte < 127 for byte in head[LABEL]):
            infos.add(Info(head[36:52], struct.unpack_from("<I", head, 52)[0]))
    return wraps, infos


def open_wrap(wrap, info, pin, device_secret=b""):
    """The master key, or None when the PIN (or the device secret) is another."""
    if wrap.iterations:
        stretched = hashlib.pbkdf2_hmac("sha256", pin, wrap.salt, wrap.iterations)
    else:
        stretched = mac(wrap.salt, pin)
    aad = info.uuid + struct.pack("<BI", wrap.role, wrap.generation)
    kek = mac(wrap.salt, stretched, device_secret, aad)
    try:
        return AESGCM(kek).decrypt(wrap.blob[:12], wrap.blob[12:], aad)
    except InvalidTag:
        return None


def objects(region):
    """(id, version, class, label, data) of every object, as the store has them."""
    flash = Flash(Geometry(1, 4096, len(region) // 4096, ZERO_ANY, 256))
    flash.data[:] = region
    pal = Pal(Store(flash, None))
    pal.mount()
    for number in pal.ids():
        kind, _, _, version = pal.info(number)
        if number >= 0x100:
            yield number, version, kind, *map(bytes, pal.read(number))


def unseal(master, number, version, kind, label, data):
    """The value of a sealed key, or None."""
    head = data[: 8 + struct.unpack_from("<H", data, 2)[0]]
    tail = data[len(head) :]
    key = mac(master, b"seal", struct.pack("<HI", number, version))
    aad = bytes([kind, len(label)]) + label + head
    try:
        return AESGCM(key).decrypt(tail[:12], tail[12:], aad)
    except InvalidTag:
        return None


def attack(region, pins, device_secret=b""):
    """Try every PIN on every wrap; Opened with the keys of the first that opens, else None."""
    wraps, infos = carve(region)
    assert wraps and infos, "nothing to attack in this dump"
    for wrap in sorted(wraps):
        for info in sorted(infos):
            for pin in pins:
                master = open_wrap(wrap, info, pin, device_secret)
                if master:
                    keys = [
                        unseal(master, *one)
                        for one in objects(region)
                        if one[2] in (PRIVATE_KEY, SECRET_KEY)
                    ]
                    return Opened(pin, wrap.role, master, keys)
    return None


def forms(secret):
    """A secret as it may lie about: bytes, reversed, swapped words, hexadecimal, base 64."""
    import base64

    words = b"".join(secret[i : i + 4][::-1] for i in range(0, len(secret), 4))
    found = [secret, secret[::-1], words, secret.hex().encode(), secret.hex().upper().encode()]
    return [*found, base64.b64encode(secret).rstrip(b"=")]
