# SPDX-License-Identifier: MIT
"""Run all rows in all columns, in rounds, and compare within each round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.columns import Column, Pace, Sample
from bench.targets import Bar, Group


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


@dataclass(slots=True)
class Cell:
    """One row in one column: a sample for each round."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def ns(self) -> Spread | None:
        """The time per turn; None if no round has a figure."""
        times = [s.ns for s in self.samples if s.ns is not None]
        return Spread.of(times) if times else None

    @property
    def note(self) -> str:
        """What is to be known of the figure; why there is none, if there is none."""
        told = [s for s in self.samples if s.ns is not None] or self.samples
        return told[-1].note if told else ""

    @property
    def failures(self) -> list[str]:
        """Why rounds have no figure, if others have one."""
        if self.ns is None:
            return []
        return [s.note for s in self.samples if s.ns is None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a row of ours compares with another column.

    The ratio is the other's time divided by ours where the bar says "faster", or
    where there is no bar; ours divided by the other's where it says "within".
    """

    row: str
    column: str
    against: str
    ratio: Spread
    bar: Bar | None
    met: bool | None


@dataclass(slots=True)
class Results:
    """All that was measured."""

    groups: list[Group]
    columns: list[str]
    cells: dict[tuple[str, str], Cell]  # by row and column

    def cell(self, row: str, column: str) -> Cell | None:
        return self.cells.get((row, column))

    def compare(
        self, row: str, ours: str, other: str, bar: Bar | None
    ) -> Verdict | None:
        """Compare two columns in one row; None if one of them has no figure."""
        mine, theirs = self.cell(row, ours), self.cell(row, other)
        if mine is None or theirs is None:
            return None
        plus = self.cell(bar.plus_row, "native") if bar and bar.plus_row else None
        extras = plus.samples if plus else [Sample(0.0)] * len(mine.samples)
        pairs = [
            (a.ns, b.ns, c.ns or 0.0)
            for a, b, c in zip(mine.samples, theirs.samples, extras, strict=False)
            if a.ns and b.ns
        ]
        if not pairs:
            return None
        upside_down = bar is not None and bar.within is not None
        ratio = Spread.of([a / b if upside_down else b / a for a, b, _ in pairs])
        met = None
        if bar is not None:
            # The bar's own arithmetic, in the middle round.
            met = sum(bar.met(*pair) for pair in pairs) * 2 > len(pairs)
        return Verdict(row, ours, other, ratio, bar, met)

    def verdicts(self, ours: str) -> list[Verdict]:
        """Compare a column of ours with every other, row by row."""
        found = []
        for group in self.groups:
            bars = {bar.against: bar for bar in group.bars if ours in bar.backings}
            for row in group.rows:
                for other in self.columns:
                    if other == ours:
                        continue
                    verdict = self.compare(row, ours, other, bars.get(other))
                    if verdict is not None:
                        found.append(verdict)
        return found


def measure(
    groups: list[Group],
    columns: list[Column],
    rounds: int,
    pace: Pace,
    progress: Callable[[str, str], None],
) -> Results:
    """Run every row in every column, `rounds` times.

    Columns take turns within a row, and another one begins in each round, so that
    what disturbs the machine for a while disturbs all of them.
    """
    cells: dict[tuple[str, str], Cell] = {}
    for number in range(rounds):
        first = number % len(columns)
        for row in (row for group in groups for row in group.rows):
            for column in columns[first:] + columns[:first]:
                if not column.serves(row):
                    continue
                progress(row, column.name)
                cell = cells.setdefault((row, column.name), Cell())
                cell.samples.append(column.run(row, pace))
    return Results(groups, [column.name for column in columns], cells)
