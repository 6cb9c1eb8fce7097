"""One guest, the same calls, our backings and wasmtime's own WASI: who differs?

Each script of ``cases/`` is played on both. What the calls answered, how the guest
ended and what it left behind must agree, except where ``differences.toml`` says
otherwise and why; a difference listed there that is none is an error, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wasi_backing import WASI, Trap

from .reference import Outcome, Reference
from .scripts import Script, build_tree, differences, look, scripts, settle

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

Answers = dict[str, str]
Player = Callable[[Script, Path], Answers]


def answers(script: Script, outcome: Outcome, left: list[str]) -> Answers:
    """Name each answer: the number of the call, ``end``, ``stderr`` or ``left``."""
    lines = outcome.stdout.decode(errors="backslashreplace").splitlines()
    lines += ["(ended)"] * (len(script.calls) - len(lines))
    return {
        **{str(number): line for number, line in enumerate(lines, 1)},
        "end": outcome.end,
        "stderr": outcome.stderr.decode(errors="backslashreplace"),
        "left": "; ".join(left),
    }


def play(
    run: Callable[[list[str], dict[str, Path]], Outcome], script: Script, base: Path
) -> Answers:
    """Run the script with *run* in a fresh tree below the empty directory *base*."""
    chain = any("chain" in call for call in script.calls)
    tree, other = build_tree(base, chain=chain)
    before = look(base)
    settle(base)
    outcome = run(script.arguments(), {"/": tree, "/other": other})
    left = differences(before, look(base))
    return answers(script, outcome, [line.replace(str(base), "BASE") for line in left])


class Ours:
    """One of our backings, with the standard streams that the reference has."""

    def __init__(self, wasm: Path, backing: str) -> None:
        self._wasm = wasm
        self._backing = backing

    def run(self, arguments: list[str], preopens: dict[str, Path]) -> Outcome:
        stdin, no_input = os.pipe()
        os.close(no_input)
        with _Output() as stdout, _Output() as stderr:
            wasi = WASI(
                args=["guest", *arguments],
                env={},
                preopens=preopens,
                stdin=stdin,
                stdout=stdout.writer,
                stderr=stderr.writer,
                backing=self._backing,
            )
            try:
                end = f"exit {wasi.run(self._wasm).exit_code}"
            except Trap:
                end = "trap"
            finally:
                os.close(stdin)
            return Outcome(end, stdout.read(), stderr.read())


class _Output:
    """A pipe that holds what a script's guest writes: well below its capacity."""

    def __enter__(self) -> _Output:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reader)
        os.close(self.writer)

    def read(self) -> bytes:
        try:
            return os.read(self._reader, 1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture(scope="session")
def script_guest(compile_guest: Callable[..., Path]) -> Path:
    """The guest that plays scripts, compiled."""
    return compile_guest(HERE / "script_guest.c", "-I", str(ROOT / "csrc/include"))


@pytest.fixture(scope="session")
def theirs(
    script_guest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Script], Answers]:
    """Play a script on wasmtime's own WASI, once."""
    reference = Reference(script_guest)
    known: dict[str, Answers] = {}

    def play_once(script: Script) -> Answers:
        if script.name not in known:
            base = tmp_path_factory.mktemp("theirs")
            known[script.name] = play(reference.run, script, base)
        return known[script.name]

    return play_once


def expected_differences(backing: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Read which answers differ: (script, answer's name) to (theirs, ours).

    A group of single backings comes after those of all and has the last word.
    """
    with (HERE / "differences.toml").open("rb") as file:
        groups: list[dict[str, Any]] = tomllib.load(file)["difference"]
    expected = {}
    for group in groups:
        assert group["reason"]
        if backing in group.get("backings", [backing]):
            for place, theirs, ours in group["answers"]:
                name, _, answer = place.rpartition(": ")
                expected[name, answer] = theirs, ours
    return {
        place: (theirs, ours)
        for place, (theirs, ours) in expected.items()
        if theirs != ours
    }


SCRIPTS = scripts()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_answers_are_those_of_wasmtime(
    script: Script,
    backing: str,
    script_guest: Path,
    theirs: Callable[[Script], Answers],
    guest_dir: Path,
) -> None:
    reference = theirs(script)
    ours = play(Ours(script_guest, backing).run, script, guest_dir)
    expected = {
        answer: pair
        for (name, answer), pair in expected_differences(backing).items()
        if name == script.name
    }
    found = {
        answer: (reference.get(answer, ""), ours.get(answer, ""))
        for answer in {**reference, **ours}
        if reference.get(answer, "") != ours.get(answer, "")
    }
    assert found == expected, story(script, reference, ours)


def story(script: Script, reference: Answers, ours: Answers) -> str:
    """Tell what was called and what was answered, where two answers differ."""
    lines = [script.name]
    calls = {str(number): call for number, call in enumerate(script.calls, 1)}
    for answer in ours:
        lines.append(f"  {calls.get(answer, answer)}")
        if ours[answer] == reference.get(answer):
            lines.append(f"    both      {ours[answer]}")
        else:
            lines.append(f"    ours      {ours[answer]}")
            lines.append(f"    wasmtime  {reference.get(answer)}")
    return "\n".join(lines)


def test_expected_differences_name_scripts_and_answers_that_exist(
    backing: str,
) -> None:
    known = {script.name: len(script.calls) for script in SCRIPTS}
    for name, answer in expected_differences(backing):
        assert name in known
        assert answer in {"end", "stderr", "left"} or 1 <= int(answer) <= known[name]
