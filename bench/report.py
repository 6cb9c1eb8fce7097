# SPDX-License-Identifier: MIT
"""Show the results: as tables on a terminal, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.measure import Cell, Results, Verdict

# The columns that run a guest's calls, or do their work, one way or another.
HOSTS = ("minimal", "wasmtime", "node", "native")


def wide_console() -> Console:
    """Make a console for the tables, which lose figures when they are squeezed."""
    console = Console()
    # A terminal shows what it can; a file or a pipe gets all of it.
    return console if console.is_terminal else Console(width=160)


def duration(ns: float) -> str:
    """Write a time with three digits and its unit."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= scale * 10:
            return f"{significant(ns / scale)} {unit}"
    return f"{significant(ns)} ns"


def significant(value: float) -> str:
    """Write three digits, or all in front of the point."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def time_table(results: Results) -> Table:
    """Make the table of medians."""
    table = Table(title="Time per call, median", title_justify="left")
    table.add_column("call", no_wrap=True)
    for column in results.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for group in results.groups:
        table.add_section()
        for row in group.rows:
            cells = (time_text(results.cell(row, c)) for c in results.columns)
            table.add_row(row, *cells)
    return table


def time_text(cell: Cell | None) -> Text:
    if cell is None:
        return Text("")
    if cell.ns is None:
        return Text(cell.note, style="yellow")
    mark = "~" if cell.note else ""
    return Text(mark + duration(cell.ns.median))


def ratio_table(results: Results, ours: str) -> Table:
    """Make the table that compares a backing of ours with other hosts."""
    others = [c for c in HOSTS if c in results.columns and c != ours]
    table = Table(
        title=f"{ours} against others: ratio, its quartiles, and the bar for it",
        title_justify="left",
    )
    table.add_column("call")
    for column in others:
        table.add_column(column, justify="right", no_wrap=True)
    verdicts = {(v.row, v.against): v for v in results.verdicts(ours)}
    for group in results.groups:
        table.add_section()
        for row in group.rows:
            cells = [verdicts.get((row, column)) for column in others]
            if any(cells):
                table.add_row(row, *map(verdict_text, cells))
    return table


def other_ratios(results: Results, ours: str) -> list[Text]:
    """Write a line for each comparison with what is no host."""
    return [
        Text(f"{v.row} against {v.against}: ").append_text(verdict_text(v))
        for v in results.verdicts(ours)
        if v.bar is not None and v.against not in HOSTS
    ]


def verdict_text(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("")
    ratio = verdict.ratio
    text = Text(f"{significant(ratio.median)} ")
    text.append(f"[{significant(ratio.low)}, {significant(ratio.high)}]", "dim")
    if verdict.bar is not None:
        mark, style = ("✓", "green") if verdict.met else ("✗", "red")
        text.append(f" {verdict.bar} {mark}", style)
    return text


def show(console: Console, results: Results, ours: list[str], about: list[str]) -> None:
    """Print everything, the conclusion last."""
    console.print(time_table(results))
    for line in about:
        console.print(line, highlight=False, soft_wrap=True)
    for (row, column), cell in sorted(results.cells.items()):
        if cell.ns is not None and cell.note:
            console.print(
                f"~ {row} in {column}: scaled up, cut short {cell.note}",
                highlight=False,
            )
        if cell.failures:
            console.print(
                f"{row} in {column}: {len(cell.failures)} of {len(cell.samples)} "
                f"rounds failed: {cell.failures[-1]}",
                highlight=False,
            )
    for column in ours:
        console.print()
        console.print(ratio_table(results, column))
        for text in other_ratios(results, column):
            console.print(text)
        console.print(
            "Ratios: how many times as long the other takes, or, at a bar with ≤, "
            "how many times as long ours takes.",
            soft_wrap=True,
        )
        console.print(summary(results, column), highlight=False, soft_wrap=True)


def summary(results: Results, ours: str) -> str:
    """Say in a line how many bars were met, and which were not."""
    barred = [v for v in results.verdicts(ours) if v.bar is not None]
    missed = [f"{v.row} against {v.against}" for v in barred if not v.met]
    line = f"{ours}: {len(barred) - len(missed)} of {len(barred)} bars met"
    return f"{line}; not {', '.join(missed)}" if missed else line


def as_json(
    results: Results, ours: list[str], machine: dict[str, Any]
) -> dict[str, Any]:
    """Arrange everything for a JSON file. Times are nanoseconds per call."""
    rows = []
    for group in results.groups:
        for row in group.rows:
            times: dict[str, Any] = {}
            for column in results.columns:
                cell = results.cell(row, column)
                if cell is None:
                    continue
                spread = asdict(cell.ns) if cell.ns else None
                rounds = [sample.ns for sample in cell.samples]
                times[column] = {"ns": spread, "rounds": rounds, "note": cell.note}
            rows.append({"row": row, "group": group.title, "columns": times})
    verdicts = [
        {
            "row": v.row,
            "column": v.column,
            "against": v.against,
            "ratio": asdict(v.ratio),
            "bar": str(v.bar) if v.bar else None,
            "met": v.met,
        }
        for column in ours
        for v in results.verdicts(column)
    ]
    return {"machine": machine, "rows": rows, "verdicts": verdicts}
