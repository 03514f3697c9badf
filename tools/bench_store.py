# SPDX-License-Identifier: MIT
"""`make bench-store`: what the store costs in flash, RAM and time -> build/bench-store.json.

Flash bytes and the operations of a clean mount are counted in the simulator (16 sectors of 4 KiB,
units of 16 bytes); RAM and instructions on the emulated Cortex-M4 (-icount
shift=0: one instruction is one nanosecond), repeatable to 1 %. An object is 200 bytes as handed to the
store, label included. What an object takes in flash is what one more of them adds; the cells that
a sector needs once are given beside it.
"""

import argparse
import json
import random
import stat
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATHS = ("tools", "host_tests", "host_tests/twin", "host_tests/rpc", "firmware", "")
sys.path[:0] = [str(ROOT / name) for name in PATHS]

from flashsim import Flash, Geometry  # noqa: E402
from harness import BUILD, EmulatedBoard  # noqa: E402

from p11board.emulator import QEMU  # noqa: E402
from p11board.transport import Link  # noqa: E402
from pal.flash import ZERO_ANY  # noqa: E402
from pal.store import Store  # noqa: E402

OBJECTS = 64
SIZE = 200
SECTORS = 16
SECTOR = 4096
INSTRUCTIONS_PER_TICK = 5  # ticks_cpu counts a 200 MHz clock, an instruction takes 1 ns
SECONDS = 600

RAM_BASE = 2048
RAM_PER_RECORD = 16

LIMITS = {
    "flash bytes per object": 256,
    "flash bytes per object after collection": 224,
    "clean mount, programs": 0,
    "clean mount, erases": 0,
    "clean mount, reads of one byte": 1,
    "RAM bytes": None,  # RAM_BASE + RAM_PER_RECORD for each record in flash
    "mount instructions": 8_000_000,
    "health instructions": 60_000,
    "C_GetTokenInfo instructions": 150_000,
}

ON_BOARD = """
import gc, time
import geometry
from pal.store import Store
from p11crypto import random

def measured():
    gc.collect()
    before = gc.mem_alloc()
    store = Store(geometry.device(), random)
    start = time.ticks_cpu()
    store.mount()
    ticks = (time.ticks_cpu() - start) & 0x3FFFFFFF
    gc.collect()
    return store, ticks, gc.mem_alloc() - before

first = Store(geometry.device(), random)
first.mount()
first.commit([(0x100, 0, 0, b"x", b"x")])
first.commit([], [0x100])
first.format()
first.commit([(0x100, 0, 0, b"x", b"x")])
first.commit([], [0x100])
first = None
store, _, _ = measured()
store = None
store, ticks, ram = measured()
print("RESULT", "empty", store.index.words // 8, ticks, ram)
label = b"label"
data = bytes([1 + (i & 63) for i in range(%d - len(label))])
for i in range(%d):
    store.commit([(0x200 + i, 0, i & 1, label, data)])
store = None
store, ticks, ram = measured()
assert len(list(store.ids())) == %d
print("RESULT", "full", store.index.words // 8, ticks, ram)

def timed(call):
    start = time.ticks_cpu()
    call()
    return (time.ticks_cpu() - start) & 0x3FFFFFFF

store.index.live = -1
print("RESULT", "health", timed(store.health), timed(store.health))
import pkcs11
app = pkcs11.application()
app.C_Initialize()
app.C_GetTokenInfo(1)
gc.collect()
print("RESULT", "token", timed(lambda: app.C_GetTokenInfo(1)))
""" % (SIZE, OBJECTS, OBJECTS)


class CountingFlash(Flash):
    """A simulated flash that counts how often each byte is read."""

    def __init__(self, geometry):
        super().__init__(geometry)
        self.reads = [0] * len(self.data)

    def read(self, offset, buf):
        """As Flash.read."""
        for at in range(offset, offset + len(buf)):
            self.reads[at] += 1
        return super().read(offset, buf)

    raw_read = read


def fresh():
    """A simulated region, and an empty store on it."""
    flash = CountingFlash(Geometry(1, SECTOR, SECTORS, ZERO_ANY, 256))
    rng = random.Random(1)
    store = Store(flash, lambda buf: buf.__setitem__(slice(None), rng.randbytes(len(buf))))
    store.mount()
    store.commit([(0x100, 0, 0, b"x", b"x")])
    store.commit([], [0x100])
    return flash, store


def put(store, count):
    """Store so many objects of SIZE bytes, each in a call of its own."""
    label = b"label"
    for number in range(count):
        data = bytes((number + i) & 0x7F for i in range(SIZE - len(label)))
        store.commit([(0x200 + number, 0, 0, label, data)])


def used(flash):
    """Bytes of cells that are not erased."""
    cell = b"\xff" * 16
    data = bytes(flash.data)
    return sum(16 for at in range(0, len(data), 16) if data[at : at + 16] != cell)


def collected(count):
    """Bytes of a sector with `count` objects after garbage collection."""
    flash, store = fresh()
    put(store, count)
    before = used(flash)
    store.evacuate(store.active)
    target = max(range(store.count), key=lambda s: store.seq[s] if store.tail[s] else -1)
    assert used(flash) < before
    return (store.tail[target] - store.body) * store.z


def simulated():
    """Flash bytes and the operations of a clean mount, counted in the simulator."""
    flash, store = fresh()
    start = used(flash)
    put(store, 10)
    per_object = (used(flash) - start) / 10
    few, many = collected(4), collected(12)
    after = (many - few) / 8
    flash, store = fresh()
    put(store, OBJECTS)
    programs, erases = flash.programs, flash.erases
    flash.reads = [0] * len(flash.data)
    store.mount()
    assert len(list(store.ids())) == OBJECTS
    return {
        "flash bytes per object": per_object,
        "flash bytes per object after collection": after,
        "flash bytes of a sector's own cells after collection": many - 12 * after,
        "clean mount, programs": flash.programs - programs,
        "clean mount, erases": flash.erases - erases,
        "clean mount, reads of one byte": max(flash.reads),
        "clean mount, bytes read": sum(flash.reads),
    }


def on_board(folder, build):
    """Run ON_BOARD on an emulated board that counts instructions."""
    wrapper = folder / "qemu"
    wrapper.write_text(f'#!/bin/sh\nexec {QEMU} -icount shift=0,sleep=off "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    board = EmulatedBoard(folder, build, str(wrapper))
    try:
        with Link(board.port) as link:
            output, trace = link.execute(ON_BOARD, SECONDS)
    finally:
        board.stop()
    if trace:
        raise SystemExit(f"bench_store: the board failed: {trace}")
    found = {}
    for line in output.splitlines():
        if line.startswith("RESULT "):
            _, name, *numbers = line.split()
            found[name] = [int(number) for number in numbers]
    records, ticks, ram = found["full"]
    records_before, ticks_before, ram_before = found["empty"]
    first, again = found["health"]
    return {
        "RAM bytes": ram - ram_before,
        "RAM bytes of an empty store": ram_before,
        "records in flash": records,
        "records in flash of an empty store": records_before,
        "mount instructions": ticks * INSTRUCTIONS_PER_TICK,
        "mount instructions of an empty store": ticks_before * INSTRUCTIONS_PER_TICK,
        "health instructions after a change": first * INSTRUCTIONS_PER_TICK,
        "health instructions": again * INSTRUCTIONS_PER_TICK,
        "C_GetTokenInfo instructions": found["token"][0] * INSTRUCTIONS_PER_TICK,
    }


def main():
    """Measure, print, write the file; exit code 1 when a limit is missed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, default=ROOT / "build" / "bench-store.json")
    arguments.add_argument("--build", type=Path, default=BUILD, help="directory of the firmware")
    options = arguments.parse_args()
    measured = simulated()
    with tempfile.TemporaryDirectory() as name:
        measured.update(on_board(Path(name), options.build))
    limits = dict(LIMITS)
    limits["RAM bytes"] = RAM_BASE + RAM_PER_RECORD * measured["records in flash"]
    result = {"limits": limits, "measured": measured}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n")
    failed = False
    for name, value in measured.items():
        verdict = "      "
        if name in limits:
            verdict = "ok    " if value <= limits[name] else "MISSED"
            failed |= value > limits[name]
        limit = f" (limit {limits[name]:,})" if name in limits else ""
        print(
            f"{verdict}  {name}: {value:,g}{limit}"
            if value < 1e5
            else f"{verdict}  {name}: {value:,}{limit}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
