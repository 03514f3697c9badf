# SPDX-License-Identifier: MIT
"""The verdict over what host_tests/layer_coverage.py measured: is firmware/pkcs11 tested enough?"""

import json

from coverage import Coverage

LINES = 100.0  # percent of the statements
BRANCHES = 95.0


def verdict(folder):
    """Combine the data files in a folder, print figures and gaps; return whether it is enough.

    Leaves coverage.json there.
    """
    coverage = Coverage(data_file=str(folder / "combined"), config_file=False, branch=True)
    coverage.combine([str(path) for path in sorted(folder.glob("coverage.*"))], keep=True)
    report = folder / "report.json"
    coverage.json_report(outfile=str(report))
    found = json.loads(report.read_text())
    totals = found["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    for name, file in found["files"].items():
        if file["missing_lines"]:
            print("coverage: %s misses lines %s" % (name, _ranges(file["missing_lines"])))
        for start, stop in file["missing_branches"]:
            print("coverage: %s misses the branch %d to %d" % (name, start, stop))
    print(
        "coverage: firmware/pkcs11 %.2f %% of %d lines, %.2f %% of %d branches"
        % (lines, totals["num_statements"], branches, totals["num_branches"])
    )
    return lines >= LINES and branches >= BRANCHES


def _ranges(numbers):
    """Return line numbers as text: 3, 7-9."""
    found = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(
        "%d-%d" % tuple(pair) if pair[0] < pair[1] else str(pair[0]) for pair in found
    )
