"""The uvwasi delegate and the library behind it, from C, under sanitizers: random
calls on two guests at once, one on each backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import uvwasi_source  # noqa: E402

OURS = ["-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Werror", "-std=c11"]
# What random calls cannot bring about: nothing connects, nothing is received.
NEEDS_A_PEER = {"sock_accept", "sock_send"}
# Without the fix-ups no socket is more than a host descriptor to uvwasi, and what
# uvwasi 0.0.19 tells as a link's text ends in a NUL, which the layer refuses.
NOT_RAW = {"sock_recv", "sock_shutdown", "path_readlink"}


@pytest.fixture(scope="module", params=["address,undefined", "thread"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the test program with all of uvwasi and libuv instrumented."""
    build = uvwasi_source.find_build()
    if build is None:
        pytest.skip("uvwasi's source is not there: make vendor")
    folder = tmp_path_factory.mktemp("uvwasi")
    flags = ["-O1", "-g", "-D_GNU_SOURCE=", f"-fsanitize={request.param}"]
    if "undefined" in request.param:
        flags.append("-fno-sanitize-recover=undefined")
    foreign = [f"-isystem{ROOT / path}" for path in build.include_dirs]
    includes = [f"-I{ROOT / 'csrc' / 'include'}", f"-I{ROOT / 'csrc'}", *foreign]
    commands = []
    own = [*(ROOT / "csrc/layer").glob("*.c"), ROOT / "csrc/host/errno_host.c"]
    own += [*(ROOT / "impl_minimal").glob("*.c"), *(ROOT / "impl_uvwasi").glob("*.c")]
    own.append(ROOT / "tests/c/hosted/random_calls.c")
    for number, source in enumerate([*own, *(ROOT / path for path in build.sources)]):
        warnings = OURS if number < len(own) else ["-w"]
        output = ["-c", source, "-o", folder / f"{number}.o"]
        commands.append(["gcc", *flags, *warnings, *includes, *output])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(
            lambda command: subprocess.run(command, capture_output=True, text=True), commands
        ):
            assert done.returncode == 0, done.stderr
    libraries = [f"-l{name}" for name in ["pthread", *build.libraries]]
    command = ["gcc", *flags, *folder.glob("*.o"), "-o", folder / "random_calls", *libraries]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "random_calls"


@pytest.mark.parametrize("fixups", ["on", "off"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_are_sound(
    program: Path, fixups: str, seed: int, tmp_path: Path
) -> None:
    # uvwasi locks two of its descriptors in the order of the guest's arguments.
    # That is no deadlock: a context serves one thread at a time.
    environment = os.environ | {"TSAN_OPTIONS": "detect_deadlocks=0"}
    guests, elsewhere = tmp_path / "guests", tmp_path / "elsewhere"
    guests.mkdir()
    elsewhere.mkdir()
    done = subprocess.run(
        [program, guests, str(seed), "50000", fixups],
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
