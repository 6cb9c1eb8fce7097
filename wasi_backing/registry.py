"""The backings that there are, by name.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from wasi_backing.errors import UnknownBackingError
from wasi_backing.ffi import ffi, lib, text


@dataclasses.dataclass(frozen=True, slots=True)
class BackingInfo:
    """What a backing publishes about itself."""

    #: The name for `backing=` and `--backing`.
    name: str
    #: One line: what it is and what it promises.
    summary: str
    #: The calls that it has itself, in the specification's order. A guest sees
    #: NOSYS, or the layer's own answer, in place of the others.
    calls: tuple[str, ...]
    #: No path leaves its root, whatever the guest does and whoever changes the
    #: directory tree meanwhile.
    contained: bool
    #: Calls of one guest may overlap.
    shareable: bool
    #: It needs no memory from the C library.
    no_heap: bool
    #: It stands in front of another backing.
    wrapper: bool
    #: Preopens are directories of the host. Otherwise their paths name places in
    #: files of the backing's own, which begin empty.
    host_files: bool


def calls() -> tuple[str, ...]:
    """Name the calls of WASI preview 1, by their number."""
    return _call_names


def call_number(name: str) -> int:
    """Return the number of a call.

    Raises:
        LookupError: There is no call of that name.
    """
    try:
        return _call_numbers[name]
    except KeyError:
        raise LookupError(f"WASI preview 1 has no call {name!r}") from None


def signature(number: int) -> str:
    """Return a call's parameters, `i` an i32 and `I` an i64."""
    return _signatures[number]


def in_unstable(number: int) -> bool:
    """Tell whether wasi_unstable has a call too."""
    return bool(lib.wb_call_infos[number].unstable)


def backings() -> list[BackingInfo]:
    """Describe the backings that are built in, the default first."""
    return [_describe(table) for table in _tables().values()]


def stack_of(name: str) -> Sequence[Any]:
    """Find the tables for a backing's name, outermost first.

    Raises:
        UnknownBackingError: No backing has that name.
    """
    table = _tables().get(name)
    if table is None:
        known = ", ".join(_tables())
        if name == "uvwasi":
            raise UnknownBackingError(
                f"the backing 'uvwasi' was not built in; to get it, fetch its source "
                f"in the project's folder (make vendor) and build again; known are: "
                f"{known}"
            )
        import difflib  # slow to import, and for this message only

        near = difflib.get_close_matches(name, _tables(), 1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UnknownBackingError(
            f"unknown backing {name!r}; {guess}known are: {known}"
        )
    return [table]


@functools.cache
def _tables() -> dict[str, Any]:
    tables = {}
    number = 0
    while lib.wb_builtin_backings[number]:
        table = lib.wb_builtin_backings[number]
        tables[text(table.name)] = table
        number += 1
    return tables


def _describe(table: Any) -> BackingInfo:
    # `proc_exit` and its like may be missing in a table of an older make; the
    # built-in ones are of this one.
    return BackingInfo(
        name=text(table.name),
        summary=text(table.summary),
        calls=tuple(n for n in _call_names if getattr(table, n) != ffi.NULL),
        contained=bool(table.facts & lib.WB_FACT_CONTAINED),
        shareable=bool(table.facts & lib.WB_FACT_SHAREABLE),
        no_heap=bool(table.facts & lib.WB_FACT_NO_HEAP),
        wrapper=bool(table.facts & lib.WB_FACT_WRAPPER),
        host_files=not table.facts & lib.WB_FACT_OWN_FILES,
    )


_call_names = tuple(
    text(lib.wb_call_infos[number].name) for number in range(lib.WB_CALL_COUNT)
)
_call_numbers = {name: number for number, name in enumerate(_call_names)}
_signatures = tuple(
    text(lib.wb_call_infos[number].signature).replace("v", "")
    for number in range(lib.WB_CALL_COUNT)
)
