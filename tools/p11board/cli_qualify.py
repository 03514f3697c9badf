# SPDX-License-Identifier: MIT
"""The command `qualify`: the qualification guide's tests, run on the board by its own firmware."""

import contextlib
import sys
from pathlib import Path

import click

from p11board import qualify as qualification
from p11board.context import Session, board_option, json_option, pin_option
from p11board.errors import EXIT_ERROR, FileProblem
from p11board.output import printable

JUNIT = "qualification.xml"
REPORT = "qualification.txt"


def _labels(ctx, param, values):
    del ctx, param
    roles = {}
    for value in values:
        role, found, label = value.partition("=")
        if not found or role not in ("private", "public", "certificate"):
            raise click.BadParameter(f"{value!r}: say private=, public= or certificate=LABEL")
        roles[role] = label
    return roles


@click.command()
@click.option("--import/--no-import", "import_keys", default=True, help="Import key pairs.")
@click.option("--generate/--no-generate", default=True, help="Generate key pairs.")
@click.option("--ec/--no-ec", default=True, help="EC keys.")
@click.option("--rsa/--no-rsa", default=None, help="RSA keys.  [default: where there are any]")
@click.option(
    "--pre-provisioned", is_flag=True, help="Only use the keys on the board; for RSA say --no-ec."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    callback=_labels,
    metavar="ROLE=LABEL",
    help="Label of a pre-provisioned private, public or certificate.",
)
@click.option("--tasks", type=click.IntRange(1, 14), default=2, help="Sessions taking turns.")
@click.option("--loops", type=click.IntRange(1, 1000), default=10, help="Turns of each.")
@click.option("--paths", type=click.IntRange(0), default=2100, help="Random walks of the model.")
@click.option(
    "--out",
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help=f"Directory for {JUNIT} (JUnit) and {REPORT}.",
)
@pin_option
@board_option
@json_option
@click.pass_obj
def qualify(session: Session, folder, pre_provisioned, **switches):
    """Run the qualification tests on the board.

    The firmware tests itself and leaves the token's objects as they were. Exit code 1: a test
    failed.
    """
    with contextlib.ExitStack() as stack:
        board = stack.enter_context(session.board())
        advance = []

        def progress(done, total):
            if not advance:
                bar = session.output.progress("Tests", total)
                advance.append(stack.enter_context(bar))
            advance[0](done)

        facts = board.info()
        result = qualification.run(
            board, {**switches, "preprovisioned": pre_provisioned}, progress
        )
    files = {
        JUNIT: qualification.junit(result, facts.get("board", "board")),
        REPORT: qualification.report(result, facts).encode(),
    }
    _write(folder, files)
    named = [str(folder / name) for name in files]
    session.output.data(
        {**result.facts(), "files": named}, lambda _: _show(session.output, result, named)
    )
    if not result.good:
        sys.exit(EXIT_ERROR)


def _write(folder, files):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise FileProblem(
            f"cannot write to {folder}: {error.strerror}", "name another directory with --out"
        ) from None


def _show(output, result, named):
    for one in result.results:
        if one.verdict == qualification.FAIL:
            where = f"{one.file}:{one.line}: {one.message}"
            output.say(printable(f"FAIL  {one.group} {one.name}  {where}"))
    tests, failures, ignored = result.summary
    output.say(
        f"{tests} tests, {failures} failures, {ignored} ignored, {result.paths} model paths: "
        + result.verdict
    )
    output.say("reports: " + ", ".join(named))
