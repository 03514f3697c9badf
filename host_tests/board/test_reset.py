# SPDX-License-Identifier: MIT
"""`p11board factory-reset` and what `p11board info` says of the store."""

import os
import pty
import subprocess
import sys

import pytest

from p11board import flashmap, keys

LABEL = "test reset"


def raw_region(emulated):
    """The bytes of the key region; the board is off afterwards."""
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "rb") as file:
        file.seek(flashmap.KEYS.offset)
        return file.read(flashmap.KEYS.size)


def fill(emulated):
    """A pair of keys and a data object."""
    with emulated.connected() as token:
        token.keygen(LABEL)
        token.import_item(keys.Item(keys.DATA, b"not to be found later", "data"), LABEL)


def at_a_terminal(emulated, typed):
    """Run `factory-reset --yes` at a terminal and type a line; returns exit code and output."""
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "p11board", *emulated.options(), "factory-reset", "--yes"]
    process = subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.close(terminal)
    try:
        os.write(master, typed + b"\n")
        output, _ = process.communicate(timeout=60)
    finally:
        os.close(master)
    return process.returncode, output


def test_without_yes_it_says_what_would_go_and_changes_nothing(emulated):
    fill(emulated)
    before = raw_region(emulated)
    emulated.start()
    result = emulated.p11board("factory-reset")
    assert "dry run" in result.stdout and "3 objects" in result.stdout
    assert emulated.json("factory-reset") == {"done": False, "recognised": True, "objects": 3}
    assert raw_region(emulated) == before


def test_with_yes_nothing_is_left_in_the_flash_and_the_token_works_at_once(emulated):
    fill(emulated)
    assert emulated.json("factory-reset", "--yes") == {
        "done": True,
        "recognised": True,
        "objects": 3,
    }
    assert emulated.json("objects", "--public-only") == []
    facts = emulated.json("info")
    assert facts["store"]["blank"] and facts["objects"] == 0
    data = raw_region(emulated)
    assert LABEL.encode() not in data and b"not to be found" not in data
    for at in range(0, len(data), flashmap.SECTOR_SIZE):  # marks at most
        assert not data[at + 32 : at + flashmap.SECTOR_SIZE].strip(b"\xff")
    emulated.start()
    with emulated.connected() as token:
        assert token.keygen(LABEL)["point"]
        assert len(token.objects()) == 2


def test_a_terminal_is_asked_for_words_and_other_words_change_nothing(emulated):
    fill(emulated)
    code, output = at_a_terminal(emulated, b"yes")
    assert code == 2 and "nothing was changed" in output
    assert len(emulated.json("objects")) == 3
    code, output = at_a_terminal(emulated, b"destroy everything")
    assert code == 0 and "as new" in output
    assert emulated.json("objects") == []


def test_it_is_the_way_out_of_a_region_that_is_not_recognised(emulated):
    emulated.emulator.stop()
    with open(emulated.emulator.flash, "r+b") as file:
        file.seek(flashmap.KEYS.offset)
        file.write(b"something else" * 500)
    emulated.start()
    assert "UNRECOGNISED" in emulated.p11board("info").stdout
    assert not emulated.json("factory-reset")["recognised"]
    emulated.p11board("factory-reset", "--yes")
    assert emulated.json("info")["store"]["blank"]
    fill(emulated)


def test_it_is_refused_while_a_program_on_the_board_has_a_session(emulated):
    fill(emulated)
    with emulated.connected() as token:
        program = "import pkcs11\npkcs11.C_Initialize()\npkcs11.C_OpenSession(1, 4)\n"
        assert token.link.execute(program, 10)[1] == ""
        answer = token.link.execute(
            "from pkcs11 import hostlink\n"
            'hostlink.run(b\'{"cmd": "factory_reset", "yes": true}\')',
            10,
        )[0]
    assert "CKR_SESSION_EXISTS" in answer


def test_info_shows_the_state_of_the_store(emulated):
    assert "blank, nothing stored yet" in emulated.p11board("info").stdout
    fill(emulated)
    text = emulated.p11board("info").stdout
    for words in ("format 1.0", "16 sectors of 4 KiB", "bytes free", "% left", "erased"):
        assert words in text
    store = emulated.json("info")["store"]
    assert store["damaged"] == [] and store["life_left_percent"] >= 99
    assert store["erase_min"] <= store["erase_max"] < 5


@pytest.mark.parametrize("where", ["label", "value"])
def test_info_names_a_damaged_object(emulated, where):
    with emulated.connected() as token:
        token.import_item(keys.Item(keys.DATA, b"value " * 20, "data"), "label to be hit")
    data = raw_region(emulated)
    at = data.index(b"label to be hit" if where == "label" else b"value value ")
    with open(emulated.emulator.flash, "r+b") as file:
        file.seek(flashmap.KEYS.offset + at)
        file.write(b"\0\0\0\0")
    emulated.start()
    text = emulated.p11board("info").stdout
    assert "DAMAGED" in text and "objects 256" in text
    found = emulated.json("objects")
    assert [each["class"] for each in found] == ["damaged"]
