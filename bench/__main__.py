# SPDX-License-Identifier: MIT
"""The command line of the benchmark: `python -m bench --help`."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import build, report, targets
from bench.columns import Column, Pace, columns, our_backings
from bench.measure import Results, measure

OUTPUT = build.ROOT / "build" / "bench"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-k",
    "patterns",
    multiple=True,
    metavar="TEXT",
    help="Only rows whose name contains TEXT.",
)
@click.option(
    "-c", "--column", "wanted", multiple=True, metavar="NAME", help="Only this column."
)
@click.option(
    "--quick", is_flag=True, help="A third of the time, and no huge directory."
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    help="How often each row runs in each column.  [9]",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Where the figures go.  [build/bench/bench.json]",
)
@click.option(
    "--svg",
    "svg_path",
    type=click.Path(path_type=Path),
    help="Where the chart goes.  [build/bench/bench.svg]",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where files are read and written.  [build/bench]",
)
@click.option("--list", "list_rows", is_flag=True, help="List the rows.")
def main(
    patterns: tuple[str, ...],
    wanted: tuple[str, ...],
    quick: bool,
    rounds: int | None,
    json_path: Path | None,
    svg_path: Path | None,
    folder: Path | None,
    list_rows: bool,
) -> None:
    """Measure what WASI calls cost on our backings and elsewhere.

    Each call is made in a loop by one guest program, on each host in turn; the
    ratios are of one run. However the figures come out, the exit status is 0.
    """
    groups = targets.load(build.HERE / "targets.toml")
    if quick:
        groups = targets.without(groups, "fd_readdir.100000")
    groups = targets.select(groups, patterns)
    rows = [row for group in groups for row in group.rows]
    if not rows:
        raise click.UsageError("no row has that in its name; --list shows them")
    if list_rows:
        click.echo("\n".join(rows))
        return

    OUTPUT.mkdir(parents=True, exist_ok=True)
    # Not shared: two runs at once must not remove each other's files.
    data = (folder or OUTPUT).resolve() / f"data-{os.getpid()}"
    pace = Pace(1000, 8) if quick else Pace(1000, 20)
    rounds = rounds or (3 if quick else 9)
    console = report.wide_console()
    try:
        found = [c for c in columns(data, OUTPUT) if not wanted or c.name in wanted]
    except build.BuildError as error:
        raise click.ClickException(str(error)) from None
    if not found:
        raise click.UsageError("no column has that name")
    try:
        build.make_data(data, rows)
        results = run(groups, found, rounds, pace)
    finally:
        for column in found:
            column.close()
        build.remove_data(data)

    ours = [name for name in our_backings() if name in results.columns]
    about = [f"{column.name}: {column.about}" for column in found]
    report.show(console, results, ours, about)
    machine = describe_machine() | {"columns": {c.name: c.about for c in found}}
    json_path = json_path or OUTPUT / "bench.json"
    svg_path = svg_path or OUTPUT / "bench.svg"
    document = report.as_json(results, ours, machine)
    json_path.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"wrote {json_path}", soft_wrap=True)
    try:
        from bench import chart
    except ModuleNotFoundError as error:
        console.print(f"no chart: {error.name} is missing")
        return
    title = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    chart.draw(results, title, svg_path)
    console.print(f"wrote {svg_path}", soft_wrap=True)


def run(
    groups: list[targets.Group], found: list[Column], rounds: int, pace: Pace
) -> Results:
    """Measure, and show how far it is."""
    rows = [row for group in groups for row in group.rows]
    total = sum(column.serves(row) for row in rows for column in found)
    bar = Progress(
        TextColumn("{task.description:44}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    done = 0
    with bar:
        task = bar.add_task("", total=rounds * total)

        def progress(row: str, column: str) -> None:
            nonlocal done
            if done % total == 0 and not bar.console.is_terminal:
                bar.console.print(f"round {done // total + 1} of {rounds}")
            done += 1
            bar.update(task, completed=done, description=f"{row} in {column}")

        return measure(groups, found, rounds, pace, progress)


def describe_machine() -> dict[str, Any]:
    """Say what the figures were measured on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }


if __name__ == "__main__":
    main(prog_name="python -m bench")
