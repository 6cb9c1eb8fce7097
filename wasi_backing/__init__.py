"""Run WebAssembly programs whose WASI calls are answered by a backing of choice.

SPDX-License-Identifier: MIT
"""

from wasi_backing.backing import Backing
from wasi_backing.dict_backing import DictBacking
from wasi_backing.engines.plain import PlainGuest
from wasi_backing.errors import (
    ConfigurationError,
    EngineVersionError,
    Exit,
    Frame,
    Interrupted,
    Trap,
    UnknownBackingError,
    WasiError,
)
from wasi_backing.native import MemoryBacking, MinimalBacking, UvwasiBacking
from wasi_backing.nodes import Link
from wasi_backing.options import Preopen
from wasi_backing.registry import BackingInfo, backings
from wasi_backing.sources import get_include, get_source
from wasi_backing.stdio import CAPTURE, DEVNULL
from wasi_backing.streams import AsyncOutput, Lines
from wasi_backing.types import Errno, Filetype, Rights
from wasi_backing.wasi import WASI, Result, Status, run

__all__ = [
    "CAPTURE",
    "DEVNULL",
    "WASI",
    "AsyncOutput",
    "Backing",
    "BackingInfo",
    "ConfigurationError",
    "DictBacking",
    "EngineVersionError",
    "Errno",
    "Exit",
    "Filetype",
    "Frame",
    "Interrupted",
    "Lines",
    "Link",
    "MemoryBacking",
    "MinimalBacking",
    "PlainGuest",
    "Preopen",
    "Result",
    "Rights",
    "Status",
    "Trap",
    "UnknownBackingError",
    "UvwasiBacking",
    "WasiError",
    "backings",
    "get_include",
    "get_source",
    "run",
]
