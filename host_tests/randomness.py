# SPDX-License-Identifier: MIT
"""The verdicts of ent and dieharder (Debian's packages) on a file of random bytes.

No test of this kind proves entropy; a stream that fails one is broken. The bounds of ent are at
five standard deviations and more, those of dieharder are its own (FAILED is p < 10^-6), so that a
good stream fails about once in a million runs.
"""

import math
import re
import subprocess

SIGMAS = 5
CHI_SQUARE_SIGMAS = 6  # of 255 degrees of freedom: mean 255, variance 510; its tail is heavier
DIEHARDER = (15, 100, 101)  # diehard_runs, sts_monobit, sts_runs: 100 000 words a sample
WORDS, SAMPLES = 100_000, 19
DIEHARDER_BYTES = 8 << 20  # fewer, and good streams fail too often


def ent(path):
    """What is wrong with a file according to ent, as a list of words."""
    rows = {}
    for mode in ((), ("-b",)):
        printed = _run("ent", "-t", *mode, path)
        names, values = (line.split(",")[1:] for line in printed.splitlines()[:2])
        rows.update({name: float(value) for name, value in zip(names, values)})
        if not mode:
            of_bytes = {**rows}
    count = of_bytes["File-bytes"]
    serial = SIGMAS / math.sqrt(count)
    bounds = {
        # a byte has mean 127.5 and standard deviation 73.9
        "Mean": (127.5, SIGMAS * 73.9 / math.sqrt(count)),
        "Chi-square": (255, CHI_SQUARE_SIGMAS * math.sqrt(510)),
        "Serial-Correlation": (0, serial),
        # the plug-in estimate of n bytes falls short of 8 by about 255 / (2 n ln 2)
        "Entropy": (8 - 255 / (2 * count * math.log(2)), 8 * 255 / (2 * count * math.log(2))),
        "Monte-Carlo-Pi": (math.pi, SIGMAS * 1.65 / math.sqrt(count / 6)),
    }
    bad = [
        f"{name} {of_bytes[name]:g}"
        for name, (middle, distance) in bounds.items()
        if not abs(of_bytes[name] - middle) <= distance
    ]
    bits = SIGMAS * 0.5 / math.sqrt(rows["File-bits"])
    if not abs(rows["Mean"] - 0.5) <= bits:
        bad.append(f"bits: mean {rows['Mean']:g}")
    if not abs(rows["Serial-Correlation"]) <= SIGMAS / math.sqrt(rows["File-bits"]):
        bad.append(f"bits: correlation {rows['Serial-Correlation']:g}")
    return bad


def dieharder(path):
    """What dieharder finds FAILED in a file of at least DIEHARDER_BYTES."""
    assert path.stat().st_size >= DIEHARDER_BYTES
    bad = []
    for number in DIEHARDER:
        printed = _run(
            "dieharder", "-g", "201", "-f", path, "-d", number, "-t", WORDS, "-p", SAMPLES
        )
        assert "rewound" not in printed, printed
        verdicts = re.findall(r"^ *(\w+)\|.*\| +(PASSED|WEAK|FAILED) +$", printed, re.M)
        assert verdicts, printed
        bad += [name for name, verdict in verdicts if verdict == "FAILED"]
    return bad


def _run(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and done.stdout, (words, done.stderr)
    return done.stdout
