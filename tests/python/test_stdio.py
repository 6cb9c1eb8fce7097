"""The guest's standard streams, in every form that the caller may give them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

from wasi_backing import CAPTURE, DEVNULL, WASI, ConfigurationError, run

ROOT = Path(__file__).resolve().parents[2]
HANG = 120

BADF = 8

ONE_BYTE = """
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
    (i32.store8 (i32.const 16) (i32.const 120))
"""
CALLS = """
    (import "wasi_snapshot_preview1" "fd_read"
      (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
      (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
"""


def program(body: str) -> bytes:
    return bytes(
        wasmtime.wat2wasm(
            f"""(module {CALLS} (memory (export "memory") 2)
            (func (export "_start") (local $n i32) {ONE_BYTE} {body}))"""
        )
    )


# Copies stdin to stdout; exits with an errno, or 0 at the end.
CAT = program(
    """
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (local.set $n
        (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (local.get $n) (then (call $proc_exit (local.get $n))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (i32.eqz (i32.load (i32.const 4))) (then (call $proc_exit (i32.const 0))))
      (loop $write
        (local.set $n
          (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (local.get $n) (then (call $proc_exit (local.get $n))))
        (i32.store (i32.const 0)
          (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 8))))
        (i32.store (i32.const 4)
          (i32.sub (i32.load (i32.const 4)) (i32.load (i32.const 8))))
        (br_if $write (i32.load (i32.const 4))))
      (br $more))"""
)


def write_to(number: int) -> bytes:
    """Make a guest that writes "x" and exits with the errno."""
    return program(
        f"""(call $proc_exit (call $fd_write
        (i32.const {number}) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    )


LARGE = bytes(range(251)) * 200_000  # 50 MB


class TestLarge:
    def test_bytes_go_in_and_come_out_whole(self, backing):
        result = run(CAT, stdin=LARGE, backing=backing, cache=False)
        assert result.exit_code == 0
        assert result.stdout == LARGE

    def test_what_is_captured_may_be_looked_at_meanwhile(self):
        wasi = WASI(stdin=LARGE, stdout=CAPTURE)
        store = wasmtime.Store(wasmtime.Engine())
        instance = wasi.instantiate(store, wasmtime.Module(store.engine, CAT))
        assert wasi.captured(instance) == (b"", None)
        assert wasi.start(instance) == 0
        assert wasi.captured(instance)[0] == LARGE
        assert wasi.captured()[0] == LARGE


class TestPaths:
    def test_files_are_read_and_written(self, backing, tmp_path):
        (tmp_path / "in").write_bytes(b"hello")
        streams = {"stdin": tmp_path / "in", "stdout": str(tmp_path / "out")}
        assert WASI(backing=backing, cache=False, **streams).run(CAT).exit_code == 0
        assert (tmp_path / "out").read_bytes() == b"hello"

    def test_a_file_that_is_there_is_emptied_first(self, tmp_path):
        (tmp_path / "out").write_bytes(b"old and longer")
        WASI(stdout=tmp_path / "out", cache=False).run(write_to(1))
        assert (tmp_path / "out").read_bytes() == b"x"

    def test_a_refused_guest_leaves_the_file_as_it_was(self, tmp_path):
        (tmp_path / "out").write_bytes(b"old")
        wasi = WASI(stdout=tmp_path / "out", preopens={"/": tmp_path / "none"})
        with pytest.raises(ConfigurationError):
            wasi.run(CAT)
        with pytest.raises(ConfigurationError):
            WASI(stdout=tmp_path / "out", cache=False).run(b"no module")
        assert (tmp_path / "out").read_bytes() == b"old"

    @pytest.mark.parametrize(
        ("stream", "words"),
        [
            ({"stdin": "none"}, "stdin: .*none: No such file"),
            ({"stdout": "."}, "stdout: .*: Is a directory"),
            ({"stderr": "none/x"}, "stderr: .*none/x: No such file"),
        ],
    )
    def test_a_path_that_cannot_be_opened_is_named(self, stream, words, tmp_path):
        ((name, path),) = stream.items()
        with pytest.raises(ConfigurationError, match=words) as caught:
            WASI(cache=False, **{name: tmp_path / path}).run(CAT)
        assert "\n" not in str(caught.value)


class TestDescriptorsAndFiles:
    def test_a_descriptor_is_lent(self, backing):
        read, write = os.pipe()
        result = WASI(backing=backing, stdout=write, cache=False).run(write_to(1))
        assert result.exit_code == 0
        os.write(write, b"y")  # still open
        os.close(write)
        assert os.read(read, 10) == b"xy"
        os.close(read)

    def test_a_file_object_is_lent(self, backing, tmp_path):
        (tmp_path / "in").write_bytes(b"hello")
        with open(tmp_path / "in", "rb") as file, open(tmp_path / "out", "w") as out:
            out.write("first ")  # flushed before the guest writes
            wasi = WASI(stdin=file, stdout=out, backing=backing, cache=False)
            assert wasi.run(CAT).exit_code == 0
            out.write(" last")
        assert (tmp_path / "out").read_text() == "first hello last"

    def test_one_stream_may_be_two(self, backing):
        read, write = os.pipe()
        wasi = WASI(stdout=write, stderr=write, backing=backing, cache=False)
        for number in (1, 2):
            assert wasi.run(write_to(number)).exit_code == 0
        os.close(write)
        assert os.read(read, 10) == b"xx"
        os.close(read)

    def test_both_outputs_are_captured_apart(self, backing):
        result = run(write_to(2), backing=backing, cache=False)
        assert (result.stdout, result.stderr) == (b"", b"x")


def test_devnull_is_empty_and_swallows(backing):
    wasi = WASI(stdin=DEVNULL, stdout=DEVNULL, backing=backing, cache=False)
    assert wasi.run(CAT).exit_code == 0
    assert wasi.run(write_to(1)) == wasi.run(write_to(1))
    assert wasi.run(write_to(1)).exit_code == 0


def test_the_guest_inherits_the_process_streams(tmp_path, backing):
    (tmp_path / "cat.wasm").write_bytes(CAT)
    code = f"import sys; from wasi_backing import WASI; WASI(cache=False, \
        backing={backing!r}).run(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "cat.wasm"],
        cwd=ROOT,
        input=b"through",
        capture_output=True,
        timeout=HANG,
        check=True,
    )
    assert done.stdout == b"through"


@pytest.mark.parametrize("number", [0, 1])
def test_a_stream_that_the_process_lacks_is_one_that_the_guest_lacks(
    tmp_path, backing, number
):
    """Nothing else that is opened must take its place."""
    (tmp_path / "guest.wasm").write_bytes(CAT if number == 0 else write_to(1))
    code = f"""
import os, sys
from wasi_backing import WASI
wasi = WASI(preopens={{"/": "."}}, cache=False, backing={backing!r})
os.close({number})
code = wasi.run(sys.argv[1]).exit_code
print(code, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "guest.wasm"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.stderr.split() == [str(BADF)]


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_thousand_guests_leave_no_descriptor(backing, tmp_path):
    wasi = WASI(
        stdin=b"in",
        stdout=CAPTURE,
        stderr=tmp_path / "err",
        preopens={"/": tmp_path},
        listen=["127.0.0.1:0"],
        backing=backing,
    )
    wasi.run(CAT)
    before = open_descriptors()
    for _ in range(1000):
        assert wasi.run(CAT).stdout == b"in"
    assert open_descriptors() == before


def test_refused_guests_leave_no_descriptor(backing, tmp_path):
    wasi = WASI(
        stdin=b"in",
        stdout=CAPTURE,
        preopens={"/": tmp_path, "/none": tmp_path / "none"},
        listen=["127.0.0.1:0"],
        backing=backing,
    )
    before = open_descriptors()
    for _ in range(50):
        with pytest.raises(ConfigurationError):
            wasi.run(CAT)
    assert open_descriptors() == before
