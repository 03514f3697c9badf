# SPDX-License-Identifier: MIT
"""The token for stock firmware on the emulated board: installed by mpremote's mip, its native
module loaded, and a whole PKCS#11 flow on it in place of the firmware's own C module.
"""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ROOT = Path(__file__).resolve().parents[2]

# Puts the package before what is frozen and built in, as on a board that has neither.
STOCK = """
import gc, sys
gc.threshold(-1)  # the firmware's own is not that of stock firmware
sys.path.insert(0, "/stock")
for name in ("p11native", "p11entropy", "p11crypto", "geometry", "flash_file"):
    sys.modules.pop(name, None)
def load(name):
    with_path = sys.path[:]
    sys.path[:] = ["/stock"]
    try:
        return __import__(name)
    finally:
        sys.path[:] = with_path
"""


def package_of(arch):
    """build/natmod/ARCH, made anew when it is older than its sources (`make natmod`)."""
    made = ROOT / "build" / "natmod" / arch / "package.json"
    folders = ("natmod", "pal", "firmware/pkcs11", "firmware/cmodules/p11crypto")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    newest = max(path.stat().st_mtime for path in sources if "__pycache__" not in path.parts)
    if not made.exists() or made.stat().st_mtime < newest:
        command = ["make", "-s", "natmod-" + arch]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return made


def run(board, program):
    """Run a program on the board; its last line is JSON."""
    return json.loads(board.mpremote("exec", STOCK + program, timeout=120).splitlines()[-1])


# What the native module does by itself, checked by the firmware's own.
SIGN = """
import json, os
native = load("p11native")
scalar, point, signature = os.urandom(32), bytearray(64), bytearray(64)
assert native.public(point, scalar, os.urandom(32))
assert native.sign(signature, scalar, bytes(range(32)), os.urandom(64))
assert native.valid(point)
assert native.verify(point, bytes(range(32)), signature)
assert not native.verify(point, bytes(32), signature)
stretched = bytearray(32)
native.pbkdf2(stretched, b"0000", b"salt of 16 bytes", 3)
import p11crypto  # the firmware's
assert p11crypto.ecdsa_verify(p11crypto.P256, b"\\x04" + point, bytes(range(32)), signature)
print(json.dumps({"point": bytes(point).hex(), "signature": bytes(signature).hex(),
    "stretched": bytes(stretched).hex()}))
"""


def test_the_package_for_stock_firmware_installs_loads_and_signs(emulated):
    package = package_of("armv7emsp")
    out = emulated.mpremote("mip", "install", "--target", "/stock", package, timeout=120)
    assert "Done" in out

    # The native module by itself.
    check(run(emulated, SIGN), bytes(range(32)))

    # The token of the frozen packages over p11crypto in Python and a file.
    seen = run(
        emulated,
        """
import json
# A built-in module wins over a file of its name: the file gets another one here.
with open("/stock/p11crypto.mpy", "rb") as source, open("/stock/p11stock.mpy", "wb") as copy:
    copy.write(source.read())
sys.modules["p11crypto"] = load("p11stock")
sys.modules["flash_file"] = load("flash_file")
sys.modules["geometry"] = load("geometry")
import pkcs11, p11crypto
assert not hasattr(p11crypto, "P384")  # the one in Python
token = pkcs11.open(pin="0000")
token.generate("stock key")
digest = bytes(range(32))
signature = token.key("stock key").sign(digest)
point = token.public_key("stock key").point
print(json.dumps({"point": bytes(point)[-64:].hex(), "signature": bytes(signature).hex()}))
""",
    )
    check(seen, bytes(range(32)))


@pytest.mark.parametrize("arch", ["armv6m", "armv7m"])
def test_the_native_modules_of_lesser_cores_run_on_this_one_too(emulated, arch):
    """A Cortex-M4 executes what was compiled for a Cortex-M0 or M3, and MicroPython loads it."""
    native = package_of(arch).with_name("p11native.mpy")
    emulated.mpremote("fs", "mkdir", ":/stock")
    emulated.mpremote("fs", "cp", native, ":/stock/p11native.mpy")
    seen = run(emulated, SIGN)
    check(seen, bytes(range(32)))
    expected = hashlib.pbkdf2_hmac("sha256", b"0000", b"salt of 16 bytes", 3)
    assert bytes.fromhex(seen["stretched"]) == expected


def check(seen, digest):
    """A signature made on the board is good here."""
    point, signature = bytes.fromhex(seen["point"]), bytes.fromhex(seen["signature"])
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"), ec.SECP256R1()
    )
    der = utils.encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    numbers.public_key().verify(der, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
