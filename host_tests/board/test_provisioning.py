# SPDX-License-Identifier: MIT
"""Provisioning emulated boards: the page's commands as they stand, cuts, and many boards."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pages
import pytest
from factory import built, program

from p11board import flashmap, plan, profile, work
from p11board.board import Board
from p11board.emulator import Emulator
from p11board.transport import Link

ROOT = Path(__file__).resolve().parent.parent.parent

USER, SO = b"471147", b"8715008150"
BOARDS = 50  # of the soak test


@pytest.fixture(autouse=True)
def only_emulated(request):
    if request.config.getoption("--board") != "emulated":
        pytest.skip("provisions blank boards")


@pytest.fixture
def stop_all(tmp_path):
    """Whatever a test started in directories board-N is switched off."""
    yield
    for state in tmp_path.glob("**/board-*"):
        Emulator(state).kill()
        (state / "flash.bin").unlink(missing_ok=True)


def test_the_commands_of_the_page_work_as_they_stand(
    firmware, tmp_path, stop_all, record_property
):
    """One script: a first board, every flow, then three blank boards from a list."""
    for number in (1, 2, 3):
        program(tmp_path / f"board-{number}" / "flash.bin", firmware[0].parent)
    environment = {name: value for name, value in os.environ.items() if "P11BOARD" not in name}
    environment["PATH"] = pages.path(pages.p11board_in(tmp_path))
    environment["XDG_STATE_HOME"] = str(tmp_path / "logs")
    script = "\n".join(pages.blocks("PROVISIONING.md"))
    printed = pages.run(script, tmp_path, environment, seconds=400)
    assert printed.splitlines()[-1] == "3"  # boards of the list that are ok
    assert "it was not touched" in printed and "the claim is gone" in printed
    assert "the profile trusts nobody" in printed
    report = json.loads((tmp_path / "report.json").read_text())
    serials = [one["serial"] for one in report["boards"]]
    assert len(set(serials)) == 3 and report["summary"]["ok"] == 3
    for one in report["boards"]:
        states = {step["name"]: step["state"] for step in one["steps"]}
        assert states["token"] == states["key"] == states["switch"] == "applied"
        record_property("seconds from blank", one["seconds"])
        print(f"board {one['serial']}: {one['seconds']} s from blank to verified")


def test_a_board_whose_plug_is_pulled_after_each_step_ends_as_any_other(make_board, tmp_path):
    made = make_board(tmp_path / "state")
    (tmp_path / "user.pin").write_bytes(USER)
    (tmp_path / "so.pin").write_bytes(SO)
    files = {"user": str(tmp_path / "user.pin"), "so": str(tmp_path / "so.pin")}
    job = work.Job(profile.load("demo"), files, {}, tmp_path / "demo-ca")
    applied, point = [], None
    while True:
        made.start()
        with Link(made.port) as link:
            steps = work.Work(Board(link), job, {"id": "x"}).steps()
            left = [step for step in steps if step.always or not step.check()]
            outcomes = plan.run(left[:1])
            applied.append(left[0].name)
            held = work.Holdings(Board(link, lambda: USER))
            now = held.pair("Device Priv TLS Key", "Device Pub TLS Key")
            assert point in (None, now)  # a key is made once
            point = now
        made.emulator.kill()
        if left[0].always:
            break
    assert applied == [
        *("token", "root", "code-verify", "jitp"),
        *("key", "certificate", "switch", "verify"),
    ]
    assert outcomes[-1].state == plan.APPLIED


def test_a_renewal_whose_plug_is_pulled_leaves_one_whole_identity(make_board, tmp_path):
    made = make_board(tmp_path / "state")
    made.start()
    (tmp_path / "pin").write_bytes(USER)
    files = {"user": str(tmp_path / "pin"), "so": str(tmp_path / "pin")}
    once = work.Job(profile.load("demo"), files, {}, tmp_path / "demo-ca")
    again = work.Job(once.profile, files, {}, once.ca_folder, renewal=work.Renewal(True, True))
    with Link(made.port) as link:
        plan.run(work.Work(Board(link), once, {}).steps())
        renewal = work.Work(Board(link), again, {})
        steps = {step.name: step for step in renewal.steps()}
        for name in ("key", "certificate"):
            assert not steps[name].check()
            steps[name].apply()
        old = renewal.held.pair("Device Priv TLS Key", "Device Pub TLS Key")
    made.emulator.kill()
    made.start()
    with Link(made.port) as link:
        held = work.Work(Board(link), once, {})
        assert held.held.pair("Device Priv TLS Key", "Device Pub TLS Key") == old
        assert held.identified()
        held.challenge("Device Priv TLS Key", held.current_good().public_key())
        plan.run(held.steps())  # goes on with what was verified already
        assert held.held.pair("Device Priv TLS Key", "Device Pub TLS Key") != old
        assert not any("next" in one["label"] for one in held.held.objects())


def test_a_board_without_entropy_source_is_seeded_first(tmp_path):
    variant = built("-notrng")
    emulator = Emulator(tmp_path / "state")
    program(emulator.flash, variant)
    (tmp_path / "user.pin").write_bytes(USER)
    (tmp_path / "so.pin").write_bytes(SO)
    files = {"user": str(tmp_path / "user.pin"), "so": str(tmp_path / "so.pin")}
    job = work.Job(profile.load("demo"), files, {}, tmp_path / "demo-ca")
    emulator.start(variant / "loader.elf")
    try:
        with Link(emulator.port) as link:
            outcomes = plan.run(work.Work(Board(link), job, {}).steps())
    finally:
        emulator.kill()
        emulator.flash.unlink()
    states = {outcome.name: outcome.state for outcome in outcomes}
    assert states["seed"] == states["key"] == states["verify"] == plan.APPLIED


def test_each_board_has_a_serial_number_of_its_own_and_keeps_it(
    make_board, second_image, tmp_path
):
    serials = []
    for number in range(2):
        made = make_board(tmp_path / str(number))
        made.start()
        serials.append(made.json("info")["token"]["serial"])
        made.emulator.stop()
    made.emulator.program(second_image.read_bytes())
    made.start()
    assert made.json("info")["token"]["serial"] == serials[1] != serials[0]
    assert re.fullmatch("[0-9A-F]{16}", serials[1])


def another_board(flash, number):
    """Make the chip that of another, blank board: its number in, everything stored out."""
    with open(flash, "r+b") as chip:
        for region in (flashmap.FS, flashmap.KEYS, flashmap.ID):
            chip.seek(region.offset)
            chip.write(b"\xff" * region.size)
        chip.seek(flashmap.ID.offset)
        chip.write(number)


@pytest.mark.slow
def test_fifty_boards_are_provisioned_unattended(make_board, tmp_path):
    """One after the other at one place, as on a bench; every fifth loses power half way."""
    made = make_board(tmp_path / "state")
    numbers = [hashlib.sha256(b"board %d" % number).digest()[:8] for number in range(BOARDS)]
    rows = [f"{number.hex()},pump-{index}" for index, number in enumerate(numbers)]
    (tmp_path / "list.csv").write_text("\n".join(["serial,id", *rows]))
    (tmp_path / "user.pin").write_bytes(USER)
    (tmp_path / "so.pin").write_bytes(SO)
    options = ["--profile", "demo", "--ca-dir", tmp_path / "ca", "--log", tmp_path / "log"]
    options += ["--pin-file", tmp_path / "user.pin", "--so-pin-file", tmp_path / "so.pin"]
    options += ["--csv", tmp_path / "list.csv"]
    seconds = []
    for index, number in enumerate(numbers):
        another_board(made.emulator.flash, number)
        made.start()
        if index % 5 == 4:
            command = [sys.executable, "-m", "p11board", *made.options(), "provision", *options]
            running = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
            time.sleep(1 + 3 * index / BOARDS)
            made.emulator.kill()
            running.wait()
            made.start()
        started = time.monotonic()
        made.p11board("provision", *options)
        seconds.append(time.monotonic() - started)
        made.emulator.stop()
    assert (tmp_path / "list.csv").read_text().count(",ok,") == BOARDS
    print(f"{BOARDS} boards, mean {sum(seconds) / BOARDS:.1f} s, longest {max(seconds):.1f} s")
