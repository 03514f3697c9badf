# SPDX-License-Identifier: MIT
"""The computed parts of docs/THREATS.md are what the boards and the stored iterations give."""

import subprocess
import sys

import p11crypto
import pytest
import threats
from flashsim import Flash, Geometry

from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store
from pkcs11 import settings
from pkcs11.application import Application
from pkcs11.token import Token


@pytest.fixture
def iterations(monkeypatch):
    """What a token with the settings of the default board stores with a PIN."""
    p11crypto.test_source()
    p11crypto.test_reset()
    monkeypatch.setitem(sys.modules, "geometry", threats.geometry(threats.DEFAULT_BOARD))
    store = Store(Flash(Geometry(1, 4096, 16, ZERO_ANY, 256)), p11crypto.random)
    token = Token(Pal(store), settings.of_board())
    app = Application(token)
    app.C_Initialize()
    app.C_InitToken(1, bytearray(b"12345678"), b"mine")
    stored = token.keyring.iterations(1)
    app.C_Finalize()
    return stored


def test_the_page_has_the_table_of_the_stored_iterations_and_of_every_board(iterations):
    assert iterations == 10000
    text = threats.PAGE.read_text(encoding="utf-8")
    assert threats.filled(text, iterations) == text, "run tools/threats.py --write"
    assert threats.filled(text, iterations + 5000) != text
    for path in threats.ROOT.glob("boards/*/geometry.py"):
        assert path.parent.name in text


def test_every_board_that_fixes_its_iterations_takes_enough():
    for path in threats.ROOT.glob("boards/*/geometry.py"):
        fixed = getattr(threats.geometry(path.parent.name), "PIN_ITERATIONS", None)
        assert fixed is None or fixed >= settings.ITERATIONS


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.0091, "0.0091 s"),
        (59.4, "59 s"),
        (90, "1.5 minutes"),
        (86400 * 11.57, "12 days"),
        (365.25 * 86400 * 6.3, "6.3 years"),
        (365.25 * 86400 * 9.3e7, "9.3 · 10^7 years"),
    ],
)
def test_times_are_readable(seconds, text):
    assert threats.duration(seconds) == text


def test_the_time_is_pins_by_rate():
    """8 digits at 10 000 iterations: 10^8 PINs, 1.1 million a second, 91 s."""
    lines = threats.pin_table(10000)
    assert "1.1 · 10^6 PINs" in lines[0] and "| 8 digits | 10^8 | 1.5 minutes |" in lines
    assert "| 8 digits | 10^8 | 15 minutes |" in threats.pin_table(100000)


def test_the_program_prints_and_refuses():
    command = [sys.executable, threats.ROOT / "tools" / "threats.py"]
    done = subprocess.run([*command, "--iterations", "70000"], capture_output=True, text=True)
    assert done.returncode == 0 and "With 70000 iterations" in done.stdout
    assert subprocess.run([*command, "--iterations", "0"], capture_output=True).returncode == 2
