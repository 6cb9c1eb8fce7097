"""What the command says about itself."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Callable

import pytest

from wasi_backing.cli import main

Run = Callable[..., "subprocess.CompletedProcess[str]"]

OPTIONS = "--backing --engine --dir --env --listen --argv0 --invoke --rights"


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    for command in ("run", "backings"):
        assert f"\n  {command} " in text


@pytest.mark.parametrize("option", OPTIONS.split())
def test_help_of_run_explains_each_option(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["run", "--help"]) == 0
    text = capsys.readouterr().out
    assert f"\n  {option} " in text
    assert "Examples:" in text


def test_version(cli: Run) -> None:
    result = cli("--version")
    assert (
        result.stdout == f"wasi-backing {importlib.metadata.version('wasi-backing')}\n"
    )


def test_backings_are_listed_with_their_calls(cli: Run) -> None:
    text = cli("backings").stdout
    assert "minimal" in text
    assert "46" in text
    assert "\x1b" not in text  # colour is for terminals


def test_backings_as_json_for_programs(cli: Run) -> None:
    listed = {
        entry["name"]: entry for entry in json.loads(cli("backings", "--json").stdout)
    }
    minimal = listed["minimal"]
    assert len(minimal["calls"]) == 46
    assert "fd_readdir" in minimal["calls"]
    assert minimal["contained"] is True


def test_a_reader_that_leaves_is_no_error_of_ours(cli: Run) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = cli(
        "backings", capture_output=False, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (result.stderr, result.returncode) == ("", 1)
