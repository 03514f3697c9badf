# SPDX-License-Identifier: MIT
"""What every test shares: the import paths of the on-device packages and the board option.

The frozen packages (`pal`, `pkcs11`) run unchanged on CPython; `host_tests/twin` supplies the
C modules of the firmware (`p11crypto`) and the few MicroPython-only modules.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

for folder in ("host_tests", "host_tests/twin", "tools", "firmware", "."):
    path = str(ROOT / folder)
    if path not in sys.path:
        sys.path.insert(0, path)


import layer_coverage  # noqa: E402

_measuring = layer_coverage.begin()


def pytest_addoption(parser):
    parser.addoption(
        "--board",
        default="emulated",
        help="serial port of a real board, or 'emulated' (default): QEMU on a private flash image",
    )
    parser.addoption("--soak", action="store_true", help="also run the tests marked slow")


def pytest_configure(config):
    if _measuring is not None:
        config.pluginmanager.register(_measuring)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="slow: run with `make soak`")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
