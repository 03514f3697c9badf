# SPDX-License-Identifier: MIT
"""All of an emulated board's SRAM, through QEMU's monitor, and what is found in it."""

import json
import socket
import stat
import struct
import subprocess
from collections import namedtuple

from p11board.emulator import QEMU

SRAM = 0xC0000
WINDOW = 8  # bytes in a row that chance does not explain
SLOTS = 64 + 4  # p11crypto/slots.h: small and large ones
SLOT = "<IBxHI"  # generation, kind, length, address of the value
MASTER = 4

Key = namedtuple("Key", "kind value")


class Monitor:
    """A QEMU program whose memory can be read: start the board with `qemu` in place of QEMU."""

    def __init__(self, folder):
        self._control = folder / "qmp"
        self._file = folder / "sram"
        self.qemu = folder / "qemu"
        options = f"-qmp unix:{self._control},server=on,wait=off"
        self.qemu.write_text(f'#!/bin/sh\nexec {QEMU} "$@" {options}\n')
        self.qemu.chmod(self.qemu.stat().st_mode | stat.S_IXUSR)

    def dump(self):
        """All of the board's SRAM now."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self._control))
            replies = line.makefile()
            assert "QMP" in replies.readline()
            _ask(line, replies, "qmp_capabilities")
            _ask(line, replies, "pmemsave", val=0, size=SRAM, filename=str(self._file))
        return self._file.read_bytes()


def _ask(line, replies, command, **arguments):
    line.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
    for reply in map(json.loads, replies):
        assert "error" not in reply, reply
        if "return" in reply:
            return


def places(memory, secret):
    """Addresses of windows of secret: as bytes, as a little-endian number, as swapped words."""
    words = b"".join(secret[i : i + 4][::-1] for i in range(0, len(secret), 4))
    found = set()
    for form in (secret, secret[::-1], words):
        for i in range(len(form) - WINDOW + 1):
            at = memory.find(form[i : i + WINDOW])
            while at >= 0:
                found.add(at)
                at = memory.find(form[i : i + WINDOW], at + 1)
    return found


def copies(memory, secret):
    """How often a secret of at least WINDOW bytes is in a dump; parts of it count as parts."""
    return len(places(memory, secret)) / (len(secret) - WINDOW + 1)


def keys(memory, elf):
    """What the key slots of the firmware `elf` hold in a dump of its memory."""
    names = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True)
    start = [
        int(line.split()[0], 16) for line in names.stdout.splitlines() if line.endswith(" slots")
    ]
    assert len(start) == 1
    found = []
    size = struct.calcsize(SLOT)
    for at in range(start[0], start[0] + SLOTS * size, size):
        _, kind, length, value = struct.unpack_from(SLOT, memory, at)
        if kind:
            found.append(Key(kind, memory[value : value + length]))
    return found
