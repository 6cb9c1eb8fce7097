"""WASI: a configuration, and the guests that are made from it.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import wasmtime

from wasi_backing import registry, sigint
from wasi_backing.engines import cache as module_cache
from wasi_backing.engines import wasmtime as glue
from wasi_backing.engines.wasmtime_api import library
from wasi_backing.errors import ConfigurationError, Exit, Interrupted
from wasi_backing.ffi import lib
from wasi_backing.options import (
    BackingLike,
    Environment,
    Options,
    Preopens,
    Rights,
    Text,
)
from wasi_backing.stdio import CAPTURE, Stdio

ENGINES = ("wasmtime",)

#: What our engine is set to, as part of the key of compiled modules.
CONFIGURATION = "epochs, exceptions"

_MODULE = b"\0asm\x01\0\0\0"
_COMPONENT_LAYER = b"\x01\0"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """How a guest ended."""

    #: What it gave to proc_exit, or 0 if it returned.
    exit_code: int
    #: What it wrote, where CAPTURE was asked for.
    stdout: bytes | None
    stderr: bytes | None
    #: The ports that it listened on, in the order of `listen`.
    ports: list[int]
    #: What the function of `invoke` returned.
    values: tuple[Any, ...] = ()


@dataclasses.dataclass(slots=True)
class Status:
    """How the code in a `with wasi.exits()` block ended."""

    #: What the guest gave to proc_exit; None if it has not ended.
    code: int | None = None


class WASI:
    """What a guest may use of the host. One WASI serves any number of guests.

    Guarantees:
        Nothing is opened before a guest is made. Each guest has its own
        descriptors. A guest's calls run without Python and without the interpreter
        lock. Guests of one WASI may run in different threads at once; calls of one
        guest may not.
    """

    def __init__(
        self,
        args: Sequence[Text] | None = None,
        env: Environment | None = None,
        preopens: Preopens | None = None,
        *,
        stdin: Stdio = None,
        stdout: Stdio = None,
        stderr: Stdio = None,
        backing: BackingLike = "minimal",
        engine: str = "wasmtime",
        listen: Iterable[str] = (),
        rights: Rights = "enforce",
        return_on_exit: bool = True,
        version: str | None = None,
        max_fds: int | None = None,
        extras: Mapping[str, str] | None = None,
        cache: bool | str | os.PathLike[str] = True,
    ) -> None:
        """Check the configuration.

        Args:
            args: The arguments, the program's name first. None: its name alone.
            env: The environment, in this order; nothing is taken from the host's.
            preopens: Directories that the guest finds open: a mapping of the
                guest's name to a path or a `Preopen`, or a list of such pairs.
            stdin: A descriptor of the host, a path, a file object with
                `fileno()`, bytes, or DEVNULL. None: the process's own. What is
                not opened here is lent, and never closed.
            stdout: The same, without bytes; CAPTURE collects what is written.
            stderr: As stdout.
            backing: What answers the guest's calls: a built-in backing's name
                (see `backings()`), an object of a subclass of `Backing`, or the
                class, to make an object for each guest.
            engine: What runs the guest.
            listen: Sockets to listen on for the guest: "ADDRESS:PORT", with a
                numeric address (IPv6 in brackets); port 0 is any free one.
            rights: "enforce", or "ignore" to let a descriptor do whatever its
                file can.
            return_on_exit: False raises SystemExit with the guest's code where
                that code would be returned.
            version: "preview1" or "unstable" to refuse guests of the other one.
                None: as the guest's imports say, which may be both.
            max_fds: How many descriptors a guest may have open. None: 1,024.
            extras: Settings that only this backing knows.
            cache: Whether compiled modules are kept on disk, or where. True: in
                $WASI_BACKING_CACHE, or below $XDG_CACHE_HOME or ~/.cache.

        Raises:
            ConfigurationError: Something cannot be used; the text says what.
        """
        if engine not in ENGINES:
            raise ConfigurationError(
                f"unknown engine {engine!r}; known are: {', '.join(ENGINES)}"
            )
        if version is not None and version not in glue.VERSIONS:
            raise ConfigurationError(
                f"version must be one of {', '.join(glue.VERSIONS)}, not {version!r}"
            )
        self._options = Options.check(
            args=args,
            env=env,
            preopens=preopens,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            backing=backing,
            listen=listen,
            rights=rights,
            max_fds=max_fds,
            extras=extras,
        )
        self._version = version
        self._return_on_exit = return_on_exit
        self._cache: Path | None
        if isinstance(cache, bool):
            self._cache = module_cache.default_folder() if cache else None
        else:
            self._cache = Path(cache)
        self._lock = threading.Lock()
        self._guests: weakref.WeakSet[glue.Guest] = weakref.WeakSet()
        self._latest: weakref.ref[glue.Guest] | None = None
        # What keeps guests: their store, or functions of a linker that are in use.
        self._of_stores: weakref.WeakKeyDictionary[wasmtime.Store, list[glue.Guest]] = (
            weakref.WeakKeyDictionary()
        )
        self._of_linkers: list[glue.Guest] = []
        # An instance, or a linker, and its guest.
        self._made: weakref.WeakKeyDictionary[object, glue.Guest] = (
            weakref.WeakKeyDictionary()
        )
        self._stores: weakref.WeakKeyDictionary[object, wasmtime.Store] = (
            weakref.WeakKeyDictionary()
        )

    # ---- making guests -------------------------------------------------------

    def _guest(self, argv0: bytes, *, per_linker: bool = False) -> glue.Guest:
        with self._lock:
            # Those that nobody can call any more make room first.
            self._of_linkers = [guest for guest in self._of_linkers if guest.in_use]
        guest = glue.Guest(self._options, argv0, per_linker=per_linker)
        with self._lock:
            self._guests.add(guest)
            self._latest = weakref.ref(guest)
        return guest

    def _remember(
        self, made: object, guest: glue.Guest, store: wasmtime.Store | None = None
    ) -> None:
        """Note whose guest an instance or a linker has, and where it lives."""
        with self._lock:
            self._made[made] = guest
            if store is not None:
                self._stores[made] = store

    def _living(self) -> list[glue.Guest]:
        with self._lock:
            return list(self._guests)

    def instantiate(
        self, store: wasmtime.Store, module: wasmtime.Module
    ) -> wasmtime.Instance:
        """Make one guest and instantiate a module with it.

        The guest lives as long as the store does.

        Raises:
            ConfigurationError: The module needs what is not WASI preview 1, or
                exports no memory; or the backing refuses the configuration; or
                the store has no room for the instance.
            Exit, Trap, Interrupted: The module's start function ended so.
        """
        imports = glue.check_imports(module, self._version)
        glue.check_memory(module, imports)
        guest = self._guest(b"guest.wasm")
        with self._lock:
            self._of_stores.setdefault(store, []).append(guest)
        return self._instantiate(guest, store, module, imports)

    def _instantiate(
        self,
        guest: glue.Guest,
        store: wasmtime.Store,
        module: wasmtime.Module,
        imports: list[tuple[str, str, int]],
    ) -> wasmtime.Instance:
        guest.in_store(store)
        linker = wasmtime.Linker(store.engine)
        for where, name, number in dict.fromkeys(imports):
            guest.define(linker, where, name, number)
        try:
            with self._running(guest):
                instance = linker.instantiate(store, module)
        except wasmtime.WasmtimeError as error:
            why = " ".join(str(error).split())
            raise ConfigurationError(
                f"the module cannot be instantiated: {why}"
            ) from error
        # From here on it does not matter who calls: the functions may be exported
        # again, to other instances.
        memory = instance.exports(store).get("memory")
        if isinstance(memory, wasmtime.Memory):
            guest.bind(store, memory)
        self._remember(instance, guest, store)
        return instance

    def add_to_linker(self, linker: wasmtime.Linker) -> None:
        """Define all calls of WASI on a linker, for one guest.

        Its functions serve instances of one store; a call from another store
        traps. Without `bind`, each call looks the caller's memory up by name,
        which costs a few times what the rest of a short call does. The functions
        may outlive this object.

        Raises:
            ConfigurationError: The backing refuses the configuration.
            wasmtime.WasmtimeError: The linker has such functions already.
        """
        guest = self._guest(b"guest.wasm", per_linker=True)
        for version, module in glue.VERSIONS.items():
            if self._version not in (None, version):
                continue
            for number, name in enumerate(registry.calls()):
                if version == "unstable":
                    if not lib.wb_call_infos[number].unstable:
                        continue
                    guest.define(linker, module, name, number | lib.WB_UNSTABLE)
                else:
                    guest.define(linker, module, name, number)
        self._remember(linker, guest)
        with self._lock:
            self._of_linkers.append(guest)

    def bind(
        self,
        instance: wasmtime.Instance,
        store: wasmtime.Store,
        linker: wasmtime.Linker | None = None,
    ) -> None:
        """Let the functions of `add_to_linker` serve this one instance from now on.

        Args:
            instance: One that the linker has made.
            store: Where it lives; kept until the linker goes.
            linker: Which linker's; needed if there were several.

        Raises:
            ConfigurationError: The instance exports no memory that can be used,
                or it is not clear which guest is meant.
        """
        with self._lock:
            linkers = [made for made in self._made if isinstance(made, wasmtime.Linker)]
        if linker is None:
            if len(linkers) != 1:
                raise ConfigurationError("bind: say which linker is meant")
            linker = linkers[0]
        if linker not in self._made:
            raise ConfigurationError("bind: this WASI was not added to that linker")
        memory = instance.exports(store).get("memory")
        if not isinstance(memory, wasmtime.Memory):
            raise ConfigurationError(
                "the instance exports no 'memory' that can be used"
            )
        if memory.type(store).is_64:
            raise ConfigurationError(
                "the exported 'memory' is a 64-bit one, which is not supported"
            )
        guest = self._made[linker]
        guest.bind(store, memory)
        # A memory must not be used with another store that has come to lie where
        # this one was: the store stays as long as the linker.
        linker._wasi_backing_store = store  # type: ignore[attr-defined]
        self._remember(instance, guest, store)

    # ---- running guests ------------------------------------------------------

    def start(
        self, instance: wasmtime.Instance, store: wasmtime.Store | None = None
    ) -> int:
        """Run a command: call its `_start`.

        Args:
            instance: One that `instantiate` has made, or that is bound.
            store: Where it lives; needed for other instances.

        Returns:
            The code that the guest gave to proc_exit, or 0 if it returned.

        Raises:
            ConfigurationError: It exports no `_start`.
            Trap, Interrupted: It ended so.
        """
        with self.exits() as status:
            self._call(instance, store, "_start")
        return status.code or 0

    def initialize(
        self, instance: wasmtime.Instance, store: wasmtime.Store | None = None
    ) -> None:
        """Prepare a reactor: call its `_initialize`, if it has one.

        Raises:
            ConfigurationError: It is a command: it exports `_start`.
            Exit, Trap, Interrupted: It ended so.
        """
        exports = instance.exports(self._store_of(instance, store))
        if "_start" in exports:
            raise ConfigurationError(
                "the module exports _start: it is a command, to be started"
            )
        if "_initialize" in exports:
            self._call(instance, store, "_initialize")

    def _store_of(
        self, instance: wasmtime.Instance, store: wasmtime.Store | None
    ) -> wasmtime.Store:
        store = store or self._stores.get(instance)
        if store is None:
            raise ConfigurationError(
                "this WASI did not make the instance: say which store it lives in"
            )
        return store

    def _call(
        self, instance: wasmtime.Instance, store: wasmtime.Store | None, name: str
    ) -> tuple[Any, ...]:
        """Call a function without parameters."""
        store = self._store_of(instance, store)
        function = instance.exports(store).get(name)
        if not isinstance(function, wasmtime.Func):
            raise ConfigurationError(f"the module exports no {name}")
        if function.type(store).params:
            raise ConfigurationError(f"{name} takes parameters, and there are none")
        guest = self._made.get(instance)
        with self._running(guest):
            values = function(store)
        if values is None:
            return ()
        return tuple(values) if isinstance(values, list) else (values,)

    @contextlib.contextmanager
    def _running(self, guest: glue.Guest | None) -> Iterator[None]:
        """Turn what the engine raises into Exit, Trap and Interrupted.

        Args:
            guest: Whose functions run. None: any of this WASI's.
        """
        known = [guest] if guest is not None else self._living()
        with contextlib.ExitStack() as stack:
            for one in known:
                stack.enter_context(sigint.interrupts(one.native, *one.wake()))
            glue.forget_ended()
            try:
                yield
            except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
                guests = known if guest is not None else self._living()
                ended = glue.take_ended(guests)
                ending = ended.failure() if ended else None
                if ending is None:
                    ending = _translate(error, ended, guests)
                    if ending is None:
                        raise
                    ending.__cause__ = error
                try:
                    raise ending from ending.__cause__
                finally:
                    del ending  # whose traceback has this frame: no cycle

    @contextlib.contextmanager
    def exits(self) -> Iterator[Status]:
        """Catch the guest's exit in a block that calls its functions directly.

            with wasi.exits() as status:
                instance.exports(store)["_start"](store)
            print(status.code)

        Raises:
            Trap, Interrupted: The guest ended so.
            SystemExit: It exited, and `return_on_exit` is False.
        """
        status = Status()
        try:
            with self._running(None):
                yield status
        except Exit as exit:
            status.code = exit.code
            if not self._return_on_exit:
                raise SystemExit(exit.code) from exit

    def run(
        self,
        source: str | os.PathLike[str] | bytes,
        invoke: str | None = None,
        *,
        on_compile: Callable[[], None] = lambda: None,
        on_start: Callable[[list[int]], None] = lambda ports: None,
    ) -> Result:
        """Compile a module and run it as one guest, until it ends.

        Args:
            source: A file, or the module itself as bytes.
            invoke: A function to call in place of `_start`, after `_initialize`.
                It takes no parameters.
            on_compile: Called before the module is compiled, which may take long;
                not when it is found in the cache.
            on_start: Called before the guest begins, with the ports that it
                listens on.

        Raises:
            ConfigurationError: The module or the configuration cannot be used; the
                guest has not begun.
            Trap, Interrupted: The guest ended so.
            KeyboardInterrupt: SIGINT came, on the main thread; the guest has ended.
            Anything that a method of a backing in Python raises to stop the guest.
        """
        return self._run(source, invoke, on_compile, on_start, lambda guest: None)

    async def run_async(
        self,
        source: str | os.PathLike[str] | bytes,
        invoke: str | None = None,
        *,
        on_compile: Callable[[], None] = lambda: None,
        on_start: Callable[[list[int]], None] = lambda ports: None,
    ) -> Result:
        """Run a module as `run` does, in a thread of its own.

        Other tasks and guests go on meanwhile. Methods of a backing that are
        `async def` are awaited on this event loop, all others are called in the
        guest's thread, and so are `on_compile` and `on_start`.

        When this is cancelled, the coroutine that the guest waits for is cancelled
        and waited for; then the guest is stopped, and this raises CancelledError.
        """
        loop = asyncio.get_running_loop()
        guests: list[glue.Guest] = []

        def on_guest(guest: glue.Guest) -> None:
            guest.await_on(loop)
            guests.append(guest)

        with concurrent.futures.ThreadPoolExecutor(1, "wasi_backing guest") as thread:
            running = loop.run_in_executor(
                thread, self._run, source, invoke, on_compile, on_start, on_guest
            )
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                while not running.done():
                    # Again if the guest was not made yet, or compiles: each of these
                    # ends, and interrupting is harmless when repeated.
                    for guest in guests:
                        guest.cancel()
                    await asyncio.wait([running], timeout=0.05)
                running.exception()  # looked at, so that it is not reported as lost
                raise

    def _run(
        self,
        source: str | os.PathLike[str] | bytes,
        invoke: str | None,
        on_compile: Callable[[], None],
        on_start: Callable[[list[int]], None],
        on_guest: Callable[[glue.Guest], None],
    ) -> Result:
        wasm, name = _read(source)
        engine = glue.engine()
        module = self._compile(engine, wasm, name, on_compile)
        imports = glue.check_imports(module, self._version)
        glue.check_memory(module, imports)
        entry = invoke or "_start"
        if entry not in {item.name for item in module.exports}:
            raise ConfigurationError(f"the module exports no {entry}")

        guest = self._guest(os.fsencode(name))
        on_guest(guest)
        with contextlib.ExitStack() as stack:
            store = wasmtime.Store(engine)
            stack.callback(guest.close)
            stack.callback(store.close)
            stack.callback(module.close)  # which has the file of the cache open
            guest.watch_epochs(store)
            on_start(guest.ports)
            values: tuple[Any, ...] = ()
            with self.exits() as status:
                instance = self._instantiate(guest, store, module, imports)
                if invoke is not None and "_start" not in instance.exports(store):
                    self.initialize(instance)
                values = self._call(instance, store, entry)
        return Result(
            exit_code=status.code or 0,
            stdout=guest.captured(1),
            stderr=guest.captured(2),
            ports=guest.ports,
            values=values,
        )

    def _compile(
        self,
        engine: wasmtime.Engine,
        wasm: bytes,
        name: str,
        on_compile: Callable[[], None],
    ) -> wasmtime.Module:
        configuration = f"wasmtime {library().version}: {CONFIGURATION}"
        try:
            return module_cache.compiled(
                engine, wasm, configuration, self._cache, on_compile
            )
        except wasmtime.WasmtimeError as error:
            why = " ".join(str(error).split())
            raise ConfigurationError(f"{name} is not a valid module: {why}") from error

    # ---- while guests run ----------------------------------------------------

    def interrupt(self) -> None:
        """End all guests of this WASI soon, from any thread. There is no way back.

        A call that blocks, and every later one, ends the guest. A guest of `run`
        is also stopped while it computes; one on an engine of yours is only if you
        stop it, for which wasmtime has epochs.
        """
        for guest in self._living():
            guest.interrupt()

    def ports(self, made: object = None) -> list[int]:
        """Tell the ports that a guest listens on, in the order of `listen`.

        Args:
            made: The instance or the linker of the guest. None: the latest guest.

        Raises:
            LookupError: There is no such guest (any more).
        """
        return list(self._find(made).ports)

    def captured(self, made: object = None) -> tuple[bytes | None, bytes | None]:
        """Return what a guest has written to stdout and stderr so far.

        Args:
            made: The instance or the linker of the guest. None: the latest guest.

        Raises:
            LookupError: There is no such guest (any more).
        """
        guest = self._find(made)
        return guest.captured(1), guest.captured(2)

    def _find(self, made: object) -> glue.Guest:
        if made is not None:
            guest = self._made.get(made)
        else:
            guest = self._latest() if self._latest else None
        if guest is None:
            raise LookupError("no such guest was made from this WASI")
        return guest


def _translate(
    error: wasmtime.Trap | wasmtime.WasmtimeError,
    ended: glue.Guest | None,
    guests: Iterable[glue.Guest],
) -> BaseException | None:
    """Say in our own words what ended a guest; None if it is no guest's end.

    Args:
        error: What the engine raised.
        ended: The guest that one of our functions has ended, if one has.
        guests: Those that were running.
    """
    code = error.trap_code if isinstance(error, wasmtime.Trap) else None
    if code is wasmtime.TrapCode.INTERRUPT and any(one.interrupted for one in guests):
        return Interrupted()
    # A trap with a code is WebAssembly's own.
    if ended is not None and code is None:
        if ended.outcome == lib.WB_EXIT:
            return Exit(int(ended.native.exit_code))
        if ended.outcome == lib.WB_STOP:
            return Interrupted()
        if ended.outcome == lib.WB_TRAP:
            return glue.as_trap(error, registry.calls()[ended.native.trap.call])
    if isinstance(error, wasmtime.Trap) or glue.backtrace(error):
        return glue.as_trap(error, None)
    return None


def _read(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Return a module's bytes and what to call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        wasm, name, what = bytes(source), "guest.wasm", "this"
    else:
        path = os.fspath(source)
        name = what = os.path.basename(path)
        try:
            with open(path, "rb") as file:
                wasm = file.read()
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise ConfigurationError(f"{path!r}: {error}") from None
    if wasm[:4] != _MODULE[:4]:
        raise ConfigurationError(f"{what} is not a WebAssembly module")
    if wasm[:8] != _MODULE:
        if wasm[6:8] == _COMPONENT_LAYER:
            raise ConfigurationError(
                f"{what} is a WebAssembly component; only modules can be run"
            )
        raise ConfigurationError(f"{what} is of an unknown version of WebAssembly")
    return wasm, name


def run(
    source: str | os.PathLike[str] | bytes,
    args: Sequence[Text] | None = None,
    *,
    invoke: str | None = None,
    **options: Any,
) -> Result:
    """Run a module as one guest: `WASI(args, **options).run(source, invoke)`.

    stdout and stderr are captured unless the options say otherwise.
    """
    options.setdefault("stdout", CAPTURE)
    options.setdefault("stderr", CAPTURE)
    return WASI(args, **options).run(source, invoke)
