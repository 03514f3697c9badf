# SPDX-License-Identifier: MIT
"""Secret keys of p11crypto on the board itself, against the twin on the host."""

import ast

import p11crypto_py as twin
import pytest

from p11board.transport import Link

KEY, DATA, IV = bytes(range(32)), bytes(range(100, 180)), bytes(range(16))


@pytest.fixture
def run(board):
    """run(code): executes code on the board and returns the last line it printed, as a value."""
    twin.test_reset()
    with Link(board.port) as link:

        def execute(code):
            output, trace = link.execute("import p11crypto as p\np.wipe_all()\n" + code)
            assert not trace, trace
            return ast.literal_eval(output.splitlines()[-1])

        yield execute
        execute("print(p.slots_used())")


def operations(p):
    """The results of every operation with KEY, the same text for the board and for the twin."""
    slot = p.secret_import(bytearray(KEY))
    results = []
    for state in (p.Hmac(p.SHA256, slot), p.Hmac(p.SHA512, slot), p.Cmac(slot)):
        state.update(DATA[:33])
        state.update(DATA[33:])
        results.append(state.digest())
        state.wipe()
    for encrypt in (True, False):
        for iv in (None, IV):
            state = p.Aes(slot, encrypt, iv)
            results.append(state.update(DATA[:16]) + state.update(DATA[16:]))
    results.append(bytes(p.secret_export(slot)))
    results.append(p.secret_size(slot))
    return results


def test_hmac_cmac_and_aes_give_on_the_board_what_they_give_on_the_host(run):
    import inspect

    code = "KEY, DATA, IV = %r, %r, %r\n%s\nprint(operations(p))"
    assert run(code % (KEY, DATA, IV, inspect.getsource(operations))) == operations(twin)


@pytest.mark.parametrize("curve", [1, 2])
def test_board_and_host_agree_on_a_shared_secret(run, curve):
    mine = twin.ec_generate(curve)
    point, shared = run(
        "k = p.ec_generate(%d)\nprint((p.ec_public(k), bytes(p.secret_export(p.ecdh(k, %r, 32)))))"
        % (curve, twin.ec_public(mine))
    )
    assert twin.secret_export(twin.ecdh(mine, point, 32)) == shared


def test_bytes_sealed_on_the_board_are_opened_on_the_host(run):
    wrapped, sealed, opened = run(
        "m = p.master_new()\ns = p.seal_bytes(m, b'c', b'a', b'text' * 500)\n"
        "w = p.master_wrap(m, b'1', bytes(16), 0, b'')\n"
        "print((w, s, p.unseal_bytes(m, s, b'c', b'a') == b'text' * 500))"
    )
    master = twin.master_unwrap(b"1", bytes(16), 0, b"", wrapped)
    assert opened and twin.unseal_bytes(master, sealed, b"c", b"a") == b"text" * 500


def test_bad_arguments_raise_and_leave_no_slot(run):
    code = (
        "for f in (lambda: p.secret_import(bytearray(65)), lambda: p.secret_generate(0),\n"
        "    lambda: p.Cmac(5), lambda: p.Aes(5, True, b''), lambda: p.ecdh(5, b'', 1),\n"
        "    lambda: p.unseal_bytes(5, b'', b'c', b'')):\n"
        "    try:\n        f()\n    except ValueError as e:\n        words.append(str(e))\n"
    )
    words = run("words = []\n" + code + "print(words + [p.slots_used()])")
    assert words == ["length", "length", "slot", "slot", "slot", "slot", 0]
