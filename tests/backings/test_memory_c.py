"""The memory backing through its table, from C, under sanitizers and emulation.

Every TEST in tests/c/memory/*.c is a test here, once for each way of building it:
with either compiler, with small blocks, and for a 64-bit big-endian and a 32-bit
machine. The backing itself must be freestanding.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BACKING = sorted((ROOT / "impl_memory").glob("*.c"))
HOSTED = ROOT / "impl_memory" / "portability.c"
BARE = ROOT / "impl_memory" / "bare" / "portability.c"
PROGRAMS = sorted((ROOT / "tests" / "c" / "memory").glob("*.c"))
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
INCLUDE = [f"-I{ROOT}", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'include'}"]
SANITIZED = [
    "-g",
    "-O1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
]
SMALL = ["-DMEM_BLOCK_BITS=6", "-DMEM_FANOUT_BITS=2"]
# What a compiler may call on its own.
ALLOWED = re.compile(r"^(mem(cpy|set|move|cmp)|__aeabi_\w+|__gnu_\w+|__c[lt]z\w+)$")


@dataclass(frozen=True)
class Build:
    name: str
    compiler: str
    options: tuple[str, ...]
    runner: tuple[str, ...] = ()


BUILDS = [
    Build("gcc", "gcc", tuple(SANITIZED)),
    Build("gcc, small blocks", "gcc", (*SANITIZED, *SMALL)),
    Build("clang", "clang", tuple(SANITIZED)),
    Build("s390x", "s390x-linux-gnu-gcc", ("-O2", "-static"), ("qemu-s390x",)),
    Build(
        "arm, small blocks",
        "arm-linux-gnueabihf-gcc",
        ("-O2", "-static", *SMALL),
        ("qemu-arm",),
    ),
]
CASES = [
    pytest.param(program.stem, name, id=f"{program.stem}-{name}")
    for program in PROGRAMS
    for name in re.findall(r"^TEST\((\w+)\)", program.read_text(), re.M)
]
# Tests of the default block's size.
COUNT_BLOCKS = {
    "cutting_frees_and_extending_shows_zeros",
    "an_image_is_read_in_place_and_copied_by_the_block",
}


def need(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is missing")


@pytest.fixture(scope="session", params=BUILDS, ids=lambda build: build.name)
def build(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Build, Path]:
    """Build all test programs in one way; where they are."""
    build: Build = request.param
    need(build.compiler, *build.runner)
    folder = tmp_path_factory.mktemp("memory")
    objects = []
    for source in [*BACKING, ROOT / "csrc" / "host" / "errno_host.c"]:
        objects.append(folder / f"{source.stem}.o")
        subprocess.run(
            [
                build.compiler,
                *WARNINGS,
                "-Wmissing-prototypes",
                *build.options,
                *INCLUDE,
                "-c",
                source,
                "-o",
                objects[-1],
            ],
            check=True,
        )
    for program in PROGRAMS:
        subprocess.run(
            [
                build.compiler,
                *WARNINGS,
                "-Wno-unused-function",
                "-Wno-unused-variable",
                "-D_DEFAULT_SOURCE",
                *build.options,
                *INCLUDE,
                program,
                *objects,
                "-o",
                folder / program.stem,
                "-lpthread",
            ],
            check=True,
        )
    return build, folder


@pytest.mark.parametrize(("program", "name"), CASES)
def test_in_c(build: tuple[Build, Path], program: str, name: str) -> None:
    way, folder = build
    if name in COUNT_BLOCKS and "-DMEM_BLOCK_BITS=6" in way.options:
        pytest.skip("counts blocks of 4096 bytes")
    done = subprocess.run(
        [*way.runner, folder / program, name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"ok {name}"


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_it_is_freestanding(core: str, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "arm-none-eabi-nm")
    objects = []
    for source in [path for path in BACKING if path != HOSTED] + [BARE]:
        objects.append(tmp_path / f"{source.stem}.o")
        subprocess.run(
            [
                "arm-none-eabi-gcc",
                *WARNINGS,
                "-Wmissing-prototypes",
                "-ffreestanding",
                "-Os",
                f"-mcpu={core}",
                "-mthumb",
                *INCLUDE,
                "-c",
                source,
                "-o",
                objects[-1],
            ],
            check=True,
        )
    listing = subprocess.run(
        ["arm-none-eabi-nm", *objects], check=True, capture_output=True, text=True
    ).stdout
    rows = re.findall(r"^(?:[0-9a-f]+)? +(\w) (\S+)$", listing, re.M)
    defined = {name for kind, name in rows if kind != "U"}
    undefined = {name for kind, name in rows if kind == "U"} - defined
    assert defined
    assert not {name for name in undefined if not ALLOWED.match(name)}
    assert not {name for kind, name in rows if kind in "bBdDC"}
