"""The uvwasi delegate and the library behind it, from C, under sanitizers: random
calls on two guests at once, one on each backing, and the C tests of the minimal
backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import uvwasi_source  # noqa: E402

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c11"]
# What random calls cannot bring about: nothing connects, nothing is received.
NEEDS_A_PEER = {"sock_accept", "sock_send"}
# Without the fix-ups no socket is more than a host descriptor to uvwasi, and what
# uvwasi 0.0.19 tells as a link's text ends in a NUL, which the layer refuses.
NOT_RAW = {"sock_recv", "sock_shutdown", "path_readlink"}

SUITES = sorted((ROOT / "tests" / "c").glob("minimal_*.c"))
CASES = [
    pytest.param(suite.stem, name, id=f"{suite.stem}-{name}")
    for suite in SUITES
    for name in re.findall(r"^TEST\((\w+)\)", suite.read_text(), re.MULTILINE)
]


class Compiler:
    """Builds programs with both backings, the layer, uvwasi and libuv in them."""

    def __init__(self, folder: Path, sanitizer: str) -> None:
        build = uvwasi_source.find_build()
        if build is None:
            pytest.skip("uvwasi's source is not there: make vendor")
        self.folder = folder
        foreign = [f"-isystem{ROOT / path}" for path in build.include_dirs]
        self.flags = ["-O1", "-g", "-D_GNU_SOURCE=", f"-fsanitize={sanitizer}"]
        if "undefined" in sanitizer:
            self.flags.append("-fno-sanitize-recover=undefined")
        self.flags += [f"-I{ROOT / 'csrc' / 'include'}", f"-I{ROOT / 'csrc'}", *foreign]
        self.libraries = [f"-l{name}" for name in ["pthread", *build.libraries]]
        ours = [*(ROOT / "csrc/layer").glob("*.c"), ROOT / "csrc/host/errno_host.c"]
        ours += [*(ROOT / "impl_minimal").glob("*.c")]
        ours += [*(ROOT / "impl_uvwasi").glob("*.c")]
        strict = [*WARNINGS, "-Wmissing-prototypes"]
        self.objects = self.compile((path, strict) for path in ours)
        self.objects += self.compile((ROOT / path, ["-w"]) for path in build.sources)

    def compile(self, sources: Iterable[tuple[Path, list[str]]]) -> list[Path]:
        """Compile each source with its own flags, two at a time."""

        def one(source: tuple[Path, list[str]]) -> Path:
            path, flags = source
            made = self.folder / f"{path.relative_to(ROOT).as_posix()}.o".replace(
                "/", "_"
            )
            self.run([*self.flags, *flags, "-c", path, "-o", made])
            return made

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, sources))

    def program(self, source: Path, *flags: str) -> Path:
        """Compile and link one program."""
        made = self.folder / source.stem
        self.run(
            [*self.flags, *flags, source, *self.objects, "-o", made, *self.libraries]
        )
        return made

    def run(self, arguments: list[str | Path]) -> None:
        done = subprocess.run(["gcc", *arguments], capture_output=True, text=True)
        if done.returncode:
            pytest.fail(done.stderr, pytrace=False)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    return Compiler(tmp_path_factory.mktemp("addresses"), "address,undefined")


@pytest.fixture(scope="module")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    return Compiler(tmp_path_factory.mktemp("threads"), "thread")


# ---- random calls ------------------------------------------------------------------


@pytest.fixture(scope="module", params=["addresses", "threads"])
def random_calls(request: pytest.FixtureRequest) -> Path:
    compiler: Compiler = request.getfixturevalue(request.param)
    return compiler.program(ROOT / "tests/c/hosted/random_calls.c", *WARNINGS)


@pytest.mark.parametrize("fixups", ["on", "off"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_are_sound(
    random_calls: Path, fixups: str, seed: int, tmp_path: Path
) -> None:
    # uvwasi locks two of its descriptors in the order of the guest's arguments.
    # That is no deadlock: a context serves one thread at a time.
    environment = os.environ | {"TSAN_OPTIONS": "detect_deadlocks=0"}
    guests, elsewhere = tmp_path / "guests", tmp_path / "elsewhere"
    guests.mkdir()
    elsewhere.mkdir()
    done = subprocess.run(
        [random_calls, guests, str(seed), "50000", fixups],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not list(elsewhere.iterdir()), "written to the working directory"
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) == 92
    expected_to_fail = NEEDS_A_PEER | (NOT_RAW if fixups == "off" else set())
    for backing, call, tried, succeeded in rows:
        assert int(tried) > 100, call
        if backing == "uvwasi" and call not in expected_to_fail:
            assert int(succeeded) > 0, call


# ---- the C tests of a backing --------------------------------------------------------


@pytest.fixture(scope="module")
def suites(addresses: Compiler) -> dict[str, Path]:
    # test_minimal_c.py looks at their warnings.
    flags = ["-std=c11", "-w", "-DTEST_BACKING=uvw_backing"]
    return {
        suite.stem: addresses.program(suite, *flags, f"-I{suite.parent}")
        for suite in SUITES
    }


@pytest.mark.parametrize(("suite", "name"), CASES)
def test_the_backings_c_tests(
    suites: dict[str, Path], suite: str, name: str, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder:  # its name must be short
        done = subprocess.run(
            [suites[suite], name],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode not in (0, 1):
        pytest.fail(done.stdout + done.stderr)
    assert done.stdout.splitlines()[-1:] == [f"ok {name}"], done.stdout
