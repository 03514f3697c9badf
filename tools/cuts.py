# SPDX-License-Identifier: MIT
"""`make cuts [SIZE=n]`: the store against power cuts, at every operation and at random, on all cores.

Half of the runs and more are random chains of up to 7 cuts; the others cut at every flash operation
of calls that write, at every operation of the recovery, in creation and in factory reset, on scaled
regions and on erase sizes of real parts. Writes build/cuts.json {"runs", "distinct", "points",
"failures", ...}. Exit code 1 when a run failed; each failure names what repeats it.
"""

import argparse
import gc
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in ("host_tests/store", "host_tests", "host_tests/twin", "."):
    sys.path.insert(0, str(ROOT / folder))

import cutting  # noqa: E402

# kind of run: (share of all runs, size of one job)
SHARES = {
    "random": (0.56, 250),
    "nested": (0.22, 1),
    "single": (0.16, 6),
    "create": (0.02, 4),
    "reset": (0.02, 1),
    "ones": (0.01, 2),
    "real": (0.01, 1),
}
REAL_RUNS = 200  # at least, for each real geometry


def job(kind, number, seed, size):
    """One piece of work in a worker process: returns the counts and the failures."""
    gc.disable()
    start = time.monotonic()
    if kind == "real":
        geometry = cutting.real_geometries()[number]
        tally = cutting.single(geometry, seed, size)
    else:
        geometry = cutting.geometries()[number]
        if kind == "random":
            tally = cutting.at_random(geometry, seed, size, flicker=seed % 4 == 3)
        else:
            tally = cutting.KINDS[kind](geometry, seed, size)
    gc.collect()
    return kind, number, tally, time.monotonic() - start


class Progress:
    """What was done so far, shown on a terminal only."""

    def __init__(self, size):
        self.size = size
        self.total = cutting.Tally()
        self.by_kind = dict.fromkeys(SHARES, 0)
        self.by_geometry = {}
        self.busy = 0.0
        self.start = time.monotonic()
        self.tty = sys.stderr.isatty()

    def add(self, kind, number, tally, seconds):
        """Take the result of a job."""
        self.total.add(tally)
        self.by_kind[kind] += tally.runs
        name = ("real " if kind == "real" else "") + str(number)
        self.by_geometry[name] = self.by_geometry.get(name, 0) + tally.runs
        self.busy += seconds
        for failure in tally.failures:
            print(("\r" if self.tty else "") + "FAILED " + failure, file=sys.stderr)
        if self.tty:
            done = min(1.0, self.total.runs / self.size)
            bar = "#" * int(40 * done)
            print(
                f"\rcuts [{bar:40}] {self.total.runs} runs, {len(self.total.failures)} failures ",
                end="",
                file=sys.stderr,
            )

    def deficit(self, kind, pending):
        """How far a kind is behind its share."""
        share = SHARES[kind][0]
        return share - (self.by_kind[kind] + pending) / self.size


def jobs(progress, offset):
    """Endless jobs, each of the kind that is furthest behind."""
    scaled = len(cutting.geometries())
    real = len(cutting.real_geometries())
    counters = dict.fromkeys(SHARES, 0)
    guess = {"random": 250, "nested": 900, "single": 800, "create": 160, "reset": 350, "ones": 250}
    pending = dict.fromkeys(SHARES, 0)
    while True:
        kind = max(SHARES, key=lambda k: progress.deficit(k, pending[k]))
        count = counters[kind]
        counters[kind] += 1
        pending[kind] = max(0, guess.get(kind, 200) * counters[kind] - progress.by_kind[kind])
        geometries = real if kind == "real" else scaled
        yield kind, count % geometries, offset + count // geometries, SHARES[kind][1]


def run(size, workers, offset=0):
    """Run at least `size` runs. Returns the Progress."""
    progress = Progress(size)
    source = jobs(progress, offset)
    with multiprocessing.Pool(workers, maxtasksperchild=50) as pool:
        waiting = []
        enough = False
        while waiting or not enough:
            while not enough and len(waiting) < 2 * workers:
                waiting.append(pool.apply_async(job, next(source)))
            finished = [result for result in waiting if result.ready()]
            for result in finished:
                waiting.remove(result)
                progress.add(*result.get())
            enough = progress.total.runs >= size and all(
                progress.by_geometry.get(f"real {i}", 0) >= min(REAL_RUNS, size // 100)
                for i in range(len(cutting.real_geometries()))
            )
            if not finished:
                time.sleep(0.02)
    if progress.tty:
        print(file=sys.stderr)
    return progress


def main():
    """Parse the command line, run, write build/cuts.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="runs, at least")
    parser.add_argument("--seed", type=int, default=0, help="first seed; 0 repeats the same runs")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "cuts.json")
    arguments = parser.parse_args()
    progress = run(arguments.size, arguments.workers, arguments.seed)
    total = progress.total
    seconds = time.monotonic() - progress.start
    report = {
        "runs": total.runs,
        "distinct": total.distinct,
        "random": total.random,
        "points": total.points,
        "cuts": total.cuts,
        "failures": len(total.failures),
        "by_kind": progress.by_kind,
        "milliseconds_per_run": round(1000 * progress.busy / max(1, total.runs), 3),
        "seconds": round(seconds),
        "failed": total.failures[:100],
    }
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print(
        f"cuts: {total.runs} runs ({total.random} random chains), {total.cuts} cuts, "
        f"{total.points} points, {len(total.failures)} failures, {seconds:.0f} s"
    )
    return 1 if total.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
