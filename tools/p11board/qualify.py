# SPDX-License-Identifier: MIT
"""The qualification run of a board, read from what its UART prints (`pkcs11.runner`).

Promises that a run without its summary is no result: the line going dead, or a token that cannot
be used, is a Problem. Lines that are not of the guide's format are kept as the log.
"""

import json
import re
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from p11board.errors import TokenError, TransportProblem, UsageProblem

CODE = "from pkcs11 import runner\nrunner.serve_line()"
FREE = "import gc\ngc.collect()\nprint(gc.mem_free())"
SHORT = 48 << 10  # bytes of heap: with less a run is not begun in what other programs left of it
SILENCE = 900  # seconds: the random walks are one test

PASS, FAIL, IGNORED = "pass", "fail", "ignored"

TEST = re.compile(r"TEST\((\S+), (\S+)\)(?:( PASS)|(.*):(\d+)::FAIL: (.*))?$")
SUMMARY = re.compile(r"(\d+) Tests (\d+) Failures (\d+) Ignored")
COUNT = re.compile(r"qualification: (\d+) tests")
PATHS = re.compile(r"model: (\d+) different paths")


@dataclass
class Result:
    """One test: verdict is PASS, FAIL or IGNORED; file, line and message of a failure."""

    group: str
    name: str
    verdict: str
    seconds: float
    file: str = ""
    line: int = 0
    message: str = ""


@dataclass
class Run:
    """What a run said so far. Feed it with the bytes of the line."""

    progress: object = None  # called with (tests done, tests in all or None)
    results: list = field(default_factory=list)
    log: list = field(default_factory=list)
    total: int | None = None
    paths: int = 0
    summary: tuple | None = None  # tests, failures, ignored
    verdict: str = ""
    finished: bool = False
    _rest: bytes = b""
    _since: float = field(default_factory=time.monotonic)

    def feed(self, data):
        """More bytes."""
        self._rest += data
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            self._line(line.decode(errors="replace").rstrip("\r"))

    def _line(self, line):
        self.log.append(line)
        if found := TEST.match(line):
            group, name, passed, file, number, message = found.groups()
            now = time.monotonic()
            verdict = PASS if passed else FAIL if message is not None else IGNORED
            where = (file or "", int(number or 0), message or "")
            self.results.append(Result(group, name, verdict, now - self._since, *where))
            self._since = now
            if self.progress:
                self.progress(len(self.results), self.total)
        elif found := SUMMARY.match(line):
            self.summary = tuple(map(int, found.groups()))
        elif found := COUNT.match(line):
            self.total = int(found[1])
        elif found := PATHS.match(line):
            self.paths = int(found[1])
        elif self.summary and line in ("OK", "FAIL"):
            self.verdict = line
        elif line == "-------ALL TESTS FINISHED-------":
            self.finished = True

    def check(self):
        """Raise a Problem unless the run came to its end and its summary is that of its lines."""
        if not self.finished or not self.summary or not self.verdict:
            raise _no_result(self.log)
        counted = tuple(
            sum(1 for one in self.results if verdict in (None, one.verdict))
            for verdict in (None, FAIL, IGNORED)
        )
        if counted != self.summary:
            raise TransportProblem(
                f"the summary says {self.summary}, the lines say {counted}",
                "something else printed on the line, or a part of it was lost: try again",
            )

    @property
    def good(self):
        """Whether nothing failed."""
        return self.verdict == "OK" and not self.summary[1]

    def facts(self):
        """The numbers, for --json."""
        tests, failures, ignored = self.summary
        counts = {"tests": tests, "failures": failures, "ignored": ignored}
        return {**counts, "paths": self.paths}


def _no_result(log):
    last = next((line for line in reversed(log) if line.strip()), "nothing")
    try:
        answer = json.loads(last)
        error = answer["error"]
    except (ValueError, TypeError, KeyError):
        return TransportProblem(
            f"the run did not come to its end (last line: {last[:80]!r})",
            "reset the board and try again",
        )
    if error.startswith("switches: "):
        return UsageProblem(error.removeprefix("switches: "))
    return TokenError(error, answer.get("code"))


def run(board, switches, progress=None):
    """Run the qualification on a Board; returns the finished Run.

    A board whose heap is short is restarted first: a soft reset, as by mpremote.
    """
    result = Run(progress)
    request = {"pin": board.pin().decode(), **switches}
    free, _ = board.link.execute(FREE)
    if free.strip().isdigit() and int(free) < SHORT:
        board.link.restart()
    board.link.follow(CODE, json.dumps(request).encode(), result.feed, SILENCE)
    result.check()
    return result


def junit(result, board_name):
    """The run as JUnit XML, bytes."""
    tests, failures, ignored = result.summary
    root = ET.Element(
        "testsuites", tests=str(tests), failures=str(failures), skipped=str(ignored), errors="0"
    )
    for group in dict.fromkeys(one.group for one in result.results):
        members = [one for one in result.results if one.group == group]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=group,
            hostname=board_name,
            tests=str(len(members)),
            failures=str(sum(one.verdict == FAIL for one in members)),
            skipped=str(sum(one.verdict == IGNORED for one in members)),
            errors="0",
            time=f"{sum(one.seconds for one in members):.3f}",
        )
        for one in members:
            case = ET.SubElement(
                suite, "testcase", classname=group, name=one.name, time=f"{one.seconds:.3f}"
            )
            if one.verdict == FAIL:
                failure = ET.SubElement(case, "failure", message=_xml(one.message))
                failure.text = f"{one.file}:{one.line}: {_xml(one.message)}"
            elif one.verdict == IGNORED:
                ET.SubElement(case, "skipped")
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _xml(text):
    """Text without the control characters that XML cannot carry."""
    return "".join(c if c.isprintable() else "?" for c in text)


def report(result, facts):
    """The run for a person: what was tested, each verdict, the board's own words."""
    tests, failures, ignored = result.summary
    lines = [
        f"Qualification of {facts.get('board', '?')}, firmware {facts.get('firmware', '?')}",
        "",
        f"{'PASSED' if result.good else 'FAILED'}: {tests} tests, {failures} failures, "
        f"{ignored} ignored; {result.paths} different paths through the model",
    ]
    for group in dict.fromkeys(one.group for one in result.results):
        lines += ["", group]
        for one in (one for one in result.results if one.group == group):
            seconds = f"{one.seconds:7.2f} s" if one.verdict != IGNORED else ""
            lines.append(f"  {one.verdict:<7}  {one.name:<42} {seconds}".rstrip())
            if one.verdict == FAIL:
                lines.append(f"           {one.file}:{one.line}: {one.message}")
    return "\n".join([*lines, "", "What the board printed:", "", *result.log]) + "\n"
