"""Where the C headers and sources are that came with this package.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def get_source() -> str:
    """Return the folder that holds `csrc/` and `impl_minimal/`.

    A wheel brings a copy; in a checkout it is the checkout.
    """
    installed = _HERE / "_source"
    return str(installed if installed.is_dir() else _HERE.parent)


def get_include() -> str:
    """Return the folder to give to a C compiler with `-I`.

    It is for `#include <wasi_backing/backing.h>`, which is what a backing needs, and
    `<wasi_backing/layer.h>`, which is what an engine needs.
    """
    return str(Path(get_source()) / "csrc" / "include")
