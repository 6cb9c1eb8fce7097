"""The tests here run on backings in Python, too.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from typing import Any

import pytest

from wasi_backing import MinimalBacking, backings
from wasi_backing.registry import calls


def _through(name: str) -> Any:
    def method(self: MinimalBacking, *arguments: Any) -> Any:
        return getattr(MinimalBacking, name)(self, *arguments)

    method.__name__ = name
    return method


#: The minimal backing, each of whose calls takes the way through Python and back.
PassThrough = type(
    "PassThrough", (MinimalBacking,), {name: _through(name) for name in calls()}
)


@pytest.fixture(
    params=[
        *(b.name for b in backings() if b.host_files and not b.wrapper),
        pytest.param(PassThrough, id="passthrough"),
        "dict",  # Guest knows what that is
    ]
)
def backing(request: pytest.FixtureRequest) -> Any:
    """Each built-in backing's name in turn, and backings in Python."""
    return request.param
