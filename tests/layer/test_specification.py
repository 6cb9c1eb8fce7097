"""calls.def and types.h say what the specification says.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import re
from pathlib import Path

from .toolchains import INCLUDE, ROOT, need, run

HERE = Path(__file__).resolve().parent
CALLS = ROOT / "csrc" / "include" / "wasi_backing" / "calls.def"
OWN_IN_UNSTABLE = {"fd_filestat_get", "fd_seek", "path_filestat_get", "poll_oneoff"}


def table(name: str) -> list[list[str]]:
    """Return the rows of a table beside this file."""
    lines = (HERE / name).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def calls() -> list[tuple[str, ...]]:
    """Return name, signature, memory, fallback, unstable of each call."""
    row = re.compile(r"^WB_CALL\((\w+), (\w+), ([01]), (\w+), (\w+)\)$", re.MULTILINE)
    return row.findall(CALLS.read_text())


def test_the_list_holds_the_46_calls_once() -> None:
    names = [name for name, *_ in calls()]
    assert len(names) == len(set(names)) == 46
    assert set(names) == {
        row[1] for row in table("spec_signatures.txt") if row[0] == "preview1"
    }


def test_signatures_are_those_of_both_versions() -> None:
    ours = {name: signature for name, signature, *_ in calls()}
    for version, name, parameters, result in table("spec_signatures.txt"):
        assert ours[name] == parameters, (version, name)
        assert result == ("v" if name == "proc_exit" else "i"), (version, name)


def test_memory_is_marked_where_a_parameter_points_to_it() -> None:
    pointing = {row[1] for row in table("spec_pointers.txt")}
    for name, _, memory, *_ in calls():
        assert (memory == "1") == (name in pointing), name


def test_wasi_unstable_has_all_but_sock_accept_and_four_of_its_own() -> None:
    unstable = {row[1] for row in table("spec_signatures.txt") if row[0] == "unstable"}
    for name, *_, ours in calls():
        expected = "OWN" if name in OWN_IN_UNSTABLE else "SAME"
        assert ours == (expected if name in unstable else "NONE"), name


def constant(type_: str, name: str) -> str:
    """Return what types.h calls a value."""
    type_, name = type_.upper(), name.upper()
    return f"WB_{type_}_{name}"


def test_numbers_are_the_specifications(tmp_path: Path) -> None:
    need("gcc")
    rows = table("spec_numbers.txt")
    assert len(rows) == 184
    source = tmp_path / "numbers.c"
    checks = "\n".join(
        f'_Static_assert({constant(kind, name)} == {value}, "{kind} {name}");'
        for kind, name, value in rows
    )
    source.write_text(f'#include "wasi_backing/types.h"\n{checks}\n')
    run(["gcc", "-std=c11", "-fsyntax-only", INCLUDE, str(source)])
