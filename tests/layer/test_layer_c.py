"""The layer's C tests pass with every compiler, byte order and word size.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .toolchains import (
    C_TESTS,
    INCLUDE,
    LAYER,
    ROOT,
    SANITIZED,
    WARNINGS,
    Target,
    need,
    run,
    supports,
)

SMALL_LIMITS = ("-DWB_MAX_IOVECS=4", "-DWB_MAX_SUBSCRIPTIONS=3", "-DWB_MAX_PATH=16")
SMALL_CONFIG = ('-DWB_CONFIG="small_config.h"',)

TARGETS = [
    Target("gcc, sanitized", "gcc", SANITIZED),
    Target("clang, sanitized", "clang", SANITIZED),
    Target("gcc, optimised", "gcc", ("-O2", "-DNDEBUG")),
    Target("gcc, threads", "gcc", ("-O1", "-g", "-fsanitize=thread")),
    Target("gcc, static", "gcc", ("-O2", "-static")),
    Target("gcc, small limits", "gcc", (*SANITIZED, *SMALL_LIMITS)),
    Target("gcc, another config.h", "gcc", (*SANITIZED, *SMALL_CONFIG)),
    Target("i686, 32 bits", "i686-linux-gnu-gcc", ("-O1", "-static"), ("qemu-i386",)),
    Target(
        "arm, 32 bits", "arm-linux-gnueabihf-gcc", ("-O1", "-static"), ("qemu-arm",)
    ),
    Target(
        "mips, 32 bits big-endian",
        "mips-linux-gnu-gcc",
        ("-O1", "-static"),
        ("qemu-mips",),
    ),
    Target(
        "s390x, 64 bits big-endian",
        "s390x-linux-gnu-gcc",
        ("-O1", "-static"),
        ("qemu-s390x",),
    ),
]


def build(target: Target, directory: Path) -> Path:
    """Build the test program for a target."""
    need(target.compiler)
    for command in target.runner:
        need(command)
    for option in target.options:
        if "-fsanitize=" in option and not supports(target.compiler, option, directory):
            pytest.skip(f"{target.compiler} lacks {option}; Debian: libclang-rt-dev")
    program = directory / "layer_tests"
    sources = [*sorted(C_TESTS.glob("*.c")), *LAYER]
    run(
        [
            target.compiler,
            "-std=c11",
            "-D_DEFAULT_SOURCE",
            *WARNINGS,
            INCLUDE,
            f"-I{C_TESTS}",
            *target.options,
            *map(str, sources),
            "-pthread",
            "-o",
            str(program),
        ]
    )
    return program


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_layers_c_tests_pass(target: Target, tmp_path: Path) -> None:
    program = build(target, tmp_path)
    output = run([*target.runner, str(program)])
    planned = re.search(r"^1\.\.(\d+)$", output, re.MULTILINE)
    assert planned, output
    passed = re.findall(r"^ok \d+ - ", output, re.MULTILINE)
    assert len(passed) == int(planned[1]) > 50, output


def pointers_of_the_specification() -> set[str]:
    """Return a line for each pointer argument, as the test program prints it."""
    lines = set()
    for row in (ROOT / "tests" / "layer" / "spec_pointers.txt").read_text().split("\n"):
        if row and not row.startswith("#"):
            lines.add(row)
    return lines


def test_every_pointer_of_the_specification_has_edge_rows(tmp_path: Path) -> None:
    program = build(Target("gcc", "gcc"), tmp_path)
    tested = set(run([str(program), "--pointers"]).split("\n")) - {""}
    assert tested == pointers_of_the_specification()
