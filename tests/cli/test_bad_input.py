"""Whatever cannot be used gets one clear line and status 2, and leaves no trace."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from wasi_backing.cli import main

Refused = Callable[..., str]


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], Path]:
    """Make a module from the text format."""

    def write(text: str) -> Path:
        path = tmp_path / "module.wasm"
        path.write_bytes(wasmtime.wat2wasm(text))
        return path

    return write


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage: wasi-backing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["app.wasm"], "wasi-backing run app.wasm"),
        (["run"], "Missing argument 'APP.WASM'"),
        (["run", "--dri", ".", "app.wasm"], "No such option '--dri'"),
        (["run", "--rights", "some", "app.wasm"], "'enforce', 'ignore'"),
        (["run", "--env", "=x", "app.wasm"], "=x has no name: say NAME=VALUE"),
        (["run", "--env", "WB_NO_SUCH", "app.wasm"], "say WB_NO_SUCH=VALUE"),
        (["run", "--dir", "", "app.wasm"], "is not HOST, HOST::GUEST"),
        (["run", "--dir", "a::", "app.wasm"], "a:: is not HOST, HOST::GUEST"),
        (["run", "--dir", "::b", "app.wasm"], "::b is not HOST, HOST::GUEST"),
        (["run", "--dir", "a::b::rw", "app.wasm"], "a::b::rw is not HOST"),
        (["run", "--dir", "a::b::ro::c", "app.wasm"], "a::b::ro::c is not HOST"),
        (["run", "--dir", "a::ro", "app.wasm"], "say a::a::ro for a read-only"),
        (["backings", "minimal"], "unexpected extra argument (minimal)"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_wrong_usage_is_named(
    refused: Refused, words: list[str], complaint: str
) -> None:
    assert complaint in refused(*words)


def test_a_file_that_does_not_exist(refused: Refused, tmp_path: Path) -> None:
    complaint = refused("run", tmp_path / "none.wasm")
    assert str(tmp_path / "none.wasm") in complaint
    assert "No such file" in complaint


def test_a_directory_as_the_module(refused: Refused, tmp_path: Path) -> None:
    assert str(tmp_path) in refused("run", tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\necho no\n", b"\x7fELF\x02\x01\x01", b"\0asm"],
    ids=["empty", "script", "ELF", "cut off"],
)
def test_a_file_that_is_not_wasm(
    refused: Refused, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "app.wasm"
    path.write_bytes(content)
    complaint = refused("run", path)
    assert path.name in complaint
    assert "WebAssembly" in complaint


def test_a_module_that_is_damaged(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "app.wasm"
    path.write_bytes(b"\0asm\1\0\0\0\1\x7f")
    assert path.name in refused("run", path)


def test_a_component_instead_of_a_module(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "app.wasm"
    path.write_bytes(b"\0asm\x0d\0\1\0")
    assert "component" in refused("run", path)


def test_a_module_without_memory(
    refused: Refused, module: Callable[[str], Path]
) -> None:
    path = module("""
        (module
          (import "wasi_snapshot_preview1" "random_get"
            (func (param i32 i32) (result i32)))
          (func (export "_start")))
    """)
    complaint = refused("run", path)
    assert "memory" in complaint


def test_a_module_without_start(
    refused: Refused, module: Callable[[str], Path]
) -> None:
    path = module('(module (memory (export "memory") 1))')
    assert "_start" in refused("run", path)


def test_a_function_to_invoke_that_does_not_exist(
    refused: Refused, probe: Path
) -> None:
    assert "no_such" in refused("run", "--invoke", "no_such", probe)


def test_an_import_from_an_unknown_module(
    refused: Refused, module: Callable[[str], Path]
) -> None:
    path = module("""
        (module
          (import "env" "shout" (func))
          (memory (export "memory") 1)
          (func (export "_start")))
    """)
    complaint = refused("run", path)
    assert "env" in complaint
    assert "shout" in complaint


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("fd_nonesuch", "(param i32) (result i32)"),
        ("fd_read", "(param i64) (result i32)"),
        ("proc_exit", "(param i32) (result i32)"),
    ],
)
def test_a_call_that_wasi_does_not_have(
    refused: Refused, module: Callable[[str], Path], name: str, signature: str
) -> None:
    path = module(f"""
        (module
          (import "wasi_snapshot_preview1" "{name}" (func {signature}))
          (memory (export "memory") 1)
          (func (export "_start")))
    """)
    assert name in refused("run", path)


@pytest.mark.parametrize("kind", ["shared", "64-bit"])
def test_a_memory_of_a_kind_that_is_not_served(
    refused: Refused, module: Callable[[str], Path], kind: str
) -> None:
    memory = {"shared": "1 2 shared", "64-bit": "i64 1"}[kind]
    path = module(f"""
        (module
          (import "wasi_snapshot_preview1" "random_get"
            (func (param i32 i32) (result i32)))
          (memory (export "memory") {memory})
          (func (export "_start")))
    """)
    assert kind in refused("run", path)


def test_a_directory_that_does_not_exist(
    refused: Refused, probe: Path, tmp_path: Path, backing: str
) -> None:
    complaint = refused(
        "run", "--backing", backing, "--dir", f"{tmp_path}/none::/", probe
    )
    assert f"{tmp_path}/none" in complaint
    assert not (tmp_path / "none").exists()


def test_a_file_as_the_directory(
    refused: Refused, probe: Path, tmp_path: Path, backing: str
) -> None:
    (tmp_path / "file").write_text("as it was")
    complaint = refused(
        "run", "--backing", backing, "--dir", f"{tmp_path}/file::/", probe
    )
    assert f"{tmp_path}/file" in complaint
    assert (tmp_path / "file").read_text() == "as it was"


def test_two_directories_of_one_name(
    refused: Refused, probe: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    options = ["--dir", f"{tmp_path}::/data", "--dir", f"{tmp_path}/other::/data"]
    complaint = refused("run", *options, probe, "write", "/data/new", "text")
    assert "/data" in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_nul_in_an_argument(probe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(probe), "a\0b"]) == 2
    output, complaint = capfd.readouterr()
    assert "NUL" in complaint
    assert (output, complaint.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("name", "suggestion"), [("minmal", "minimal"), ("none-of-these", "")]
)
def test_an_unknown_backing(
    refused: Refused, probe: Path, name: str, suggestion: str
) -> None:
    complaint = refused("run", "--backing", name, probe)
    assert name in complaint
    assert "minimal" in complaint
    assert (f"did you mean {suggestion}?" in complaint) == bool(suggestion)


def test_an_unknown_engine(refused: Refused, probe: Path) -> None:
    complaint = refused("run", "--engine", "steam", probe)
    assert "steam" in complaint
    assert "wasmtime" in complaint


@pytest.mark.parametrize(
    "address",
    ["80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "nowhere:1"],
)
def test_an_address_that_is_none(refused: Refused, probe: Path, address: str) -> None:
    assert address in refused("run", "--listen", address, probe)


def test_a_port_in_use(refused: Refused, probe: Path, backing: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ["--backing", backing, "--listen", f"127.0.0.1:{port}"]
        complaint = refused("run", *options, probe)
    assert f"{port}" in complaint
    assert "in use" in complaint
