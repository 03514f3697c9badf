# SPDX-License-Identifier: MIT
"""The `p11board` command: which commands there are, in the order of `--help`.

Exit codes: 0 done, 1 failed (or signature not valid), 2 wrong use, 130 interrupted.
"""

import click

from p11board import (
    __version__,
    cli_emulator,
    cli_keys,
    cli_objects,
    cli_provision,
    cli_qualify,
    cli_region,
    cli_reset,
    cli_seed,
    cli_serve,
    cli_tunnel,
    cli_update,
)
from p11board.context import ProblemGroup, Session, board_option


class OrderedGroup(ProblemGroup):
    """Lists its commands in the order they were added."""

    def list_commands(self, ctx):
        return list(self.commands)


@click.group(cls=OrderedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="p11board %(version)s")
@board_option
@click.pass_context
def cli(ctx):
    """A PKCS#11 token on a MicroPython board: provision it, use it, try it in an emulator.

    With nothing but this package and QEMU: `p11board emulate start`, then `p11board info`.
    """
    ctx.ensure_object(Session)


for command in (
    cli_emulator.demo,
    cli_emulator.emulate,
    cli_emulator.flash,
    cli_update.sign_image,
    cli_update.verify_image,
    cli_update.update,
    cli_region.backup_region,
    cli_emulator.ports,
    cli_emulator.repl,
    cli_provision.provision,
    cli_provision.renew,
    cli_provision.inventory,
    cli_objects.info,
    cli_objects.objects,
    cli_objects.read,
    cli_objects.export,
    cli_objects.import_file,
    cli_objects.destroy,
    cli_reset.factory_reset,
    cli_seed.seed,
    cli_keys.keygen,
    cli_keys.csr,
    cli_keys.sign,
    cli_keys.verify,
    cli_keys.digest,
    cli_keys.random,
    cli_serve.serve,
    cli_serve.connect,
    cli_serve.release,
    cli_serve.resume,
    cli_serve.env,
    cli_serve.setup_host,
    cli_serve.doctor,
    cli_tunnel.tunnel,
    cli_qualify.qualify,
    cli_serve.uri,
):
    cli.add_command(command)


def main():
    """Entry point of the `p11board` script."""
    cli(prog_name="p11board")
