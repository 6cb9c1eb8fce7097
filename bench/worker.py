# SPDX-License-Identifier: MIT
"""Run the guest under wasmtime, over and over, for one column.

    python -m bench.worker wasmtime|host|BACKING GUEST.cwasm FOLDER [LIBRARY]

Each line on standard input is a request in JSON: {"args": [...], "threads": 1}. The
guest writes its figures to standard output; a line `done STATUS` follows, or
`failed WHY`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import wasmtime

ENVIRONMENT = {"LANG": "C.UTF-8", "HOME": "/", "BENCH": "1"}

Start = Callable[[], int]


def prepare_wasmtime(
    engine: wasmtime.Engine,
    module: wasmtime.Module,
    folder: str,
    args: list[str],
    library: str | None,
) -> Start:
    """Instantiate on wasmtime's own WASI.

    With a `library`, its function `empty` takes the place of fd_close.
    """
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    if library is not None:
        define_empty(linker, library)
    config = wasmtime.WasiConfig()
    config.argv = args
    config.env = list(ENVIRONMENT.items())
    config.preopen_dir(folder, "/")
    config.inherit_stdout()
    config.inherit_stderr()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    instance = linker.instantiate(store, module)
    entry = instance.exports(store)["_start"]
    assert isinstance(entry, wasmtime.Func)

    def start() -> int:
        try:
            entry(store)
        except wasmtime.ExitTrap as exit_:
            return exit_.code
        return 0

    return start


def define_empty(linker: wasmtime.Linker, library: str) -> None:
    """Define fd_close as a C function, through wasmtime's C API."""
    from wasmtime import _ffi as api

    address = ctypes.cast(ctypes.CDLL(library).empty, ctypes.c_void_p).value
    assert address is not None
    i32 = wasmtime.ValType.i32()
    signature = wasmtime.FuncType([i32], [i32])  # must outlive the call below
    module, name = b"wasi_snapshot_preview1", b"fd_close"
    linker.allow_shadowing = True
    error = api.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(module),
        len(module),
        ctypes.create_string_buffer(name),
        len(name),
        signature.ptr(),
        api.wasmtime_func_unchecked_callback_t(address),
        None,
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(),
    )
    assert not error


def prepare_ours(
    engine: wasmtime.Engine,
    module: wasmtime.Module,
    folder: str,
    args: list[str],
    backing: str,
) -> Start:
    """Instantiate on one of our backings."""
    from wasi_backing import WASI

    wasi = WASI(args=args, env=ENVIRONMENT, preopens={"/": folder}, backing=backing)
    store = wasmtime.Store(engine)
    instance = wasi.instantiate(store, module)
    return lambda: wasi.start(instance)


def serve(column: str, path: str, folder: str, library: str | None) -> None:
    """Answer requests until standard input ends."""
    engine = wasmtime.Engine()
    module = wasmtime.Module.deserialize_file(engine, path)

    def prepare(args: list[str]) -> Start:
        if column in ("wasmtime", "host"):
            return prepare_wasmtime(engine, module, folder, args, library)
        return prepare_ours(engine, module, folder, args, column)

    for line in sys.stdin:
        try:
            status = run(json.loads(line), prepare)
        except Exception as error:  # the driver shows it in the table
            text = " ".join(str(error).split())
            answer = f"failed {type(error).__name__}: {text}"
        else:
            answer = f"done {status}"
        os.write(1, (answer + "\n").encode())


def run(request: dict[str, Any], prepare: Callable[[list[str]], Start]) -> int:
    """Run as many guests at once as the request says; return the worst status."""
    starts = [prepare(request["args"]) for _ in range(request["threads"])]
    if len(starts) == 1:
        return starts[0]()
    together = threading.Barrier(len(starts))
    statuses: list[int] = []

    def guest(start: Start) -> None:
        together.wait()
        statuses.append(start())

    threads = [threading.Thread(target=guest, args=(s,)) for s in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(statuses) if len(statuses) == len(starts) else 1


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    serve(sys.argv[1], sys.argv[2], sys.argv[3], arguments.get(4))
