# SPDX-License-Identifier: MIT
"""The C modules p11crypto and rawflash on the board itself, against the twin on the host.

Nothing here touches the token's store: flash is tried in the last sector of the region kept for a
second application.
"""

import ast
import errno
import time

import p11crypto_py as twin
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from p11board.transport import Link

SALT = bytes(range(16))


@pytest.fixture
def run(board):
    """run(code): executes code on the board and returns the last line it printed, as a value."""
    with Link(board.port) as link:

        def execute(code):
            output, trace = link.execute("import p11crypto, rawflash\n" + code)
            assert not trace, trace
            lines = output.splitlines()
            return ast.literal_eval(lines[-1]) if lines else None

        execute("p11crypto.wipe_all()")
        yield execute
        execute("p11crypto.wipe_all()")


@pytest.fixture(autouse=True)
def clean_twin():
    twin.test_reset()
    yield
    twin.test_reset()


@pytest.mark.parametrize("curve", [twin.P256, twin.P384])
def test_the_host_accepts_what_the_board_signs(run, curve):
    digest = bytes(range(32))
    point, signature = run(
        f"k = p11crypto.ec_generate({curve})\n"
        f"print((p11crypto.ec_public(k), p11crypto.ecdsa_sign(k, {digest})))"
    )
    assert twin.ecdsa_verify(curve, point, digest, signature)
    assert not twin.ecdsa_verify(curve, point, digest[::-1], signature)


@pytest.mark.parametrize("curve", [twin.P256, twin.P384])
def test_the_board_accepts_what_the_host_signs_and_rejects_a_changed_digest(run, curve):
    key = twin.ec_generate(curve)
    point, digest = twin.ec_public(key), b"\x5a" * 32
    signature = twin.ecdsa_sign(key, digest)
    code = f"v = p11crypto.ecdsa_verify\nprint((v({curve}, {point}, {digest}, {signature}), "
    code += f"v({curve}, {point}, {digest[1:]}, {signature})))"
    assert run(code) == (True, False)


def test_what_the_board_wraps_and_seals_the_twin_opens(run):
    wrapped, sealed, code, point = run(
        f"m = p11crypto.master_new()\nk = p11crypto.ec_generate(1)\n"
        f"w = p11crypto.master_wrap(m, b'4711', {SALT}, 100, b'user')\n"
        f"s = p11crypto.seal(m, k, b'object', b'attributes')\n"
        f"print((w, s, p11crypto.mac(m, b'object', b'data'), p11crypto.ec_public(k)))"
    )
    assert twin.master_unwrap(b"4712", SALT, 100, b"user", wrapped) is None
    master = twin.master_unwrap(b"4711", SALT, 100, b"user", wrapped)
    assert twin.mac(master, b"object", b"data") == code
    key = twin.unseal(master, sealed, b"object", b"attributes", twin.EC_P256)
    assert twin.ec_public(key) == point


def test_what_the_twin_wraps_and_seals_the_board_opens(run):
    master, key = twin.master_new(), twin.ec_generate(twin.P256)
    wrapped = twin.master_wrap(master, b"0000", SALT, 0, b"user")
    sealed = twin.seal(master, key, b"object", b"")
    point = run(
        f"m = p11crypto.master_unwrap(b'0000', {SALT}, 0, b'user', {wrapped})\n"
        f"k = p11crypto.unseal(m, {sealed}, b'object', b'', 1)\nprint(p11crypto.ec_public(k))"
    )
    assert point == twin.ec_public(key)


def test_an_imported_scalar_is_wiped_and_signs(run):
    scalar = bytes(range(1, 33))
    left, point = run(
        f"s = bytearray({scalar})\nk = p11crypto.ec_import(1, s)\n"
        "print((bytes(s), p11crypto.ec_public(k)))"
    )
    assert left == bytes(32)
    key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    assert point[1:33] == key.public_key().public_numbers().x.to_bytes(32, "big")


def test_a_second_import_of_the_module_keeps_the_keys(run):
    code = "k = p11crypto.ec_generate(1)\ndef f():\n import p11crypto as q\n"
    code += " from p11crypto import P256\n return q\n"
    assert run(code + "print((f() is p11crypto, p11crypto.slots_used()))") == (True, 1)


def test_a_soft_reset_forgets_every_key_and_never_repeats_random_bytes(board):
    seen = set()
    with Link(board.port) as link:
        for _ in range(8):
            link.transport.enter_raw_repl(soft_reset=True)
            code = "import os, p11crypto\nb = bytearray(16)\np11crypto.random(b)\n"
            code += "print((p11crypto.slots_used(), bytes(b), os.urandom(16)))\n"
            output, trace = link.execute(code + "p11crypto.master_new()")
            assert not trace
            used, one, two = ast.literal_eval(output.splitlines()[0])
            assert used == 0
            seen |= {one, two}
    assert len(seen) == 16


def test_the_health_tests_ran_and_found_nothing(run):
    state, samples, rct, apt, restarts, _ = run(
        "p11crypto.random(bytearray(1))\nprint(p11crypto.entropy_info())"
    )
    assert state == 1 and samples >= 1024 + 128 and rct == apt == restarts == 0


def test_errors_have_their_words(run):
    code = "def w(f, *a):\n try:\n  f(*a)\n except Exception as e:\n  return repr(e)\n"
    code += "p = p11crypto\nk = p.ec_generate(1)\np.release(k)\n"
    code += "print((w(p.release, k), w(p.ec_generate, 9), w(p.ec_import, 1, bytearray(31)), "
    code += "w(p.ecdsa_sign, p.ec_generate(1), b''), w(p.Hash, 77), w(p.ec_public, -5)))"
    words = ["slot", "curve", "scalar", "digest", "hash", "slot"]
    assert [text.split("'")[1] for text in run(code)] == words


def test_the_sixty_fifth_key_is_a_memory_error_and_nothing_breaks(run):
    code = "n = 0\ntry:\n while True:\n  p11crypto.ec_generate(1)\n  n += 1\n"
    code += "except MemoryError:\n pass\nprint((n, p11crypto.slots_used()))"
    assert run(code) == (64, 64)
    assert run("p11crypto.wipe_all()\nprint(p11crypto.slots_used())") == 0


def test_ctrl_c_in_a_long_derivation_leaves_the_slots_consistent(board):
    wrapped = twin.master_wrap(twin.master_new(), b"1", SALT, 150_000, b"")
    with Link(board.port) as link:
        link.execute("import p11crypto\np11crypto.wipe_all()\nm = p11crypto.master_new()")
        unwrap = f"p11crypto.master_unwrap(b'1', {SALT}, 150000, b'', {wrapped})"
        link.transport.exec_raw_no_follow(f"while True: p11crypto.release({unwrap})")
        time.sleep(0.3)
        link.transport.serial.write(b"\x03")
        _, trace = link.transport.follow(timeout=60)
        assert b"KeyboardInterrupt" in trace
        output, trace = link.execute(
            "n = p11crypto.slots_used()\np11crypto.release(m)\nprint(n)\np11crypto.wipe_all()"
        )
        assert not trace and int(output) in (1, 2)  # 2: interrupted between result and release


def test_flash_is_erased_programmed_and_verified(run):
    jedec, size, erase, page = run("print(rawflash.info())")
    assert erase == 4096 and page == 256 and size == 1 << (jedec & 0xFF)
    base = run(
        "r = rawflash.Region('app2')\no = r.size() - 4096\nr.erase(o, 4096)\nprint(r.base())"
    )
    data = bytes(range(256)) * 3
    run(f"r.program(o + 10, {data})")
    assert run("b = bytearray(770)\nr.read(o + 9, b)\nprint(bytes(b))") == b"\xff" + data + b"\xff"
    code = "try:\n r.program(o + 11, b'\\xff')\nexcept OSError as e:\n print(e.errno)"
    assert run(code) == errno.EIO
    run("r.erase(o, 4096)")
    assert base == 0x100000


@pytest.mark.parametrize(
    "call, number",
    [
        ("rawflash.Region('keys').erase(1, 4096)", errno.EINVAL),
        ("rawflash.Region('keys').erase(0, 0x11000)", errno.EINVAL),
        ("rawflash.Region('keys').erase(-4096, 4096)", errno.EINVAL),
        ("rawflash.Region('keys').program(0x10000, b'x')", errno.EINVAL),
        ("rawflash.Region('keys').program(0xffff, b'xy')", errno.EINVAL),
        ("rawflash.Region('keys').read(0x10000 - 3, bytearray(4))", errno.EINVAL),
        ("rawflash.Region('app').program(0, b'')", errno.EROFS),
        ("rawflash.Region('app').erase(0, 4096)", errno.EROFS),
    ],
)
def test_flash_refuses_what_is_not_the_callers(run, call, number):
    assert run(f"try:\n {call}\nexcept OSError as e:\n print(e.errno)") == number
