"""What Python code that C has called raises, and what becomes of it.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import concurrent.futures

from wasi_backing.errors import Interrupted, WasiError
from wasi_backing.ffi import lib
from wasi_backing.types import Errno

# What an OSError without a number stands for.
_ERRNO_OF_CLASS: list[tuple[type[OSError], Errno]] = [
    (BlockingIOError, Errno.AGAIN),
    (BrokenPipeError, Errno.PIPE),
    (ConnectionAbortedError, Errno.CONNABORTED),
    (ConnectionRefusedError, Errno.CONNREFUSED),
    (ConnectionResetError, Errno.CONNRESET),
    (FileExistsError, Errno.EXIST),
    (FileNotFoundError, Errno.NOENT),
    (InterruptedError, Errno.INTR),
    (IsADirectoryError, Errno.ISDIR),
    (NotADirectoryError, Errno.NOTDIR),
    (PermissionError, Errno.ACCES),
    (TimeoutError, Errno.TIMEDOUT),
]


def errno_of(error: OSError) -> Errno:
    """Return the errno of WASI for an error of the host."""
    if isinstance(error, WasiError):
        return error.errno_wasi
    if error.errno is not None:
        return Errno(lib.wb_errno_of_host(error.errno))
    for kind, errno in _ERRNO_OF_CLASS:
        if isinstance(error, kind):
            return errno
    return Errno.IO


class Failures:
    """The exception that stops a guest, on its way to whoever runs it."""

    def __init__(self) -> None:
        """Begin without one."""
        self._failure: BaseException | None = None

    def keep(self, failure: BaseException) -> None:
        """Keep an exception, unless there is one: the first counts."""
        if self._failure is None:
            self._failure = failure

    def take(self) -> BaseException | None:
        """Return the exception, if there is one, and forget it."""
        failure, self._failure = self._failure, None
        return failure

    def answer(self, error: BaseException) -> int:
        """Turn an exception into what C gets: an errno, or the guest's end."""
        if isinstance(error, OSError):
            return errno_of(error)
        if isinstance(error, NotImplementedError):
            return Errno.NOSYS
        # Interrupted: by a call in C. Cancelled: by run_async, which tells it.
        if not isinstance(error, (Interrupted, concurrent.futures.CancelledError)):
            self.keep(error)
        return int(lib.WB_STOP_GUEST)
