# SPDX-License-Identifier: MIT
"""The emulated board built without its entropy source (make firmware NO_TRNG=1): from the blank
chip over the provisioning by the host to power cuts while it starts."""

import json
import os
import time

import pytest
from factory import built, program
from qemu_machine import Board

pytestmark = pytest.mark.emulated

STREAM = "import os\nprint(os.urandom(16).hex())"


@pytest.fixture
def board(tmp_path):
    """A new chip with this firmware, off."""
    build = built("-notrng")
    made = Board(program(tmp_path / "flash.bin", build), build / "loader.elf")
    yield made
    made.kill()


def ask(board, request):
    program = "from pkcs11 import hostlink\nhostlink.run(%r)" % json.dumps(request)
    return json.loads(board.run(program).splitlines()[-1])


def test_the_board_starts_seeds_itself_and_never_repeats_a_stream(board):
    # One story on one chip, in this order.
    board.start()
    tries = "import os, p11crypto\nfor f in (lambda: os.urandom(1), p11crypto.master_new):\n"
    tries += "    try:\n        f()\n    except OSError as e:\n        print(e.errno)"
    assert board.run(tries).split() == ["5", "5"]
    assert ask(board, {"cmd": "keygen", "label": "k", "pin": "0000"})["error"]
    entropy = ask(board, {"cmd": "info"})["entropy"]
    assert entropy["state"] == "not started" and entropy["seed"]["generation"] == 0
    assert "no seed" in entropy["seed"]["error"]

    assert ask(board, {"cmd": "seed", "value": "00" * 63})["error"]
    assert ask(board, {"cmd": "seed", "value": os.urandom(64).hex()}) == {"generation": 1}
    seen = [board.run(STREAM)]
    assert "error" not in ask(board, {"cmd": "keygen", "label": "k", "pin": "0000"})

    for _ in range(3):  # soft resets
        board.send(b"\x04")
        board.until(b">>> ")
        seen.append(board.run(STREAM))
    entropy = ask(board, {"cmd": "info"})["entropy"]
    assert entropy["seed"] == {"generation": 4, "error": None}
    assert entropy["state"] == "ok" and "stored seed" in entropy["source"]

    for number in range(8):  # power cuts somewhere in the start
        board.kill()
        super(Board, board).start()
        time.sleep(0.15 + 0.1 * number)
        board.kill()
        board.start()
        seen.append(board.run(STREAM))
    assert len(set(seen)) == len(seen) == 12
    assert ask(board, {"cmd": "info"})["entropy"]["seed"]["generation"] >= 12
