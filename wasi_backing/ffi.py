"""The one place that imports the compiled module.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from typing import Any

from wasi_backing import _native

#: cffi's view of the C declarations, and the compiled functions and numbers.
ffi: Any = _native.ffi
lib: Any = _native.lib


def text(pointer: Any) -> str:
    """Copy a NUL-terminated string out of C; a NULL pointer is the empty string."""
    return ffi.string(pointer).decode("utf-8", "replace") if pointer else ""
