"""Fixtures for the tests of the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# So long that only a hang reaches it.
HANG = 120


@pytest.fixture(scope="session")
def probe(compile_guest: Callable[[str], Path]) -> Path:
    """The guest that does what its first argument says."""
    return compile_guest(Path(__file__).with_name("probe.c").read_text())


@pytest.fixture
def cli() -> Run:
    """Run the command in a process of its own, with nothing to read."""

    def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        settings: dict[str, object] = {
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": HANG,
        }
        settings |= options
        if "input" in options:
            del settings["stdin"]
        command = [sys.executable, "-m", "wasi_backing", *map(str, words)]
        return subprocess.run(command, check=False, **settings)  # type: ignore

    return run


@pytest.fixture
def refused(cli: Run) -> Callable[..., str]:
    """Run the command with words that it must refuse; return its complaint.

    Whatever is refused gets status 2, one line on standard error, and no other
    output.
    """

    def run(*words: object, **options: object) -> str:
        result = cli(*words, **options)
        assert result.returncode == 2, result
        assert result.stdout == ""
        assert result.stderr.endswith("\n")
        assert result.stderr.count("\n") == 1, result.stderr
        assert result.stderr.startswith("wasi-backing")
        return result.stderr

    return run
