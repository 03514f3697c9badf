# SPDX-License-Identifier: MIT
"""The token for stock firmware on the emulated board: installed by mpremote's mip, its native
module loaded, and a whole PKCS#11 flow on it in place of the firmware's own C module.
"""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ROOT = Path(__file__).resolve().parents[2]

# Puts the package before what is frozen and built in, as on a board that has neither.
STOCK = """
import sys
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


@pytest.fixture(scope="session")
def package():
    """build/natmod/armv7emsp, made anew when it is older than its sources (`make natmod`)."""
    made = ROOT / "build" / "natmod" / "armv7emsp" / "package.json"
    folders = ("natmod", "pal", "firmware/pkcs11")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    newest = max(path.stat().st_mtime for path in sources if "__pycache__" not in path.parts)
    if not made.exists() or made.stat().st_mtime < newest:
        command = ["make", "-s", "natmod-armv7emsp"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return made


def run(board, program):
    """Run a program on the board; its last line is JSON."""
    return json.loads(board.mpremote("exec", STOCK + program, timeout=120).splitlines()[-1])


def test_the_package_for_stock_firmware_installs_loads_and_signs(emulated, package):
    out = emulated.mpremote("mip", "install", "--target", "/stock", package, timeout=120)
    assert "Done" in out

    # The native module by itself.
    seen = run(
        emulated,
        """
import json, os
native = load("p11native")
def fill(buf):
    buf[:] = os.urandom(len(buf))
scalar, point, signature = bytearray(32), bytearray(64), bytearray(64)
fill(scalar)
assert native.public(point, scalar)
assert native.sign(signature, scalar, bytes(range(32)), fill)
assert native.verify(point, bytes(range(32)), signature)
assert not native.verify(point, bytes(32), signature)
import p11crypto  # the firmware's
assert p11crypto.ecdsa_verify(p11crypto.P256, b"\\x04" + point, bytes(range(32)), signature)
print(json.dumps({"point": bytes(point).hex(), "signature": bytes(signature).hex()}))
""",
    )
    check(seen, bytes(range(32)))

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
