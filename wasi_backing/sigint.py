"""Let Ctrl-C end a guest that runs on the main thread.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from wasi_backing.ffi import ffi, lib


@contextlib.contextmanager
def interrupts(
    guest: Any, wake: Any = ffi.NULL, wake_self: Any = ffi.NULL
) -> Iterator[None]:
    """Interrupt `guest` when SIGINT comes; Python's handler runs after it.

    Does nothing on other threads than the main one, and where the program has left
    SIGINT to the system, which ends the whole process.

    Args:
        guest: `struct wb_guest *`.
        wake: Address of a C function that makes the engine look, or NULL.
        wake_self: What it gets.
    """
    if threading.current_thread() is not threading.main_thread() or not callable(
        signal.getsignal(signal.SIGINT)
    ):
        yield
        return
    entry = ffi.new("struct wb_sigint *")
    entry.guest = guest
    entry.wake = ffi.cast("void (*)(void *)", wake)
    entry.wake_self = wake_self
    # A KeyboardInterrupt may be raised as soon as enter returns: C knows whether
    # there is something to leave.
    try:
        lib.wb_sigint_enter(entry)
        yield
    finally:
        lib.wb_sigint_leave(entry)
