# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""What is left in the board's memory of a PIN, an imported scalar and the master key that came and
went over the serial line: after logout, C_Finalize, a failed login, a lost connection, a soft reset.

The master key is read out of its slot while somebody is logged in, from the very image that ships,
and proved to be the one by opening the wrapped key in the flash with the PIN.
"""

import os
import time

import pytest
from dump_attack import carve, open_wrap
from harness import BUILD, EmulatedBoard
from host_end import PortBoard
from memory_dump import MASTER, Monitor, copies, keys, places
from wire import Caller, Refused

from p11board import flashmap
from p11board.transport import Link
from pkcs11.const import *

pytestmark = pytest.mark.emulated

SO_PIN = b"officer-31415926"
PIN = b"Zx9-pepper-4711"
WRONG = b"Yq8-pepper-1174"
ELF = BUILD / "firmware.elf"
P256 = bytes.fromhex("06082a8648ce3d030107")


class Watched:
    """A board that serves RPC, its memory open to view, its token initialised with the PINs."""

    def __init__(self, folder):
        self.monitor = Monitor(folder)
        self.board = EmulatedBoard(folder, BUILD, str(self.monitor.qemu))
        self.line = PortBoard(self.board.port)
        self.caller = None
        self.wait = 0
        self.scalar = os.urandom(31).rjust(32, b"\1")
        self.connect()
        self.caller.nothing(9, "uayz", u64(1), octets(SO_PIN), zero("watched"))
        officer = self.caller.open()
        self.caller.login(officer, SO_PIN, CKU_SO)
        self.caller.nothing(14, "uay", u64(officer), octets(PIN))
        self.caller.logout(officer)
        self.caller.close(officer)

    def connect(self):
        """A new program."""
        self.caller = Caller(self.line.connect(1))
        self.caller.initialize()

    def log_in_and_work(self):
        """Log in, import the scalar, sign with it; returns the master key from its slot."""
        session = self.caller.open()
        time.sleep(self.wait)  # the delay that a failed login has left
        self.wait = 0
        self.caller.login(session, PIN)
        pairs = [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_TOKEN, True)]
        pairs += [(CKA_LABEL, b"imported"), (CKA_SIGN, True), (CKA_EC_PARAMS, P256)]
        key = self.caller.create(session, [*pairs, (CKA_VALUE, self.scalar)])
        self.caller.sign_init(session, key)
        self.caller.sign(session, bytes(range(32)))
        self.caller.sign_init(session, key)  # left running: the key is in its slot
        memory = self.monitor.dump()
        held = keys(memory, ELF)
        assert self.scalar in [key.value for key in held] and copies(memory, self.scalar) == 1
        (master,) = {key.value for key in held if key.kind == MASTER}
        assert copies(memory, master) == 1
        assert not places(memory, PIN), "the PIN is still there after the login"
        return session, key, master

    def found(self, master):
        """Which secrets are in the memory now, by name."""
        memory = self.monitor.dump()
        secrets = {"PIN": PIN, "SO PIN": SO_PIN, "scalar": self.scalar, "master key": master}
        return [name for name, secret in secrets.items() if places(memory, secret)]


def u64(value):
    return value.to_bytes(8, "big")


def octets(data):
    return b"\1" + len(data).to_bytes(4, "big") + data


def zero(label):
    """The label of C_InitToken in version 0: 32 bytes, blank padded, then a zero byte."""
    text = label.encode().ljust(32)
    return len(text).to_bytes(4, "big") + text


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    made = Watched(tmp_path_factory.mktemp("watched"))
    yield made
    made.line.close()
    made.board.stop()


@pytest.fixture
def working(watched):
    """(board, session, master key): logged in, the scalar just used."""
    watched.line.greet()
    watched.connect()
    session, key, master = watched.log_in_and_work()
    yield watched, session, master
    watched.line.greet()


def test_the_key_in_the_slot_is_the_one_that_the_pin_opens(working):
    board, session, master = working
    flash = (board.board.state / "flash.bin").read_bytes()
    wraps, infos = carve(flash[flashmap.KEYS.offset : flashmap.KEYS.end])
    opened = {open_wrap(wrap, info, PIN) for wrap in wraps for info in infos}
    assert master in opened


def test_the_search_sees_a_pin_that_is_on_its_way(watched):
    """In the middle of a login, with half of its frame sent, the PIN is in the receive buffers."""
    watched.line.greet()
    watched.line.send(b"\xf5 half a frame " + WRONG)
    assert watched.line.silent(0.3)
    assert places(watched.monitor.dump(), WRONG)
    watched.line.greet()


def test_nothing_is_left_after_logout(working):
    board, session, master = working
    board.caller.logout(session)
    assert board.found(master) == []


def test_nothing_is_left_after_finalize(working):
    board, session, master = working
    board.caller.finalize()
    assert board.found(master) == []


def test_nothing_is_left_after_the_last_session_was_closed(working):
    board, session, master = working
    board.caller.close(session)
    assert board.found(master) == []


def test_nothing_is_left_after_the_connection_was_lost(working):
    board, session, master = working
    board.line.end(1)
    assert board.found(master) == []


def test_nothing_is_left_after_a_failed_login(working):
    board, session, master = working
    board.caller.logout(session)
    board.wait = 1.1
    with pytest.raises(Refused) as caught:
        board.caller.login(session, WRONG)
    assert caught.value.ckr == CKR_PIN_INCORRECT
    assert board.found(master) == [] and not places(board.monitor.dump(), WRONG)
    with pytest.raises(Refused) as caught:  # inside the delay, where nothing is compared
        board.caller.login(session, WRONG)
    assert caught.value.ckr == CKR_FUNCTION_FAILED
    assert not places(board.monitor.dump(), WRONG)


def test_nothing_is_left_after_a_pin_change(working):
    board, session, master = working
    board.caller.nothing(15, "uayay", u64(session), octets(PIN), octets(WRONG))
    assert not places(board.monitor.dump(), WRONG)
    board.caller.nothing(15, "uayay", u64(session), octets(WRONG), octets(PIN))
    assert not places(board.monitor.dump(), WRONG) and not places(board.monitor.dump(), PIN)
    board.caller.logout(session)
    assert board.found(master) == []


def test_nothing_is_left_after_a_soft_reset_while_a_program_is_logged_in(working):
    board, session, master = working
    assert board.found(master) == ["scalar", "master key"]
    board.line.stop()
    assert board.found(master) == []
    masked = bytes(byte ^ 0x5A for byte in PIN)
    with Link(board.board.port) as link:
        _, trace = link.execute(
            "import pkcs11\nfrom pkcs11.const import *\n"
            f"pin = bytearray({masked})\nfor i in range(len(pin)):\n    pin[i] ^= 0x5a\n"
            "app = pkcs11.application()\napp.C_Initialize()\ns = app.C_OpenSession(1, 6)\n"
            "app.C_Login(s, CKU_USER, pin)\n"
            "app.C_FindObjectsInit(s, [(CKA_CLASS, CKO_PRIVATE_KEY)])\n"
            "for key in app.C_FindObjects(s, 20):\n    pass\n"
            "app.C_SignInit(s, CKM_ECDSA, key)\n"
        )
        assert not trace, trace
        assert board.found(master) == ["scalar", "master key"]
        link.transport.enter_raw_repl(soft_reset=True)
        assert board.found(master) == []
    board.line = PortBoard(board.board.port)
