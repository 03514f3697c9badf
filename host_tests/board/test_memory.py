# SPDX-License-Identifier: MIT
"""Where secrets are in the board's memory: QEMU dumps all of it, and a search looks for
windows of a private key, a master key and a PIN that reached the board only sealed, wrapped or
masked.
"""

import os

import memory_dump
import p11crypto_py as twin
import pytest
import slots_py
from memory_dump import Monitor, places

from p11board.emulator import Emulator
from p11board.transport import Link

PIN = b"Zx9-pepper-4711"
SALT = bytes(range(16))


@pytest.fixture
def machine(request, make_board, tmp_path):
    """An emulated board whose memory can be read from outside: (port, dump)."""
    if request.config.getoption("--board") != "emulated":
        pytest.skip("needs an emulated board")
    monitor = Monitor(tmp_path)
    board = make_board(tmp_path / "state")
    board.emulator = Emulator(board.emulator.state, qemu=str(monitor.qemu))
    board.start()
    yield board.port, monitor.dump
    board.emulator.kill()
    os.unlink(board.emulator.flash)


def test_keys_are_in_their_slots_only_and_nowhere_after_release(machine):
    port, dump = machine
    scalar, master_key = os.urandom(32), os.urandom(32)
    twin.test_reset()
    master, key = twin.master_new(), twin.ec_import(twin.P256, bytearray(scalar))
    slots_py.slot_of(master).value[:] = master_key
    wrapped = twin.master_wrap(master, PIN, SALT, 100, b"user")
    sealed = twin.seal(master, key, b"object", b"")
    twin.wipe_all()

    def copies(secret):
        return memory_dump.copies(dump(), secret)

    with Link(port) as link:

        def run(code):
            _, trace = link.execute(code)
            assert not trace, trace

        masked = bytes(byte ^ 0x5A for byte in PIN)
        run(f"import p11crypto as p\npin = bytearray({masked})")
        run("for i in range(len(pin)):\n pin[i] ^= 0x5a")
        assert copies(PIN) == 1  # the search finds what is there
        run(f"m = p.master_unwrap(pin, {SALT}, 100, b'user', {wrapped})\np.wipe(pin)")
        assert copies(PIN) == 0
        run(f"k = p.unseal(m, {sealed}, b'object', b'', p.EC_P256)")
        assert copies(scalar) == copies(master_key) == 1
        run("p.ec_public(k)\np.ecdsa_sign(k, b'x' * 32)\np.seal(m, k, b'z', b'')")
        run("p.mac(m, b'z', b'data')\np.master_wrap(m, b'1234', b'12345678', 3, b'')")
        assert copies(scalar) == copies(master_key) == 1
        run("p.release(k)")
        assert (copies(scalar), copies(master_key)) == (0, 1)
        link.transport.enter_raw_repl(soft_reset=True)
        assert copies(scalar) == copies(master_key) == 0


def test_a_wrong_pin_leaves_neither_pin_nor_key(machine):
    port, dump = machine
    master_key = os.urandom(32)
    twin.test_reset()
    master = twin.master_new()
    slots_py.slot_of(master).value[:] = master_key
    wrapped = twin.master_wrap(master, PIN, SALT, 100, b"user")
    twin.wipe_all()
    wrong = b"Yq8-pepper-1174"
    masked = bytes(byte ^ 0x5A for byte in wrong)
    with Link(port) as link:
        _, trace = link.execute(
            f"import p11crypto as p\npin = bytearray({masked})\n"
            "for i in range(len(pin)):\n pin[i] ^= 0x5a\n"
            f"assert p.master_unwrap(pin, {SALT}, 100, b'user', {wrapped}) is None\np.wipe(pin)"
        )
        assert not trace, trace
    memory = dump()
    assert not places(memory, master_key)
    assert not places(memory, wrong)
