"""The glue makes no data race: the thread sanitizer watches two guests.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import wasmtime._ffi

from wasi_backing.engines.wasmtime_api import library

from .modules import MEMORY, imports, wat

ROOT = Path(__file__).resolve().parents[2]
HANG = 240

MODULE = f"""(module
    {
    imports(
        "clock_time_get",
        "fd_write",
        "poll_oneoff",
        "proc_exit",
        "random_get",
        "sched_yield",
    )
}
    {MEMORY}
    (func $say (param $byte i32)
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
      (i32.store8 (i32.const 16) (local.get $byte))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable)))
    (func (export "work") (local $n i32)
      (loop $more
        (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 24))
          (then unreachable))
        (if (call $random_get (i32.const 65000) (i32.const 100)) (then unreachable))
        (if (call $sched_yield) (then unreachable))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))
      (drop (memory.grow (i32.const 1)))
      (call $say (i32.const 119)))
    (func (export "_start") (call $proc_exit (i32.const 7)))
    (func (export "sleep")
      (call $say (i32.const 115))
      (i32.store (i32.const 80) (i32.const 1))
      (i64.store (i32.const 88) (i64.const 0x0fffffffffffffff))
      (drop (call $poll_oneoff
        (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 8))))
    )"""

FLAGS = ("-std=gnu11", "-O1", "-g", "-fsanitize=thread", "-Wall", "-Wextra", "-Werror")


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """Build glue, layer and minimal backing with the program, all watched."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing; Debian: apt-get install gcc")
    path = tmp_path_factory.mktemp("threads") / "wasmtime_threads"
    sources = [
        ROOT / "tests" / "c" / "engines" / "wasmtime_threads.c",
        ROOT / "csrc" / "engines" / "wasmtime.c",
        ROOT / "csrc" / "host" / "errno_host.c",
        ROOT / "csrc" / "host" / "options_copy.c",
        *sorted((ROOT / "csrc" / "layer").glob("*.c")),
        *sorted((ROOT / "impl_minimal").glob("*.c")),
    ]
    includes = [f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'include'}"]
    done = subprocess.run(
        ["gcc", *FLAGS, *includes, *sources, "-o", path, "-pthread", "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("engines", ["one-engine", "own-engines"])
def test_two_guests_in_two_threads(program, tmp_path, engines):
    (tmp_path / "guest.wasm").write_bytes(wat(MODULE))
    api = library().api
    done = subprocess.run(
        [
            program,
            wasmtime._ffi.dll._name,
            tmp_path / "guest.wasm",
            *(str(api.extern_of), str(api.memory_size)),
            *(str(api.extern_memory), str(api.extern_sharedmemory)),
            engines,
        ],
        # The library itself is not watched: what it does inside is not seen.
        env={**os.environ, "TSAN_OPTIONS": "ignore_noninstrumented_modules=1"},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "passed\n", "")
