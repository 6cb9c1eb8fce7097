# SPDX-License-Identifier: MIT
"""The rows and their bars, as `targets.toml` lists them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Bar:
    """How a row of ours should compare with another column.

    Exactly one of `faster` (the other takes at least that many times as long) and
    `within` (ours takes at most that many times as long, plus `plus_ns` and the time
    of the native row `plus_row`) is set.
    """

    against: str
    faster: float | None = None
    within: float | None = None
    plus_ns: float = 0.0
    plus_row: str | None = None
    backings: tuple[str, ...] = ("minimal",)

    def met(self, ours: float, other: float, plus: float = 0.0) -> bool:
        """Tell whether a time of ours in ns is good enough.

        Args:
            ours: The time of ours.
            other: The time of the other column.
            plus: The time of `plus_row`.
        """
        if self.faster is not None:
            return other >= self.faster * ours
        assert self.within is not None
        return ours <= self.within * other + self.plus_ns + plus

    def __str__(self) -> str:
        if self.faster is not None:
            return f"≥ {self.faster:g}"
        plus = f" + {self.plus_ns:g} ns" if self.plus_ns else ""
        plus += f" + {self.plus_row}" if self.plus_row else ""
        return f"≤ {self.within:g}{plus}"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share their bars."""

    title: str
    rows: tuple[str, ...]
    bars: tuple[Bar, ...]


def load(path: Path) -> list[Group]:
    """Read the groups, in the order of the file."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    return [
        Group(group["title"], tuple(group["rows"]), tuple(map(_bar, group["bars"])))
        for group in document["groups"]
    ]


def _bar(table: dict[str, Any]) -> Bar:
    backings = tuple(table.pop("backings", ["minimal"]))
    return Bar(backings=backings, **table)


def select(groups: list[Group], patterns: tuple[str, ...]) -> list[Group]:
    """Keep the rows whose names contain one of `patterns`; all if there is none."""
    if not patterns:
        return groups
    return _keep(groups, lambda row: any(text in row for text in patterns))


def without(groups: list[Group], unwanted: str) -> list[Group]:
    """Drop one row."""
    return _keep(groups, lambda row: row != unwanted)


def _keep(groups: list[Group], wanted: Callable[[str], bool]) -> list[Group]:
    """Filter rows, and drop the groups that have none left."""
    kept = (replace(g, rows=tuple(filter(wanted, g.rows))) for g in groups)
    return [group for group in kept if group.rows]
