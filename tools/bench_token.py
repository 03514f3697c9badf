# SPDX-License-Identifier: MIT
"""The PKCS#11 path on the board, in instructions: the second half of `make bench`.

On the emulated Cortex-M4 under `-icount shift=0` (one instruction is one nanosecond of the board's
time; repeatable), with 64 objects in the token. Prints one table and adds its rows to
build/bench.json: c_sign_total and the like are the mean without garbage collection, "token" has
first call, mean, and mean with collections. C_SignInit
and C_Sign include the Python layer, unsealing the key and the nonce's entropy.

Usage: bench_token.py [--build DIR] [--json FILE]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import bench_rpc  # noqa: E402
from bench_p256 import add  # noqa: E402
from bench_rpc import BUILD, EmulatedBoard, counting_qemu, execute  # noqa: E402

TICK = bench_rpc.INSTRUCTIONS_PER_TICK
# The loader starts Timer 2 first of all; it counts down at 1 MHz, a thousand instructions each.
PER_MICROSECOND = 1000
BOOT_PY = "import machine\nready_at = machine.mem32[0x7E782010]\n"

# key, title, most instructions (None: reported only), what of R to compare with. The limits are
# for the means without garbage collection.
ROWS = (
    ("c_sign_total", "C_SignInit + C_Sign, key unsealed", 400_000, "sign"),
    ("c_sign_sha256", "the same with CKM_ECDSA_SHA256, 1 KiB", None, None),
    ("c_verify_total", "C_VerifyInit + C_Verify", None, "verify"),
    ("rpc_sign", "C_SignInit + C_Sign over RPC", None, "sign"),
    ("c_generate_key_pair", "C_GenerateKeyPair, stored", None, "keygen"),
    ("p11crypto_sign", "p11crypto.ecdsa_sign alone", None, "sign"),
    ("c_sign_overhead", "what C_SignInit + C_Sign cost beyond it", 150_000, None),
    ("c_find_objects", "C_FindObjectsInit, C_FindObjects, Final by label", 150_000, None),
    ("c_find_slowest", "the same by another attribute, the slowest of six", 4_000_000, None),
    ("c_sign_rsa", "C_SignInit + C_Sign, CKM_SHA256_RSA_PKCS", None, None),
    ("c_login", "C_Login, default PIN", None, None),
    ("mount", "C_Initialize with 64 objects (store mounted)", None, None),
    ("boot", "reset to boot.py: loader, checksum, file system", None, None),
)

MEASURES = r"""
import p11crypto
keep = False
last = digest * 32
empty = ticks_cpu()
empty = (ticks_cpu() - empty) & 0x3FFFFFFF

def row(name, function, times, undo=None):
    first = total = worst = 0
    for i in range(times + 1):
        gc.collect()
        t = ticks_cpu()
        got = function()
        t = ((ticks_cpu() - t) & 0x3FFFFFFF) - empty
        if undo:
            undo(got)
        if i:
            total += t
        else:
            first = t
    mean = total // times
    if not undo:
        gc.collect()
        total = 0
        for i in range(times):
            t = ticks_cpu()
            function()
            total += ((ticks_cpu() - t) & 0x3FFFFFFF) - empty
        worst = total // times
    print("RESULT", name, first, mean, worst, 0)

def sign():
    app.C_SignInit(s, 0x1041, private)
    return app.C_Sign(s, digest)

def sign_hashed():
    app.C_SignInit(s, 0x1044, private)
    return app.C_Sign(s, last)

signature = sign()

def verify():
    app.C_VerifyInit(s, 0x1041, public)
    app.C_Verify(s, digest, signature)

def generate():
    return app.C_GenerateKeyPair(s, 0x1040,
        [(3, b"made"), (0x102, b"2"), (0x180, EC), (1, True), (0x10a, True)],
        [(3, b"made"), (0x102, b"2"), (1, True), (0x108, True)])

def destroy(pair):
    for handle in pair:
        app.C_DestroyObject(s, handle)

obj = app.object(private)
slot = app.token.take(obj)

def sign_alone():
    return p11crypto.ecdsa_sign(slot, digest)

# the attributes that take most: flags, numbers and texts of all records, one computed from each
# record, the value that all but two records have in flash, and one that nobody has
ANY = (
    [(0x108, True)],
    [(0x102, b"1")],
    [(0x10, b"application")],
    [(0x129, bytes(91))],
    [(0x11, bytes(99) + b"1")],
    [(0x86, True)],
)

def find():
    app.C_FindObjectsInit(s, wanted)
    found = app.C_FindObjects(s, 4)
    app.C_FindObjectsFinal(s)
    return found

wanted = [(3, b"object 61")]
assert len(find()) == 1
row("c_sign_total", sign, 100)
row("c_sign_sha256", sign_hashed, 20)
row("c_verify_total", verify, 20)
row("c_find_objects", find, 100)
row("p11crypto_sign", sign_alone, 100)
for number, wanted in enumerate(ANY):
    row("c_find_any_%d" % number, find, 10)
row("c_generate_key_pair", generate, 4, destroy)

app.token.give(obj, slot)
from pkcs11.runner import objects_rsa

class Stand:
    labels = {"private": b"rsa", "public": b"rsa"}
    def __init__(self):
        self.app = app
    def expect(self, code, call, *args):
        return call(*args)
    def true(self, condition, message):
        pass

rsa = objects_rsa.imported(Stand(), s)

def sign_rsa():
    app.C_SignInit(s, 0x40, rsa[0])
    return app.C_Sign(s, digest)

row("c_sign_rsa", sign_rsa, 4)
destroy(rsa)
collect = True
sign_pair(20, "rpc_sign")
"""

AFTER_BOOT = r"""
import gc, time
now = time.ticks_cpu
print("RESULT boot", 0xFFFFFFFF - (ready_at & 0xFFFFFFFF), 0, 0, 0)
gc.collect()
t = now()
import pkcs11
pkcs11.C_Initialize()
t = (now() - t) & 0x3FFFFFFF
s = pkcs11.C_OpenSession(1, 6)
gc.collect()
u = now()
pkcs11.C_Login(s, 1, bytearray(b"0000"))
u = (now() - u) & 0x3FFFFFFF
print("RESULT mount", t, t, 0, 0)
print("RESULT c_login", u, u, 0, 0)
"""


def measure(build):
    """{key: {"first", "mean", "with_collection"}} in instructions, of every row of ROWS."""
    with tempfile.TemporaryDirectory() as name:
        board = EmulatedBoard(Path(name), build, counting_qemu(Path(name)))
        try:
            raw = execute(board, bench_rpc.HARNESS + MEASURES)
            execute(board, f"with open('boot.py', 'w') as f:\n    f.write({BOOT_PY!r})\n")
            board.emulator.stop()
            board.start()
            later = execute(board, AFTER_BOOT)
        finally:
            board.stop()
    first = raw.pop("rpc_sign")
    second = raw.pop("rpc_sign (second call)")
    raw["rpc_sign"] = [0, first[1] + second[1], 0, 0]
    alone = raw["p11crypto_sign"]
    raw["c_sign_overhead"] = [a - b for a, b in zip(raw["c_sign_total"], alone)]
    raw["c_find_slowest"] = max(
        (raw[name] for name in raw if name.startswith("c_find_any")), key=lambda row: row[1]
    )
    boot = later.pop("boot")[0] * PER_MICROSECOND // TICK
    raw["boot"] = [boot, boot, 0, 0]
    raw.update(later)
    return {
        key: {
            "first": raw[key][0] * TICK or None,
            "mean": raw[key][1] * TICK,
            "with_collection": raw[key][2] * TICK or None,
        }
        for key, *_ in ROWS
    }


def table(found, reference=None):
    """Print the rows; return whether the limits are kept. reference: "R" of build/bench.json."""
    met = True
    heads = ("first", "mean", "with GC", "limit", "R / mean")
    print("%-52s" % "PKCS#11 on the board, instructions" + "".join("%13s" % h for h in heads))
    for key, title, limit, operation in ROWS:
        mean = found[key]["mean"]
        numbers = (found[key]["first"], mean, found[key]["with_collection"], limit)
        cells = ["{:,}".format(n) if n else "" for n in numbers]
        cells.append("%.1f" % (reference[operation] / mean) if operation and reference else "")
        good = limit is None or mean <= limit
        met = met and good
        print("%-52s" % title + "".join("%13s" % c for c in cells) + ("" if good else "  MISSED"))
    return met


def main():
    """Measure, print, write; exit code 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=Path, default=BUILD, help="directory of the firmware")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    found = measure(arguments.build)
    known = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
    met = table(found, known.get("R"))
    add(arguments.json, token=found, **{key: found[key]["mean"] for key, *_ in ROWS})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
