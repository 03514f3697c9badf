#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Benchmark of the P-256 engine: instructions on emulated machines, next to mbedTLS.

Builds the reference R (mbedTLS 3.6 tuned, -O2) and the engine with the same compiler for the
same machines (Cortex-M4: -M ast1030-evb; RV32IMC: -M virt), runs them under `-icount shift=0`,
where counts are exact, prints a table and writes build/bench.json. Medians over several keys.

Usage: bench_p256.py [--mbedtls DIR] [--json FILE] [--no-rv32]
Needs: arm-none-eabi-gcc, qemu-system-arm; for RV32 riscv64-unknown-elf-gcc, picolibc,
qemu-system-riscv32. Modelled cycles need the PyPI packages unicorn and pyelftools.
"""

import argparse
import json
import random
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "host_tests" / "p256"))

import p256_build as build  # noqa: E402
import p256_driver as driver  # noqa: E402
from p256_reference import G, N, be, multiply, point_bytes  # noqa: E402

MBEDTLS = "asn1parse asn1write bignum bignum_core constant_time ecdh ecdsa ecp ecp_curves"
MBEDTLS += " hmac_drbg md platform platform_util sha256"

# Measured once with the same method, other people's code: (keygen, sign, verify, ecdh) in
# thousands of instructions. Source: shared facts of the project, performance.md section 2.
ANCHORS = {
    "Emill P256-Cortex-M4 (assembly)": (232, 267, 695, 659),
    "the same, with table scan": (252, 288, 695, 686),
    "mbedTLS as MicroPython ships it, -Os": (26553, 28187, 106462, 76777),
}
# Not the generator: libraries keep a table for that.
OTHER = point_bytes(multiply(0x123456789ABCDEF, G))
OPERATIONS = ("keygen", "sign", "sign_rfc6979", "verify", "ecdh")
GOALS = {  # the engine takes at most R / this
    "m4": {"keygen": 19, "sign": 20, "verify": 24, "ecdh": 16},
    "rv32": {"sign": 10, "verify": 9},
}
LIMITS = {  # of the engine on the Cortex-M4, -O2
    "SHA-256, instructions per byte": 30,
    "text, bytes": 20 * 1024,
    "stack, bytes": 2560,
}


def measure(program, keys=5):
    """Medians of instructions and maxima of stack per operation, and SHA-256 per byte."""
    rng = random.Random(2024)
    stack, counts = driver.WITH_STACK, {name: [] for name in OPERATIONS}
    depth = dict.fromkeys(OPERATIONS, 0)

    def note(name, reply, base):
        assert reply.result, name
        counts[name].append(reply.instructions - base)
        depth[name] = max(depth[name], reply.stack)

    for _ in range(keys):
        fields = {
            "scalar": be(rng.randrange(1, N)),
            "digest": rng.randbytes(32),
            "nonce": be(rng.randrange(1, N)),
            "blind": rng.randbytes(32),
        }
        ops = (driver.PUBLIC, driver.SIGN, driver.SIGN_RFC6979)
        requests = [driver.request(driver.NOTHING)]
        requests += [driver.request(op | stack, **fields) for op in ops]
        base, *replies = driver.perform(program, requests)
        for name, reply in zip(OPERATIONS, replies):
            note(name, reply, base.instructions)
        later = {"point": replies[0].out, "digest": fields["digest"], "signature": replies[1].out}
        verify, ecdh = driver.perform(
            program,
            [
                driver.request(driver.VERIFY | stack, **later),
                driver.request(
                    *(driver.ECDH | stack, 32),
                    **{"scalar": fields["scalar"], "blind": fields["blind"], "point": OTHER},
                ),
            ],
        )
        note("verify", verify, base.instructions)
        note("ecdh", ecdh, base.instructions)
    requests = [driver.request(driver.SHA256, size) for size in (0, 4096)]
    empty, long = driver.perform(program, requests)
    result = {name: round(statistics.median(values)) for name, values in counts.items()}
    result["spread"] = {name: max(v) - min(v) for name, v in counts.items()}
    result["stack"] = depth
    result["sha256_insn_per_byte"] = round((long.instructions - empty.instructions) / 4096, 2)
    return result


def compare(target, mbedtls, keys=5):
    """Figures of the reference and of the engine (-O2 and -Os) on one machine."""
    compiler = build.TARGETS[target]["compiler"]
    bare = build.text_size(build.bare(target, operations="ops_none.c"), compiler)
    config = '-DMBEDTLS_CONFIG_FILE="mbedtls_tuned.h"'
    library = tuple(mbedtls / "library" / (name + ".c") for name in MBEDTLS.split())
    defines = (config, "-I%s" % (mbedtls / "include"), "-I%s" % (mbedtls / "library"))
    reference = build.bare(target, "-O2", "ops_mbedtls.c", defines, library)
    programs = {"R": reference, "engine": build.bare(target)}
    programs["engine_Os"] = build.bare(target, "-Os")
    results = {}
    for name, program in programs.items():
        results[name] = measure(program, keys)
        results[name]["text"] = build.text_size(program, compiler) - bare
    return results


def cycles():
    """Modelled Cortex-M4 cycles of the engine, or None without Unicorn."""
    try:
        from p256_cycles import model
    except ImportError:
        return None
    return model(build.bare("m4"))


def row(name, cells):
    """One line of the table."""
    print("%-40s" % name + "".join("%13s" % cell for cell in cells))


def table(target, results):
    """Prints one machine; returns whether the goals are met."""
    reference, met = results["R"], True
    title = {"m4": "Cortex-M4", "rv32": "RV32IMC"}[target]
    row(title + ", instructions", [*OPERATIONS, "SHA-256/B", "text", "stack"])
    names = {"R": "R: mbedTLS 3.6 tuned, -O2", "engine": "engine -O2", "engine_Os": "engine -Os"}
    for key, name in names.items():
        r = results[key]
        numbers = ["{:,}".format(r[op]) for op in OPERATIONS]
        row(name, [*numbers, r["sha256_insn_per_byte"], r["text"], max(r["stack"].values())])
        if key != "R":
            row("  R / engine", ["%.1f" % (reference[op] / r[op]) for op in OPERATIONS])
    for name, value, limit in goals(target, results):
        good = value <= limit
        met = met and good
        print("  goal %-32s %10s <= %10s: %s" % (name, value, limit, "met" if good else "MISSED"))
    print()
    return met


def goals(target, results):
    """[(what, measured, most)] of one machine."""
    engine, reference = results["engine"], results["R"]
    rows = [
        ("%s, R/%d" % (op, goal), engine[op], reference[op] // goal)
        for op, goal in GOALS[target].items()
    ]
    if target == "m4":
        measured = (engine["sha256_insn_per_byte"], engine["text"], max(engine["stack"].values()))
        rows += [(name, value, limit) for (name, limit), value in zip(LIMITS.items(), measured)]
    return rows


def add(path, **more):
    """Add entries to the JSON file that the parts of `make bench` share."""
    old = json.loads(path.read_text()) if path.exists() else {}
    old.update(more)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(old, indent=1) + "\n")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--mbedtls", type=Path, default=ROOT / "build" / "src" / "mbedtls")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--no-rv32", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.mbedtls / "library" / "ecdsa.c").exists():
        parser.error("no mbedTLS sources in %s: run `make sources`" % arguments.mbedtls)
    targets = ["m4"] + ([] if arguments.no_rv32 or not build.emulator("rv32") else ["rv32"])
    results = {target: compare(target, arguments.mbedtls) for target in targets}
    met = all(table(target, results[target]) for target in targets)
    row("Recorded before, thousands", ["keygen", "sign", "", "verify", "ecdh"])
    for name, (keygen, sign, verify, ecdh) in ANCHORS.items():
        row(name, [keygen, sign, "", verify, ecdh])
    modelled = cycles()
    if modelled:
        numbers = ["{:,}".format(modelled[op]) for op in OPERATIONS]
        row("Modelled Cortex-M4 cycles, no wait", numbers)
    print("One instruction is one count; no board was measured, so nothing here is a time.")
    add(
        arguments.json,
        R=results["m4"]["R"],
        engine=results["m4"]["engine"],
        engine_Os=results["m4"]["engine_Os"],
        sha256_insn_per_byte=results["m4"]["engine"]["sha256_insn_per_byte"],
        rv32=results.get("rv32"),
        modelled_cycles=modelled,
        anchors_in_thousands={
            name: dict(zip(("keygen", "sign", "verify", "ecdh"), row))
            for name, row in ANCHORS.items()
        },
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
