# SPDX-License-Identifier: MIT
"""Commands `p11board provision` and `p11board renew`: one board, or a list of them."""

import json
import shlex
import sys
import time
from pathlib import Path

import click

from p11board import chain, fleet, plan, profile, selection
from p11board.board import Board
from p11board.context import Session, board_option, json_option
from p11board.errors import EXIT_ERROR, FileProblem, Problem, UsageProblem
from p11board.files import write_whole
from p11board.journal import Journal
from p11board.pinentry import PROGRAM
from p11board.transport import Link
from p11board.work import Job, Renewal, Work, WrongBoard, check_serial

OPTIONS = (
    click.option("--profile", "name", required=True, metavar="FILE|NAME", help="What to make."),
    click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Of the profile."),
    click.option("--id", "identifier", metavar="TEXT", help="Name of the board, {id} in texts."),
    click.option("--serial", metavar="SERIAL", help="Refuse any board but this one."),
    click.option("--dry-run", is_flag=True, help="Show the plan and change nothing."),
    click.option("--export-csr", metavar="FILE", help="Write the request, stop there."),
    click.option("--import-cert", metavar="FILE", help="Go on with this certificate."),
    click.option("--sign-command", metavar="COMMAND", help="Have this program sign."),
    click.option("--pin-file", envvar="P11BOARD_PIN_FILE", metavar="FILE", help="With the user PIN."),
    click.option("--so-pin-file", metavar="FILE", help="File with the security officer's PIN."),
    click.option(
        "--pinentry", "dialog", is_flag=False, flag_value=PROGRAM, metavar="[PROGRAM]",
        help="Ask for PINs in a pinentry dialog.",
    ),
    click.option("--csv", "listed", metavar="FILE", help="List of boards: serial,id,…"),
    click.option("--csv-out", metavar="FILE", help="Results, as CSV; default: the list itself."),
    click.option("--port", "ports", multiple=True, metavar="PORT", help="Boards of the list."),
    click.option("--report", metavar="FILE", help="Write a report as JSON."),
    click.option("--log", metavar="FILE", help="Log to append to; default: the user's."),
    click.option("--ca-dir", type=click.Path(path_type=Path), help="Where the demo CA lives."),
)  # fmt: skip


def options(command):
    """The options of both commands."""
    for option in reversed((*OPTIONS, board_option, json_option)):
        command = option(command)
    return command


@click.command()
@options
@click.pass_obj
def provision(session: Session, **given):
    """From a blank board to a verified device, in one plan.

    Skips what is done already, so run it again after any failure; --dry-run shows what is left.
    PROFILE is a TOML file, or one that comes along: demo, plain, aws-jitp, aws-jitr, aws-claim,
    aws-trusted-user. PINs come from files, a dialog or the terminal. See docs/PROVISIONING.md.
    """
    Run(session, None, **given).run()


@click.command()
@options
@click.option("--new-key", is_flag=True, help="Make a new key, too.")
@click.option("--force", is_flag=True, help="Do it however long the certificate lives.")
@click.pass_obj
def renew(session: Session, new_key, force, **given):
    """Renew a board's certificate when it ends soon, if asked with a new key.

    The old identity stays in use until the new one is verified. Without --force, nothing happens
    until fewer days are left than the profile's certificate.renew_days.
    """
    Run(session, Renewal(new_key, force), **given).run()


@click.command()
@click.option(
    "--port", "ports", multiple=True, metavar="PORT", help="Boards; default: all there are."
)
@click.option("--csv", "file", metavar="FILE", help="Write the list for `provision --csv`.")
@board_option
@json_option
@click.pass_obj
def inventory(session: Session, ports, file):
    """Which boards are connected: serial number and label of each token.

    Reads only. With --csv it writes a list to fill in: one row a board, column id empty.
    """
    found = []
    for port in ports or [one.port for one in selection.candidates(session.emulator)]:
        with Link(selection.choose(port, session.emulator)) as link:
            facts = Board(link).info()
        token = facts["token"] or {}
        found.append(
            {"port": port, "serial": token.get("serial", ""), "label": token.get("label")}
        )
    if file:
        rows = [fleet.Row(one["serial"]) for one in found]
        fleet.write_list(Path(file), rows)
    session.output.data(
        found, lambda _: session.output.table(found[0] if found else (), map(dict.values, found))
    )


class Run:
    """One run of either command."""

    def __init__(self, session, renewal, name, changes, **given):
        self.session = session
        self.output = session.output
        self.given = given
        profile_used = profile.load(name, _changes(changes, given["sign_command"]))
        self.job = Job(
            profile_used,
            {"user": given["pin_file"], "so": given["so_pin_file"]},
            {},
            given["ca_dir"] or session.emulator.state / "demo-ca",
            given["dialog"],
            given["export_csr"],
            given["import_cert"],
            renewal,
        )
        self.journal = None
        self.started = time.time()

    def run(self):
        """Do it; exit code 1 where a board failed."""
        if self.given["export_csr"] and self.given["import_cert"]:
            raise UsageProblem("--export-csr and --import-cert exclude each other")
        if self.given["listed"] and (self.given["identifier"] or self.given["serial"]):
            raise UsageProblem("--id and --serial are columns of the list")
        for name in ("csv_out", "ports"):
            if self.given[name] and not self.given["listed"]:
                raise UsageProblem("there is no list of boards", "name one with --csv")
        with Journal(self.given["log"]) as self.journal:
            if self.given["listed"]:
                self.many()
            else:
                self.one()

    # -- one board -------------------------------------------------------------------------

    def one(self):
        """The board that is chosen as for every other command."""
        values = {"id": self.given["identifier"]} if self.given["identifier"] else {}
        port = selection.choose(self.session.board_name, self.session.emulator)
        row = fleet.Row(self.given["serial"] or "", port, values)
        problem = None
        try:
            with Link(port) as link:
                self.board(Board(link), row, self.tell)
        except Problem as failure:
            problem = failure
            row.result, row.detail = fleet.FAILED, failure.line()
        self.report([row])
        if problem is not None:
            raise problem
        self.output.data(
            {**row.as_dict(), "log": str(self.journal.path)}, lambda _: self.close(row)
        )

    def close(self, row):
        """The last lines for a person."""
        if self.given["dry_run"]:
            self.output.say("nothing was changed")
            return
        words = {fleet.OK: "provisioned and verified", fleet.WAITING: row.detail}[row.result]
        self.output.say(f"board {row.serial}: {words} ({row.seconds:.1f} s)", style="bold")
        self.output.say(f"log: {self.journal.path}")

    def board(self, board, row, tell):
        """The work on a connected board; fills the row. Raises Problem."""
        begun = time.monotonic()
        row.serial = check_serial(board, row.serial or None)
        work = Work(board, self.job, row.values)
        steps = work.steps()
        if self.given["dry_run"]:
            row.steps = plan.preview(steps)
            for outcome in row.steps:
                tell(outcome)
            row.result = fleet.DRY_RUN
            return
        self.journal.note("start", serial=row.serial, profile=self.job.profile.name, **row.values)

        def each(outcome):
            row.steps.append(outcome)
            self.journal.note("step", serial=row.serial, **outcome.as_dict())
            tell(outcome)

        try:
            with self.output.progress("Provisioning", len(steps)) as advance:
                plan.run(steps, lambda outcome: (each(outcome), advance(len(row.steps))))
        finally:
            row.seconds = time.monotonic() - begun
            self.journal.note("end", serial=row.serial, seconds=round(row.seconds, 2))
        last = row.steps[-1]
        row.result = fleet.WAITING if last.state == plan.WAITING else fleet.OK
        row.detail = last.text
        row.certificate = chain.summary(work.certificate) if work.certificate else None

    def tell(self, outcome):
        """A step, for a person."""
        marks = {plan.DONE: "=", plan.TO_DO: "-", plan.APPLIED: "+", plan.WAITING: "~"}
        mark = marks.get(outcome.state, "!")
        text = f": {outcome.text}" if outcome.text else ""
        self.output.say(f"{mark} {outcome.state:<8} {outcome.title}{text}")

    # -- a list of boards ------------------------------------------------------------------

    def many(self):
        """Every connected board of the list, one after the other."""
        boards = fleet.load(self.given["listed"])
        target = Path(self.given["csv_out"] or self.given["listed"])
        strangers = []
        for port in self._ports(boards):
            try:
                self._at_port(boards, port, strangers)
            finally:  # after Ctrl-C, too
                if not self.given["dry_run"]:
                    boards.write(target)
        if not self.given["dry_run"]:
            boards.write(target)
        summary = self.report(boards.rows, strangers)
        self.output.data(summary, lambda _: self._show(boards, strangers))
        bad = [row for row in boards.rows if row.result in (fleet.FAILED, fleet.WRONG)]
        if bad or all(row.result == fleet.ABSENT for row in boards.rows):
            sys.exit(EXIT_ERROR)

    def _ports(self, boards):
        named = list(self.given["ports"]) or [row.port for row in boards.rows if row.port]
        if self.session.board_name and not named:
            named = [self.session.board_name]
        found = named or [one.port for one in selection.candidates(self.session.emulator)]
        if not found:
            raise UsageProblem("no board is connected", "connect one, or name it with --port")
        return dict.fromkeys(found)

    def _at_port(self, boards, port, strangers):
        """The board at this port, if it is one of the list and in its place."""
        expected = [row for row in boards.rows if row.port == port]
        row = None
        try:
            with Link(selection.choose(port, self.session.emulator)) as link:
                board = Board(link)
                serial = check_serial(board, expected[0].serial if expected else None)
                row = boards.row_of(serial)
                if row is None or (row.port and row.port != port):
                    strangers.append({"port": port, "serial": serial})
                    self.journal.note("stranger", port=port, serial=serial)
                    return
                row.steps, row.result = [], fleet.FAILED
                self.board(board, row, lambda outcome: None)
        except Problem as problem:
            row = row or (expected[0] if expected else None)
            self.journal.note("problem", port=port, problem=problem.line())
            if row is None:
                strangers.append({"port": port, "problem": problem.line()})
                return
            row.result = fleet.WRONG if isinstance(problem, WrongBoard) else fleet.FAILED
            row.detail = problem.line()
        finally:
            if row is not None:
                name = row.values.get("id") or row.serial
                self.output.say(f"{row.serial}  {name}  {row.result}  {row.detail}")

    def _show(self, boards, strangers):
        for one in strangers:
            what = one.get("problem") or f"board {one['serial']} is not in the list"
            self.output.say(f"{one['port']}: {what}; not touched")
        counts = ", ".join(f"{count} {name}" for name, count in boards.summary().items() if count)
        self.output.say(f"{len(boards.rows)} boards: {counts}", style="bold")
        self.output.say(f"log: {self.journal.path}")

    def report(self, rows, strangers=()):
        """The fleet report; written with --report. Returns it."""
        found = {
            "profile": self.job.profile.name,
            "kind": self.job.profile["kind"],
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 2),
            "dry_run": self.given["dry_run"],
            "summary": fleet.Fleet([], rows).summary(),
            "boards": [row.as_dict() for row in rows],
            "strangers": list(strangers),
        }
        if self.given["report"]:
            text = json.dumps(found, indent=2) + "\n"
            write_whole(Path(self.given["report"]), text.encode())
        return found


def _changes(pairs, command):
    changes = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageProblem(f"--set {pair!r} sets nothing", "write it like --set KEY=VALUE")
        changes.append((key.strip(), value))
    if command is not None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise FileProblem(f"--sign-command cannot be read ({error})") from None
        changes.append(("certificate.signer", "command"))
        changes.append(("certificate.command", json.dumps(words)))
    return changes
