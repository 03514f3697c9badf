# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""The locked build (`make firmware LOCKED=1`) on the emulated board.

It boots into the RPC server, says nothing but frames, cannot be interrupted, has no default PIN,
and serves programs as any other board once its owner has initialised it.
"""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from harness import BUILD, ROOT, EmulatedBoard, Served
from host_end import PortBoard
from wire import Caller, Refused, ay, n, u

from p11board.frames import END, HELLO, PING, RPC, Frame, Hello
from pkcs11.const import *

pytestmark = pytest.mark.emulated
LOCKED = Path(os.environ.get("P11_BUILD_LOCKED", BUILD.with_name(BUILD.name + "-locked")))
SO_PIN = b"31415926"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A locked board on a new chip; off."""
    if not (LOCKED / "firmware.p11a").exists():
        pytest.fail(f"no locked firmware in {LOCKED}: run `make firmware-locked`")
    board = EmulatedBoard(tmp_path_factory.mktemp("locked"), LOCKED, repl=False)
    yield board
    board.stop()


@pytest.fixture
def line(locked):
    """Its serial line, just after power-on."""
    locked.cycle()
    line = PortBoard(locked.port, start=False)
    yield line
    line.close()


def refused(ckr, function, *args):
    with pytest.raises(Refused) as caught:
        function(*args)
    assert caught.value.ckr == ckr, hex(caught.value.ckr)


def test_the_first_thing_on_the_line_is_hello(line):
    frame = line.next()
    hello = Hello.decode(frame.payload)
    assert frame.kind == HELLO and hello.locked and not hello.development
    assert not line.reader.noise


def test_no_key_leads_to_a_prompt(line):
    line.greet()
    keys = (b"\x03", b"\r\x03\x03\r\x01", b"\x04", b"\x02", b"\x05", b"\x1b[A", b"\x0e\x0f")
    for key in keys:
        line.send(key * 10 + b"\r\nimport machine; machine.reset()\r\n\x04")
        assert line.silent(0.05)
    assert line.ask(PING, 0, b"still here").payload == b"still here"
    assert not line.reader.noise


def test_end_does_not_end_the_server(line):
    line.greet()
    for _ in range(3):
        assert line.ask(END, 0).kind == END
        assert line.next().kind == HELLO
        line.greet()
    Caller(line.connect(1)).initialize()


def test_junk_and_malformed_frames_bring_frames_only(line, request):
    line.greet()
    generator = random.Random(8)
    size = (10 << 20) if request.config.getoption("--soak") else (256 << 10)
    sent = 0
    while sent < size:
        data = bytes(generator.randrange(256) for _ in range(2048))
        if generator.randrange(2):
            kind = generator.choice((RPC, END, HELLO, PING, RPC | 0x80, RPC | 0xC0, 0x55))
            frame = bytearray(Frame(kind, generator.randrange(20), 0, data[:64]).encode())
            frame[3] = generator.randrange(256)
            data = bytes(frame) + data
        line.send(data)
        sent += len(data)
        while not line.silent(0):
            line.next()
    line.send(bytes(2048))
    line.greet()
    assert not line.reader.noise
    caller = Caller(line.connect(1))
    caller.initialize()
    assert caller.slots() == [1]


def test_there_is_no_default_mode(line):
    """Until C_InitToken and C_InitPIN every call on private objects fails."""
    line.greet()
    caller = Caller(line.connect(1))
    caller.initialize()
    flags = caller.token_info()[1][0]
    assert not flags & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED)
    session = caller.open()
    for pin in (b"0000", b"1234", SO_PIN):
        refused(CKR_USER_PIN_NOT_INITIALIZED, caller.login, session, pin)
    for token in (True, False):
        with pytest.raises(Refused):
            caller.keypair(session, token=token)
    with pytest.raises(Refused):
        caller.create(session, [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_PRIVATE, True)])
    assert caller.find(session) == []
    caller.close(session)

    # With an SO PIN alone there still is no user, and the SO has no private objects.
    caller.nothing(9, "uayz", u(1), ay(SO_PIN), n(32) + b"half done".ljust(32))
    session = caller.open()
    refused(CKR_USER_PIN_NOT_INITIALIZED, caller.login, session, b"0000")
    caller.login(session, SO_PIN, CKU_SO)
    for token in (True, False):
        refused(CKR_USER_NOT_LOGGED_IN, caller.keypair, session, b"key", token)
    private = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_PRIVATE, True)]
    refused(CKR_USER_NOT_LOGGED_IN, caller.create, session, private)
    assert caller.find(session) == []
    assert not caller.token_info()[1][0] & CKF_USER_PIN_INITIALIZED


def test_ctrl_c_does_not_interrupt_a_call(line):
    """In the middle of a PIN's stretching, which takes the board the longest."""
    line.greet()
    caller = Caller(line.connect(1))
    caller.initialize()
    session = caller.open()
    line.sequence = (line.sequence + 1) & 0xFF
    login = n(18) + n(4) + b"uuay" + u(session) + u(CKU_SO) + ay(SO_PIN)
    line.send(Frame(RPC, 1, line.sequence, login).encode() + b"\x03" * 100)
    answer = line.collect(line.next())
    assert answer[:4] == n(18), answer
    assert caller.session_info(session)[1] == CKS_RW_SO_FUNCTIONS
    assert not line.reader.noise


def test_its_owner_initialises_it_and_programs_use_it(locked, tmp_path):
    locked.cycle()
    served = Served(locked, tmp_path)
    words = ["--init-token", "--label", "mine", "--so-pin", SO_PIN.decode()]
    served.tool(*words)
    officer = ["--login", "--login-type", "so", "--so-pin", SO_PIN.decode()]
    served.tool(*officer, "--init-pin", "--new-pin", "271828")
    user = ["--login", "--pin", "271828"]
    served.tool(*user, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k")
    assert "k" in served.tool(*user, "--list-objects")
    locked.cycle()
    served.wait_for("serving")
    assert re.search(r"label: +k", served.tool(*user, "--list-objects"))
    assert "locked build" in served.p11board("doctor")
    served.p11board("release")
    served.p11board("resume")
    served.stop()


def test_a_wrong_pin_gives_no_way_in(line):
    line.greet()
    caller = Caller(line.connect(1))
    caller.initialize()
    session = caller.open()
    refused(CKR_PIN_INCORRECT, caller.login, session, b"0000")
    assert caller.find(session, [(CKA_CLASS, CKO_PRIVATE_KEY)]) == []
    parts = u(session), ay(b"\0" * 32), n(64)
    refused(CKR_OPERATION_NOT_INITIALIZED, caller.data, 43, "uayfy", *parts)


# What the locked build must not hold, by names in the symbol table of the linked program.
DOORS = {
    "compiler": ("mp_compile", "mp_parse", "mp_lexer_new"),
    "REPL": ("pyexec_friendly_repl", "pyexec_raw_repl", "pyexec_mode_kind"),
    "files that run": ("pyexec_file", "mp_type_vfs_lfs2", "mp_vfs_import_stat"),
    "exec and eval": ("mp_builtin_exec_obj", "mp_builtin_exec", "mp_builtin_execfile_obj"),
    "memory as an object": ("machine_mem_type", "mp_module_uctypes", "uctypes_struct_type"),
    "native code": (
        "mp_fun_table",
        "mp_emit_glue_assign_native",
        "emit_native_thumb_method_table",
        "mp_raw_code_load",
    ),
}


def symbols(build):
    """The names in a linked firmware, local ones included."""
    command = ["arm-none-eabi-nm", build / "firmware.elf"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[-1] for line in lines}


@pytest.mark.parametrize("door", DOORS)
def test_the_image_has_no(door, locked):
    assert "mp_execute_bytecode" in symbols(LOCKED)
    assert not symbols(LOCKED) & set(DOORS[door])


@pytest.mark.parametrize("door", DOORS)
def test_the_search_finds_in_a_development_build_the(door):
    assert symbols(BUILD) >= set(DOORS[door])


def test_a_board_whose_port_cannot_be_locked_is_refused():
    """Never a development build where a locked one was asked for."""
    for board in ("NUCLEO_F439ZI", "ESP32_GENERIC_C3"):
        command = ["make", "-s", "firmware", f"BOARD={board}", "LOCKED=1", f"MICROPYTHON={ROOT}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode and "there is no locked build of " + board in done.stderr
