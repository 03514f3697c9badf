# SPDX-License-Identifier: MIT
"""The qualification run on the board itself, with nothing but the board.

    from pkcs11 import runner
    runner.run(pin=b"0000")

Prints to the UART what the qualification guide's runner prints and returns (tests, failures,
ignored). Promises: the objects of the token are the same afterwards, which is the last test; no
object that was there before is destroyed, whatever the token does wrong; where one of the guide's
labels is taken, other labels are used; a wrong PIN is tried once. Its own Application: sessions
and login of the program on the board are not touched. A run that loses power leaves its objects.
"""

import json
import sys

import p11crypto

from .. import application
from ..errors import P11Error
from .bench import Bench
from .report import Report
from .switches import Switches

LINE_MAX = 1024


def groups():
    """Return the modules of tests in the order of the guide."""
    from . import ec, model, no_object, rsa, start_finish, token

    return start_finish, no_object, rsa, ec, model, token


def run(pin=b"0000", app=None, write=None, **choices):
    """Run every group and return (tests, failures, ignored).

    pin: of the user, bytes. app: an Application, by default a new one of this board. write: takes
    text, by default the UART. choices: see switches.Switches. P11Error, before any test, when the
    token cannot be used at all; ValueError for switches that exclude each other.
    """
    bench = Bench(app or application(), pin, Switches(**choices))
    report = Report(write or sys.stdout.write)
    bench.prepare()
    listed = [group for module in groups() for group in module.tests(bench)]
    count = sum([len(tests) for _, tests in listed])
    report.start("qualification: %d tests, %s" % (count, bench.switches.line()))
    try:
        for group, tests in listed:
            for name, test in tests:
                report.test(bench, group, name, test)
        report.write("model: %d different paths\n" % bench.paths)
    finally:
        bench.leave()
    return report.finish()


def serve_line(source=None):
    """Read one line of JSON, {"pin": text, and switches}, and run; for `p11board qualify`.

    What prevents a run is printed as one line of JSON with "error", as pkcs11.hostlink does.
    """
    line = bytearray(b" " * LINE_MAX)  # JSON ignores trailing blanks
    view = memoryview(line)
    source = source or sys.stdin.buffer
    at = 0
    try:
        while at < LINE_MAX and source.readinto(view[at : at + 1]) and line[at] != 10:
            at += 1
        request = json.loads(line)
        pin = bytearray(request.pop("pin", "0000").encode())
        try:
            run(pin, **request)
        finally:
            p11crypto.wipe(pin)
    except P11Error as error:
        print(json.dumps({"error": error.name, "code": error.ckr}))
    except (TypeError, ValueError) as error:
        print(json.dumps({"error": "switches: %s" % error}))
    finally:
        p11crypto.wipe(line)
