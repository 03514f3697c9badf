# SPDX-License-Identifier: MIT
"""`make cuts [SIZE=n]`: the store against power cuts, at every operation and at random, on all cores.

Half of the runs and more are random chains of up to 7 cuts; the others cut at every flash operation
of calls that write, at every operation of the recovery, in events, in creation and in factory reset,
on scaled regions and on erase sizes of real parts. Of the random ones a quarter has bits and read
faults that are drawn anew at every read, and some have sectors that wear out. Writes build/cuts.json
{"runs", "distinct", "points", "failures", ...}, twice a minute while it works. Exit code 1 when a
run failed; each failure names the job that repeats it (--repeat).
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
    "random": (0.50, 250),
    "worn": (0.04, 150),
    "nested": (0.24, 1),
    "single": (0.15, 6),
    "events": (0.02, 2),
    "create": (0.02, 4),
    "reset": (0.02, 1),
    "ones": (0.005, 2),
    "real": (0.005, 1),
}
# runs of one job, for the plan; corrected by what comes back
GUESSES = {"random": 250, "worn": 150, "nested": 900, "single": 800}
REAL_RUNS = 200  # at least, for each real geometry
RANDOM_SHARE = 0.5  # of all runs, at least
SAVE_SECONDS = 30


def job(kind, number, seed, size):
    """One piece of work in a worker process: returns the counts and the failures."""
    gc.disable()
    start = time.process_time()
    if kind == "real":
        tally = cutting.single(cutting.real_geometries()[number], seed, size)
    else:
        geometry = cutting.geometries()[number]
        if kind == "random":
            tally = cutting.at_random(geometry, seed, size, flicker=seed % 4 == 3)
        else:
            tally = cutting.KINDS[kind](geometry, seed, size)
    tally.failures = [f"[{kind},{number},{seed},{size}] {each}" for each in tally.failures]
    gc.collect()
    return kind, number, tally, time.process_time() - start


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
        regions = cutting.real_geometries() if kind == "real" else cutting.geometries()
        name = repr(regions[number])
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

    def done(self, kind, pending):
        """How far a kind has come with its share."""
        return (self.by_kind[kind] + pending) / SHARES[kind][0]

    def enough(self):
        """True when the size, the share of random chains and the real geometries are reached."""
        total = self.total
        least = min(REAL_RUNS, self.size // 100)
        return (
            total.runs >= self.size
            and total.random >= RANDOM_SHARE * total.runs
            and all(self.by_geometry.get(repr(g), 0) >= least for g in cutting.real_geometries())
        )

    def report(self, complete):
        """What build/cuts.json says."""
        total = self.total
        return {
            "runs": total.runs,
            "distinct": total.distinct,
            "points": total.points,
            "failures": len(total.failures),
            "complete": complete,
            "repeats": total.repeats,
            "random": total.random,
            "cuts": total.cuts,
            "by_kind": self.by_kind,
            "by_geometry": self.by_geometry,
            "cpu_milliseconds_per_run": round(1000 * self.busy / max(1, total.runs), 3),
            "seconds": round(time.monotonic() - self.start),
            "failed": total.failures[:100],
        }

    def save(self, path, complete=False):
        """Write the report."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.report(complete), indent=1) + "\n")


def jobs(progress, offset):
    """Endless jobs, each of the kind that is furthest behind its share."""
    scaled = len(cutting.geometries())
    real = len(cutting.real_geometries())
    given = dict.fromkeys(SHARES, 0)
    pending = dict.fromkeys(SHARES, 0)
    while True:
        kind = min(SHARES, key=lambda k: progress.done(k, pending[k]))
        if progress.total.runs >= progress.size:
            kind = "real" if given["real"] < real else "random"  # what is still missing
        count = given[kind]
        given[kind] += 1
        pending[kind] = max(0, GUESSES.get(kind, 250) * given[kind] - progress.by_kind[kind])
        geometries = real if kind == "real" else scaled
        yield kind, count % geometries, offset + count // geometries, SHARES[kind][1]


def run(size, workers, offset=0, save=None):
    """Run at least `size` runs; save: path of the report. Returns the Progress."""
    progress = Progress(size)
    source = jobs(progress, offset)
    saved = time.monotonic()
    with multiprocessing.Pool(workers, maxtasksperchild=50) as pool:
        waiting = []
        while waiting or not progress.enough():
            while not progress.enough() and len(waiting) < 2 * workers:
                waiting.append(pool.apply_async(job, next(source)))
            finished = [result for result in waiting if result.ready()]
            for result in finished:
                waiting.remove(result)
                progress.add(*result.get())
            if save and time.monotonic() - saved > SAVE_SECONDS:
                progress.save(save)
                saved = time.monotonic()
            if not finished:
                time.sleep(0.02)
    if progress.tty:
        print(file=sys.stderr)
    return progress


def repeat(words):
    """Run one job again: "kind,number,seed,size", as a failure names it. Returns the exit code."""
    kind, *numbers = words.strip("[]").split(",")
    _, _, tally, _ = job(kind, *[int(each) for each in numbers])
    print("\n".join(tally.failures) or f"no failure in {tally.runs} runs")
    return 1 if tally.failures else 0


def main():
    """Parse the command line, run, write build/cuts.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="runs, at least")
    parser.add_argument("--seed", type=int, default=0, help="first seed; 0 repeats the same runs")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "cuts.json")
    parser.add_argument("--repeat", metavar="JOB", help="run a job that failed again")
    arguments = parser.parse_args()
    if arguments.repeat:
        return repeat(arguments.repeat)
    progress = run(arguments.size, arguments.workers, arguments.seed, arguments.out)
    progress.save(arguments.out, complete=True)
    total = progress.total
    print(
        f"cuts: {total.runs} runs ({total.distinct} distinct, {total.repeats} repeats, "
        f"{total.random} random chains), {total.cuts} cuts, {total.points} points, "
        f"{len(total.failures)} failures, {time.monotonic() - progress.start:.0f} s"
    )
    return 1 if total.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
