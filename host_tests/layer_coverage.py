# SPDX-License-Identifier: MIT
"""Pytest plugin: which lines and branches of firmware/pkcs11 the CPython tests reach.

With P11_COVERAGE=FOLDER in the environment, each process that runs tests leaves a data file in
FOLDER; tools/test.py combines them and decides. Not an option of pytest: what the layer does when
it is imported counts, and conftest files import it before options are known. Only the tests of the
folders below are traced, and of those not the fuzzers and the other long loops: what they alone
reach has no test of its own. So the measurement costs seconds.
"""

import importlib
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYER = ROOT / "firmware" / "pkcs11"
FOLDERS = ("pkcs11", "rpc")
LEFT_OUT = ("test_fuzz.py", "test_fuzz_calls.py", "test_on_flash.py", "test_runner_bugs.py")


def traced(path):
    """Return whether the tests of a file count."""
    return path.parent.name in FOLDERS and path.name not in LEFT_OUT


class LayerCoverage:
    """Measures one process: everything up to the end of the collection, then the tests that count."""

    def __init__(self, folder):
        from coverage import Coverage

        Path(folder).mkdir(parents=True, exist_ok=True)
        self.coverage = Coverage(
            data_file=str(Path(folder) / ("coverage.%d" % os.getpid())),
            config_file=False,
            branch=True,
            source=[str(LAYER)],
        )
        self.coverage.start()

    def pytest_configure(self, config):
        distributes = getattr(config.option, "numprocesses", None)
        if distributes and not hasattr(config, "workerinput"):  # others run the tests
            self.coverage.stop()
            self.coverage = None

    def pytest_collection_finish(self, session):
        for path in sorted(LAYER.rglob("*.py")):  # also what tests import later
            parts = path.relative_to(LAYER.parent).with_suffix("").parts
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
        self.coverage.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        if not traced(item.path):
            return (yield)
        self.coverage.start()
        try:
            return (yield)
        finally:
            self.coverage.stop()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.coverage is not None:
            self.coverage.save()


def begin():
    """Return the plugin for this process, measuring already, or None if nobody asks for it."""
    folder = os.environ.get("P11_COVERAGE")
    return LayerCoverage(folder) if folder else None
