"""What the glue in C needs of wasmtime, taken from the library that is loaded.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import importlib.metadata
import os
from typing import Any

from wasi_backing.errors import EngineVersionError
from wasi_backing.ffi import ffi, lib

#: The major versions of the `wasmtime` package that were tested.
TESTED = range(40, 51)

#: Set to 1, this variable lets other versions pass, at the user's own risk.
ANY_VERSION = "WASI_BACKING_ANY_WASMTIME"

# The C functions that the glue calls, and wasmtime's names for them.
_FUNCTIONS = {
    "caller_context": "wasmtime_caller_context",
    "caller_export_get": "wasmtime_caller_export_get",
    "extern_delete": "wasmtime_extern_delete",
    "memory_data": "wasmtime_memory_data",
    "memory_data_size": "wasmtime_memory_data_size",
    "memory_type": "wasmtime_memory_type",
    "memorytype_is64": "wasmtime_memorytype_is64",
    "memorytype_delete": "wasm_memorytype_delete",
    "trap_new": "wasmtime_trap_new",
    "error_new": "wasmtime_error_new",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Library:
    """The wasmtime library of this process.

    Attributes:
        version: Of the Python package.
        bindings: The package's own declarations of wasmtime's C functions.
        api: `struct wb_wasmtime_api *`, filled.
        increment_epoch: Address of wasmtime_engine_increment_epoch, which is safe
            in signal handlers.
    """

    version: str
    bindings: Any
    api: Any
    increment_epoch: int


def check_version(version: str) -> None:
    """Refuse a version of wasmtime that was not tested.

    Raises:
        EngineVersionError: It was not; the text says which were, and what to do.
    """
    major = version.partition(".")[0]
    if major.isdigit() and int(major) in TESTED:
        return
    if os.environ.get(ANY_VERSION) == "1":
        return
    raise EngineVersionError(
        f"wasmtime {version} was not tested with this package: versions "
        f"{TESTED.start} to {TESTED.stop - 1} were; install one of them, or set "
        f"{ANY_VERSION}=1 to try"
    )


@functools.cache
def library() -> Library:
    """Load wasmtime once and check that it is as the glue expects.

    Raises:
        EngineVersionError: It is not.
    """
    version = importlib.metadata.version("wasmtime")
    check_version(version)
    try:
        from wasmtime import _ffi as bindings

        api = _fill(bindings, bindings.dll)
        epoch = _address(bindings.dll, "wasmtime_engine_increment_epoch")
    except (ImportError, AttributeError) as error:
        raise EngineVersionError(
            f"wasmtime {version} lacks what this package needs: {error}"
        ) from error
    return Library(version, bindings, api, epoch)


def _address(dll: Any, name: str) -> int:
    address = ctypes.cast(getattr(dll, name), ctypes.c_void_p).value
    assert address is not None
    return address


def _fill(bindings: Any, dll: Any) -> Any:
    api = ffi.new("struct wb_wasmtime_api *")
    item = bindings.wasmtime_extern
    memory = bindings.wasmtime_memory
    api.extern_of = item.of.offset
    api.memory_size = ctypes.sizeof(memory)
    api.extern_memory = bindings.WASMTIME_EXTERN_MEMORY.value
    api.extern_sharedmemory = bindings.WASMTIME_EXTERN_SHAREDMEMORY.value
    assumed = {
        "wasmtime_val_raw_t": (
            ctypes.sizeof(bindings.wasmtime_val_raw) == lib.WB_WASMTIME_VAL_RAW
        ),
        "wasmtime_extern_t": (
            ctypes.sizeof(item) <= lib.WB_WASMTIME_EXTERN_MAX
            and item.kind.offset == 0
            and item.kind.size == 1
            and ctypes.alignment(item) <= 8
        ),
        "wasmtime_memory_t": (
            api.extern_of + ctypes.sizeof(memory) <= ctypes.sizeof(item)
        ),
    }
    for name, holds in assumed.items():
        if not holds:
            raise AttributeError(f"{name} is laid out in another way")
    members = dict(ffi.typeof(api).item.fields)
    for member, name in _FUNCTIONS.items():
        setattr(api, member, ffi.cast(members[member].type, _address(dll, name)))
    return api
