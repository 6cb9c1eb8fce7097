"""Compiled modules, kept on disk.

A compiled module is machine code that wasmtime runs as it is. Whoever can write to
the cache can run code as you: the folder is made private, and one that others may
write to is not used.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import wasmtime

#: Where the cache is; `off` turns it off. Not set: below the user's cache folder.
VARIABLE = "WASI_BACKING_CACHE"

#: How many bytes of compiled modules are kept; then the longest unused ones go.
LIMIT = 2 << 30


def default_folder() -> Path | None:
    """Return where compiled modules are kept, or None for nowhere."""
    given = os.environ.get(VARIABLE)
    if given == "off":
        return None
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "wasi-backing" if os.path.isabs(home) else None


def compiled(
    engine: wasmtime.Engine,
    wasm: bytes,
    configuration: str,
    folder: Path | None,
    on_compile: Callable[[], None] = lambda: None,
) -> wasmtime.Module:
    """Compile a module, or find what was made of it before.

    Args:
        engine: What compiles and runs it.
        wasm: The module.
        configuration: All that compiled code depends on besides: the engine's
            version and settings.
        folder: Where compiled modules are kept, or None to keep none. A cache that
            cannot be used never fails a run; it warns if it is not private.
        on_compile: Called before a compilation, which may take long.

    Raises:
        wasmtime.WasmtimeError: It is no valid module.
    """
    if folder is None or not _usable(folder):
        on_compile()
        return wasmtime.Module(engine, wasm)
    key = hashlib.sha256(configuration.encode() + b"\0" + wasm).hexdigest()
    entry = folder / f"{key}.cwasm"
    module = _load(engine, entry)
    if module is None:
        on_compile()
        module = wasmtime.Module(engine, wasm)
        with contextlib.suppress(OSError):
            _store(entry, module.serialize())
            _prune(folder)
    return module


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return False
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        warnings.warn(
            f"{folder} is not used to keep compiled modules: others may write to it",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _load(engine: wasmtime.Engine, entry: Path) -> wasmtime.Module | None:
    """Load an entry that is whole; anything else is as if it were not there.

    wasmtime checks only that an entry is of its own making, so damage is looked for
    here, by a checksum that lies beside it.
    """
    try:
        if entry.with_suffix(".sha256").read_text() != _checksum(entry):
            return None
        module = wasmtime.Module.deserialize_file(engine, str(entry))
        os.utime(entry)
    except (OSError, UnicodeDecodeError, wasmtime.WasmtimeError):
        return None
    return module


def _store(entry: Path, code: bytes | bytearray) -> None:
    """Write an entry so that others see all of it, or nothing."""
    checksum = hashlib.sha256(code).hexdigest()
    for path, content in (
        (entry, code),
        (entry.with_suffix(".sha256"), checksum.encode()),
    ):
        descriptor, name = tempfile.mkstemp(dir=entry.parent, prefix=".new-")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def _prune(folder: Path) -> None:
    """Remove the longest unused entries above LIMIT."""
    entries = sorted(
        ((path.stat(), path) for path in folder.glob("*.cwasm")),
        key=lambda entry: entry[0].st_mtime,
        reverse=True,
    )
    total = 0
    for found, path in entries:
        total += found.st_size
        if total > LIMIT:
            path.unlink(missing_ok=True)
            path.with_suffix(".sha256").unlink(missing_ok=True)
