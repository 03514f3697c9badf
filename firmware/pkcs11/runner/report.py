# SPDX-License-Identifier: MIT
"""The text of a run, as the guide's runner prints it.

    TEST(Full_PKCS11_EC, AFQP_Sign) PASS
    TEST(Full_PKCS11_EC, AFQP_Sign)pkcs11/runner/ec.py:99::FAIL: Expected 0 Was 145. …

Promises one line for each test, flushed before the test begins up to its closing bracket, and a
summary that counts them. An exception of any kind but KeyboardInterrupt is a failure of its test.
"""

import io
import sys

from ..errors import P11Error

HELPERS = ("bench.py", "report.py")  # a failure is shown at the test that called them


class Failure(Exception):
    """An assertion that does not hold: expected and was (numbers, or None), message."""

    def __init__(self, expected, was, message=""):
        super().__init__(message)
        self.expected = expected
        self.was = was
        self.message = message


def _trace(error):
    text = io.StringIO()
    if hasattr(sys, "print_exception"):
        sys.print_exception(error, text)
    else:  # CPython
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__, file=text)
    return text.getvalue()


def place_of(error):
    """Return "file:line" of the innermost frame that belongs to a test."""
    found = "pkcs11/runner:0"
    for line in _trace(error).split("\n"):
        line = line.strip()
        if not line.startswith('File "') or '", line ' not in line:
            continue
        path, rest = line[6:].split('", line ', 1)
        at = path.rfind("pkcs11/runner/")
        if at >= 0 and not path.endswith(HELPERS):
            found = "%s:%s" % (path[at:], rest.split(",")[0])
    return found


def reason(error):
    """Return what follows FAIL: in the line of a failure."""
    if isinstance(error, Failure):
        if error.expected is None:
            return error.message
        text = "Expected %d Was %d." % (error.expected, error.was)
        return text + " " + error.message if error.message else text
    if isinstance(error, P11Error):
        return "Expected 0 Was %d. %s" % (error.ckr, error.name)
    return " ".join(("%s %s" % (type(error).__name__, error)).split())


class Report:
    """Counts and prints. write: takes text."""

    def __init__(self, write):
        self.write = write
        self.tests = self.failures = self.ignored = 0

    def start(self, line):
        """Print what comes before the first test."""
        self.write(line + "\n---------STARTING TESTS---------\n")

    def test(self, bench, group, name, test):
        """Run one test between bench.set_up and bench.tear_down; None is an ignored one."""
        self.tests += 1
        self.write("TEST(%s, %s)" % (group, name))
        if test is None:
            self.ignored += 1
            self.write("\n")
            return
        failed = None
        try:
            bench.set_up()
            test(bench)
        except Exception as error:
            failed = error
        try:
            bench.tear_down()
        except Exception as error:
            failed = failed or error
        if failed is None:
            self.write(" PASS\n")
        else:
            self.failures += 1
            self.write("%s::FAIL: %s\n" % (place_of(failed), reason(failed)))

    def finish(self):
        """Print the summary and return (tests, failures, ignored)."""
        counts = (self.tests, self.failures, self.ignored)
        self.write("\n" + "-" * 23 + "\n%d Tests %d Failures %d Ignored \n" % counts)
        self.write("FAIL\n" if self.failures else "OK\n")
        self.write("-------ALL TESTS FINISHED-------\n")
        return counts
