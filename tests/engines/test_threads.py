"""Several guests at once, and Python beside them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import wasmtime

from wasi_backing import CAPTURE, WASI

from .modules import busy, program

ROOT = Path(__file__).resolve().parents[2]
HANG = 120

# Writes the bytes 0 to 249, one call each, and reads a clock between them.
COUNT = program(
    """
    (local $n i32)
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
    (loop $more
      (i32.store8 (i32.const 16) (local.get $n))
      (if (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 24))
        (then (call $proc_exit (i32.const 1))))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 2))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 250))))
    """,
    "clock_time_get",
    "fd_write",
    "proc_exit",
)
COUNTED = bytes(range(250))


def in_threads(*functions):
    """Call functions at once; return their results, in order."""
    results = [None] * len(functions)
    gate = threading.Barrier(len(functions))

    def body(number, function):
        gate.wait(HANG)
        results[number] = function()

    threads = [
        threading.Thread(target=body, args=item, daemon=True)
        for item in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
        assert not thread.is_alive()
    return results


def test_one_wasi_runs_guests_in_many_threads(backing):
    wasi = WASI(backing=backing, stdout=CAPTURE, cache=False)

    def many():
        return [wasi.run(COUNT) for _ in range(10)]

    for results in in_threads(*[many] * 4):
        for result in results:
            assert (result.exit_code, result.stdout) == (0, COUNTED)


def test_stores_of_one_engine_run_in_many_threads(backing):
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, COUNT)

    def own_store():
        wasi = WASI(backing=backing, stdout=CAPTURE)
        for _ in range(10):
            store = wasmtime.Store(engine)
            instance = wasi.instantiate(store, module)
            assert wasi.start(instance) == 0
            assert wasi.captured(instance)[0] == COUNTED
        return True

    assert in_threads(*[own_store] * 4) == [True] * 4


def test_a_blocked_guest_does_not_hold_python(tmp_path, backing):
    """Python code writes what the guest waits for: it must run meanwhile."""
    module = tmp_path / "guest.wasm"
    module.write_bytes(busy("read"))
    code = """
import os, sys, threading
from wasi_backing import WASI
(stdin, feed), (answer, stdout) = os.pipe(), os.pipe()
wasi = WASI(stdin=stdin, stdout=stdout, backing=sys.argv[2], cache=False)
results = []
thread = threading.Thread(target=lambda: results.append(wasi.run(sys.argv[1])))
thread.start()
os.read(answer, 1)
assert sum(range(1_000_000)) and thread.is_alive()
os.write(feed, b"x")
thread.join()
print(results[0].exit_code)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(module), backing],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.stdout == "0\n", done.stderr


def test_a_guest_moves_between_threads():
    """Its calls come from one thread after the other."""
    store = wasmtime.Store(wasmtime.Engine())
    wasi = WASI(stdout=CAPTURE)
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, COUNT))
    for _ in range(3):
        assert in_threads(lambda: wasi.start(instance)) == [0]
    assert wasi.captured(instance)[0] == 3 * COUNTED


def test_each_thread_learns_of_its_own_guests_end(backing):
    """Exits in many threads at once are not mixed up."""
    engine = wasmtime.Engine()
    wasi = WASI(backing=backing)

    def ends_with(code):
        text = f"(call $proc_exit (i32.const {code}))"
        module = wasmtime.Module(engine, program(text, "proc_exit"))

        def body():
            codes = set()
            for _ in range(50):
                store = wasmtime.Store(engine)
                instance = wasi.instantiate(store, module)
                with wasi.exits() as status:
                    instance.exports(store)["_start"](store)
                codes.add(status.code)
            return codes

        return body

    assert in_threads(*map(ends_with, range(4))) == [{0}, {1}, {2}, {3}]
