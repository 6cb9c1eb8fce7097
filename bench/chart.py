# SPDX-License-Identifier: MIT
"""Draw the medians as an SVG chart: a line of dots for each call."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.measure import Results

# One look for each column, chosen to be told apart without colour too.
LOOKS = {
    "minimal": ("o", "#0b6e4f"),
    "uvwasi": ("D", "#7b2d8b"),
    "wasmtime": ("s", "#d1495b"),
    "node": ("^", "#e08e1b"),
    "native": ("|", "#222222"),
    "host": ("x", "#2e6fb7"),
    "one": ("v", "#2e6fb7"),
}


def power_of_ten(ns: float) -> str:
    """Write a round time in the largest unit that fits."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= scale:
            return f"{ns / scale:g} {unit}"
    return f"{ns:g} ns"


def draw(results: Results, title: str, path: Path) -> None:
    """Write the chart to an SVG file."""
    rows = [row for group in results.groups for row in group.rows]
    height = 1.6 + 0.24 * len(rows) + 0.24 * len(results.groups)
    figure = Figure(figsize=(10, height), layout="constrained")
    axes = figure.subplots()

    at = 0.0
    ticks: list[float] = []
    places: dict[str, float] = {}
    for group in results.groups:
        for row in group.rows:
            if not any(results.cell(row, c) for c in results.columns):
                continue
            places[row] = at
            ticks.append(at)
            at += 1
        at += 1  # a gap between groups

    for row, place in places.items():
        cells = (results.cell(row, column) for column in results.columns)
        times = [cell.ns.median for cell in cells if cell and cell.ns]
        if times:
            axes.hlines(place, min(times), max(times), color="#cccccc", zorder=1)
    for column in results.columns:
        marker, colour = LOOKS.get(column, ("*", "#555555"))
        points = [
            (cell.ns.median, place)
            for row, place in places.items()
            if (cell := results.cell(row, column)) and cell.ns
        ]
        if points:
            x, y = zip(*points, strict=True)
            size = 90 if marker == "|" else 30
            axes.scatter(
                x, y, marker=marker, color=colour, s=size, label=column, zorder=2
            )

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: power_of_ten(x)))
    axes.set_xlabel("time per call, median (shorter is better)")
    axes.set_yticks(ticks, list(places), fontsize=8)
    axes.set_ylim(at - 1, -1)
    axes.grid(axis="x", color="#e6e6e6", zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10)
    figure.legend(loc="outside lower center", ncols=7, frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
