"""What each option of `wasi-backing run` does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_arguments_reach_the_guest_behind_its_own_name(cli: Run, probe: Path) -> None:
    result = cli("run", probe, "args", "b c", "")
    assert result.stdout == f"{probe.name}\nargs\nb c\n\n"
    assert (result.stderr, result.returncode) == ("", 0)


@pytest.mark.parametrize(
    "words",
    [
        ["--dir", "."],
        ["--help"],
        ["-h", "--version"],
        ["--", "x"],
        ["--no-such-option"],
        ["run", "--backing=none"],
    ],
    ids=" ".join,
)
def test_all_behind_the_module_is_the_guests(
    cli: Run, probe: Path, words: list[str]
) -> None:
    result = cli("run", probe, *words)
    assert result.stdout.splitlines() == [probe.name, *words]


def test_two_dashes_end_our_options(cli: Run, probe: Path) -> None:
    assert cli("run", "--", probe, "--", "x").stdout.splitlines()[1:] == ["--", "x"]


def test_an_argument_need_not_be_utf8(cli: Run, probe: Path) -> None:
    result = cli("run", probe, os.fsdecode(b"\xff"), text=False)
    assert result.stdout.splitlines()[1] == b"\xff"


def test_argv0_names_the_guest(cli: Run, probe: Path) -> None:
    result = cli("run", "--argv0", "busybox", probe, "x")
    assert result.stdout == "busybox\nx\n"


def test_the_environment_is_what_was_asked_for(cli: Run, probe: Path) -> None:
    options = ["--env", "B=2", "--env", "A=x=y", "--env", "EMPTY=", "--env", "HERE"]
    environment = os.environ | {"HERE": "from here", "THERE": "stays"}
    result = cli("run", *options, probe, "environment", env=environment)
    assert result.stdout.splitlines() == ["B=2", "A=x=y", "EMPTY=", "HERE=from here"]


def test_dir_lends_a_directory_under_another_name(
    cli: Run, probe: Path, tmp_path: Path, backing: str
) -> None:
    options = ["--backing", backing, "--dir", f"{tmp_path}::/data"]
    assert cli("run", *options, probe, "write", "/data/new", "text").returncode == 0
    assert (tmp_path / "new").read_text() == "text"
    assert cli("run", *options, probe, "cat", "/data/new").stdout == "text"


def test_dir_lends_a_directory_under_its_own_name(
    cli: Run, probe: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").write_text("found")
    result = cli("run", "--dir", "here", probe, "cat", "here/file", cwd=tmp_path)
    assert result.stdout == "found"


def test_dir_ro_lends_for_reading_only(
    cli: Run, probe: Path, tmp_path: Path, backing: str
) -> None:
    (tmp_path / "old").write_text("old text")
    options = ["--backing", backing, "--dir", f"{tmp_path}::/::ro"]
    result = cli("run", *options, probe, "write", "/old", "text")
    assert (result.stdout, result.returncode) == ("/old: Read-only file system\n", 1)
    assert cli("run", *options, probe, "cat", "/old").stdout == "old text"


def test_several_directories_keep_apart(cli: Run, probe: Path, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    options = [f"--dir={tmp_path}/{name}::/{name}" for name in "ab"]
    assert cli("run", *options, probe, "cat", "/a/file").stdout == "a"
    assert cli("run", *options, probe, "cat", "/b/file").stdout == "b"


def test_nothing_of_the_host_is_seen_unasked(
    cli: Run, probe: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("secret")
    result = cli("run", probe, "cat", tmp_path / "file", cwd=tmp_path)
    assert result.returncode == 1
    assert "secret" not in result.stdout
    assert cli("run", probe, "environment").stdout == ""


def test_stdin_and_stdout_are_the_guests(cli: Run, probe: Path, backing: str) -> None:
    text = "".join(f"line {n}\n" for n in range(100_000))
    result = cli("run", "--backing", backing, probe, "echo", input=text)
    assert result.stdout == f"{text}{probe.name}\necho\n"


def test_stderr_is_the_guests(cli: Run, probe: Path) -> None:
    assert cli("run", probe, "errors").stderr == "on standard error\n"


@pytest.mark.parametrize(
    ("code", "status"), [(0, 0), (7, 7), (255, 255), (256, 255), (1000, 255)]
)
def test_the_exit_status_is_the_guests_at_most_255(
    cli: Run, probe: Path, code: int, status: int
) -> None:
    assert cli("run", probe, "exit", code).returncode == status


def test_a_trap_is_status_134_with_reason_and_backtrace(cli: Run, probe: Path) -> None:
    result = cli("run", probe, "trap")
    assert result.returncode == 134
    assert "unreachable" in result.stderr
    assert "run_aground" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_was_printed_before_a_trap_is_there(cli: Run, tmp_path: Path) -> None:
    code = wasmtime.wat2wasm("""
        (module
          (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00hi\\n")
          (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1)
                               (i32.const 65000)))
            (drop (call $write (i32.const 1) (i32.const 65530) (i32.const 1)
                               (i32.const 65000)))))
    """)
    module = tmp_path / "out.wasm"
    module.write_bytes(code)
    result = cli("run", module)
    assert (result.stdout, result.returncode) == ("hi\n", 134)
    assert "fd_write" in result.stderr


def test_listen_lends_a_socket(probe: Path) -> None:
    """Port 0 is chosen by the system, and the choice is told on standard error."""
    command = [sys.executable, "-m", "wasi_backing", "run", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, probe, "greet-client", "3"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as guest:
        assert guest.stdout
        assert guest.stderr
        address, _, port = guest.stderr.readline().split()[-1].rpartition(":")
        assert guest.stdout.readline() == "ready\n"
        with socket.create_connection((address, int(port)), timeout=60) as client:
            assert client.makefile().read() == "hello, client\n"
        assert guest.wait(60) == 0


def test_invoke_calls_an_exported_function(cli: Run, probe: Path) -> None:
    result = cli("run", "--invoke", "greet", probe)
    assert (result.stdout, result.returncode) == ("greetings\n", 0)


def test_rights_can_be_ignored(cli: Run, compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest("""
        #include <stdio.h>
        #include <wasi/api.h>

        /* Give up the right to write, and write. */
        int main(void)
        {
            __wasi_ciovec_t text = {(const uint8_t *)"written\\n", 8};
            __wasi_size_t n;
            int set = __wasi_fd_fdstat_set_rights(1, 0, 0);
            int written = __wasi_fd_write(1, &text, 1, &n);
            fprintf(stderr, "%d %d\\n", set, written);
            return 0;
        }
    """)
    enforced = cli("run", "--rights", "enforce", module)
    assert (enforced.stdout, enforced.stderr) == ("", "0 76\n")  # NOTCAPABLE
    ignored = cli("run", "--rights", "ignore", module)
    assert (ignored.stdout, ignored.stderr) == ("written\n", "58 0\n")  # NOTSUP
    assert cli("run", module).stderr == enforced.stderr


def test_the_engine_can_be_named(cli: Run, probe: Path) -> None:
    assert cli("run", "--engine", "wasmtime", probe).returncode == 0
