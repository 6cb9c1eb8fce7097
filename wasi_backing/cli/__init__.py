"""The command `wasi-backing`; each of its commands is a module of this package.

They are imported when they are used, since how fast a small guest runs depends on
what is imported before it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

# Command: where it lives. The module has a click command called `command`.
_COMMANDS = {
    "run": "wasi_backing.cli.run",
    "backings": "wasi_backing.cli.backings",
}

# What `main` returns for wrong usage and for input that cannot be used.
USAGE_ERROR = 2


class _Group(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0].endswith(".wasm"):
            raise click.UsageError(
                f"to run a module: wasi-backing run {args[0]}", ctx=ctx
            )
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"wasi-backing {version('wasi-backing')}")
        ctx.exit()


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def _cli(ctx: click.Context) -> int:
    """Run WebAssembly programs (WASI preview 1) on a backing of your choice.

    \b
    Examples:
      wasi-backing run hello.wasm
      wasi-backing run --backing uvwasi --dir .::/ app.wasm --flag-of-the-app
      wasi-backing backings
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
    return USAGE_ERROR


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        argv: The words after the command's name; `None`: the process's own.

    Returns:
        The exit status: that of the guest, 134 after a trap, or 2 for wrong usage,
        which has been explained on standard error in one line.
    """
    try:
        return _cli.main(argv, prog_name="wasi-backing", standalone_mode=False) or 0
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        name = context.command_path if context else "wasi-backing"
        message = " ".join(error.format_message().split())
        click.echo(f"{name}: {message}", err=True)
        return USAGE_ERROR
    except click.Abort:
        return 130
    except BrokenPipeError:
        # Whoever read our output has stopped: the rest has no reader either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
