"""`wasi-backing backings`: what there is to choose from."""

from __future__ import annotations

import dataclasses
import json

import click

from wasi_backing import BackingInfo, backings
from wasi_backing.registry import calls


def _promises(backing: BackingInfo) -> str:
    """Say what a backing guarantees, in words."""
    return "\n".join(
        [
            "paths stay beneath their directory"
            if backing.contained
            else "paths may leave their directory: run only what you trust",
            "a guest may use several threads"
            if backing.shareable
            else "one thread for each guest",
            *(["needs no heap"] if backing.no_heap else []),
            *([] if backing.host_files else ["files of its own, none of the host's"]),
        ]
    )


def _calls(backing: BackingInfo) -> str:
    """Say how many calls a backing has, and name those that it lacks."""
    lacking = [name for name in calls() if name not in backing.calls]
    count = f"{len(backing.calls)} of {len(calls())}"
    return f"{count}, not {', '.join(lacking)}" if lacking else count


def _print_table(found: list[BackingInfo]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("backing", "what it is", "calls", "promises", show_lines=True)
    for backing in found:
        name = f"[bold]{backing.name}[/bold]"
        table.add_row(name, backing.summary, _calls(backing), _promises(backing))
    Console().print(table)


@click.command("backings", short_help="List the backings that are built in.")
@click.option("--json", "as_json", is_flag=True, help="For programs: print JSON.")
def command(as_json: bool) -> int:
    """List the backings that are built in, the default first.

    Tells which calls of WASI each one has, and what it promises. A call that a
    backing lacks answers NOSYS to the guest.

    \b
    Examples:
      wasi-backing backings
      wasi-backing backings --json
    """
    found = backings()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(b) for b in found], indent=2))
    else:
        _print_table(found)
    return 0
