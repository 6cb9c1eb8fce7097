"""From C to Python: one function for each slot of `struct wb_backing`.

Each turns native arguments into Python's, calls the method, checks what it returns
and stores it. Nothing that a method raises gets into C: `_slot` is the only place
that catches it.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from wasi_backing import _context, registry
from wasi_backing._context import Context
from wasi_backing.backing import DERIVED
from wasi_backing.ffi import ffi, lib
from wasi_backing.types import (
    Advice,
    Clock,
    Dirent,
    Errno,
    Event,
    EventType,
    FdFlags,
    Fdstat,
    Filestat,
    FstFlags,
    LookupFlags,
    OFlags,
    RiFlags,
    Rights,
    SdFlags,
    Signal,
    SubClockFlags,
    Subscription,
    Whence,
)

_STOP = lib.WB_STOP_GUEST
_U16 = (1 << 16) - 1
_U32 = (1 << 32) - 1
_U64 = (1 << 64) - 1

# Members by value: making an enum's member from a number costs more than a call.
_CLOCKS = tuple(Clock)
_ADVICES = tuple(Advice)
_WHENCES = tuple(Whence)
_SIGNALS = tuple(Signal)
_EVENT_TYPES = tuple(EventType)
_FDFLAGS = tuple(FdFlags(bits) for bits in range(32))
_FSTFLAGS = tuple(FstFlags(bits) for bits in range(16))
_LOOKUPFLAGS = tuple(LookupFlags(bits) for bits in range(2))
_OFLAGS = tuple(OFlags(bits) for bits in range(16))
_RIFLAGS = tuple(RiFlags(bits) for bits in range(4))
_SDFLAGS = tuple(SdFlags(bits) for bits in range(4))
_rights = functools.lru_cache(maxsize=256)(Rights)


def _escaped(kind: Any, error: Any, traceback: Any) -> None:
    """Keep an exception from before a slot's first line, such as an interrupt."""
    handle = traceback.tb_frame.f_locals.get("handle") if traceback else None
    if handle:
        context: Context = ffi.from_handle(handle)
        context.failures.keep(error)
    else:
        sys.excepthook(kind, error, traceback)


def _slot(function: Callable[..., None]) -> None:
    """Make a slot: `function` without the way in and out."""
    from_handle = ffi.from_handle

    def trampoline(handle: Any, *arguments: Any) -> int:
        context: Context = from_handle(handle)
        try:
            function(context, *arguments)
        except BaseException as error:  # the only place: nothing may get into C
            return context.failures.answer(error)
        return 0

    name = f"py_{function.__name__.lstrip('_')}"
    ffi.def_extern(name=name, error=_STOP, onerror=_escaped)(trampoline)


# ---- what travels in both directions -------------------------------------------------


def _text(pointer: Any, length: int) -> str:
    return str(ffi.unpack(pointer, length), "utf-8")


def _encode(context: Context, name: str, value: Any) -> bytes:
    """Turn text that a method returned into bytes."""
    if not isinstance(value, str):
        raise context.wrong(name, value, "a str")
    if "\0" in value:
        raise context.wrong(name, value, "a str without a NUL")
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise context.wrong(name, value, "a str that can be encoded") from None


def _spans(iovs: Any, count: int) -> list[tuple[Any, int]]:
    return [(iovs[n].buf, iovs[n].buf_len) for n in range(count)]


def _store_filestat(context: Context, name: str, value: Any, to: Any) -> None:
    if not isinstance(value, Filestat):
        raise context.wrong(name, value, "a Filestat")
    for field in ("dev", "ino", "nlink", "size", "atim", "mtim", "ctim"):
        number = getattr(value, field)
        if not isinstance(number, int) or not 0 <= number <= _U64:
            raise context.wrong(name, value, f"a Filestat with a usable {field}")
        setattr(to, field, number)
    to.filetype = value.filetype


# ---- life ----------------------------------------------------------------------------


@ffi.def_extern(error=_STOP)
def py_context_init(options: Any, handle: Any) -> int:
    """Make the context that is being opened on this thread."""
    context = _context.current()
    handle[0] = ffi.NULL
    try:
        handle[0] = context.begin()
    except BaseException as error:  # raised again by whoever opens the guest
        context.failures.keep(error)
        return int(Errno.CANCELED)
    return 0


@ffi.def_extern()
def py_context_destroy(handle: Any) -> None:
    """End a context; what goes wrong can only be shown."""
    if handle:
        ffi.from_handle(handle).end()


@ffi.def_extern(error=_STOP)
def py_wrap(handle: Any, behind: Any) -> int:
    """Keep what stands behind, for `super()`."""
    context: Context = ffi.from_handle(handle)
    context.behind = ffi.new("struct wb_pairs *")
    ffi.memmove(context.behind, behind, min(behind.size, ffi.sizeof("struct wb_pairs")))
    return 0


# ---- arguments and environment -------------------------------------------------------


def _strings(context: Context, name: str) -> list[bytes]:
    value = context.call(name)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise context.wrong(name, value, "a sequence of str")
    return [_encode(context, name, item) for item in value]


def _sizes(context: Context, name: str, count: Any, size: Any) -> None:
    if name in context.methods:
        value = context.call(name)
        if not isinstance(value, tuple) or len(value) != 2:
            raise context.wrong(name, value, "a tuple of two numbers")
        count[0], size[0] = (context.integer(name, number, _U32) for number in value)
    else:
        strings = _strings(context, DERIVED[name])
        count[0] = len(strings)
        size[0] = sum(map(len, strings)) + len(strings)


def _add_strings(context: Context, name: str, sink: Any) -> None:
    for string in _strings(context, name):
        if sink.add(sink, string, len(string)):
            return


@_slot
def _args_sizes_get(context: Context, argc: Any, argv_buf_size: Any) -> None:
    _sizes(context, "args_sizes_get", argc, argv_buf_size)


@_slot
def _args_get(context: Context, sink: Any) -> None:
    _add_strings(context, "args_get", sink)


@_slot
def _environ_sizes_get(context: Context, count: Any, size: Any) -> None:
    _sizes(context, "environ_sizes_get", count, size)


@_slot
def _environ_get(context: Context, sink: Any) -> None:
    _add_strings(context, "environ_get", sink)


# ---- clocks and random numbers -------------------------------------------------------


@_slot
def _clock_res_get(context: Context, id: int, resolution: Any) -> None:
    value = context.call("clock_res_get", _CLOCKS[id])
    resolution[0] = context.integer("clock_res_get", value, _U64)


@_slot
def _clock_time_get(context: Context, id: int, precision: int, time: Any) -> None:
    value = context.call("clock_time_get", _CLOCKS[id], precision)
    time[0] = context.integer("clock_time_get", value, _U64)


@_slot
def _random_get(context: Context, buf: Any, buf_len: int) -> None:
    with context.views("random_get", [(buf, buf_len)], True) as (view,):
        context.call("random_get", view)


# ---- descriptors ---------------------------------------------------------------------


@_slot
def _fd_advise(context: Context, fd: int, offset: int, length: int, how: int) -> None:
    context.call("fd_advise", fd, offset, length, _ADVICES[how])


@_slot
def _fd_fdstat_get(context: Context, fd: int, fdstat: Any) -> None:
    value = context.call("fd_fdstat_get", fd)
    if not isinstance(value, Fdstat):
        raise context.wrong("fd_fdstat_get", value, "an Fdstat")
    fdstat.fs_filetype = value.filetype
    fdstat.fs_flags = value.flags
    fdstat.fs_rights_base = value.rights_base
    fdstat.fs_rights_inheriting = value.rights_inheriting


@_slot
def _fd_fdstat_set_flags(context: Context, fd: int, flags: int) -> None:
    context.call("fd_fdstat_set_flags", fd, _FDFLAGS[flags])


@_slot
def _fd_fdstat_set_rights(context: Context, fd: int, base: int, more: int) -> None:
    context.call("fd_fdstat_set_rights", fd, _rights(base), _rights(more))


@_slot
def _fd_filestat_get(context: Context, fd: int, filestat: Any) -> None:
    value = context.call("fd_filestat_get", fd)
    _store_filestat(context, "fd_filestat_get", value, filestat)


@_slot
def _fd_filestat_set_times(
    context: Context, fd: int, atim: int, mtim: int, flags: int
) -> None:
    context.call("fd_filestat_set_times", fd, atim, mtim, _FSTFLAGS[flags])


def _plain(name: str) -> None:
    """Make the slot of a call whose numbers pass as they are and that tells nothing."""

    def function(context: Context, *arguments: int) -> None:
        context.call(name, *arguments)

    function.__name__ = name
    _slot(function)


for _name in (
    *("fd_allocate", "fd_close", "fd_datasync", "fd_filestat_set_size"),
    *("fd_renumber", "fd_sync", "proc_exit", "sched_yield"),
):
    _plain(_name)


def _transfer(
    context: Context,
    name: str,
    fd: int,
    spans: list[tuple[Any, int]],
    writable: bool,
    *arguments: Any,
) -> Any:
    """Lend spans to a method, and return what it returns."""
    with context.views(name, spans, writable) as views:
        return context.call(name, fd, views, *arguments)


def _count(
    context: Context, name: str, value: Any, spans: list[tuple[Any, int]]
) -> int:
    return context.integer(name, value, sum(length for _, length in spans))


@_slot
def _fd_pread(
    context: Context, fd: int, iovs: Any, n: int, offset: int, nread: Any
) -> None:
    spans = _spans(iovs, n)
    value = _transfer(context, "fd_pread", fd, spans, True, offset)
    nread[0] = _count(context, "fd_pread", value, spans)


@_slot
def _fd_pwrite(
    context: Context, fd: int, iovs: Any, n: int, offset: int, nwritten: Any
) -> None:
    spans = _spans(iovs, n)
    value = _transfer(context, "fd_pwrite", fd, spans, False, offset)
    nwritten[0] = _count(context, "fd_pwrite", value, spans)


@_slot
def _fd_read(context: Context, fd: int, iovs: Any, n: int, nread: Any) -> None:
    spans = _spans(iovs, n)
    value = _transfer(context, "fd_read", fd, spans, True)
    nread[0] = _count(context, "fd_read", value, spans)


@_slot
def _fd_write(context: Context, fd: int, iovs: Any, n: int, nwritten: Any) -> None:
    spans = _spans(iovs, n)
    value = _transfer(context, "fd_write", fd, spans, False)
    nwritten[0] = _count(context, "fd_write", value, spans)


def _preopen_name(context: Context, fd: int) -> bytes:
    name = "fd_prestat_dir_name"
    return _encode(context, name, context.call(name, fd))


@_slot
def _fd_prestat_get(context: Context, fd: int, prestat: Any) -> None:
    if "fd_prestat_get" in context.methods:
        value = context.call("fd_prestat_get", fd)
        length = context.integer("fd_prestat_get", value, _U32)
    else:
        length = len(_preopen_name(context, fd))
    prestat.pr_name_len = length
    prestat.tag = 0


@_slot
def _fd_prestat_dir_name(context: Context, fd: int, path: Any, path_len: int) -> None:
    name = _preopen_name(context, fd)
    if len(name) != path_len:
        raise context.wrong("fd_prestat_dir_name", name, f"{path_len} bytes as before")
    ffi.memmove(path, name, path_len)


@_slot
def _fd_readdir(context: Context, fd: int, cookie: int, sink: Any) -> None:
    name = "fd_readdir"
    entries = context.call(name, fd, cookie)
    native = ffi.new("wb_dirent *")
    try:
        for entry in entries:
            if not isinstance(entry, Dirent):
                raise context.wrong(name, entry, "entries that are a Dirent")
            text = _encode(context, name, entry.name)
            native.d_next = context.integer(name, entry.next, _U64)
            native.d_ino = context.integer(name, entry.ino, _U64)
            native.d_namlen = len(text)
            native.d_type = entry.filetype
            if sink.add(sink, native, text):
                return
    finally:
        close = getattr(entries, "close", None)
        if close:  # a generator that has more to tell
            close()


@_slot
def _fd_seek(
    context: Context, fd: int, offset: int, whence: int, newoffset: Any
) -> None:
    value = context.call("fd_seek", fd, offset, _WHENCES[whence])
    newoffset[0] = context.integer("fd_seek", value, _U64)


@_slot
def _fd_tell(context: Context, fd: int, offset: Any) -> None:
    offset[0] = context.integer("fd_tell", context.call("fd_tell", fd), _U64)


# ---- paths ---------------------------------------------------------------------------


def _one_path(name: str) -> None:
    """Make the slot of a call that takes a descriptor and a path, and tells nothing."""

    def function(context: Context, fd: int, path: Any, path_len: int) -> None:
        context.call(name, fd, _text(path, path_len))

    function.__name__ = name
    _slot(function)


for _name in ("path_create_directory", "path_remove_directory", "path_unlink_file"):
    _one_path(_name)


@_slot
def _path_filestat_get(
    context: Context, fd: int, flags: int, path: Any, path_len: int, filestat: Any
) -> None:
    name = "path_filestat_get"
    value = context.call(name, fd, _LOOKUPFLAGS[flags], _text(path, path_len))
    _store_filestat(context, name, value, filestat)


@_slot
def _path_filestat_set_times(
    context: Context,
    fd: int,
    flags: int,
    path: Any,
    path_len: int,
    atim: int,
    mtim: int,
    fst_flags: int,
) -> None:
    context.call(
        "path_filestat_set_times",
        fd,
        _LOOKUPFLAGS[flags],
        _text(path, path_len),
        atim,
        mtim,
        _FSTFLAGS[fst_flags],
    )


@_slot
def _path_link(
    context: Context,
    old_fd: int,
    old_flags: int,
    old_path: Any,
    old_path_len: int,
    new_fd: int,
    new_path: Any,
    new_path_len: int,
) -> None:
    context.call(
        "path_link",
        old_fd,
        _LOOKUPFLAGS[old_flags],
        _text(old_path, old_path_len),
        new_fd,
        _text(new_path, new_path_len),
    )


@_slot
def _path_open(
    context: Context,
    fd: int,
    dirflags: int,
    path: Any,
    path_len: int,
    oflags: int,
    base: int,
    inheriting: int,
    fdflags: int,
    opened: Any,
) -> None:
    value = context.call(
        "path_open",
        fd,
        _LOOKUPFLAGS[dirflags],
        _text(path, path_len),
        _OFLAGS[oflags],
        _rights(base),
        _rights(inheriting),
        _FDFLAGS[fdflags],
    )
    opened[0] = context.integer("path_open", value, _U32)


@_slot
def _path_readlink(
    context: Context,
    fd: int,
    path: Any,
    path_len: int,
    buf: Any,
    buf_len: int,
    bufused: Any,
) -> None:
    value = context.call("path_readlink", fd, _text(path, path_len))
    target = _encode(context, "path_readlink", value)
    if len(target) > buf_len:
        raise context.wrong("path_readlink", value, f"{buf_len} bytes at the most")
    ffi.memmove(buf, target, len(target))
    bufused[0] = len(target)


@_slot
def _path_rename(
    context: Context,
    fd: int,
    old_path: Any,
    old_path_len: int,
    new_fd: int,
    new_path: Any,
    new_path_len: int,
) -> None:
    old = _text(old_path, old_path_len)
    context.call("path_rename", fd, old, new_fd, _text(new_path, new_path_len))


@_slot
def _path_symlink(
    context: Context,
    old_path: Any,
    old_path_len: int,
    fd: int,
    new_path: Any,
    new_path_len: int,
) -> None:
    old = _text(old_path, old_path_len)
    context.call("path_symlink", old, fd, _text(new_path, new_path_len))


# ---- the others ----------------------------------------------------------------------


def _subscription(native: Any) -> Subscription:
    if native.type == EventType.CLOCK:
        clock = native.u.clock
        return Subscription(
            native.userdata,
            EventType.CLOCK,
            clock=_CLOCKS[clock.id],
            timeout=clock.timeout,
            precision=clock.precision,
            flags=SubClockFlags(clock.flags),
        )
    return Subscription(native.userdata, _EVENT_TYPES[native.type], fd=native.u.fd)


@_slot
def _poll_oneoff(context: Context, subscriptions: Any, n: int, sink: Any) -> None:
    name = "poll_oneoff"
    events = context.call(name, [_subscription(subscriptions[i]) for i in range(n)])
    native = ffi.new("wb_event *")
    for event in events:
        if not isinstance(event, Event):
            raise context.wrong(name, event, "events that are an Event")
        native.userdata = context.integer(name, event.userdata, _U64)
        native.nbytes = context.integer(name, event.nbytes, _U64)
        native.error = context.integer(name, event.error, _U16)
        native.flags = event.flags
        native.type = event.type
        if sink.add(sink, native):
            return


@_slot
def _proc_raise(context: Context, sig: int) -> None:
    context.call("proc_raise", _SIGNALS[sig])


@_slot
def _sock_accept(context: Context, fd: int, flags: int, new_fd: Any) -> None:
    value = context.call("sock_accept", fd, _FDFLAGS[flags])
    new_fd[0] = context.integer("sock_accept", value, _U32)


@_slot
def _sock_recv(
    context: Context,
    fd: int,
    iovs: Any,
    n: int,
    ri_flags: int,
    ro_datalen: Any,
    ro_flags: Any,
) -> None:
    name = "sock_recv"
    spans = _spans(iovs, n)
    value = _transfer(context, name, fd, spans, True, _RIFLAGS[ri_flags])
    if not isinstance(value, tuple) or len(value) != 2:
        raise context.wrong(name, value, "a tuple of a number and RoFlags")
    ro_datalen[0] = _count(context, name, value[0], spans)
    ro_flags[0] = context.integer(name, value[1], _U16)


@_slot
def _sock_send(context: Context, fd: int, iovs: Any, n: int, so_datalen: Any) -> None:
    spans = _spans(iovs, n)
    value = _transfer(context, "sock_send", fd, spans, False)
    so_datalen[0] = _count(context, "sock_send", value, spans)


@_slot
def _sock_shutdown(context: Context, fd: int, how: int) -> None:
    context.call("sock_shutdown", fd, _SDFLAGS[how])


_missing = [name for name in registry.calls() if not hasattr(lib, f"py_{name}")]
assert not _missing, f"no trampoline for {_missing}"
