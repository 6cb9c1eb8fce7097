"""Small modules in the text format, for what C programs cannot show.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import wasmtime

P1 = "wasi_snapshot_preview1"

SIGNATURES = {
    "args_sizes_get": "(param i32 i32) (result i32)",
    "clock_time_get": "(param i32 i64 i32) (result i32)",
    "fd_close": "(param i32) (result i32)",
    "fd_read": "(param i32 i32 i32 i32) (result i32)",
    "fd_seek": "(param i32 i64 i32 i32) (result i32)",
    "fd_write": "(param i32 i32 i32 i32) (result i32)",
    "poll_oneoff": "(param i32 i32 i32 i32) (result i32)",
    "proc_exit": "(param i32)",
    "random_get": "(param i32 i32) (result i32)",
    "sched_yield": "(result i32)",
    "sock_accept": "(param i32 i32 i32) (result i32)",
}

MEMORY = '(memory (export "memory") 1)'


def wat(text: str) -> bytes:
    """Translate the text format."""
    return bytes(wasmtime.wat2wasm(text))


def imports(*calls: str, module: str = P1) -> str:
    """Import calls, each as a function of its own name."""
    return "".join(
        f'(import "{module}" "{name}" (func ${name} {SIGNATURES[name]}))'
        for name in calls
    )


def program(body: str, *calls: str, memory: str = MEMORY) -> bytes:
    """Make a command whose _start is `body`, and which imports `calls`."""
    return wat(f'(module {imports(*calls)} {memory} (func (export "_start") {body}))')


def exit_with(code: int | str) -> bytes:
    """Make a command that gives a number, or the value of code, to proc_exit."""
    value = code if isinstance(code, str) else f"(i32.const {code})"
    return program(f"(call $proc_exit {value})", "proc_exit")


#: Says on stdout, with one byte, that what follows begins.
SAY_READY = """
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
"""

#: What a guest can be busy with for ever: the code, and the calls that it uses.
BUSY = {
    "compute": ("(loop $for_ever (br $for_ever))", []),
    # One subscription at 64, all zero but for the clock (monotonic) and a timeout.
    "sleep": (
        "(i32.store (i32.const 80) (i32.const 1))"
        "(i64.store (i32.const 88) (i64.const 0x0fffffffffffffff))"
        "(drop (call $poll_oneoff"
        " (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 8)))",
        ["poll_oneoff"],
    ),
    "read": (
        "(drop (call $fd_read"
        " (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))",
        ["fd_read"],
    ),
    "accept": (
        "(drop (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 8)))",
        ["sock_accept"],
    ),
}


def busy(doing: str) -> bytes:
    """Make a command that says that it is ready and then does this for ever."""
    body, calls = BUSY[doing]
    return program(SAY_READY + body, "fd_write", *calls)


#: Copies stdin to stdout. Exits with 1 when it cannot read, 2 when it cannot write.
CAT = program(
    """
    (local $n i32)
    (block $end (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 1))))
      (local.set $n (i32.load (i32.const 8)))
      (br_if $end (i32.eqz (local.get $n)))
      (i32.store (i32.const 4) (local.get $n))
      (loop $write
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
          (then (call $proc_exit (i32.const 2))))
        (i32.store (i32.const 0)
          (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 8))))
        (i32.store (i32.const 4)
          (i32.sub (i32.load (i32.const 4)) (i32.load (i32.const 8))))
        (br_if $write (i32.load (i32.const 4))))
      (br $more)))
    """,
    "fd_read",
    "fd_write",
    "proc_exit",
    memory='(memory (export "memory") 2)',
)

#: Exits with the errno of writing one byte to stdout.
WRITE = wat(
    f"""(module {imports("fd_write", "proc_exit")} {MEMORY}
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
      (i32.store8 (i32.const 16) (i32.const 120))
      (call $proc_exit
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
)
