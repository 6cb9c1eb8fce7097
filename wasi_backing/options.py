"""What a guest gets: checked in Python, then told to C as `struct wb_options`.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wasi_backing import registry, stdio
from wasi_backing._failures import Failures
from wasi_backing.errors import ConfigurationError
from wasi_backing.ffi import ffi, lib
from wasi_backing.stdio import Stdio
from wasi_backing.types import Errno

if TYPE_CHECKING:
    from wasi_backing._context import Context
    from wasi_backing.backing import Backing

Text: TypeAlias = str | bytes
PathLike: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"

ERROR_SIZE = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Preopen:
    """A directory of the host that the guest finds open."""

    #: The host's directory; relative to the current one.
    path: PathLike
    #: Refuse every change below it with the errno ROFS.
    read_only: bool = False


Preopens: TypeAlias = (
    "Mapping[str, PathLike | Preopen] | Iterable[tuple[str, PathLike | Preopen]]"
)
Environment: TypeAlias = "Mapping[str, str] | Iterable[tuple[str, str]]"
Rights = Literal["enforce", "ignore"]
#: A built-in backing's name, or one in Python: an object, or a class to make one of
#: for each guest.
BackingLike: TypeAlias = "str | Backing | type[Backing]"


def _encode(what: str, value: Any) -> bytes:
    """Turn text into what C gets.

    Raises:
        ConfigurationError: It is no text, or holds a NUL.
    """
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ConfigurationError(
            f"{what} must be text, not {type(value).__name__}: {value!r}"
        )
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ConfigurationError(f"{what} holds a NUL character: {value!r}")
    return encoded


def _pairs(what: str, given: Any) -> list[tuple[Any, Any]]:
    items = list(given.items() if isinstance(given, Mapping) else given)
    for item in items:
        if not isinstance(item, tuple) or len(item) != 2:
            raise ConfigurationError(f"{what}: expected pairs, not {item!r}")
    return items


def _environment(given: Environment) -> list[bytes]:
    variables = []
    for name, value in _pairs("env", given):
        encoded = _encode("the name of an environment variable", name)
        if not encoded or b"=" in encoded:
            raise ConfigurationError(f"{name!r} cannot name an environment variable")
        variables.append(
            encoded + b"=" + _encode(f"environment variable {name}", value)
        )
    return variables


def _preopens(given: Preopens) -> list[tuple[bytes, bytes, bool]]:
    preopens: list[tuple[bytes, bytes, bool]] = []
    for name, host in _pairs("preopens", given):
        preopen = host if isinstance(host, Preopen) else Preopen(host)
        guest_name = _encode("the guest's name of a preopen", name)
        path = _encode(f"the path of preopen {name!r}", preopen.path)
        if not guest_name or not path:
            raise ConfigurationError(f"preopen {name!r}: a name or path is empty")
        if any(guest_name == other for other, _, _ in preopens):
            raise ConfigurationError(f"two preopens are named {name!r}")
        preopens.append((guest_name, path, preopen.read_only))
    return preopens


def _listen(given: Any) -> tuple[bytes, int]:
    """Read ADDR:PORT, with an IPv6 address in brackets."""
    wrong = ConfigurationError(
        f"listen: expected a numeric ADDRESS:PORT, not {given!r}"
    )
    if not isinstance(given, str):
        raise wrong
    address, colon, port = given.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif ":" in address:
        raise wrong
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise wrong
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise wrong from None
    return address.encode(), int(port)


def _check_backing(backing: BackingLike) -> None:
    """See that a backing can be used.

    Raises:
        ConfigurationError: It cannot.
    """
    if isinstance(backing, str):
        registry.stack_of(backing)
        return
    from wasi_backing.backing import Backing

    kind = backing if isinstance(backing, type) else type(backing)
    if not issubclass(kind, Backing):
        raise ConfigurationError(
            f"backing must be a name, or a Backing or a class of it, not {backing!r}"
        )
    if kind.wraps is not None:
        registry.stack_of(kind.wraps)


@dataclasses.dataclass(frozen=True)
class Options:
    """A checked configuration. It opens nothing and may serve many guests."""

    args: tuple[bytes, ...] | None
    env: tuple[bytes, ...]
    preopens: tuple[tuple[bytes, bytes, bool], ...]
    stdio: tuple[Any, Any, Any]
    backing: BackingLike
    listen: tuple[tuple[bytes, int], ...]
    ignore_rights: bool
    max_fds: int
    extras: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def check(
        cls,
        *,
        args: Sequence[Text] | None = None,
        env: Environment | None = None,
        preopens: Preopens | None = None,
        stdin: Stdio = None,
        stdout: Stdio = None,
        stderr: Stdio = None,
        backing: BackingLike = "minimal",
        listen: Iterable[str] = (),
        rights: Rights = "enforce",
        max_fds: int | None = None,
        extras: Mapping[str, str] | None = None,
    ) -> Options:
        """Check everything that can be checked without opening anything.

        Raises:
            ConfigurationError: Something cannot be used; the text names it.
        """
        if isinstance(args, (str, bytes)):
            raise ConfigurationError("args must be a list of arguments, not one text")
        if isinstance(listen, str):
            raise ConfigurationError("listen must be a list of ADDRESS:PORT")
        if rights not in ("enforce", "ignore"):
            raise ConfigurationError(
                f"rights must be 'enforce' or 'ignore', not {rights!r}"
            )
        if max_fds is not None and not 3 <= max_fds < 1 << 31:
            raise ConfigurationError(f"max_fds must be 3 or more, not {max_fds}")
        _check_backing(backing)
        streams = (stdin, stdout, stderr)
        for number, stream in enumerate(streams):
            stdio.check(number, stream)
        return cls(
            args=None
            if args is None
            else tuple(_encode(f"argument {n}", arg) for n, arg in enumerate(args)),
            env=tuple(_environment(env or {})),
            preopens=tuple(_preopens(preopens or {})),
            stdio=streams,
            backing=backing,
            listen=tuple(_listen(socket) for socket in listen),
            ignore_rights=rights == "ignore",
            max_fds=max_fds or 0,
            extras=tuple(
                (_encode("the key of an extra", key), _encode(f"extra {key}", value))
                for key, value in (extras or {}).items()
            ),
        )


def _python_context(options: Options, failures: Failures) -> Context | None:
    """Make the context of a backing in Python, for one guest."""
    if isinstance(options.backing, str):
        return None
    from wasi_backing import _trampolines  # noqa: F401  defines what C calls
    from wasi_backing._context import Context

    backing = options.backing
    backing = backing() if isinstance(backing, type) else backing
    return Context(backing, options, failures)


class Prepared:
    """Options for one guest as C reads them, with open streams.

    Attributes:
        options: `struct wb_options *`, valid as long as this object.
        stack: The tables of the backings, outermost first, and their number.
        streams: The guest's standard streams.
        failures: What Python code that C calls has stopped the guest with.
        context: Of a backing in Python; None for one in C.
    """

    def __init__(self, options: Options, argv0: bytes = b"") -> None:
        """Open the streams and fill the struct. `argv0` serves where args is None.

        Raises:
            ConfigurationError: A stream cannot be opened.
        """
        self._keep: list[Any] = []
        self.failures = Failures()
        self.context = _python_context(options, self.failures)
        tables = self._tables(options.backing)
        self.stack = (ffi.new("struct wb_backing *[]", tables), len(tables))
        self._error = ffi.new("char[]", ERROR_SIZE)
        self._ports = ffi.new("uint32_t[]", max(len(options.listen), 1))
        self._listening = len(options.listen)
        self.streams = stdio.Streams(options.stdio, self.failures)

        native = self.options = ffi.new("struct wb_options *")
        native.size = ffi.sizeof("struct wb_options")
        native.flags = lib.WB_OPTIONS_IGNORE_RIGHTS if options.ignore_rights else 0
        args = (argv0,) if options.args is None else options.args
        native.argv, native.argc = self._strings(args)
        native.envp, native.envc = self._strings(options.env)
        native.preopens, native.preopens_len = self._array(
            "struct wb_preopen",
            [
                (
                    self._string(name),
                    self._string(path),
                    lib.WB_PREOPEN_READ_ONLY if read_only else 0,
                )
                for name, path, read_only in self._host_preopens(options)
            ],
        )
        native.listens, native.listens_len = self._array(
            "struct wb_listen",
            [
                (self._string(address), port, 0, self._ports + number)
                for number, (address, port) in enumerate(options.listen)
            ],
        )
        native.extras, native.extras_len = self._array(
            "struct wb_extra",
            [
                (self._string(key), self._string(value))
                for key, value in (*options.extras, *self._own_extras())
            ],
        )
        native.max_fds = options.max_fds
        for number, descriptor in enumerate(self.streams.descriptors):
            stream = native.stdio[number]
            if number in self.streams.python:
                stream.kind = lib.WB_STDIO_STREAM
                stream.stream = self.streams.python[number].native
            elif descriptor is None:
                stream.kind = lib.WB_STDIO_NONE
            else:
                stream.kind = lib.WB_STDIO_DESCRIPTOR
                stream.descriptor = descriptor
        native.error = self._error
        native.error_len = ERROR_SIZE

    def _host_preopens(self, options: Options) -> Sequence[tuple[bytes, bytes, bool]]:
        """Leave preopens to a backing in Python that has files of its own."""
        own = self.context is not None and self.context.backing._own_files
        return () if own else options.preopens

    def _tables(self, backing: BackingLike) -> list[Any]:
        """Name the tables of the backings, outermost first."""
        if isinstance(backing, str):
            return list(registry.stack_of(backing))
        context = self.context
        assert context is not None
        behind = registry.stack_of(backing.wraps) if backing.wraps else []
        return [context.table, *behind]

    def _own_extras(self) -> list[tuple[bytes, bytes]]:
        """List the settings that a backing in Python makes of the one it wraps."""
        own = self.context.backing._extras if self.context else {}
        return [(key.encode(), value.encode()) for key, value in own.items()]

    def opening(self) -> contextlib.AbstractContextManager[None]:
        """Return what must be entered around making the guest in C."""
        return self.context.opening() if self.context else contextlib.nullcontext()

    def _string(self, value: bytes) -> Any:
        string = ffi.new("char[]", value)
        self._keep.append(string)
        return string

    def _strings(self, values: Sequence[bytes]) -> tuple[Any, int]:
        return self._array("char *", [self._string(value) for value in values])

    def _array(self, kind: str, values: Sequence[Any]) -> tuple[Any, int]:
        if not values:
            return ffi.NULL, 0
        array = ffi.new(f"{kind}[]", values)
        self._keep.append(array)
        return array, len(values)

    def ports(self) -> list[int]:
        """Tell the ports that are listened on, once a guest is open."""
        return [int(port) for port in self._ports[0 : self._listening]]

    def error(self, errno: int) -> BaseException:
        """Make the exception for a guest that could not be opened."""
        failure = self.failures.take()
        if failure:
            return failure
        why = ffi.string(self._error).decode("utf-8", "replace")
        return ConfigurationError(
            why or f"the backing answers {Errno(errno).spec_name}"
        )
