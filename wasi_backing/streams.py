"""Standard streams that are Python objects: file objects without a descriptor,
callbacks, queues, and asynchronous iterators.

Only these three descriptors of the guest reach Python; every other one stays in C.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import asyncio
import codecs
import collections
import contextlib
import io
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, runtime_checkable

from wasi_backing._failures import Failures
from wasi_backing.errors import WasiError
from wasi_backing.ffi import ffi, lib
from wasi_backing.types import Errno


@runtime_checkable
class HasPut(Protocol):
    """A queue: gets each chunk as bytes, and None at the end."""

    def put(self, item: Any, /) -> object:
        """Take a chunk."""


class Lines:
    """Call a function with each line that the guest writes, as it is completed.

    The function gets a `str` without its line end; what is not UTF-8 is replaced.
    """

    def __init__(self, callback: Callable[[str], object]) -> None:
        """Keep the function. A last line that has no end comes when the guest ends."""
        self._callback = callback
        self._rest = b""

    def put(self, chunk: bytes | None) -> None:
        """Take bytes, or None for the end."""
        lines = (self._rest + (chunk or b"")).split(b"\n")
        self._rest = lines.pop()
        if chunk is None and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._callback(line.removesuffix(b"\r").decode("utf-8", "replace"))


class AsyncOutput:
    """What the guest writes, as an asynchronous iterator of bytes.

        output = AsyncOutput()
        task = asyncio.create_task(WASI(stdout=output).run_async("app.wasm"))
        async for chunk in output:
            print(chunk)

    The guest never waits for a reader: what is not read yet is kept.
    """

    def __init__(self) -> None:
        """Make an iterator for one guest's stream and for one reader."""
        self._lock = threading.Lock()
        self._chunks: collections.deque[bytes | None] = collections.deque()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def put(self, chunk: bytes | None) -> None:
        """Take a chunk, or None for the end. From any thread."""
        with self._lock:
            self._chunks.append(chunk)
            if self._waiter:
                loop, event = self._waiter
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(event.set)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the iterator itself."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for the next chunk."""
        event = asyncio.Event()
        with self._lock:
            self._waiter = asyncio.get_running_loop(), event
        while True:
            with self._lock:
                if self._chunks:
                    chunk = self._chunks.popleft()
                    break
                event.clear()
            await event.wait()
        if chunk is None:
            self.put(None)  # an iterator that has ended stays so
            raise StopAsyncIteration
        return chunk


def is_python_stream(stream: Any) -> bool:
    """Tell whether a stream is served by Python: it has no descriptor."""
    if isinstance(stream, HasPut):
        return True
    if hasattr(stream, "fileno"):
        try:
            stream.fileno()
        except (OSError, ValueError, io.UnsupportedOperation):
            pass
        else:
            return False
    return hasattr(stream, "read") or hasattr(stream, "write") or callable(stream)


class PythonStream:
    """One stream of one guest, as C sees it.

    Attributes:
        native: `struct wb_stream *`, valid as long as this object.
    """

    def __init__(self, number: int, stream: Any, failures: Failures) -> None:
        """Find out how the object reads or writes; `number` is 0 for stdin."""
        self._failures = failures
        self._pending = b""
        self._finish: Callable[[], object] = lambda: None
        self._handle = ffi.new_handle(self)
        self.native = ffi.new("struct wb_stream *")
        self.native.size = ffi.sizeof("struct wb_stream")
        self.native.self = self._handle
        if number == 0:
            self._read = _reader(stream)
            self.native.read = lib.py_stream_read
        else:
            self._write, self._finish = _writer(stream)
            self.native.write = lib.py_stream_write

    def read(self, length: int) -> bytes:
        """Return up to `length` bytes, none at the end."""
        if not self._pending:
            data = self._read(length)
            if data is None:
                raise WasiError(Errno.AGAIN)
            if isinstance(data, str):
                data = data.encode("utf-8", "surrogateescape")
            self._pending = bytes(data)
        # Text may encode to more bytes than were asked for.
        data, self._pending = self._pending[:length], self._pending[length:]
        return data

    def write(self, data: bytes) -> int:
        """Write bytes; return how many were taken."""
        taken = self._write(data)
        # Queues and callbacks take all, and return what they like.
        return taken if type(taken) is int and 0 < taken <= len(data) else len(data)

    def finish(self) -> None:
        """Tell the object that the guest has ended."""
        finish, self._finish = self._finish, lambda: None
        finish()


def _reader(stream: Any) -> Callable[[int], Any]:
    # read1 returns what is there; read may wait until there is as much as asked.
    read: Callable[[int], Any] = getattr(stream, "read1", None) or stream.read
    return read


def _writer(stream: Any) -> tuple[Callable[[bytes], Any], Callable[[], object]]:
    """Return how to write to an object, and how to end that."""
    if isinstance(stream, HasPut):
        return stream.put, lambda: stream.put(None)
    if not hasattr(stream, "write"):
        return stream, lambda: None
    flush = getattr(stream, "flush", None) or (lambda: None)
    if not isinstance(stream, io.TextIOBase) and not hasattr(stream, "encoding"):
        return stream.write, flush
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def write(data: bytes) -> int:
        stream.write(decoder.decode(data))
        return len(data)

    def finish() -> None:
        stream.write(decoder.decode(b"", final=True))
        flush()

    return write, finish


def _stream(handle: Any) -> PythonStream:
    stream: PythonStream = ffi.from_handle(handle)
    return stream


@ffi.def_extern(error=lib.WB_STOP_GUEST)
def py_stream_read(
    handle: Any, buf: Any, length: int, nonblock: int, count: Any
) -> int:
    """Read for the guest."""
    stream = _stream(handle)
    try:
        data = stream.read(length)
    except BaseException as error:  # nothing may get into C
        return stream._failures.answer(error)
    ffi.memmove(buf, data, len(data))
    count[0] = len(data)
    return 0


@ffi.def_extern(error=lib.WB_STOP_GUEST)
def py_stream_write(
    handle: Any, buf: Any, length: int, nonblock: int, count: Any
) -> int:
    """Write for the guest."""
    stream = _stream(handle)
    try:
        count[0] = stream.write(bytes(ffi.buffer(buf, length)))
    except BaseException as error:  # nothing may get into C
        return stream._failures.answer(error)
    return 0
