"""What can go wrong, as exceptions.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from wasi_backing.types import Errno


class WasiError(OSError):
    """A call that ended in an errno of WASI.

    Guarantees:
        `errno_wasi` is never SUCCESS. `errno`, the host's number, is not set: the
        two number differently.
    """

    def __init__(self, errno: Errno | int, message: str = "") -> None:
        """Make the error for an errno, with a text of its own or the errno's name."""
        self.errno_wasi = Errno(errno)
        super().__init__(message or self.errno_wasi.spec_name)


class ConfigurationError(ValueError):
    """Something that the caller gave cannot be used; the text is one clear line."""


class UnknownBackingError(ConfigurationError):
    """No backing has that name; the text lists the ones there are."""


class EngineVersionError(RuntimeError):
    """The installed engine is not one that this package was tested with."""


class Exit(Exception):
    """The guest has ended by itself, with `code` (32 bits, 0 for success)."""

    def __init__(self, code: int) -> None:
        """Make the exception for an exit code."""
        self.code = code
        super().__init__(f"the guest exited with code {code}")


class Interrupted(Exception):
    """The guest was ended from outside: by `interrupt()`, or by its backing."""

    def __init__(self, message: str = "the guest was interrupted") -> None:
        """Make the exception."""
        super().__init__(message)


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One function of the guest that was running when it trapped."""

    #: What the module calls the function, or None where it does not say.
    function: str | None
    #: The function's number in its module.
    index: int
    #: The module's own name for itself, or None.
    module: str | None
    #: Where in the module's file the function had come to, in bytes; None where
    #: that is not known, as at the end of the stack.
    offset: int | None

    def __str__(self) -> str:
        """Write the frame as a line of a backtrace."""
        name = self.function or f"function {self.index}"
        module = f" of {self.module}" if self.module else ""
        offset = "" if self.offset is None else f", offset {self.offset:#x}"
        return f"{name}{module}{offset}"


class Trap(Exception):
    """The guest did something that ends it: it is broken, or hostile.

    Attributes:
        reason: Why, in one line.
        call: The WASI call during which it happened, or None.
        backtrace: The guest's functions that were running, innermost first; empty
            where there is no engine to tell.
    """

    def __init__(
        self, reason: str, call: str | None = None, backtrace: Sequence[Frame] = ()
    ) -> None:
        """Make the exception."""
        self.reason = reason
        self.call = call
        self.backtrace = tuple(backtrace)
        super().__init__(reason)

    def __str__(self) -> str:
        """Write the reason, and the backtrace below it."""
        return "\n".join([self.reason, *(f"    in {f}" for f in self.backtrace)])
