# SPDX-License-Identifier: MIT
"""Compile the programs of the benchmark, and lay out the files they work on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import wasmtime

HERE = Path(__file__).parent
ROOT = HERE.parent
PROGRAMS = HERE / "programs"

C_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra")

DATA_SIZE = 1024 * 1024  # as programs/harness.h has it


class BuildError(Exception):
    """A program could not be compiled; the text is the compiler's."""


def host_compiler() -> list[str]:
    """Name the C compiler: `CC`, or the system's `cc`."""
    return os.environ.get("CC", "cc").split()


def guest_compiler() -> list[str]:
    """Name the compiler for guests, which the ziglang package brings."""
    return [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"]


def guest(build: Path) -> Path:
    """Compile the guest."""
    sources = [PROGRAMS / "guest.c", PROGRAMS / "harness.c"]
    return _compile(guest_compiler(), (), sources, build / "guest.wasm")


def precompiled(build: Path) -> Path:
    """Compile the guest for wasmtime, ahead of time.

    Compiling starts threads that stay, and a system call on a descriptor takes longer
    in a process with threads. Workers that load what was compiled have none, just as
    programs that find their module in a cache.
    """
    module = guest(build)
    output = module.with_suffix(f".{version('wasmtime')}.cwasm")
    if not output.exists() or output.stat().st_mtime < module.stat().st_mtime:
        compiled = wasmtime.Module.from_file(wasmtime.Engine(), str(module))
        output.write_bytes(compiled.serialize())
    return output


def native(build: Path) -> Path:
    """Compile the guest's native twin."""
    sources = [PROGRAMS / "native.c", PROGRAMS / "harness.c"]
    return _compile(host_compiler(), ("-pthread",), sources, build / "native")


def empty_function(build: Path) -> Path:
    """Compile the empty host function into a shared library."""
    flags = ("-shared", "-fPIC")
    return _compile(host_compiler(), flags, [PROGRAMS / "empty.c"], build / "empty.so")


def context(build: Path) -> Path:
    """Compile the program that makes contexts, with the layer and the backing."""
    sources = [PROGRAMS / "context.c", PROGRAMS / "harness.c"]
    for folder in ("csrc/layer", "csrc/host", "impl_minimal"):
        sources += sorted((ROOT / folder).glob("*.c"))
    flags = (
        "-D_GNU_SOURCE",
        "-fvisibility=hidden",
        "-pthread",
        *(f"-I{ROOT / path}" for path in ("csrc/include", "csrc", "impl_minimal")),
    )
    return _compile(host_compiler(), flags, sources, build / "context")


def _compile(
    compiler: list[str], flags: Sequence[str], sources: list[Path], output: Path
) -> Path:
    """Compile `sources` to `output`, unless it is newer than all that is read."""
    read = [*sources, *PROGRAMS.glob("*.h"), Path(__file__)]
    if sources[-1].parent != PROGRAMS:
        read += (ROOT / "csrc" / "include").glob("*/*")
        read += {header for s in sources for header in s.parent.glob("*.h")}
    if output.exists():
        made = output.stat().st_mtime
        if all(path.stat().st_mtime < made for path in read):
            return output
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [*compiler, *C_FLAGS, *flags, *map(str, sources), "-o", str(output)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildError(f"no C compiler: {compiler[0]} was not found") from None
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{output.name}: {error.stderr.strip()}") from None
    return output


def make_data(folder: Path, rows: Sequence[str]) -> None:
    """Fill a fresh folder with what the rows read, write and list."""
    (folder / "a" / "b" / "c").mkdir(parents=True)
    for name in ("near", "a/b/c/far"):
        (folder / name).write_bytes(b"contents\n")
    for name in ("data", "scratch"):
        (folder / name).write_bytes(bytes(range(256)) * (DATA_SIZE // 256))
    for row in rows:
        call, _, names = row.rpartition(".")
        if call.endswith("fd_readdir"):
            listed = folder / f"names-{names}"
            listed.mkdir()
            for number in range(int(names)):
                (listed / f"name-{number:06}").touch()


def remove_data(folder: Path) -> None:
    """Remove what `make_data` made."""
    shutil.rmtree(folder, ignore_errors=True)
