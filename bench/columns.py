# SPDX-License-Identifier: MIT
"""The columns of the table: ways to run a row, each behind one small interface."""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import build
from wasi_backing import backings

# Longer than the longest row: a listing is cut short after 2 seconds.
PATIENCE_SECONDS = 60.0

# What the guest is started with, besides what the harness reads.
MORE_ARGUMENTS = ["--level", "9", "input file", "output file"]

THREADS = "threads."


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one row showed."""

    ns: float | None
    """Nanoseconds per turn, the median of the run's batches; None if refused."""

    note: str = ""
    """Why there is no figure, or why the figure is not quite what it seems."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run is: batches of so many microseconds, so many times."""

    batch_us: int
    batches: int


def digest(output: str, threads: int = 1) -> Sample:
    """Turn what the harness printed into a sample.

    With several threads, the time per call of all of them together.
    """
    times: list[float] = []
    for line in output.splitlines():
        match line.split():
            case [_, "errno", number]:
                return Sample(None, f"errno {number}")
            case [_, "part", done, whole, ns]:
                share = int(whole) / max(int(done), 1)
                note = f"after {int(done):,} of {int(whole):,} names"
                return Sample(int(ns) * share, note)
            case [_, turns, ns]:
                times.append(int(ns) / int(turns))
            case _:
                return Sample(None, f"unexpected output: {line}")
    if not times:
        return Sample(None, "no output")
    return Sample(median(times) / threads)


class Column(ABC):
    """One way to run rows."""

    name: str
    about: str
    """What is measured, with versions."""

    @abstractmethod
    def serves(self, row: str) -> bool:
        """Tell whether the column has that row."""

    @abstractmethod
    def run(self, row: str, pace: Pace) -> Sample:
        """Run a row once."""

    def close(self) -> None:
        """Stop what runs in the background, if anything does."""
        return


class ProgramColumn(Column):
    """Native programs: one process for each run."""

    def __init__(self, name: str, about: str, program: Path, folder: Path) -> None:
        self.name = name
        self.about = about
        self._folder = folder
        self._program = program
        # The program lists its rows itself.
        listed = subprocess.run(
            [program, "--rows"], check=True, capture_output=True, text=True
        )
        self._rows = frozenset(listed.stdout.split())

    def serves(self, row: str) -> bool:
        return row in self._rows

    def run(self, row: str, pace: Pace) -> Sample:
        command = [str(self._program), row, str(pace.batch_us), str(pace.batches)]
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Sample(None, f"no answer in {PATIENCE_SECONDS:g} s")
        if done.returncode:
            return Sample(None, f"status {done.returncode}: {done.stderr.strip()}")
        return digest(done.stdout)


class WorkerColumn(Column):
    """The guest in an engine: one process for the whole benchmark."""

    def __init__(
        self,
        name: str,
        about: str,
        command: list[str],
        rows: str = ".*",
        threads: int = 1,
    ) -> None:
        self.name = name
        self.about = about
        self._command = command
        self._rows = re.compile(rows)
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None

    def serves(self, row: str) -> bool:
        return self._rows.fullmatch(row) is not None

    def run(self, row: str, pace: Pace) -> Sample:
        threads = self._threads if row.startswith(THREADS) else 1
        row = row.removeprefix(THREADS)
        args = ["bench", row, str(pace.batch_us), str(pace.batches), *MORE_ARGUMENTS]
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        try:
            request = {"args": args, "threads": threads}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            output, verdict = self._answer(process)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            return Sample(None, str(error) or "the worker ended")
        if verdict != "done 0":
            return Sample(None, verdict)
        return digest(output, threads)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            cwd=build.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def _answer(self, process: subprocess.Popen[bytes]) -> tuple[str, str]:
        """Read up to the worker's verdict on a run."""
        assert process.stdout is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        output = b""
        while True:
            last = output.rstrip(b"\n").rpartition(b"\n")[2]
            if output.endswith(b"\n") and last.startswith((b"done ", b"failed ")):
                return output[: -len(last) - 1].decode(), last.decode()
            left = deadline - time.monotonic()
            if not select.select([process.stdout], [], [], max(left, 0))[0]:
                raise TimeoutError(f"no answer in {PATIENCE_SECONDS:g} s")
            chunk = process.stdout.read(65536)
            if not chunk:
                raise EOFError(f"the worker ended with status {process.wait()}")
            output += chunk

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class JoinedColumn(Column):
    """Several columns shown as one: each row is run by the first that has it."""

    def __init__(self, parts: list[Column]) -> None:
        self.name = parts[0].name
        self.about = parts[0].about
        self._parts = parts

    def serves(self, row: str) -> bool:
        return any(part.serves(row) for part in self._parts)

    def run(self, row: str, pace: Pace) -> Sample:
        return next(p for p in self._parts if p.serves(row)).run(row, pace)

    def close(self) -> None:
        for part in self._parts:
            part.close()


def our_backings() -> list[str]:
    """Name the backings of ours that are built in, the default one first."""
    known = [backing.name for backing in backings()]
    return [name for name in ("minimal", "uvwasi") if name in known]


def columns(folder: Path, output: Path) -> list[Column]:
    """Make the columns that this machine can have, ours first.

    Args:
        folder: what `build.make_data` has filled, or will.
        output: where the programs are built.
    """
    guest = build.guest(output)
    compiled = build.precompiled(output)
    engine = f"wasmtime {version('wasmtime')}"
    native_only = "context|locks"
    any_row = f"(?!{native_only}).*"
    alone = f"(?!{native_only}|{re.escape(THREADS)}).*"

    def worker(kind: str, *more: str) -> list[str]:
        files = [str(compiled), str(folder), *more]
        return [sys.executable, "-m", "bench.worker", kind, *files]

    found: list[Column] = []
    backings = our_backings()
    for name in backings:
        about = f"our backing {name}, in {engine}"
        column: Column = WorkerColumn(name, about, worker(name), any_row, 2)
        if name == "minimal":
            program = build.context(output)
            column = JoinedColumn([column, ProgramColumn(name, about, program, folder)])
        found.append(column)

    about = f"{engine}'s own WASI"
    found.append(WorkerColumn("wasmtime", about, worker("wasmtime"), alone))

    if node := shutil.which("node"):
        about = f"node:wasi of Node {_first_line([node, '--version'])}"
        script = str(build.HERE / "worker.mjs")
        command = [node, "--no-warnings", script, str(guest), str(folder)]
        found.append(WorkerColumn("node", about, command, alone))

    compiler = _first_line([*build.host_compiler(), "--version"])
    about = f"the same system calls from C, {compiler}"
    found.append(ProgramColumn("native", about, build.native(output), folder))

    library = str(build.empty_function(output))
    about = f"an empty C function as host, in {engine}"
    found.append(WorkerColumn("host", about, worker("host", library), "empty"))

    if "minimal" in backings:
        about = "our backing minimal, one guest alone"
        rows = re.escape(THREADS) + ".*"
        found.append(WorkerColumn("one", about, worker("minimal"), rows))
    return found


def _first_line(command: list[str]) -> str:
    """Run a program and keep the first line that it prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout.splitlines() or [""])[0]
