# SPDX-License-Identifier: MIT
"""`make bench-rpc`: what the RPC layer costs, on board and line -> build/bench-rpc.json.

Two measurements:
* instructions on the emulated Cortex-M4, exact and repeatable (-icount shift=0: one instruction is
  one nanosecond): from the last byte of a request received to the first byte of its answer sent,
  the line itself excluded, with 64 objects in the token; heap used and heap growth;
* round trips and bytes on the line of whole programs, and the time that takes at 115 200 baud.
"""

import argparse
import json
import os
import stat
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "host_tests"), str(ROOT / "host_tests" / "rpc")]

import bench_wire  # noqa: E402
from harness import BUILD, EmulatedBoard  # noqa: E402

from p11board.emulator import QEMU  # noqa: E402
from p11board.transport import Link  # noqa: E402

INSTRUCTIONS_PER_TICK = 5  # ticks_cpu counts a 200 MHz clock, an instruction takes 1 ns
SECONDS = 1800

LIMITS = {
    "empty call": 50_000,
    "GetAttributeValue, 5 attributes": 180_000,
    "heap bytes": 40 * 1024,
    "heap growth over 10000 calls": 0,
    "pkcs11-tool --sign, seconds at 115200": 0.6,
}

# Runs on the board: a Server that reads its requests from memory and writes its answers nowhere, a
# connection to it, a key pair and 62 more objects.
HARNESS = r"""
import gc, time
from binascii import crc32
from struct import pack, pack_into
import pkcs11
from pkcs11 import application
from pkcs11.rpc_server import Server, DEVELOPMENT

gc.collect()
before = gc.mem_alloc()

class Source:
    def __init__(self):
        self.body = None
        self.left = 0
        self.sequence = 0
        self.frame = None
        self.view = None
        self.at = 0
        self.start = 0
        self.connection = 1
        self.kind = 2
    def load(self, kind, body, times):
        self.left = times
        self.kind = kind
        self.body = body
        self.frame = bytearray(11 + len(body))
        self.view = memoryview(self.frame)
        pack_into(">BBBBH", self.frame, 0, 0xF5, kind, self.connection, 0, len(body))
        self.frame[7:7 + len(body)] = body
        self.at = len(self.frame)
    def readinto(self, buf):
        n = len(buf)
        if self.at == len(self.frame):
            if not self.left:
                return 0
            self.left -= 1
            f = self.frame
            self.sequence = (self.sequence + 1) & 255
            f[3] = self.sequence
            f[6] = 0xFF ^ f[0] ^ f[1] ^ f[2] ^ f[3] ^ f[4] ^ f[5]
            end = len(f) - 4
            pack_into("<I", f, end, crc32(self.view[:end]))
            self.at = 0
            if collect:
                gc.collect()
        buf[:] = self.view[self.at:self.at + n]
        self.at += n
        if self.at == len(self.frame):
            self.start = ticks_cpu()
        return n

class Sink:
    def __init__(self):
        self.n = self.first = self.total = self.worst = 0
        self.least = 1 << 29
        self.last = b""
    def write(self, data):
        t = (ticks_cpu() - source.start) & 0x3FFFFFFF
        if keep:
            self.last = bytes(data[7:-4])
        if not self.n:
            self.first = t
        else:
            self.total += t
            self.least = min(self.least, t)
            self.worst = max(self.worst, t)
        self.n += 1
        return len(data)

def run(kind, body, times, name=None):
    sink.n = sink.first = sink.total = sink.worst = 0
    sink.least = 1 << 29
    source.load(kind, body, times)
    server._greet = lambda: None
    try:
        server.serve()
    except EOFError:
        pass
    if name:
        rest = times - 1
        print("RESULT", name, sink.first, sink.total // rest, sink.least, sink.worst)
    return sink.last

def u(v):
    return pack(">Q", v)

def body(number, signature, args=b""):
    return pack(">II", number, len(signature)) + signature + args

ticks_cpu = time.ticks_cpu
t0 = ticks_cpu(); t1 = ticks_cpu()
collect = False
keep = True
source = Source()
sink = Sink()
gc.collect()
mine = gc.mem_alloc()
server = Server(source, sink, application, DEVELOPMENT, b"bench")
gc.collect()
made = gc.mem_alloc()
run(1, b"\1", 1)
hs = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
run(2, body(1, b"ayyay", b"\1" + pack(">I", len(hs)) + hs + b"\0\1" + pack(">I", 1) + b"\0"), 1)
session = run(2, body(10, b"uu", u(1) + u(6)), 1)[-8:]
run(2, body(18, b"uuay", session + u(1) + b"\1" + pack(">I", 4) + b"0000"), 1)
app = server._connections[1].application
s = int.from_bytes(session, "big")
EC = bytes.fromhex("06082a8648ce3d030107")
public, private = app.C_GenerateKeyPair(s, 0x1040,
    [(3, b"bench key"), (0x102, b"1"), (0x180, EC), (1, True), (0x10a, True)],
    [(3, b"bench key"), (0x102, b"1"), (1, True), (0x108, True)])
for i in range(62):
    app.C_CreateObject(s, [(0, 0), (1, True), (3, b"object %d" % i), (0x11, bytes(100))])
print("RESULT", "probe", t1 - t0, 0, 0, 0)
keep = False

def attrs(handle, kinds, room=4096):
    pairs = b"".join([pack(">II", k, room) for k in kinds])
    return body(24, b"uufA", session + u(handle) + pack(">I", len(kinds)) + pairs)

digest = bytes(range(32))
mech = pack(">II", 0x1041, 0xFFFFFFFF)

# two requests after each other, the answer to each measured; the last answer
def pair(first, second, times, name):
    totals = [0, 0]
    for _ in range(times):
        run(2, first, 1)
        totals[0] += sink.first
        run(2, second, 1)
        totals[1] += sink.first
    print("RESULT", name, 0, totals[0] // times, 0, 0)
    print("RESULT", name + " (second call)", 0, totals[1] // times, 0, 0)

def sign_pair(times, name):
    pair(body(42, b"uMu", session + mech + u(private)),
        body(43, b"uayfy", session + b"\1" + pack(">I", 32) + digest + pack(">I", 64)), times,
        name)
"""

MEASURES = r"""
info = body(13, b"u", session)
five = attrs(private, (0, 3, 0x100, 0x102, 0x108))
for collect in (False, True):
    x = " (collected before each)" if collect else ""
    run(2, info, 101, "empty call" + x)
    run(4, b"12345678", 101, "PING" + x)
    run(2, five, 101, "GetAttributeValue, 5 attributes" + x)
collect = False
run(2, body(13, b"u", u(99)), 101, "refused call")
run(2, body(4, b"yfu", b"\1" + pack(">I", 1)), 101, "GetSlotList")
run(2, body(6, b"u", u(1)), 101, "GetTokenInfo")
run(2, attrs(public, (0x181,)), 101, "GetAttributeValue, EC_POINT")
run(2, body(64, b"ufy", session + pack(">I", 16)), 101, "GenerateRandom, 16 bytes")

sign_pair(10, "SignInit")

gc.collect()
start = gc.mem_alloc()
for name, request in (("info", info), ("attributes", five)):
    run(2, request, 5000)
gc.collect()
print("RESULT", "heap", made - mine, gc.mem_alloc() - start, start - before, gc.mem_free())
"""


def counting_qemu(folder, sleep="off"):
    """Path of a QEMU under which an instruction takes 1 ns of the board's time.

    sleep "off": a wait passes at once, for a board alone; "on": it takes its time, for one that
    waits for others.
    """
    wrapper = folder / "qemu"
    wrapper.write_text(f'#!/bin/sh\nexec {QEMU} -icount shift=0,sleep={sleep} "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return str(wrapper)


def execute(board, code):
    """Run code on a board; {name: [numbers]} of the lines that begin with RESULT."""
    found = {}
    with Link(board.port) as link:
        output, trace = link.execute(code, SECONDS)
    if trace:
        raise SystemExit(f"the board failed: {trace}")
    for line in output.splitlines():
        if line.startswith("RESULT "):
            *words, first, mean, least, worst = line.split()[1:]
            found[" ".join(words)] = [int(first), int(mean), int(least), int(worst)]
    return found


def instructions(folder, build):
    """What MEASURES finds on an emulated board that counts instructions."""
    board = EmulatedBoard(folder, build, counting_qemu(folder))
    try:
        return execute(board, HARNESS + MEASURES)
    finally:
        board.stop()


def main():
    """Measure, print, write the file; exit code 1 when a limit is missed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, default=ROOT / "build" / "bench-rpc.json")
    arguments.add_argument("--build", type=Path, default=BUILD, help="directory of the firmware")
    options = arguments.parse_args()
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "count").mkdir()
        raw = instructions(folder / "count", options.build)
        (folder / "wire").mkdir()
        programs = bench_wire.measure(folder / "wire", options.build)
    heap = raw.pop("heap")
    counts = {
        name: {
            "first": values[0] * INSTRUCTIONS_PER_TICK,
            "mean": values[1] * INSTRUCTIONS_PER_TICK,
        }
        for name, values in raw.items()
    }
    measured = {
        # the bounds are for the figures without garbage collection
        "empty call": counts["empty call (collected before each)"]["mean"],
        "GetAttributeValue, 5 attributes": counts[
            "GetAttributeValue, 5 attributes (collected before each)"
        ]["mean"],
        "heap bytes": heap[0],
        "heap growth over 10000 calls": heap[1],
        "pkcs11-tool --sign, seconds at 115200": programs["pkcs11-tool --sign"][
            "seconds at 115200 baud"
        ],
    }
    limits = {
        one.name: {"round trips": one.trips, "bytes": one.size} for one in bench_wire.OPERATIONS
    }
    result = {
        "limits": LIMITS,
        "limits of programs": limits,
        "measured": measured,
        "instructions": counts,
        "programs": programs,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n")
    for name, values in counts.items():
        print(f"{name:<52} {values['first']:>10} first {values['mean']:>10} mean")
    for name, values in programs.items():
        print(f"{name:<30} " + ", ".join(f"{value} {key}" for key, value in values.items()))
    failed = False
    for name, limit in LIMITS.items():
        good = measured[name] <= limit
        failed |= not good
        print(f"{'ok' if good else 'MISSED'}  {name}: {measured[name]} (limit {limit})")
    for sentence in bench_wire.missed(programs):
        failed = True
        print(f"MISSED  {sentence}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
