# SPDX-License-Identifier: MIT
"""The report of a qualification run where the test itself has nothing to do with it."""

import io
import sys
import traceback
from types import SimpleNamespace

import pytest

from pkcs11.runner.bench import Bench
from pkcs11.runner.report import Failure, Report, place_of

BENCH = SimpleNamespace(set_up=lambda: None, tear_down=lambda: None)


def lines_of(bench, *tests):
    """Run tests in a Report; return its lines and counts."""
    text = io.StringIO()
    report = Report(text.write)
    for test in tests:
        report.test(bench, "G", "n", test)
    return text.getvalue().splitlines(), report.finish()


def fine(bench):
    pass


def broken(bench):
    raise KeyError("first")


def untidy():
    raise ValueError("second")


def test_a_test_whose_tidying_up_fails_has_failed():
    bench = SimpleNamespace(set_up=BENCH.set_up, tear_down=untidy)
    lines, counts = lines_of(bench, fine, broken)
    assert lines[0].endswith("::FAIL: ValueError second")
    assert lines[1].endswith("::FAIL: KeyError 'first'")
    assert counts == (2, 2, 0)


def test_an_ignored_test_is_counted_and_not_run():
    assert lines_of(BENCH, None, fine)[1] == (2, 0, 1)


def test_an_object_that_never_goes_away_is_a_failure():
    calls = []
    bench = SimpleNamespace(
        find=lambda session, label, object_class: 7,
        facts=lambda session, handle: "of this run",
        before=(),
        expect=lambda code, *call: calls.append(call),
        app=SimpleNamespace(C_DestroyObject="C_DestroyObject"),
    )
    with pytest.raises(Failure) as caught:
        Bench.destroy(bench, 1, b"label", 3)
    assert "again and again" in caught.value.message and len(calls) > 10


@pytest.mark.parametrize("micropython", [True, False])
def test_the_place_of_a_failure_on_micropython_as_on_cpython(monkeypatch, micropython):
    def print_exception(error, file):
        traceback.print_exception(type(error), error, error.__traceback__, file=file)

    if micropython:
        monkeypatch.setattr(sys, "print_exception", print_exception, raising=False)
    from pkcs11.runner import start_finish

    with pytest.raises(AttributeError) as caught:
        start_finish.first_test(None)
    source = open(start_finish.__file__).read().splitlines()
    place, line = place_of(caught.value).split(":")
    assert place == "pkcs11/runner/start_finish.py"
    assert "bench.code(bench.app.C_Finalize)" in source[int(line) - 1]
    assert place_of(KeyError("no trace")) == "pkcs11/runner:0"
