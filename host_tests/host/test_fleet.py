# SPDX-License-Identifier: MIT
"""Lists of boards: what a CSV file may say, and runs over several boards."""

import csv
import io
import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from host.provision_kit import SO, USER, Device, write
from hypothesis import given
from hypothesis import strategies as st

from p11board import cli_provision, fleet, selection
from p11board.cli import cli
from p11board.errors import Problem, TransportProblem

GOOD = b"serial,id,site\n00AA,pump 1,hall\n00ab,pump 2,yard\n"


def test_a_list_names_boards_by_serial_number():
    found = fleet.parse(GOOD, "list")
    assert [row.serial for row in found.rows] == ["00AA", "00AB"]
    assert found.row_of("00ab").values == {"id": "pump 2", "site": "yard"}
    assert found.row_of("00AC") is None


BAD = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n \n,,\n", "is empty"),
    "no serial": (b"id,name\na,b\n", "no column serial"),
    "serial missing": (b"serial,id\n,x\n", "has no serial number"),
    "serial too long": (b"serial\n" + b"A" * 17, "has no serial number"),
    "serial with blank": (b"serial\nA B\n", "has no serial number"),
    "serial twice": (b"serial,id\n0A,x\n0a,y\n", "has the serial of board 1: 0A"),
    "id twice": (b"serial,id\n0A,x\n0B,x\n", "has the id of board 1: x"),
    "column twice": (b"serial,id,id\n1,2,3\n", "cannot be a column"),
    "column's name": (b"serial,My Id\n1,2\n", "cannot be a column"),
    "too few cells": (b"serial,id\n1\n", "has 1 cells, the first line 2"),
    "too many cells": (b"serial,id\n1,2,3\n", "has 3 cells"),
    "not UTF-8": (b"serial\n\xff\n", "UTF-8"),
    "open quote": (b'serial\n"1\n', "is no CSV"),
    "NUL": (b"serial\n1\0\n", "list"),
    "control character": (b"serial,id\n1,a\x1b[2J\n", "control characters"),
    "huge cell": (b"serial,id\n1," + b"x" * 200000, "list"),
    "long value": (b"serial,id\n1," + b"x" * 201, "too long"),
    "too many rows": (b"serial\n" + b"".join(b"%d\n" % n for n in range(10001)), "10000 rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_list_that_is_wrong_is_refused_in_one_line(case):
    data, reason = BAD[case]
    with pytest.raises(Problem) as caught:
        fleet.parse(data, "list")
    assert reason in caught.value.line()
    assert caught.value.line().isprintable()


@given(st.binary(max_size=60) | st.text(alphabet='serial,id\n"0A \r', max_size=60).map(str.encode))
def test_any_bytes_are_a_list_or_a_problem(data):
    try:
        found = fleet.parse(data, "list")
    except Problem as problem:
        assert problem.line()
    else:
        assert len({row.serial for row in found.rows}) == len(found.rows)


def test_results_can_be_the_next_list(tmp_path):
    found = fleet.parse(GOOD, "list")
    found.rows[0].result, found.rows[0].detail = fleet.OK, "fine, really"
    found.rows[0].certificate = {"sha256": "ab" * 32}
    found.write(tmp_path / "out.csv")
    again = fleet.load(tmp_path / "out.csv")
    assert [row.values for row in again.rows] == [row.values for row in found.rows]
    assert [row.result for row in again.rows] == [fleet.OK, fleet.ABSENT]
    again.write(tmp_path / "again.csv")
    assert "ab" * 32 in (tmp_path / "again.csv").read_text()
    assert list(tmp_path.glob("*.part")) == []


# --- several boards -----------------------------------------------------------------------------


class Boards:
    """Devices at ports /dev/fake…; `dead` ports do not answer."""

    def __init__(self, monkeypatch, folder, make_token):
        import pkcs11

        self.folder = folder
        self.devices = {}
        self.dead = set()
        for number in range(3):
            device = Device(
                make_token(),
                lambda token: monkeypatch.setattr(pkcs11, "_token", token),
                b"00A%d" % number,
            )
            self.devices[f"/dev/fake{number}"] = device
        monkeypatch.setattr(cli_provision, "Link", self.link)
        monkeypatch.setattr(selection, "candidates", self.candidates)
        write(folder / "user.pin", USER)
        write(folder / "so.pin", SO)

    def candidates(self, emulator):
        del emulator
        return [selection.Candidate(port, port, "fake") for port in self.devices]

    @contextmanager
    def link(self, port):
        if port in self.dead:
            raise TransportProblem(f"{port}: dead")
        self.devices[port].connect()
        yield self.devices[port]

    def run(self, *arguments, code=0, command="provision"):
        options = ["--profile", "demo", "--ca-dir", str(self.folder / "ca")]
        options += ["--pin-file", str(self.folder / "user.pin")]
        options += ["--so-pin-file", str(self.folder / "so.pin")]
        words = ["--state", str(self.folder / "state"), command, *options, *map(str, arguments)]
        result = CliRunner().invoke(cli, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def results(self, file):
        with open(self.folder / file, newline="") as stream:
            return {row["serial"]: row["result"] for row in csv.DictReader(stream)}


@pytest.fixture
def boards(monkeypatch, tmp_path, run, token):
    from memory_store import MemoryStore

    from pal.pal import Pal
    from pkcs11.settings import Settings
    from pkcs11.token import Token

    del run, token  # what they set up is needed, they are not

    def make_token():
        return Token(Pal(MemoryStore()), Settings(iterations=2, clock=lambda: 0))

    return Boards(monkeypatch, tmp_path, make_token)


def listed(boards, *serials, columns="serial,id"):
    lines = [columns, *(f"{one},board {one}" for one in serials)]
    return write(boards.folder / "list.csv", "\n".join(lines).encode())


def test_a_list_of_three_boards_is_provisioned(boards):
    listed(boards, "00A0", "00A1", "00A2")
    report = boards.folder / "report.json"
    out = boards.folder / "out.csv"
    text = boards.run("--csv", boards.folder / "list.csv", "--csv-out", out, "--report", report)
    assert "3 boards: 3 ok" in text.stdout
    assert set(boards.results("out.csv").values()) == {"ok"}
    found = json.loads(report.read_text())
    assert found["summary"]["ok"] == 3 and not found["strangers"]
    subjects = {one["certificate"]["subject"] for one in found["boards"]}
    assert subjects == {f"CN=board 00A{n},O=micropython-pkcs11 demo" for n in range(3)}
    assert all(one["steps"][-1]["name"] == "verify" for one in found["boards"])


def test_a_board_that_is_not_in_the_list_is_not_touched(boards):
    listed(boards, "00A1")
    text = boards.run("--csv", boards.folder / "list.csv").stdout
    assert "board 00A0 is not in the list; not touched" in text
    assert boards.devices["/dev/fake0"].requests == ["info"]
    assert boards.results("list.csv") == {"00A1": "ok"}


def test_a_board_in_another_ones_place_is_not_touched(boards):
    rows = b"serial,id,port\n00A0,a,/dev/fake1\n00A1,b,/dev/fake0\n00A2,c,/dev/fake2\n"
    write(boards.folder / "list.csv", rows)
    boards.run("--csv", boards.folder / "list.csv", code=1)
    assert boards.results("list.csv") == {
        "00A0": "wrong board",
        "00A1": "wrong board",
        "00A2": "ok",
    }
    assert not boards.devices["/dev/fake0"].writes and not boards.devices["/dev/fake1"].writes


def test_after_a_failure_the_same_command_goes_on(boards):
    listed(boards, "00A0", "00A1", "00A2")
    boards.dead.add("/dev/fake1")
    ports = [word for port in boards.devices for word in ("--port", port)]
    boards.run("--csv", boards.folder / "list.csv", *ports)
    assert boards.results("list.csv") == {"00A0": "ok", "00A1": "absent", "00A2": "ok"}
    boards.dead = {"/dev/fake0"}  # unplugged after it was done: its result stays
    boards.run("--csv", boards.folder / "list.csv", *ports)
    assert set(boards.results("list.csv").values()) == {"ok"}
    assert boards.devices["/dev/fake2"].writes == []


def test_a_board_that_fails_does_not_stop_the_others(boards):
    listed(boards, "00A0", "00A1", "00A2")
    boards.devices["/dev/fake0"].connect().keygen()  # holds objects, never initialised
    text = boards.run("--csv", boards.folder / "list.csv", code=1).stdout
    assert boards.results("list.csv") == {"00A0": "failed", "00A1": "ok", "00A2": "ok"}
    assert "factory-reset" in text


def test_ctrl_c_keeps_what_was_done(boards, monkeypatch):
    listed(boards, "00A0", "00A1", "00A2")
    device = boards.devices["/dev/fake1"]

    def interrupted(line):
        raise KeyboardInterrupt

    device.connect().info()
    monkeypatch.setattr(device, "ask", interrupted)
    boards.run("--csv", boards.folder / "list.csv", code=130)
    assert boards.results("list.csv") == {"00A0": "ok", "00A1": "absent", "00A2": "absent"}
    monkeypatch.undo()


def test_a_dry_run_writes_neither_board_nor_list(boards):
    listed(boards, "00A0", "00A1")
    before = (boards.folder / "list.csv").read_bytes()
    boards.run("--csv", boards.folder / "list.csv", "--dry-run")
    assert (boards.folder / "list.csv").read_bytes() == before
    assert not any(device.writes for device in boards.devices.values())


def test_requests_and_certificates_of_a_list_have_a_file_each(boards):
    listed(boards, "00A0", "00A1")
    boards.run(
        "--csv", boards.folder / "list.csv", "--export-csr", f"{boards.folder}/csr/{{id}}.pem"
    )
    assert set(boards.results("list.csv").values()) == {"waiting"}
    names = {path.name for path in (boards.folder / "csr").iterdir()}
    assert names == {"board 00A0.pem", "board 00A1.pem"}


def test_a_pin_file_for_each_board(boards):
    listed(boards, "00A0", "00A1")
    for number in range(2):
        write(boards.folder / f"00A{number}.pin", b"12345%d" % number)
    pins = f"{boards.folder}/{{serial}}.pin"
    boards.run("--csv", boards.folder / "list.csv", "--pin-file", pins)
    board = boards.devices["/dev/fake1"].connect()
    board.ask_pin_with(lambda: b"123451")
    assert board.sign(bytes(32))


def test_one_board_and_its_expected_serial_number(boards):
    boards.run("--board", "/dev/fake0", "--serial", "00A1", code=1)
    assert boards.devices["/dev/fake0"].requests == ["info"]
    text = boards.run("--board", "/dev/fake0", "--serial", "00a0", "--id", "x").stdout
    assert "board 00A0: provisioned and verified" in text
    found = json.loads(boards.run("--board", "/dev/fake0", "--json").stdout)
    assert found["result"] == "ok" and found["serial"] == "00A0"
    text = boards.run("--board", "/dev/fake0", command="renew").stdout
    assert "= done     new identity in use" in text


def test_pins_can_come_from_a_dialog(boards):
    dialog = boards.folder / "dialog"
    script = "#!/bin/sh\necho OK\nwhile read -r word rest; do\n"
    script += "[ $word = GETPIN ] && echo D 13572468\necho OK\n[ $word = BYE ] && exit\ndone\n"
    dialog.write_text(script)
    dialog.chmod(0o755)
    words = ["--profile", "demo", "--ca-dir", str(boards.folder / "ca"), "--json"]
    words += ["--pinentry", str(dialog), "--board", "/dev/fake0"]
    result = CliRunner().invoke(cli, ["--state", str(boards.folder), "provision", *words])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["result"] == "ok"
    assert "13572468" not in result.output
    board = boards.devices["/dev/fake0"].connect()
    board.ask_pin_with(lambda: b"13572468")
    assert board.sign(bytes(32))


def test_an_inventory_reads_only_and_gives_a_list_to_fill_in(boards):
    state = ["--state", str(boards.folder)]
    file = boards.folder / "new.csv"
    result = CliRunner().invoke(cli, [*state, "inventory", "--csv", str(file)])
    assert result.exit_code == 0 and "00A2" in result.stdout
    assert file.read_text() == "serial,id\n00A0,\n00A1,\n00A2,\n"
    assert not any(device.writes for device in boards.devices.values())
    boards.run("--csv", file)
    assert set(boards.results("new.csv").values()) == {"ok"}
    found = json.loads(CliRunner().invoke(cli, [*state, "inventory", "--json"]).stdout)
    assert [one["serial"] for one in found] == ["00A0", "00A1", "00A2"]


def test_the_log_has_the_steps_and_no_pin(boards):
    log = boards.folder / "deep" / "log"
    boards.run("--board", "/dev/fake0", "--log", log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines][:2] == ["start", "step"]
    assert {line["serial"] for line in lines} == {"00A0"}
    assert USER.decode() not in log.read_text() and SO.decode() not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    boards.run("--board", "/dev/fake0", "--log", log)
    assert len(log.read_text().splitlines()) > len(lines)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["--set", "x"], "sets nothing"),
        (["--set", "nothing=1"], "there is no key"),
        (["--export-csr", "a", "--import-cert", "b"], "exclude each other"),
        (["--csv", "list.csv", "--id", "x"], "columns of the list"),
        (["--csv", "/no/such/list"], "cannot read"),
        (["--csv-out", "x"], "there is no list"),
        (["--port", "x"], "there is no list"),
        (["--sign-command", '"'], "cannot be read"),
        (["--log", "/dev/null/x"], "cannot write the log"),
        (["--pin-file", "{nothing}.pin", "--board", "/dev/fake0"], "stands for nothing"),
        (["--profile", "nothing"], "no profile"),
    ],
    ids=lambda value: None if isinstance(value, str) else value[0],
)
def test_options_that_make_no_sense_are_refused_before_a_board_is_touched(
    boards, arguments, reason
):
    words = ["--profile", "demo", "--ca-dir", str(boards.folder / "ca"), *arguments]
    result = CliRunner().invoke(cli, ["--state", str(boards.folder), "provision", *words])
    assert result.exit_code in (1, 2) and reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not any(device.writes for device in boards.devices.values())


def test_csv_is_quoted_where_it_must_be(tmp_path):
    found = fleet.parse(b'serial,id\n1,"a, ""b"""\n', "list")
    found.write(tmp_path / "x.csv")
    row = next(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert row["id"] == 'a, "b"'
