"""Guests under wasmtime: set up here, run without Python.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import re
import threading
import weakref
from collections.abc import Iterable
from typing import Any

import wasmtime

from wasi_backing import registry
from wasi_backing.engines.wasmtime_api import library
from wasi_backing.errors import ConfigurationError, Frame, Trap
from wasi_backing.ffi import ffi, lib
from wasi_backing.options import Options, Prepared

#: The modules that WASI programs import from, by version.
VERSIONS = {"preview1": "wasi_snapshot_preview1", "unstable": "wasi_unstable"}

_engine_lock = threading.Lock()
_engine: wasmtime.Engine | None = None


def engine() -> wasmtime.Engine:
    """Return the engine of this process: exceptions on, stopped by epochs."""
    global _engine
    library()
    with _engine_lock:
        if _engine is None:
            config = wasmtime.Config()
            config.epoch_interruption = True
            config.wasm_exceptions = True
            _engine = wasmtime.Engine(config)
        return _engine


# ---- imports -----------------------------------------------------------------


def _function_type(number: int) -> wasmtime.FuncType:
    """Make the type of a call. wasmtime ties it to the engine that it is used with."""
    kinds = {"i": wasmtime.ValType.i32(), "I": wasmtime.ValType.i64()}
    parameters = [kinds[letter] for letter in registry.signature(number)]
    results = [] if registry.calls()[number] == "proc_exit" else [kinds["i"]]
    return wasmtime.FuncType(parameters, results)


def _describe(kind: Any) -> str:
    if not isinstance(kind, wasmtime.FuncType):
        return f"a {type(kind).__name__.removesuffix('Type').lower()}"
    parameters = ", ".join(map(str, kind.params))
    results = ", ".join(map(str, kind.results))
    return f"({parameters}) -> ({results})"


@functools.cache
def _signature(number: int) -> str:
    return _describe(_function_type(number))


def _call_id(module: str, name: str) -> int | None:
    """Return the number of a call that a module imports, or None."""
    try:
        number = registry.call_number(name)
    except LookupError:
        return None
    if module == VERSIONS["preview1"]:
        return number
    if lib.wb_call_infos[number].unstable:
        return number | int(lib.WB_UNSTABLE)
    return None


def check_imports(
    module: wasmtime.Module, version: str | None
) -> list[tuple[str, str, int]]:
    """Check each import of a module against the list of calls.

    Returns:
        For each import its module, its name and the number of the call.

    Raises:
        ConfigurationError: The module wants what is no call of WASI.
    """
    wanted = [] if version is None else [VERSIONS[version]]
    found = []
    for item in module.imports:
        where, name = item.module, item.name or ""
        if where not in VERSIONS.values():
            raise ConfigurationError(
                f"the module imports {name!r} from {where!r}, which is not WASI "
                f"preview 1 ({' or '.join(VERSIONS.values())})"
            )
        if wanted and where not in wanted:
            raise ConfigurationError(
                f"the module imports from {where!r}, but version={version!r} is asked"
            )
        number = _call_id(where, name)
        if number is None:
            raise ConfigurationError(f"{where!r} has no call {name!r}")
        expected = _signature(number & ~int(lib.WB_UNSTABLE))
        if _describe(item.type) != expected:
            raise ConfigurationError(
                f"the module imports {name!r} from {where!r} as "
                f"{_describe(item.type)}; it is {expected}"
            )
        found.append((where, name, number))
    return found


def check_memory(
    module: wasmtime.Module, imports: Iterable[tuple[str, str, int]]
) -> None:
    """Check that the module exports a memory that its calls can work on.

    Raises:
        ConfigurationError: It does not.
    """
    for item in module.exports:
        if item.name != "memory":
            continue
        kind = item.type
        if not isinstance(kind, wasmtime.MemoryType):
            raise ConfigurationError("the exported 'memory' is no memory")
        if kind.is_shared:
            raise ConfigurationError(
                "the exported 'memory' is shared, which is not supported"
            )
        if kind.is_64:
            raise ConfigurationError(
                "the exported 'memory' is a 64-bit one, which is not supported"
            )
        return
    for _, name, number in imports:
        if lib.wb_call_infos[number & ~lib.WB_UNSTABLE].memory:
            raise ConfigurationError(
                f"the module exports no 'memory', which {name!r} needs"
            )


# ---- guests ------------------------------------------------------------------


class Guest:
    """One guest: the context of its backing, and the functions that it imports.

    The functions, once defined on a linker, keep what is behind them alive; this
    object may go before them.
    """

    def __init__(self, options: Options, argv0: bytes, *, per_linker: bool) -> None:
        """Open a guest.

        Args:
            options: What it gets.
            argv0: Its name, where the options have no arguments.
            per_linker: Serve any instance of one store, until `bind`.

        Raises:
            ConfigurationError: The backing refuses the options.
        """
        self._lock = threading.Lock()
        self._library = library()
        prepared = Prepared(options, argv0)
        self._streams = prepared.streams
        self._prepared = prepared
        errno = ffi.new("wb_errno *")
        with prepared.opening():
            self.environment = lib.wb_wasmtime_new(
                self._library.api,
                prepared.options,
                *prepared.stack,
                0,
                lib.WB_WASMTIME_LINKER if per_linker else lib.WB_WASMTIME_INSTANCE,
                errno,
            )
        if self.environment == ffi.NULL:
            prepared.streams.close()
            raise prepared.error(errno[0])
        # From here on C owns the descriptors: they must live as long as functions
        # that use them, and those may outlive this object.
        while prepared.streams.owned:
            lib.wb_wasmtime_own(self.environment, prepared.streams.owned.pop())
        self._close = weakref.finalize(self, _let_go, self.environment, prepared)
        self._open = True
        self._epochs: wasmtime.Engine | None = None
        self.native: Any = lib.wb_wasmtime_guest(self.environment)
        self.ports = prepared.ports()
        prepared.streams.begin()

    def define(
        self, linker: wasmtime.Linker, module: str, name: str, number: int
    ) -> None:
        """Define one call on a linker, which then holds on to the guest."""
        bindings = self._library.bindings
        kind = _function_type(number & ~int(lib.WB_UNSTABLE))
        lib.wb_wasmtime_retain(self.environment)
        error = bindings.wasmtime_linker_define_func_unchecked(
            linker.ptr(),
            *_c_string(module),
            *_c_string(name),
            kind.ptr(),
            _callback(number),
            _address(self.environment),
            _finalizer(),
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)

    def watch_epochs(self, store: wasmtime.Store) -> None:
        """Let `interrupt` stop the guest while it computes. For our own engine."""
        bindings = self._library.bindings
        kind = bindings.dll.wasmtime_store_epoch_deadline_callback.argtypes[1]
        address = _address(ffi.addressof(lib, "wb_wasmtime_epoch"))
        lib.wb_wasmtime_retain(self.environment)
        bindings.wasmtime_store_epoch_deadline_callback(
            store.ptr(), kind(address), _address(self.environment), _finalizer()
        )
        store.set_epoch_deadline(1)
        self._epochs = store.engine

    def in_store(self, store: wasmtime.Store) -> None:
        """Hear which store holds the guest's memory."""
        if self._prepared.context is not None:
            # The store keeps the guest; the guest must not keep the store.
            self._prepared.context.owner = weakref.ref(store)

    def bind(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        """Use this memory from now on, and look up none."""
        self.in_store(store)
        bindings = self._library.bindings
        context = bindings.wasmtime_store_context(store.ptr())
        lib.wb_wasmtime_bind(
            self.environment,
            ffi.cast("void *", ctypes.addressof(context.contents)),
            ffi.cast("void *", ctypes.addressof(memory._memory)),
        )

    def wake(self) -> tuple[Any, Any]:
        """Return what makes the engine look whether its guest is interrupted."""
        if self._epochs is None:
            return ffi.NULL, ffi.NULL
        return (
            ffi.cast("void *", self._library.increment_epoch),
            ffi.cast("void *", ctypes.addressof(self._epochs.ptr().contents)),
        )

    def interrupt(self) -> None:
        """End the guest, from any thread."""
        with self._lock:
            if not self._open:
                return
            lib.wb_guest_interrupt(self.native)
            if self._epochs is not None:
                self._epochs.increment_epoch()

    def failure(self) -> BaseException | None:
        """Return what a method of a Python backing stopped the guest with, once."""
        return self._prepared.failures.take()

    def await_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let coroutines of a backing in Python run on this loop."""
        if self._prepared.context is not None:
            self._prepared.context.loop = loop

    def cancel(self) -> None:
        """End the guest, and the coroutine it waits for. On the loop's thread."""
        if self._prepared.context is not None:
            self._prepared.context.cancel()
        self.interrupt()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return bool(self.native.interrupted)

    @property
    def in_use(self) -> bool:
        """Whether functions of the guest are still there to be called."""
        return int(lib.wb_wasmtime_references(self.environment)) > 1

    @property
    def outcome(self) -> int:
        """How the guest has ended: 0, or lib.WB_TRAP, WB_EXIT or WB_STOP."""
        return int(lib.wb_wasmtime_outcome(self.environment))

    def captured(self, number: int) -> bytes | None:
        """Return what the guest wrote so far to stdout (1) or stderr (2)."""
        return self._streams.captured(number)

    def close(self) -> None:
        """Close what the guest has open. No call of it may be running."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            lib.wb_wasmtime_close(self.environment)
        self._streams.close()


def _let_go(environment: Any, prepared: Prepared) -> None:
    """Give back a guest's environment, which its functions may keep alive.

    What is Python in it goes now, so its functions must not be called any more.
    """
    if prepared.context is not None or prepared.streams.python:
        lib.wb_wasmtime_close(environment)
    lib.wb_wasmtime_release(environment)


def forget_ended() -> None:
    """Let `take_ended` know only of guests that end from now on."""
    lib.wb_wasmtime_take_ended()


def take_ended(guests: Iterable[Guest]) -> Guest | None:
    """Return the guest that ended last on this thread, if it is one of them."""
    ended = lib.wb_wasmtime_take_ended()
    for guest in guests:
        if ffi.cast("void *", guest.environment) == ffi.cast("void *", ended):
            return guest
    return None


def as_trap(error: wasmtime.Trap | wasmtime.WasmtimeError, call: str | None) -> Trap:
    """Tell a trap of wasmtime's in our own words."""
    # wasmtime puts the backtrace first; what happened comes behind it, numbered if
    # that takes several lines. With RUST_BACKTRACE, its own stack may follow.
    text = str(error).rpartition("Caused by:\n")[2]
    text = text.partition("\n\nStack backtrace:")[0]
    lines = [re.sub(r"^\d+: ", "", line.strip()) for line in text.splitlines()]
    return Trap(": ".join(filter(None, lines)), call, backtrace(error))


def backtrace(error: wasmtime.Trap | wasmtime.WasmtimeError) -> list[Frame]:
    """Return the guest's functions that were running, innermost first.

    wasmtime reports a trap of WebAssembly's own as a Trap, and one that a host
    function gave back as a WasmtimeError: both know the frames.
    """
    bindings = library().bindings
    frames = bindings.wasm_frame_vec_t()
    if isinstance(error, wasmtime.Trap):
        bindings.wasm_trap_trace(error.ptr(), ctypes.byref(frames))
    else:
        bindings.wasmtime_error_wasm_trace(error.ptr(), ctypes.byref(frames))
    try:
        return [
            Frame(
                _name(bindings.wasmtime_frame_func_name(frame)),
                bindings.wasm_frame_func_index(frame),
                _name(bindings.wasmtime_frame_module_name(frame)),
                _offset(bindings.wasm_frame_module_offset(frame)),
            )
            for frame in frames.data[: frames.size]
        ]
    finally:
        bindings.wasm_frame_vec_delete(ctypes.byref(frames))


def _name(name: Any) -> str | None:
    """Read a `wasm_name_t *`, which is NULL where there is no name."""
    if not name:
        return None
    text = ctypes.string_at(name.contents.data, name.contents.size)
    return text.decode("utf-8", "replace")


def _offset(offset: int) -> int | None:
    """Read an offset, of which the largest size_t says that there is none."""
    return None if offset == ctypes.c_size_t(-1).value else offset


def _c_string(text: str) -> tuple[Any, int]:
    encoded = text.encode()
    return ctypes.create_string_buffer(encoded), len(encoded)


def _address(pointer: Any) -> int:
    return int(ffi.cast("uintptr_t", pointer))


@functools.cache
def _callback(number: int) -> Any:
    kind = library().bindings.wasmtime_func_unchecked_callback_t
    return kind(_address(lib.wb_wasmtime_callback_of(number)))


@functools.cache
def _finalizer() -> Any:
    release = _address(ffi.addressof(lib, "wb_wasmtime_release"))
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(release)
