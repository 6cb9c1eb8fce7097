"""The benchmark: what it concludes from figures, and that it runs.

Nothing here depends on how long anything takes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import build, report, targets  # noqa: E402
from bench.columns import Sample, digest  # noqa: E402
from bench.measure import Cell, Results, Spread  # noqa: E402
from bench.targets import Bar, Group  # noqa: E402


def results(*samples: tuple[str, list[float | None]], bar: Bar) -> Results:
    cells = {("row", c): Cell([Sample(t) for t in times]) for c, times in samples}
    group = Group("group", ("row",), (bar,))
    return Results([group], [c for c, _ in samples], cells)


def test_a_run_is_the_median_of_its_batches() -> None:
    assert digest("row 10 1000\nrow 10 9000\nrow 20 2400\n") == Sample(120.0)


def test_threads_share_the_time_of_a_call() -> None:
    assert digest("row 10 1000\nrow 10 1000\n", threads=2) == Sample(50.0)


def test_a_refused_call_has_no_time() -> None:
    assert digest("row errno 8\n") == Sample(None, "errno 8")
    assert digest("") == Sample(None, "no output")


def test_a_part_is_scaled_up_and_marked() -> None:
    sample = digest("row part 25 100 1000\n")
    assert sample.ns == 4000
    assert "25 of 100" in sample.note


@pytest.mark.parametrize(
    ("bar", "ours", "other", "met"),
    [
        (Bar("x", faster=2), 10, 20, True),
        (Bar("x", faster=2), 10, 19.9, False),
        (Bar("x", within=1.5), 15, 10, True),
        (Bar("x", within=1.5), 15.1, 10, False),
        (Bar("x", within=1.5, plus_ns=40), 55, 10, True),
        (Bar("x", within=1.5, plus_ns=40), 55.1, 10, False),
    ],
)
def test_bars(bar: Bar, ours: float, other: float, met: bool) -> None:
    assert bar.met(ours, other) is met


def test_ratios_are_taken_within_a_round() -> None:
    # The machine was ten times slower in the second round: the ratio was not.
    found = results(
        ("minimal", [10, 100, 12]),
        ("node", [20, 200, 24]),
        bar=Bar("node", faster=1.5),
    ).verdicts("minimal")
    assert [(v.ratio, v.met) for v in found] == [(Spread(2, 2, 2), True)]


def test_a_bar_is_for_the_backings_it_names() -> None:
    bar = Bar("node", faster=1.5, backings=("uvwasi",))
    found = results(("minimal", [10]), ("node", [20]), bar=bar).verdicts("minimal")
    assert [(v.bar, v.met) for v in found] == [(None, None)]


def test_a_column_without_a_figure_is_left_out() -> None:
    bar = Bar("node", faster=1.5)
    shown = results(("minimal", [10]), ("node", [None]), bar=bar)
    assert shown.verdicts("minimal") == []


def test_a_round_that_fails_is_told_and_does_not_hide_the_others() -> None:
    cell = Cell([Sample(10.0), Sample(None, "the worker ended"), Sample(12.0)])
    assert cell.ns is not None
    assert cell.ns.median == 11
    assert (cell.note, cell.failures) == ("", ["the worker ended"])


def test_a_cell_without_a_figure_says_why() -> None:
    cell = Cell([Sample(None, "errno 8")])
    assert (cell.ns, cell.note, cell.failures) == (None, "errno 8", [])


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (3.456, "3.46 ns"),
        (99.96, "100 ns"),
        (9999, "9,999 ns"),
        (10_000, "10.0 µs"),
        (353e6, "353 ms"),
        (2e12, "2,000 s"),
    ],
)
def test_durations(ns: float, text: str) -> None:
    assert report.duration(ns) == text


def test_every_row_is_in_the_programs() -> None:
    guest = (build.PROGRAMS / "guest.c").read_text()
    native = (build.PROGRAMS / "native.c").read_text()
    known = set(re.findall(r'^    \{"([^"]+)",', guest + native, re.M))
    rows = {
        row.removeprefix("threads.")
        for group in targets.load(build.HERE / "targets.toml")
        for row in group.rows
    }
    assert rows == known


def test_it_runs_and_writes_its_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--rounds", "1"]
    command += ["-k", "clock_res_get", "-c", "minimal", "-c", "native"]
    command += [
        "--json",
        str(tmp_path / "out.json"),
        "--svg",
        str(tmp_path / "out.svg"),
    ]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "clock_res_get" in done.stdout
    (row,) = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert set(row["columns"]) == {"minimal", "native"}
    assert all(column["ns"]["median"] > 0 for column in row["columns"].values())
    if "no chart" not in done.stdout:
        svg = ElementTree.parse(tmp_path / "out.svg").getroot()
        assert svg.tag.endswith("svg")
    # The files that the guest worked on are gone.
    assert {p.name for p in tmp_path.iterdir()} <= {"out.json", "out.svg"}


def test_an_unknown_row_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "-k", "no such row"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "no row has that in its name" in done.stderr
