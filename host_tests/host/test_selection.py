# SPDX-License-Identifier: MIT
"""Which board is meant: named, the only one, and never a guess."""

from types import SimpleNamespace

import pytest

from p11board import selection
from p11board.errors import EmulatorProblem, TransportProblem, UsageProblem


class FakeEmulator:
    def __init__(self, port=None):
        self._port = port

    def status(self):
        return {"running": self._port is not None, "port": self._port}

    @property
    def port(self):
        if self._port is None:
            raise EmulatorProblem("off")
        return self._port


class Port(SimpleNamespace):
    def __lt__(self, other):
        return self.device < other.device


@pytest.fixture
def plug(monkeypatch):
    """plug(name, …): the serial ports this computer has."""

    def ports(*names, vid=1):
        found = [
            Port(device=n, vid=vid, product=None, description="USB serial", serial_number="42")
            for n in names
        ]
        monkeypatch.setattr(selection.list_ports, "comports", lambda: found)

    ports()
    return ports


def test_a_named_port_is_taken_as_it_is(plug):
    plug("/dev/ttyACM0", "/dev/ttyACM1")
    assert selection.choose("/dev/ttyACM1", FakeEmulator("/dev/pts/1")) == "/dev/ttyACM1"


def test_emulated_means_the_running_emulator(plug):
    assert selection.choose("emulated", FakeEmulator("/dev/pts/1")) == "/dev/pts/1"
    with pytest.raises(EmulatorProblem):
        selection.choose("emulated", FakeEmulator())


def test_the_only_candidate_is_taken(plug):
    assert selection.choose(None, FakeEmulator("/dev/pts/1")) == "/dev/pts/1"
    plug("/dev/ttyACM0")
    assert selection.choose(None, FakeEmulator()) == "/dev/ttyACM0"


def test_none_is_an_error_that_says_how_to_get_one(plug):
    with pytest.raises(TransportProblem) as caught:
        selection.choose(None, FakeEmulator())
    assert "p11board emulate start" in caught.value.line()
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("emulated", [None, "/dev/pts/1"])
def test_two_are_listed_and_refused(plug, emulated):
    plug("/dev/ttyACM1", "/dev/ttyACM0")
    with pytest.raises(UsageProblem) as caught:
        selection.choose(None, FakeEmulator(emulated))
    line = caught.value.line()
    assert "/dev/ttyACM0" in line and "/dev/ttyACM1" in line and "--board" in line
    assert ("emulated" in line) == bool(emulated)
    assert caught.value.exit_code == 2


def test_a_port_that_is_not_usb_is_no_candidate(plug):
    plug("/dev/ttyS0", vid=None)
    assert selection.candidates(FakeEmulator()) == []
