"""WebAssembly modules for wasmtime: reading, checking, compiling, and keeping what
was compiled on disk.

Compiling a large module takes minutes, so its machine code is kept. Loading machine
code means trusting it: the cache is one folder that belongs to the user and that
nobody else can write to, or it is not used.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import os
import platform
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import wasmtime

from wasi_backing import registry
from wasi_backing.errors import ConfigurationError

PREVIEW1 = "wasi_snapshot_preview1"
UNSTABLE = "wasi_unstable"

# What the engines that we create can do beyond wasmtime's defaults. Part of the
# cache's key: code compiled with other settings does not fit.
_SETTINGS = "epoch_interruption wasm_exceptions"

_CORE_MODULE = b"\0asm\x01\0\0\0"
_MAGIC = b"\0asm"

_TYPES = {"i": "i32", "I": "i64"}


def new_engine() -> wasmtime.Engine:
    """Make an engine for guests: it can be interrupted, and knows exceptions."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.wasm_exceptions = True
    return wasmtime.Engine(config)


def read_module(source: str | os.PathLike[str] | bytes) -> bytes:
    """Read the bytes of a module, and see that they can be one.

    Raises:
        ConfigurationError: The file cannot be read, is not WebAssembly, or is a
            component.
    """
    if isinstance(source, bytes):
        name, code = "the module", source
    else:
        name = os.fspath(source)
        try:
            code = Path(source).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"cannot read {name}: {reason}") from None
    if not code.startswith(_MAGIC):
        raise ConfigurationError(f"{name} is not WebAssembly: it begins with other bytes")
    if not code.startswith(_CORE_MODULE):
        if code[6:8] == b"\x01\0":
            problem = (
                f"{name} is a component, and WASI preview 1 is for core modules: "
                "build it for the target wasm32-wasip1"
            )
        else:
            version = int.from_bytes(code[4:8], "little")
            problem = f"{name} is WebAssembly of version {version}, not 1"
        raise ConfigurationError(problem)
    return code


def load_module(
    engine: wasmtime.Engine,
    code: bytes,
    *,
    cache: bool = True,
    on_compile: Callable[[], None] | None = None,
) -> wasmtime.Module:
    """Compile a module for an engine of `new_engine`, or find it in the cache.

    Args:
        engine: Made by `new_engine`; the cache knows no other settings.
        code: The module's bytes, from `read_module`.
        cache: Keep the machine code on disk, and look for it there.
        on_compile: Called once before a compilation, which may take long.

    Raises:
        ConfigurationError: The module is malformed; the text is the engine's.
    """
    folder = cache_folder() if cache else None
    key = _key(code) if folder else ""
    if folder and (module := _load(engine, folder, key)):
        return module
    if on_compile:
        on_compile()
    try:
        module = wasmtime.Module(engine, code)
    except wasmtime.WasmtimeError as error:
        problem = " ".join(str(error).split())
        raise ConfigurationError(f"not a valid module: {problem}") from None
    if folder:
        _keep(folder, key, bytes(module.serialize()))
    return module


# ---- imports and exports -----------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """One call that a module imports."""

    #: PREVIEW1 or UNSTABLE.
    version: str
    #: The call's name and number.
    name: str
    number: int


def check_imports(module: wasmtime.Module) -> list[Import]:
    """List what a module imports, once it is clear that all of it can be provided.

    Raises:
        ConfigurationError: Something is imported from elsewhere, under a name that
            is no call, or with another signature than the call's.
    """
    return [_check_import(item) for item in module.imports]


def _check_import(item: wasmtime.ImportType) -> Import:
    # An import may lack a name; wasmtime then says None.
    where, name = item.module, item.name or ""
    kind = item.type
    if where not in (PREVIEW1, UNSTABLE):
        raise ConfigurationError(
            f"the module imports {name!r} from {where!r}; only {PREVIEW1!r} and "
            f"{UNSTABLE!r} are provided"
        )
    try:
        number = registry.call_number(name)
    except LookupError:
        number = -1
    if number < 0 or (where == UNSTABLE and not registry.in_unstable(number)):
        raise ConfigurationError(f"{where} has no {name!r}, which the module imports")
    if not isinstance(kind, wasmtime.FuncType):
        raise ConfigurationError(f"the module imports {name!r} not as a function")
    expected = describe_signature(number)
    actual = _describe(map(str, kind.params), map(str, kind.results))
    if actual != expected:
        raise ConfigurationError(
            f"the module imports {name!r} as {actual}, but it is {expected}"
        )
    return Import(where, name, number)


def describe_signature(number: int) -> str:
    """Write the core signature of a call as text: `(i32, i64) -> (i32)`."""
    results = [] if registry.calls()[number] == "proc_exit" else ["i32"]
    return _describe((_TYPES[c] for c in registry.signature(number)), iter(results))


def _describe(params: Iterator[str], results: Iterator[str]) -> str:
    return f"({', '.join(params)}) -> ({', '.join(results)})"


def check_memory(module: wasmtime.Module) -> None:
    """See that a module exports a memory that WASI can use.

    Raises:
        ConfigurationError: It exports none, or a shared or 64-bit one.
    """
    for item in module.exports:
        if item.name == "memory" and isinstance(item.type, wasmtime.MemoryType):
            if item.type.is_shared:
                raise ConfigurationError('the module\'s "memory" is shared; WASI '
                                         "preview 1 here is for memories of one thread")
            if item.type.is_64:
                raise ConfigurationError('the module\'s "memory" is a 64-bit one; '
                                         "WASI preview 1 has 32-bit pointers")
            return
    raise ConfigurationError('the module exports no memory of the name "memory"')


# ---- the cache -----------------------------------------------------------------------


def cache_folder() -> Path | None:
    """Return the folder for compiled modules, made if need be.

    `wasi-backing` below XDG_CACHE_HOME, or below ~/.cache. None if it cannot be
    made, or if others could write to it.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
        folder = root / "wasi-backing"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except (OSError, RuntimeError):
        return None
    private = (
        stat.S_ISDIR(facts.st_mode)
        and facts.st_uid == os.geteuid()
        and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return folder if private else None


def _key(code: bytes) -> str:
    digest = hashlib.sha256(code)
    digest.update(f"\0{importlib.metadata.version('wasmtime')}\0{_SETTINGS}\0".encode())
    # Machine code fits the processor that it was made on.
    digest.update(f"{platform.machine()}\0{_processor_features()}".encode())
    return digest.hexdigest()


def _processor_features() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor()


def _load(engine: wasmtime.Engine, folder: Path, key: str) -> wasmtime.Module | None:
    """Find the module of this key; drop an entry that is not what was kept."""
    for path in folder.glob(f"{key}.*.cwasm"):
        try:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            if digest.hexdigest() == path.suffixes[-2][1:]:
                return wasmtime.Module.deserialize_file(engine, str(path))
        except (OSError, wasmtime.WasmtimeError):
            pass
        with contextlib.suppress(OSError):
            path.unlink()
    return None


def _keep(folder: Path, key: str, compiled: bytes) -> None:
    """Keep machine code under its key and its own digest, or leave it."""
    name = f"{key}.{hashlib.sha256(compiled).hexdigest()}.cwasm"
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            temporary = file.name
            file.write(compiled)
        os.replace(temporary, folder / name)
    except OSError:  # a full disk: slower next time, and no reason to fail now
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
