"""The guest's standard streams: what a caller may give, and what it becomes.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import enum
import os
import select
import threading
from typing import Any, Final, Protocol, Union, runtime_checkable

from wasi_backing._failures import Failures
from wasi_backing.errors import ConfigurationError
from wasi_backing.streams import HasPut, PythonStream, is_python_stream


class Special(enum.Enum):
    """Streams that are neither a file nor a descriptor."""

    #: Collect what the guest writes.
    CAPTURE = "capture"
    #: Nothing to read; what is written is dropped.
    DEVNULL = "devnull"


CAPTURE: Final = Special.CAPTURE
DEVNULL: Final = Special.DEVNULL


@runtime_checkable
class HasFileno(Protocol):
    """A file object that stands for a descriptor of the host."""

    def fileno(self) -> int:
        """Return the host's descriptor."""


#: What stdin, stdout and stderr may be. None: the process's own. Besides, any file
#: object, and for stdout and stderr a callable or a queue: see streams.py.
Stdio = Union[None, int, str, bytes, "os.PathLike[str]", HasFileno, Special, Any]

NAMES = ("stdin", "stdout", "stderr")


def check(number: int, stream: Any) -> None:
    """Refuse what cannot be stream `number` (0 to 2), before anything is opened.

    Raises:
        ConfigurationError: It cannot be used.
    """
    name = NAMES[number]
    if stream is None or isinstance(stream, (str, os.PathLike)):
        if isinstance(stream, str) and "\0" in stream:
            raise ConfigurationError(f"{name}: the path holds a NUL character")
        return
    if isinstance(stream, bool):
        raise ConfigurationError(f"{name}: True and False are no streams")
    if isinstance(stream, Special):
        if stream is CAPTURE and number == 0:
            raise ConfigurationError("stdin: only stdout and stderr can be captured")
        return
    if isinstance(stream, (bytes, bytearray, memoryview)):
        if number != 0:
            raise ConfigurationError(f"{name}: bytes can only be read, as stdin")
        return
    if isinstance(stream, int):
        if stream < 0:
            raise ConfigurationError(f"{name}: {stream} is no descriptor")
        return
    if isinstance(stream, HasFileno) or (
        hasattr(stream, "read")
        if number == 0
        else hasattr(stream, "write") or callable(stream) or isinstance(stream, HasPut)
    ):
        return
    more = "" if number == 0 else ", function or queue"
    raise ConfigurationError(
        f"{name}: {type(stream).__name__} is no descriptor, path, file{more}"
    )


class Capture:
    """A pipe whose reading end is emptied as fast as the guest fills it.

    The guest sees a pipe, as in a shell; it cannot seek in what it wrote.
    """

    def __init__(self) -> None:
        """Open the pipe and start to read."""
        self._read, self.write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read, False)
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._thread = threading.Thread(
            target=self._pump, name="wasi_backing capture", daemon=True
        )
        self._thread.start()

    def _drain(self) -> bool:
        """Take what is in the pipe; False when all writers are gone."""
        with self._lock:
            while True:
                try:
                    chunk = os.read(self._read, 1 << 20)
                except BlockingIOError:
                    return True
                if not chunk:
                    return False
                self._chunks.append(chunk)

    def _pump(self) -> None:
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake_read in ready or not self._drain():
                return

    def value(self) -> bytes:
        """Return everything that was written until now."""
        if self._thread is not None and self._read >= 0:
            self._drain()
        with self._lock:
            self._chunks = [b"".join(self._chunks)]
            return self._chunks[0]

    def close(self) -> None:
        """Stop reading; `value` keeps what was written. The other end stays open."""
        if self._read < 0:
            return
        os.close(self._wake_write)
        self._thread.join()
        self._drain()
        os.close(self._wake_read)
        os.close(self._read)
        self._read = -1


class Streams:
    """Three open streams for one guest.

    Attributes:
        descriptors: For each stream a descriptor of the host, or None for one that
            is empty and swallows what is written.
        owned: Those of the descriptors that were opened here. Whoever takes them
            over closes them and empties the list.
        captures: What collects stdout and stderr, where CAPTURE was asked for.
        python: Those streams that are Python objects.
    """

    def __init__(self, streams: tuple[Any, Any, Any], failures: Failures) -> None:
        """Open what has to be opened.

        Raises:
            ConfigurationError: A stream cannot be opened; nothing is left open.
        """
        self.owned: list[int] = []
        self.captures: dict[int, Capture] = {}
        self.python: dict[int, PythonStream] = {}
        self._to_empty: list[int] = []
        self.descriptors: list[int | None] = []
        try:
            for number, stream in enumerate(streams):
                if _is_object(stream) and is_python_stream(stream):
                    self.python[number] = PythonStream(number, stream, failures)
                    self.descriptors.append(None)
                else:
                    self.descriptors.append(self._open(number, stream))
        except BaseException:
            self.close()
            raise

    def _open(self, number: int, stream: Any) -> int | None:
        if stream is None:
            return number
        if stream is DEVNULL:
            return None
        if stream is CAPTURE:
            capture = self.captures[number] = Capture()
            return self._own(capture.write)
        if isinstance(stream, (bytes, bytearray, memoryview)):
            return self._own(_in_memory(bytes(stream)))
        if isinstance(stream, int):
            return stream
        if isinstance(stream, (str, os.PathLike)):
            return self._open_path(number, stream)
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if number != 0:
                stream.flush()
        return int(stream.fileno())

    def _open_path(self, number: int, path: Any) -> int:
        flags = os.O_CLOEXEC | os.O_NOCTTY
        flags |= os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        try:
            descriptor = self._own(os.open(path, flags, 0o666))
        except OSError as error:
            raise ConfigurationError(
                f"{NAMES[number]}: {os.fspath(path)}: {error.strerror}"
            ) from None
        if number != 0:
            self._to_empty.append(descriptor)
        return descriptor

    def _own(self, descriptor: int) -> int:
        self.owned.append(descriptor)
        return descriptor

    def begin(self) -> None:
        """Empty the files that the guest writes to. Not before all else is in order."""
        for descriptor in self._to_empty:
            with contextlib.suppress(OSError):  # a terminal, a pipe
                os.ftruncate(descriptor, 0)
        self._to_empty = []

    def captured(self, number: int) -> bytes | None:
        """Return what the guest wrote so far, or None if it was not captured."""
        capture = self.captures.get(number)
        return capture.value() if capture else None

    def close(self) -> None:
        """Close what is still owned, and stop capturing. Harmless when repeated."""
        while self.owned:
            os.close(self.owned.pop())
        for capture in self.captures.values():
            capture.close()
        for stream in self.python.values():
            stream.finish()


def _is_object(stream: Any) -> bool:
    simple = (int, str, bytes, bytearray, memoryview, os.PathLike, Special)
    return stream is not None and not isinstance(stream, simple)


def _in_memory(content: bytes) -> int:
    """Return a descriptor from which the bytes can be read."""
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
