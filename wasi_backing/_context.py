"""The life of one Python backing with one guest, seen from C: what is overridden,
how a method is called, and what becomes of what it raises.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import CoroutineType
from typing import Any

from wasi_backing import registry
from wasi_backing._failures import Failures
from wasi_backing.backing import DERIVED, Backing
from wasi_backing.errors import ConfigurationError
from wasi_backing.ffi import ffi, lib
from wasi_backing.options import Options

#: Contexts that C has a handle of; and, for each thread, the one that is about to be.
_live: set[Context] = set()
_opening = threading.local()

#: Views of guest memory that a method has kept, with the owner of that memory: never
#: freed, so that whoever reads them reads memory that is still there.
_kept: list[object] = []


class KeptViewError(RuntimeError):
    """A method of a backing kept a view of guest memory after it had returned."""


def _settle(done: concurrent.futures.Future[Any], task: asyncio.Future[Any]) -> None:
    """Pass a task's end on to the thread that waits for it."""
    if task.cancelled():
        done.cancel()
        done.set_running_or_notify_cancel()
    elif error := task.exception():
        done.set_exception(error)
    else:
        done.set_result(task.result())


class Context:
    """One backing object while it serves one guest.

    Attributes:
        methods: What C may call: the overridden methods, bound.
        behind: `struct wb_pairs *` of the backing in C that is overridden, or None.
        failures: Where what stops the guest is kept.
        owner: Returns what keeps the guest's memory alive; set by the engine.
        loop: Where coroutines run; None for a loop of the context's own.
    """

    def __init__(self, backing: Backing, options: Options, failures: Failures) -> None:
        """Decide what is overridden.

        Raises:
            ConfigurationError: The object serves another guest already.
        """
        if getattr(backing, "_context", None) is not None:
            raise ConfigurationError(
                f"this {type(backing).__name__} serves another guest already; pass "
                "the class, and each guest gets an object of its own"
            )
        self.backing = backing
        self.options = options
        self.methods = overridden(backing)
        self.behind: Any = None
        self.text: Any = None
        self.failures = failures
        self.owner: Callable[[], object] = lambda: None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Future[Any] | None = None
        self._cancelled = False
        self._handle = ffi.new_handle(self)
        self.table = _table(self)

    # ---- the guest's life ---------------------------------------------------------

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Let context_init, which C calls on this thread, be this object's."""
        _opening.context = self
        try:
            yield
        finally:
            del _opening.context

    def begin(self) -> Any:
        """Run the backing's context_init; return the handle for C."""
        self.backing.context_init(self.options)
        self.backing._context = self
        _live.add(self)
        return self._handle

    def end(self) -> None:
        """Run the backing's context_destroy."""
        try:
            self.backing.context_destroy()
        finally:
            self.backing._context = None
            _live.discard(self)
            self.behind = None
            if self._own_loop is not None:
                self._own_loop.close()

    # ---- calls ----------------------------------------------------------------------

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a method, and wait for its result if it is a coroutine."""
        result = self.methods[name](*arguments)
        if type(result) is CoroutineType:
            return self._wait(result)
        return result

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end: on the caller's loop, or on one of our own."""
        if self.loop is None:
            if self._own_loop is None:
                self._own_loop = asyncio.new_event_loop()
            return self._own_loop.run_until_complete(coroutine)
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self.loop.call_soon_threadsafe(self._begin, coroutine, done)
        return done.result()

    # On the loop's own thread, so that these two need no lock.

    def _begin(
        self,
        coroutine: Coroutine[Any, Any, Any],
        done: concurrent.futures.Future[Any],
    ) -> None:
        if self._cancelled:
            coroutine.close()
            done.cancel()
            done.set_running_or_notify_cancel()
            return
        self._task = asyncio.ensure_future(coroutine)
        # The guest goes on when the task is over, its `finally` blocks included.
        self._task.add_done_callback(functools.partial(_settle, done))

    def cancel(self) -> None:
        """Cancel the coroutine that is running, and every later one."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def wrong(self, name: str, value: object, expected: str) -> Exception:
        """Make the exception for a result that cannot be."""
        kind = ValueError if isinstance(value, (int, str)) else TypeError
        return kind(
            f"{type(self.backing).__qualname__}.{name} returned {value!r}, "
            f"not {expected}"
        )

    def integer(self, name: str, value: Any, most: int) -> int:
        """Return a number that a method returned, 0 to `most`."""
        if isinstance(value, int) and 0 <= value <= most:
            return value
        raise self.wrong(name, value, f"a number from 0 to {most}")

    # ---- memory ---------------------------------------------------------------------

    @contextlib.contextmanager
    def views(
        self, name: str, spans: list[tuple[Any, int]], writable: bool
    ) -> Iterator[list[memoryview]]:
        """Lend spans of guest memory to a method; take them back afterwards.

        Raises:
            KeptViewError: A view of one of them is still there.
        """
        exporters = [
            ffi.buffer(pointer, length) if length else bytearray()
            for pointer, length in spans
        ]
        lent = [memoryview(exporter) for exporter in exporters]
        views = lent if writable else [view.toreadonly() for view in lent]
        kept = False
        try:
            yield list(views)
        except BaseException as error:
            # What the method's frames hold is not kept; a failure is shown with its
            # frames, whose locals then must stay readable.
            failure = not isinstance(error, (OSError, NotImplementedError))
            if not failure:
                error.__traceback__ = None
            kept = not _release(views, lent, exporters)
            if kept:
                _kept.append((self.owner(), exporters))
            if kept and not failure:
                raise self._kept_view(name) from None
            raise
        if not _release(views, lent, exporters):
            _kept.append((self.owner(), exporters))
            raise self._kept_view(name)

    def _kept_view(self, name: str) -> KeptViewError:
        return KeptViewError(
            f"{type(self.backing).__qualname__}.{name} kept a view of guest memory "
            "after it had returned; copy the bytes instead"
        )


def _release(
    views: list[memoryview], lent: list[memoryview], exporters: list[Any]
) -> bool:
    """Release views; False if others of the same memory remain."""
    for view in (*views, *lent):
        try:
            view.release()
        except BufferError:
            return False
    # A slice or cast lives on when what it was made of is released, and holds the
    # exporter, which otherwise only the list and two names here do.
    return all(sys.getrefcount(exporter) <= 3 for exporter in exporters)


def current() -> Context:
    """Return the context that is being opened on this thread."""
    context: Context = _opening.context
    return context


def overridden(backing: Backing) -> dict[str, Callable[..., Any]]:
    """Find the methods of calls that a class or an object has of its own."""
    methods = {}
    for name in registry.calls():
        if name in vars(backing):
            methods[name] = getattr(backing, name)
            continue
        for cls in type(backing).__mro__:
            if name in vars(cls):
                if not getattr(cls, "_not_an_override", True):
                    methods[name] = getattr(backing, name)
                break
    return methods


def _table(context: Context) -> Any:
    """Make the `struct wb_backing *` with the slots that are overridden."""
    table = ffi.new("struct wb_backing *")
    name = context.backing.name or type(context.backing).__name__
    context.text = ffi.new("char[]", name.encode())
    table.abi = lib.WB_ABI
    table.size = ffi.sizeof("struct wb_backing")
    table.name = context.text
    table.summary = context.text
    table.facts = lib.WB_FACT_EMBEDDER
    if context.backing._own_files:
        table.facts |= lib.WB_FACT_OWN_FILES
    table.context_init = lib.py_context_init
    table.context_destroy = lib.py_context_destroy
    if context.backing.wraps is not None:
        table.facts |= lib.WB_FACT_WRAPPER
        table.wrap = lib.py_wrap
    slots = set(context.methods)
    slots.update(derived for derived, source in DERIVED.items() if source in slots)
    for slot in slots:
        setattr(table, slot, getattr(lib, f"py_{slot}"))
    return table
