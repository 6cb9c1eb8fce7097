"""`wasi-backing run`: one guest, from start to exit status."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

import click

from wasi_backing import WASI, ConfigurationError, EngineVersionError, Preopen, Trap
from wasi_backing.options import Rights

TRAPPED = 134  # as a shell reports a process that called abort()
_SLOW_COMPILATION = 2.0  # seconds


def _parse_dir(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, Preopen]]:
    """Turn each HOST[::GUEST[::ro]] into a guest name and what it stands for."""
    preopens = []
    for value in values:
        host, *rest = value.split("::")
        guest = rest[0] if rest else host
        if len(rest) == 1 and guest == "ro":
            raise click.BadParameter(
                f"{value}: say {host}::{host}::ro for a read-only directory, or "
                f"{host}::./ro if its name in the guest is to be ro"
            )
        if not host or not guest or len(rest) > 2 or rest[1:] not in ([], ["ro"]):
            raise click.BadParameter(
                f"{value} is not HOST, HOST::GUEST or HOST::GUEST::ro"
            )
        preopens.append((guest, Preopen(host, read_only=len(rest) == 2)))
    return preopens


def _parse_env(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Read each NAME=VALUE; a NAME alone takes the host's value."""
    variables = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not name:
            raise click.BadParameter(f"{value} has no name: say NAME=VALUE")
        if not equals:
            if name not in os.environ:
                raise click.BadParameter(
                    f"{name} is not set here, so there is no value to pass on: "
                    f"say {name}=VALUE"
                )
            text = os.environ[name]
        variables[name] = text
    return variables


@contextlib.contextmanager
def _default_sigint() -> Iterator[None]:
    """Let Ctrl-C end this process at once, wherever the guest is.

    Python's own handler only takes a note, which nobody reads while the guest is
    in native code. A SIGINT that is ignored (nohup, a shell's `&`) stays ignored.
    """
    previous = signal.getsignal(signal.SIGINT)
    if previous is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class _Progress:
    """Say on a terminal what is taking so long, and where guests listen."""

    def __init__(self, module: str, listen: Sequence[str]) -> None:
        self._module = os.path.basename(module)
        self._listen = listen
        self._timer: threading.Timer | None = None

    def on_compile(self) -> None:
        """Hear that a compilation begins."""
        if sys.stderr.isatty():
            self._timer = threading.Timer(_SLOW_COMPILATION, self._announce)
            self._timer.daemon = True
            self._timer.start()

    def _announce(self) -> None:
        text = f"compiling {self._module}; the result is kept for next time"
        click.secho(text, dim=True, err=True)

    def on_start(self, ports: Sequence[int]) -> None:
        """Hear that the guest begins, and which ports it listens on."""
        self.stop()
        for asked, port in zip(self._listen, ports, strict=True):
            address, _, wanted = asked.rpartition(":")
            if int(wanted) == 0:
                click.echo(f"listening on {address}:{port}", err=True)

    def stop(self) -> None:
        """Announce nothing from now on."""
        if self._timer:
            self._timer.cancel()


@click.command(
    "run",
    short_help="Run a WebAssembly program.",
    context_settings={"allow_interspersed_args": False},
)
@click.option(
    "--backing",
    metavar="NAME",
    default="minimal",
    show_default=True,
    help="What answers the guest's calls; `wasi-backing backings` lists them.",
)
@click.option(
    "--engine",
    metavar="NAME",
    default="wasmtime",
    show_default=True,
    help="What runs the guest's code.",
)
@click.option(
    "--dir",
    "preopens",
    metavar="HOST[::GUEST[::ro]]",
    multiple=True,
    callback=_parse_dir,
    help="Lend the guest a directory of the host, under the name GUEST or under the "
    "same one; with ::ro for reading only. Can be repeated.",
)
@click.option(
    "--env",
    "variables",
    metavar="NAME[=VALUE]",
    multiple=True,
    callback=_parse_env,
    help="Set a variable of the guest's environment, which is empty otherwise; NAME "
    "alone passes on the value that it has here. Can be repeated.",
)
@click.option(
    "--listen",
    metavar="ADDR:PORT",
    multiple=True,
    help="Lend the guest a listening TCP socket; the first is the descriptor after "
    "the directories. Port 0 is any free one, told on standard error. Can be "
    "repeated.",
)
@click.option(
    "--argv0",
    metavar="NAME",
    help="What the guest sees as its own name.  [default: the file's name]",
)
@click.option(
    "--invoke",
    metavar="FUNC",
    help="Call this exported function, which takes no parameters, and not the "
    "program's start; print what it returns.",
)
@click.option(
    "--rights",
    type=click.Choice(["enforce", "ignore"]),
    default="enforce",
    show_default=True,
    help="Whether rights that a guest gave up stay given up; `ignore` does as "
    "wasmtime does.",
)
@click.argument("module", metavar="APP.WASM")
@click.argument("args", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def command(
    backing: str,
    engine: str,
    preopens: list[tuple[str, Preopen]],
    variables: dict[str, str],
    listen: tuple[str, ...],
    argv0: str | None,
    invoke: str | None,
    rights: Rights,
    module: str,
    args: tuple[str, ...],
) -> int:
    """Run the WebAssembly program APP.WASM, with ARGS as its arguments.

    All that follows APP.WASM is the program's own, also what looks like an option.
    It sees no file, variable or socket of the host but those that are named here.

    \b
    Examples:
      wasi-backing run hello.wasm
      wasi-backing run --dir .::/ app.wasm --verbose /input.txt
      wasi-backing run --dir data::/data::ro --dir out app.wasm
      wasi-backing run --backing uvwasi --env HOME=/ app.wasm
      wasi-backing run --listen 127.0.0.1:8080 server.wasm

    The exit status is the program's (at most 255), 134 after a trap, 2 if it could
    not be started, 130 after Ctrl-C.
    """
    progress = _Progress(module, listen)
    try:
        wasi = WASI(
            args=[argv0 or os.path.basename(module), *args],
            env=variables,
            preopens=preopens,
            backing=backing,
            engine=engine,
            listen=listen,
            rights=rights,
        )
        with _default_sigint():
            result = wasi.run(
                module,
                invoke,
                on_compile=progress.on_compile,
                on_start=progress.on_start,
            )
    except (ConfigurationError, EngineVersionError) as error:
        raise click.UsageError(str(error)) from None
    except Trap as trap:
        click.secho(f"trap: {trap}", fg="red", err=True)
        return TRAPPED
    finally:
        progress.stop()
    for value in result.values:
        click.echo(value)
    return min(result.exit_code, 255)
