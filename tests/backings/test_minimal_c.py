"""The minimal backing through its table, from C, under sanitizers.

Every TEST in tests/c/minimal_*.c is a test here, once for each way of resolving
paths: by openat2 and by the component walk.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "tests" / "c").glob("minimal_*.c"))
CASES = [
    pytest.param(source.stem, name, id=f"{source.stem}-{name}")
    for source in SOURCES
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.M)
]
FLAGS = [
    "-std=c11",
    "-g",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build each test program, with the backing in it."""
    folder = tmp_path_factory.mktemp("minimal")
    backing = sorted((ROOT / "impl_minimal").glob("*.c"))
    backing.append(ROOT / "csrc" / "host" / "errno_host.c")
    includes = [f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'include'}"]
    objects = []
    for source in backing:
        objects.append(folder / f"{source.stem}.o")
        strict = ["-Wmissing-prototypes", *includes]
        subprocess.run(
            ["gcc", *FLAGS, *strict, "-c", source, "-o", objects[-1]], check=True
        )
    for source in SOURCES:
        quiet = ["-Wno-unused-function", "-Wno-unused-variable", *includes]
        files = [source, *objects, "-o", folder / source.stem]
        subprocess.run(["gcc", *FLAGS, *quiet, *files, "-lpthread"], check=True)
    return {source.stem: folder / source.stem for source in SOURCES}


@pytest.mark.parametrize("resolution", ["openat2", "walk"])
@pytest.mark.parametrize(("program", "name"), CASES)
def test_in_c(
    programs: dict[str, Path],
    program: str,
    name: str,
    resolution: str,
    tmp_path: Path,
) -> None:
    environment = dict(os.environ, PATH_RESOLUTION=resolution, TMPDIR=str(tmp_path))
    done = subprocess.run(
        [programs[program], name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"ok {name}"
