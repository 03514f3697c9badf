# SPDX-License-Identifier: MIT
"""Talks to the harness: packs requests, runs the program here or in QEMU, unpacks replies.

The emulated programs run under `-icount shift=0`, where one instruction takes one nanosecond, so
that their counts are exact and repeatable.
"""

import struct
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

NOTHING, PUBLIC, SIGN, SIGN_RFC6979, VERIFY, ECDH, POINT_VALID, SHA256, NOPS = range(9)
MUL, SQR, ADD, SUB, HALF, INVERT, SCALAR_MUL, SCALAR_INVERT = range(16, 24)
WITH_STACK = 0x80000000

REQUEST = struct.Struct("<II32s64s32s32s64s64s")
REPLY = struct.Struct("<IIII64s")
Reply = namedtuple("Reply", "result instructions stack residue out")

# The AST1030 has 768 KiB for program, stack and requests.
BATCH = 1200


def request(op, number=32, **fields):
    """One request: fields scalar, digest, nonce, blind, point, signature (bytes)."""
    names = ("scalar", "digest", "nonce", "blind", "point", "signature")
    assert set(fields) <= set(names)
    return REQUEST.pack(op, number, *(fields.get(name, b"") for name in names))


def _command(program):
    if program.name.startswith("m4"):
        machine = ["qemu-system-arm", "-M", "ast1030-evb"]
    elif program.name.startswith("rv32"):
        machine = ["qemu-system-riscv32", "-M", "virt", "-bios", "none"]
    else:
        return [program, "requests.bin", "replies.bin"]
    return machine + [
        *("-kernel", program, "-icount", "shift=0", "-display", "none", "-monitor", "none"),
        *("-serial", "null", "-semihosting-config", "enable=on,target=native"),
    ]


def _run(program, requests, timeout, prefix):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "requests.bin").write_bytes(b"".join(requests))
        command = [str(x) for x in (*prefix, *_command(program))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError("%s: %d\n%s" % (program.name, done.returncode, done.stderr))
        raw = (Path(folder) / "replies.bin").read_bytes()
    replies = [Reply(*fields) for fields in REPLY.iter_unpack(raw)]
    assert len(replies) == len(requests), "the program stopped early"
    return replies


def perform(program, requests, timeout=300, prefix=()):
    """Replies of a program to a list of requests; prefix: e.g. a valgrind command."""
    replies = []
    for start in range(0, len(requests), BATCH):
        replies += _run(program, requests[start : start + BATCH], timeout, prefix)
    return replies
