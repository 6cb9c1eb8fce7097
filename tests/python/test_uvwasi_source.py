"""Fetching and checking the uvwasi backing's foreign source.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
HEADER = "#define UVWASI_VERSION_{} {}\n"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with the tools, and nothing fetched."""
    folder = tmp_path / "project"
    (folder / "tools").mkdir(parents=True)
    for name in ("fetch_uvwasi.py", "uvwasi_source.py"):
        shutil.copy(TOOLS / name, folder / "tools")
    return folder


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a tool of that project, or Python code beside it."""
    for name in ("UVWASI_DIR", "WASI_BACKING_UVWASI", "WASI_BACKING_LIBUV"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=project / "tools",
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def fetched(project: Path) -> Path:
    """The same project after fetching; skipped where nothing was fetched."""
    for name in ("uvwasi", "libuv"):
        if not (ROOT / "vendor" / name).exists():
            pytest.skip("uvwasi's source is not there: make vendor")
        shutil.copytree(ROOT / "vendor" / name, project / "vendor" / name)
    return project


def checkout(folder: Path, *version: int) -> Path:
    """Make what looks like a checkout of some version of uvwasi."""
    (folder / "include").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "src" / "uvwasi.c").touch()
    parts = zip(("MAJOR", "MINOR", "PATCH"), version, strict=True)
    text = "".join(HEADER.format(*part) for part in parts)
    (folder / "include" / "uvwasi.h").write_text(text)
    return folder


FIND = "import uvwasi_source; print(uvwasi_source.find_build())"


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text


def test_nothing_is_done_when_all_is_there(fetched: Path, run: Run) -> None:
    # Without apt it could not be done anyhow.
    done = run("fetch_uvwasi.py", PATH="")
    assert (done.returncode, done.stderr) == (0, "")


def test_altered_source_is_refused_with_both_checksums(fetched: Path, run: Run) -> None:
    sys.path.insert(0, str(TOOLS))
    import uvwasi_source

    folder = fetched / "vendor" / "uvwasi"
    expected = uvwasi_source.tree_checksum(folder)
    with (folder / "src" / "uvwasi.c").open("a") as file:
        file.write("\n")
    actual = uvwasi_source.tree_checksum(folder)
    for code in (["fetch_uvwasi.py"], ["-c", FIND]):
        done = run(*code)
        assert done.returncode == 1
        message = done.stderr.splitlines()[-1]
        assert f"its checksum is {actual}, expected {expected}" in message
        assert "fetch it again (make vendor)" in message
        assert "WASI_BACKING_UVWASI=off" in message


def test_a_file_more_is_an_altered_source(fetched: Path, run: Run) -> None:
    (fetched / "vendor" / "libuv" / "src" / "more.c").touch()
    assert "libuv" in one_line(run("fetch_uvwasi.py").stderr)


def test_a_system_without_apt_is_told_what_to_do(run: Run) -> None:
    done = run("fetch_uvwasi.py", PATH="")
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert "no apt" in message
    assert "WASI_BACKING_UVWASI=off" in message
    assert "UVWASI_DIR" in message


def test_an_apt_without_network_is_told_what_to_do(
    run: Run, tmp_path: Path, project: Path
) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "apt-config").write_text("#!/bin/sh\n")
    (fake / "apt-get").write_text(
        "#!/bin/sh\necho 'E: Temporary failure resolving' >&2\nexit 100\n"
    )
    for name in ("apt-config", "apt-get"):
        (fake / name).chmod(0o755)
    done = run("fetch_uvwasi.py", PATH=f"{fake}:/bin:/usr/bin")
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert "E: Temporary failure resolving" in message
    assert "WASI_BACKING_UVWASI=off" in message
    assert list((project / "vendor").iterdir()) == []


def test_switched_off_nothing_is_fetched_or_built(fetched: Path, run: Run) -> None:
    shutil.rmtree(fetched / "vendor")
    done = run("fetch_uvwasi.py", WASI_BACKING_UVWASI="off", PATH="")
    assert (done.returncode, done.stderr) == (0, "")
    assert run("-c", FIND, WASI_BACKING_UVWASI="off").stdout == "None\n"


def test_a_switch_is_on_or_off(run: Run) -> None:
    done = run("-c", FIND, WASI_BACKING_UVWASI="no")
    assert "WASI_BACKING_UVWASI is on or off, not 'no'" in done.stderr


def test_without_source_it_is_left_out(run: Run) -> None:
    assert run("-c", FIND).stdout == "None\n"


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ((0, 0, 18), "too old: 0.0.19 or later is needed"),
        ((0, 0, 9), "too old: 0.0.19 or later is needed"),
        ((0, 0, 19), None),
        ((0, 1, 0), None),
        ((1, 0, 0), None),
    ],
)
def test_a_checkout_is_refused_when_it_is_too_old(
    run: Run, tmp_path: Path, version: tuple[int, ...], wanted: str | None
) -> None:
    folder = checkout(tmp_path / "own", *version)
    done = run("-c", FIND, UVWASI_DIR=str(folder))
    if wanted:
        assert wanted in done.stderr.splitlines()[-1]
    else:
        assert f"version='{'.'.join(map(str, version))}'" in done.stdout
        # From inside the project, where setuptools wants it.
        assert "sources=['build/uvwasi/src/uvwasi.c'" in done.stdout


def test_a_folder_that_is_no_checkout_is_named(run: Run, tmp_path: Path) -> None:
    done = run("-c", FIND, UVWASI_DIR=str(tmp_path))
    assert f"{tmp_path} holds no uvwasi" in done.stderr.splitlines()[-1]


def test_an_unknown_version_is_not_taken_from_vendor(run: Run, project: Path) -> None:
    checkout(project / "vendor" / "uvwasi", 0, 9, 0)
    done = run("-c", FIND)
    assert "uvwasi 0.9.0 is not a version that this project knows" in done.stderr


def test_the_systems_libuv_can_be_linked(fetched: Path, run: Run) -> None:
    assert "libraries=['uv']" in run("-c", FIND, WASI_BACKING_LIBUV="system").stdout
    assert "vendor/libuv/src" in run("-c", FIND).stdout


def test_the_versions_are_newest_first() -> None:
    sys.path.insert(0, str(TOOLS))
    import uvwasi_source

    for versions in uvwasi_source.KNOWN.values():
        numbers = [tuple(map(int, version.split("."))) for version in versions]
        assert numbers == sorted(numbers, reverse=True)
