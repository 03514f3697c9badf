# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""The RPC server on the emulated board: many programs, power, junk, the REPL, the heap."""

import random
import signal
import subprocess
import sys
import time

import pytest
from harness import ROOT, EmulatedBoard, Served, module
from token_kit import certificate, ec_key, verifies
from wire import Caller, body

from p11board import control
from p11board.frames import BAD, END, HELLO, PING, RPC, Frame
from pkcs11.const import *

pytestmark = pytest.mark.emulated

# One program of the crowd: log in, make a key, sign and verify until told to stop. Prints counts.
PROGRAM = """
import hashlib, sys, time
from PyKCS11 import *
library = PyKCS11Lib()
library.load(sys.argv[1])
slot = library.getSlotList(tokenPresent=True)[0]
session = library.openSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
private = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)])
assert private == [], "somebody else's login"
session.login("0000")
label = sys.argv[2]
pair = [(CKA_LABEL, label), (CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107"))]
public, private = session.generateKeyPair(
    pair, [(CKA_LABEL, label), (CKA_SIGN, True), (CKA_TOKEN, True)],
    Mechanism(CKM_EC_KEY_PAIR_GEN, None))
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[3])
count = 0
while time.monotonic() < end:
    digest = hashlib.sha256(b"%d" % count).digest()
    signature = session.sign(private, digest, Mechanism(CKM_ECDSA, None))
    assert session.verify(public, digest, signature, Mechanism(CKM_ECDSA, None))
    assert len(session.findObjects([(CKA_LABEL, label)])) == 2
    count += 1
print(count, flush=True)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    board = EmulatedBoard(folder)
    served = Served(board, folder)
    yield served
    served.stop()
    board.stop()


def crowd(served, label, seconds):
    """Start one program of the crowd."""
    command = [sys.executable, "-c", PROGRAM, module(), label, str(seconds)]
    environment = {**served.environment(), "PYTHONPATH": ""}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    )


def test_four_programs_at_once_and_one_killed_while_logged_in(served, request):
    seconds = 600 if request.config.getoption("--soak") else 60
    programs = [crowd(served, f"crowd {number}", seconds) for number in range(4)]
    assert [program.stdout.readline() for program in programs] == ["ready\n"] * 4
    time.sleep(seconds / 3)
    programs[0].send_signal(signal.SIGKILL)
    outputs = [program.communicate(timeout=seconds + 60)[0] for program in programs]
    codes = [program.returncode for program in programs]
    assert codes == [-signal.SIGKILL, 0, 0, 0], outputs
    assert all(int(output) > 3 for output in outputs[1:])
    after = served.program()
    after.caller.initialize()
    session = after.caller.open()
    assert after.caller.token_info()[1][2] == 1  # no session of the dead one is left
    assert after.caller.find(session, [(CKA_CLASS, CKO_PRIVATE_KEY)]) == []  # nor its login
    after.caller.login(session)
    labels = {
        after.caller.attributes(session, handle, [CKA_LABEL])[0][0][2]
        for handle in after.caller.find(session, [(CKA_CLASS, CKO_PRIVATE_KEY)])
    }
    assert {b"crowd %d" % number for number in range(4)} <= labels
    after.close()


def test_objects_survive_the_plug_and_the_daemon_takes_the_board_up_again(served):
    program = served.program()
    session = program.log_in()
    key = ec_key()
    der = certificate(key)
    pairs = [(CKA_CLASS, CKO_CERTIFICATE), (CKA_CERTIFICATE_TYPE, 0), (CKA_TOKEN, True)]
    program.caller.create(session, [*pairs, (CKA_LABEL, b"kept"), (CKA_VALUE, der)])
    served.board.stop()
    served.wait_for("waiting")
    served.board.start()
    served.wait_for("serving")
    program = served.program()
    program.caller.initialize()
    session = program.caller.open()
    (handle,) = program.caller.find(session, [(CKA_LABEL, b"kept")])
    assert program.caller.attributes(session, handle, [CKA_VALUE])[0][0][2] == der
    program.close()


def test_mpremote_gets_the_board_while_it_is_lent_out(served):
    served.p11board("release")
    words = [sys.executable, "-m", "mpremote", "connect", served.board.port, "resume", "exec"]
    assert served.run(*words, "print(6 * 7)").strip() == "42"
    assert "lent" in served.p11board("doctor", code=1)
    served.p11board("resume")
    assert served.program().version == 0


def test_a_daemon_that_was_killed_leaves_a_board_the_next_one_takes(served):
    program = served.program()
    program.log_in()
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    assert control.ask(served.socket, "status") is None
    served.start()
    program = served.program()
    program.caller.initialize()
    program.caller.open()
    assert program.caller.token_info()[1][2] == 1
    program.close()


def test_release_without_a_daemon_brings_the_prompt_back(served):
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    out = served.p11board(*served.board.options(), "release")
    assert "given back" in out
    words = [sys.executable, "-m", "mpremote", "connect", served.board.port, "resume", "exec"]
    assert served.run(*words, "print(6 * 7)").strip() == "42"
    served.start()


# --- the line itself --------------------------------------------------------------------------


@pytest.fixture
def line(emulated_line):
    emulated_line.greet()
    return emulated_line


def objects(line):
    """Labels of the objects in the token, through an honest connection."""
    caller = Caller(line.connect(3, 1), 1)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    found = sorted(
        caller.attributes(session, handle, [CKA_LABEL])[0][0][2] for handle in caller.find(session)
    )
    line.end(3)
    return found


def recover(line):
    """As the host does after anything strange; returns frames that came meanwhile."""
    line.send(bytes(line.hello.chunk + 11))
    line.sequence = 50
    line.send(Frame(PING, 0, 50, b"recovery").encode())
    seen = []
    while True:
        frame = line.next()
        if frame.payload == b"recovery":
            return seen
        seen.append(frame)


def test_junk_and_repl_keys_bring_no_answer_and_do_no_harm(line, request):
    caller = Caller(line.connect(3, 1), 1)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    caller.keypair(session, b"before the junk")
    line.end(3)
    before = objects(line)
    generator = random.Random(6)
    size = (10 << 20) if request.config.getoption("--soak") else (256 << 10)
    start = len(line.received)
    for _ in range(size >> 12):
        line.send(bytes(generator.randrange(256) for _ in range(4096)))
        while not line.silent(0):
            line.next()
    for keys in (
        b"\x03",
        b"\r\x03\x03\r\x01",
        b"\x04",
        b"\x02",
        b"\x05",
        b"import os\r\n",
        b"\x1b",
    ):
        line.send(keys * 20)
    assert {frame.kind for frame in recover(line)} <= {BAD}
    while not line.frames.empty():
        assert line.frames.get().kind == BAD
    assert not line.reader.noise, "bytes that are no frame"
    assert len(line.received) - start < 65536
    assert objects(line) == before


def test_a_bounded_random_run_of_frames_and_bodies(line, request):
    generator = random.Random(7)
    before = objects(line)
    safe = [3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 21, 23, 24, 26, 27, 28, 37, 38, 39, 41, 42, 43, 48]
    safe += [49, 50, 58, 59, 62, 63, 64, 65, 66, 89, 90, 200]
    rounds = 3000 if request.config.getoption("--soak") else 300
    Caller(line.connect(1, 2), 2).initialize()
    for _ in range(rounds):
        size = generator.choice((0, 4, 10, 40, 200, 1000))
        raw = bytes(generator.randrange(256) for _ in range(size))
        how = generator.randrange(4)
        if how == 0:
            kind = generator.choice((RPC, PING, END, HELLO, 0, 9, RPC | 0x80, RPC | 0xC0))
            connection = generator.choice((1, 2, 5, 16, 17, 200))
            if kind in (HELLO, END) and connection == 1:
                connection = 2
            line.send(Frame(kind, connection, generator.randrange(256), raw).encode())
        elif how == 1:
            good = bytearray(Frame(RPC, 1, line.sequence + 1 & 255, raw).encode())
            good[generator.randrange(len(good))] ^= 1 << generator.randrange(8)
            line.send(bytes(good))
        else:
            signature = generator.choice(("u", "uu", "uay", "uMu", "uaA", "uufA", "uayfy", "ufy"))
            request_body = body(generator.choice(safe), signature, raw)
            line.sequence = (line.sequence + 1) & 0xFF
            line.send(Frame(RPC, 1, line.sequence, request_body[:1024]).encode())
        for frame in recover(line):
            assert frame.kind in (BAD, RPC, END, HELLO, PING, 6), frame
    assert not line.reader.noise
    line.greet()
    assert objects(line) == before


def test_the_numbers_of_the_rpc_layer_are_held(tmp_path):
    """Instructions, heap, 10 000 calls without growth, and seconds on the line: bench_rpc."""
    output = tmp_path / "bench-rpc.json"
    command = [sys.executable, ROOT / "tools" / "bench_rpc.py", "--output", output]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_boards_signatures_are_good_to_an_independent_verifier(line):
    caller = Caller(line.connect(1, 1), 1)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    public, private = caller.keypair(session, b"judged", token=False)
    (point,) = caller.attributes(session, public, [CKA_EC_POINT])[0]
    for number in range(5):
        digest = bytes([number]) * 32
        caller.sign_init(session, private)
        assert verifies(point[2][2:], digest, caller.sign(session, digest))
