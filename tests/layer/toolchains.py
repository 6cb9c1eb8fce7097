"""Compilers that the layer's C tests are built with, and how to run the result.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = sorted((ROOT / "csrc" / "layer").glob("*.c"))
C_TESTS = ROOT / "tests" / "c" / "layer"
HEADERS = sorted((ROOT / "csrc" / "include" / "wasi_backing").glob("*.h"))
INCLUDE = f"-I{ROOT / 'csrc' / 'include'}"

WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wmissing-prototypes",
    "-Werror",
)
SANITIZED = (
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)

# The Debian packages of commands that may be missing.
PACKAGES = {
    "clang": "clang libclang-rt-dev",
    "i686-linux-gnu-gcc": "gcc-i686-linux-gnu libc6-dev-i386-cross",
    "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
    "mips-linux-gnu-gcc": "gcc-mips-linux-gnu libc6-dev-mips-cross",
    "s390x-linux-gnu-gcc": "gcc-s390x-linux-gnu libc6-dev-s390x-cross",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-nm": "binutils-arm-none-eabi",
    "qemu-i386": "qemu-user",
    "qemu-arm": "qemu-user",
    "qemu-mips": "qemu-user",
    "qemu-s390x": "qemu-user",
}


@dataclass(frozen=True)
class Target:
    """A compiler with its options, and what runs a program that it makes."""

    name: str
    compiler: str
    options: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()


def need(command: str) -> None:
    """Skip the test unless a command is there, and name its package."""
    if shutil.which(command) is None:
        package = PACKAGES.get(command, command)
        pytest.skip(f"{command} is missing; Debian: apt-get install {package}")


def run(command: list[str], timeout: float = 300) -> str:
    """Run a command; return its output, or fail the test with it."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\nstatus {done.returncode}\n{done.stdout}")
    return done.stdout


def supports(compiler: str, option: str, directory: Path) -> bool:
    """Tell whether a compiler can link a program with an option."""
    source = directory / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    done = subprocess.run(
        [compiler, option, str(source), "-o", str(directory / "empty")],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
