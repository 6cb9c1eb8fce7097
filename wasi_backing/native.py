"""The built-in backings as classes: what is not overridden stays in C, and
`super()` calls C.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from wasi_backing.backing import Backing, Buffers
from wasi_backing.errors import Interrupted, WasiError
from wasi_backing.ffi import ffi, lib
from wasi_backing.types import (
    Advice,
    Clock,
    Cookie,
    Dirent,
    Errno,
    Event,
    EventRwFlags,
    EventType,
    Fd,
    FdFlags,
    Fdstat,
    Filestat,
    Filetype,
    FstFlags,
    LookupFlags,
    OFlags,
    RiFlags,
    Rights,
    RoFlags,
    SdFlags,
    Signal,
    Subscription,
    Whence,
)

if TYPE_CHECKING:
    from wasi_backing._context import Context

T = TypeVar("T")

# How many entries of a directory are fetched from C at once.
_ENTRIES = 256


class NativeBacking(Backing):
    """A backing in C, some of whose calls a subclass overrides in Python.

    The methods here make the call in C; they may be called from an overriding
    method, on the thread that it runs on, and raise `WasiError` with the call's errno.
    Buffers may be any objects with the buffer protocol.
    """

    _not_an_override: ClassVar[bool] = True

    # ---- calling C ---------------------------------------------------------------

    def _behind(self, name: str, *arguments: Any) -> None:
        """Make a call of the backing in C."""
        context: Context | None = self._context
        if context is None or context.behind is None:
            raise RuntimeError(
                f"{name} of {type(self).__qualname__}: there is no guest"
            )
        pair = getattr(context.behind, name)
        if not pair.call:
            raise WasiError(Errno.NOSYS)
        answer = pair.call(pair.self, *arguments)
        if answer == lib.WB_STOP_GUEST:
            raise Interrupted
        if answer:
            raise WasiError(answer if answer < lib.WB_ERRNO_COUNT else Errno.IO)

    def _number(self, kind: str, name: str, *arguments: Any) -> int:
        """Make a call whose result is one number, stored last."""
        result = ffi.new(kind)
        self._behind(name, *arguments, result)
        return int(result[0])

    # ---- arguments and environment -------------------------------------------------

    def args_get(self) -> Sequence[str]:
        with _collect(_STRINGS) as (sink, found):
            self._behind("args_get", sink)
        return [str(item, "utf-8", "surrogateescape") for item in found]

    def args_sizes_get(self) -> tuple[int, int]:
        sizes = ffi.new("size_t[2]")
        self._behind("args_sizes_get", sizes, sizes + 1)
        return sizes[0], sizes[1]

    def environ_get(self) -> Sequence[str]:
        with _collect(_STRINGS) as (sink, found):
            self._behind("environ_get", sink)
        return [str(item, "utf-8", "surrogateescape") for item in found]

    def environ_sizes_get(self) -> tuple[int, int]:
        sizes = ffi.new("size_t[2]")
        self._behind("environ_sizes_get", sizes, sizes + 1)
        return sizes[0], sizes[1]

    # ---- clocks and random numbers ---------------------------------------------------

    def clock_res_get(self, id: Clock) -> int:
        return self._number("wb_timestamp *", "clock_res_get", id)

    def clock_time_get(self, id: Clock, precision: int) -> int:
        return self._number("wb_timestamp *", "clock_time_get", id, precision)

    def random_get(self, buf: memoryview) -> None:
        with ffi.from_buffer("uint8_t[]", buf, require_writable=True) as pointer:
            self._behind("random_get", pointer, len(pointer))

    # ---- descriptors -----------------------------------------------------------------

    def fd_advise(self, fd: Fd, offset: int, length: int, advice: Advice) -> None:
        self._behind("fd_advise", fd, offset, length, advice)

    def fd_allocate(self, fd: Fd, offset: int, length: int) -> None:
        self._behind("fd_allocate", fd, offset, length)

    def fd_close(self, fd: Fd) -> None:
        self._behind("fd_close", fd)

    def fd_datasync(self, fd: Fd) -> None:
        self._behind("fd_datasync", fd)

    def fd_fdstat_get(self, fd: Fd) -> Fdstat:
        native = ffi.new("wb_fdstat *")
        self._behind("fd_fdstat_get", fd, native)
        return Fdstat(
            Filetype(native.fs_filetype),
            FdFlags(native.fs_flags),
            Rights(native.fs_rights_base),
            Rights(native.fs_rights_inheriting),
        )

    def fd_fdstat_set_flags(self, fd: Fd, flags: FdFlags) -> None:
        self._behind("fd_fdstat_set_flags", fd, flags)

    def fd_fdstat_set_rights(
        self, fd: Fd, fs_rights_base: Rights, fs_rights_inheriting: Rights
    ) -> None:
        self._behind("fd_fdstat_set_rights", fd, fs_rights_base, fs_rights_inheriting)

    def fd_filestat_get(self, fd: Fd) -> Filestat:
        native = ffi.new("wb_filestat *")
        self._behind("fd_filestat_get", fd, native)
        return _filestat(native)

    def fd_filestat_set_size(self, fd: Fd, size: int) -> None:
        self._behind("fd_filestat_set_size", fd, size)

    def fd_filestat_set_times(
        self, fd: Fd, atim: int, mtim: int, fst_flags: FstFlags
    ) -> None:
        self._behind("fd_filestat_set_times", fd, atim, mtim, fst_flags)

    def fd_pread(self, fd: Fd, iovs: Buffers, offset: int) -> int:
        with _iovecs(iovs, writable=True) as native:
            return self._number("size_t *", "fd_pread", fd, *native, offset)

    def fd_prestat_get(self, fd: Fd) -> int:
        native = ffi.new("wb_prestat *")
        self._behind("fd_prestat_get", fd, native)
        return int(native.pr_name_len)

    def fd_prestat_dir_name(self, fd: Fd) -> str:
        length = NativeBacking.fd_prestat_get(self, fd)
        name = ffi.new("char[]", length)
        self._behind("fd_prestat_dir_name", fd, name, length)
        return str(ffi.buffer(name), "utf-8", "surrogateescape")

    def fd_pwrite(self, fd: Fd, iovs: Buffers, offset: int) -> int:
        with _iovecs(iovs, writable=False) as native:
            return self._number("size_t *", "fd_pwrite", fd, *native, offset)

    def fd_read(self, fd: Fd, iovs: Buffers) -> int:
        with _iovecs(iovs, writable=True) as native:
            return self._number("size_t *", "fd_read", fd, *native)

    def fd_readdir(self, fd: Fd, cookie: Cookie) -> Iterable[Dirent]:
        # The first entries are fetched at once, so that errors come at once.
        return _entries(self, fd, self._some_entries(fd, cookie))

    def _some_entries(self, fd: Fd, cookie: Cookie) -> list[Dirent]:
        with _collect(_DIRENTS) as (sink, found):
            self._behind("fd_readdir", fd, cookie, sink)
        return found

    def fd_renumber(self, fd: Fd, to: Fd) -> None:
        self._behind("fd_renumber", fd, to)

    def fd_seek(self, fd: Fd, offset: int, whence: Whence) -> int:
        return self._number("wb_filesize *", "fd_seek", fd, offset, whence)

    def fd_sync(self, fd: Fd) -> None:
        self._behind("fd_sync", fd)

    def fd_tell(self, fd: Fd) -> int:
        return self._number("wb_filesize *", "fd_tell", fd)

    def fd_write(self, fd: Fd, iovs: Buffers) -> int:
        with _iovecs(iovs, writable=False) as native:
            return self._number("size_t *", "fd_write", fd, *native)

    # ---- paths -----------------------------------------------------------------------

    def path_create_directory(self, fd: Fd, path: str) -> None:
        self._behind("path_create_directory", fd, *_path(path))

    def path_filestat_get(self, fd: Fd, flags: LookupFlags, path: str) -> Filestat:
        native = ffi.new("wb_filestat *")
        self._behind("path_filestat_get", fd, flags, *_path(path), native)
        return _filestat(native)

    def path_filestat_set_times(
        self,
        fd: Fd,
        flags: LookupFlags,
        path: str,
        atim: int,
        mtim: int,
        fst_flags: FstFlags,
    ) -> None:
        self._behind(
            "path_filestat_set_times", fd, flags, *_path(path), atim, mtim, fst_flags
        )

    def path_link(
        self,
        old_fd: Fd,
        old_flags: LookupFlags,
        old_path: str,
        new_fd: Fd,
        new_path: str,
    ) -> None:
        self._behind(
            "path_link", old_fd, old_flags, *_path(old_path), new_fd, *_path(new_path)
        )

    def path_open(
        self,
        fd: Fd,
        dirflags: LookupFlags,
        path: str,
        oflags: OFlags,
        fs_rights_base: Rights,
        fs_rights_inheriting: Rights,
        fdflags: FdFlags,
    ) -> Fd:
        rights = (fs_rights_base, fs_rights_inheriting)
        return Fd(
            self._number(
                "wb_fd *",
                "path_open",
                *(fd, dirflags, *_path(path), oflags, *rights, fdflags),
            )
        )

    def path_readlink(self, fd: Fd, path: str) -> str:
        target = ffi.new("char[]", lib.WB_MAX_PATH)
        used = self._number(
            "size_t *", "path_readlink", fd, *_path(path), target, lib.WB_MAX_PATH
        )
        return str(ffi.buffer(target, used), "utf-8", "surrogateescape")

    def path_remove_directory(self, fd: Fd, path: str) -> None:
        self._behind("path_remove_directory", fd, *_path(path))

    def path_rename(self, fd: Fd, old_path: str, new_fd: Fd, new_path: str) -> None:
        self._behind("path_rename", fd, *_path(old_path), new_fd, *_path(new_path))

    def path_symlink(self, old_path: str, fd: Fd, new_path: str) -> None:
        self._behind("path_symlink", *_path(old_path), fd, *_path(new_path))

    def path_unlink_file(self, fd: Fd, path: str) -> None:
        self._behind("path_unlink_file", fd, *_path(path))

    # ---- the others ------------------------------------------------------------------

    def poll_oneoff(self, subscriptions: Sequence[Subscription]) -> Iterable[Event]:
        native = ffi.new("wb_subscription[]", len(subscriptions))
        for one, subscription in zip(native, subscriptions, strict=True):
            one.userdata = subscription.userdata
            one.type = subscription.type
            if subscription.type == EventType.CLOCK:
                one.u.clock.id = subscription.clock
                one.u.clock.timeout = subscription.timeout
                one.u.clock.precision = subscription.precision
                one.u.clock.flags = subscription.flags
            else:
                one.u.fd = subscription.fd
        with _collect(_EVENTS) as (sink, found):
            self._behind("poll_oneoff", native, len(subscriptions), sink)
        return found

    def proc_exit(self, rval: int) -> None:
        self._behind("proc_exit", rval)

    def proc_raise(self, sig: Signal) -> None:
        self._behind("proc_raise", sig)

    def sched_yield(self) -> None:
        self._behind("sched_yield")

    def sock_accept(self, fd: Fd, flags: FdFlags) -> Fd:
        return Fd(self._number("wb_fd *", "sock_accept", fd, flags))

    def sock_recv(
        self, fd: Fd, ri_data: Buffers, ri_flags: RiFlags
    ) -> tuple[int, RoFlags]:
        count = ffi.new("size_t *")
        flags = ffi.new("wb_roflags *")
        with _iovecs(ri_data, writable=True) as native:
            self._behind("sock_recv", fd, *native, ri_flags, count, flags)
        return count[0], RoFlags(flags[0])

    def sock_send(self, fd: Fd, si_data: Buffers) -> int:
        with _iovecs(si_data, writable=False) as native:
            return self._number("size_t *", "sock_send", fd, *native)

    def sock_shutdown(self, fd: Fd, how: SdFlags) -> None:
        self._behind("sock_shutdown", fd, how)


class MinimalBacking(NativeBacking):
    """The minimal backing: POSIX, from scratch, and contained in its preopens."""

    _not_an_override = True
    wraps = "minimal"


class UvwasiBacking(NativeBacking):
    """The library behind Node.js; its path handling is no security boundary."""

    _not_an_override = True
    wraps = "uvwasi"

    def __init__(self, *, fixups: bool = True) -> None:
        """Make a backing for one guest at a time.

        Args:
            fixups: Add what uvwasi lacks to be conformant. False: uvwasi as it is,
                which refuses what it cannot do when the guest is opened.
        """
        if not fixups:
            self._extras = {"fixups": "off"}


class MemoryBacking(NativeBacking):
    """A file system in memory."""

    _not_an_override = True
    wraps = "memory"


# ---- from Python's values to C's -----------------------------------------------------


def _path(path: str) -> tuple[Any, int]:
    """Check a path as the layer checks a guest's."""
    if not path:
        raise WasiError(Errno.NOENT)
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise WasiError(Errno.ILSEQ) from None
    if b"\0" in encoded:
        raise WasiError(Errno.INVAL)
    if len(encoded) > lib.WB_MAX_PATH:
        raise WasiError(Errno.NAMETOOLONG)
    return encoded, len(encoded)


@contextlib.contextmanager
def _iovecs(buffers: Buffers, writable: bool) -> Iterator[tuple[Any, int]]:
    """Describe buffers as an array of iovecs, the empty ones left out."""
    with contextlib.ExitStack() as borrowed:
        pointers = [
            borrowed.enter_context(
                ffi.from_buffer("char[]", buffer, require_writable=writable)
            )
            for buffer in buffers
        ]
        spans = [(pointer, len(pointer)) for pointer in pointers if len(pointer)]
        del spans[lib.WB_MAX_IOVECS :]
        yield ffi.new("wb_iovec[]" if writable else "wb_ciovec[]", spans), len(spans)


# ---- from C's values to Python's -----------------------------------------------------


def _filestat(native: Any) -> Filestat:
    return Filestat(
        Filetype(native.filetype),
        size=native.size,
        ino=native.ino,
        dev=native.dev,
        nlink=native.nlink,
        atim=native.atim,
        mtim=native.mtim,
        ctim=native.ctim,
    )


def _entries(backing: NativeBacking, fd: Fd, entries: list[Dirent]) -> Iterator[Dirent]:
    while entries:
        yield from entries
        entries = backing._some_entries(fd, entries[-1].next)


# What sinks collect, by the sink's address. A sink lives for one call.
_collected: dict[Any, list[Any]] = {}

_STRINGS = ("struct wb_string_sink *", "py_string_sink_add")
_DIRENTS = ("struct wb_dirent_sink *", "py_dirent_sink_add")
_EVENTS = ("struct wb_event_sink *", "py_event_sink_add")


@contextlib.contextmanager
def _collect(kind: tuple[str, str]) -> Iterator[tuple[Any, list[Any]]]:
    """Make a sink, and the list that it fills."""
    sink = ffi.new(kind[0])
    sink.add = getattr(lib, kind[1])
    found = _collected[sink] = []
    try:
        yield sink, found
    finally:
        del _collected[sink]


@ffi.def_extern(error=1)
def py_string_sink_add(sink: Any, string: Any, length: int) -> int:
    """Collect a string."""
    _collected[sink].append(ffi.unpack(string, length))
    return 0


@ffi.def_extern(error=1)
def py_dirent_sink_add(sink: Any, entry: Any, name: Any) -> int:
    """Collect an entry."""
    found = _collected[sink]
    found.append(
        Dirent(
            str(ffi.unpack(name, entry.d_namlen), "utf-8", "surrogateescape"),
            Cookie(entry.d_next),
            entry.d_ino,
            Filetype(entry.d_type),
        )
    )
    return int(len(found) == _ENTRIES)


@ffi.def_extern(error=1)
def py_event_sink_add(sink: Any, event: Any) -> int:
    """Collect an event."""
    _collected[sink].append(
        Event(
            event.userdata,
            EventType(event.type),
            Errno(event.error),
            event.nbytes,
            EventRwFlags(event.flags),
        )
    )
    return 0
