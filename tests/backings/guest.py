"""A guest in Python: calls of WASI by name, with strings and numbers for pointers.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from wasi_backing import DEVNULL, Errno, PlainGuest, Rights

from .mirror import Mirror

SIZE = 1 << 20
# Where arguments lie in memory; a transfer may use the last half.
PATH, OTHER_PATH, IOVS, OUT, BUFFER = 1024, 8192, 16384, 20480, SIZE // 2

READ = Rights.FD_READ | Rights.FD_SEEK | Rights.FD_TELL | Rights.FD_FILESTAT_GET
WRITE = Rights.FD_WRITE | Rights.FD_SEEK | Rights.FD_TELL
ALL = (1 << 30) - 1
# What path_open can ask of a file, and of a directory.
FILE_RIGHTS = int(
    READ
    | WRITE
    | Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_DATASYNC
    | Rights.FD_ALLOCATE
    | Rights.FD_ADVISE
    | Rights.FD_FILESTAT_SET_SIZE
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.POLL_FD_READWRITE
)
DIRECTORY_RIGHTS = int(
    Rights.FD_READDIR
    | Rights.PATH_OPEN
    | Rights.PATH_CREATE_FILE
    | Rights.PATH_FILESTAT_GET
    | Rights.PATH_UNLINK_FILE
    | Rights.FD_FILESTAT_GET
)
CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
FOLLOW = 1
APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Stat:
    dev: int
    ino: int
    filetype: int
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


@dataclass(frozen=True)
class Event:
    userdata: int
    error: Errno
    type: int
    nbytes: int
    flags: int


class Guest(PlainGuest):
    """A guest whose calls are methods; a failing one raises Failed."""

    def __init__(self, backing: str, root: Any = None, **settings: Any) -> None:
        settings.setdefault("stdin", DEVNULL)
        settings.setdefault("stdout", DEVNULL)
        settings.setdefault("stderr", DEVNULL)
        if root is not None:
            settings.setdefault("preopens", {"/": root})
        self._mirror: Mirror | None = None
        if backing == "dict":
            self._mirror = Mirror(settings.pop("preopens", {}))
            backing = self._mirror.backing
            settings["preopens"] = self._mirror.preopens
        super().__init__(backing=backing, memory_size=SIZE, **settings)

    def call(self, name: str, *arguments: int, unstable: bool = False) -> Errno:
        if self._mirror is None:
            return super().call(name, *arguments, unstable=unstable)
        self._mirror.take_in()
        answer = super().call(name, *arguments, unstable=unstable)
        if name in Mirror.CHANGING:
            self._mirror.give_out()
        return answer

    def __enter__(self) -> Guest:
        super().__enter__()
        return self

    # -- memory ------------------------------------------------------------------

    def put(self, offset: int, data: bytes) -> None:
        self.memory[offset : offset + len(data)] = data

    def get(self, layout: str, offset: int = OUT) -> Any:
        found = struct.unpack_from("<" + layout, self.memory, offset)
        return found[0] if len(found) == 1 else found

    def text(self, text: str | bytes, offset: int = PATH) -> tuple[int, int]:
        data = text.encode() if isinstance(text, str) else text
        self.put(offset, data)
        return offset, len(data)

    # -- calls: each returns an Errno, or what it answers --------------------------

    def open(
        self,
        path: str,
        oflags: int = 0,
        rights: int = int(READ),
        *,
        fd: int = 3,
        follow: bool = True,
        inheriting: int = ALL,
        fdflags: int = 0,
    ) -> Errno | int:
        """Open; the new descriptor, or an Errno."""
        errno = self.call(
            "path_open",
            *(fd, int(follow), *self.text(path), oflags),
            *(int(rights), inheriting, fdflags, OUT),
        )
        return int(self.get("I")) if errno is Errno.SUCCESS else errno

    def must_open(self, *arguments: Any, **keywords: Any) -> int:
        fd = self.open(*arguments, **keywords)
        assert not isinstance(fd, Errno), fd
        return fd

    def try_open(self, *arguments: Any, **keywords: Any) -> Errno:
        """Open and close again; what opening answers."""
        fd = self.open(*arguments, **keywords)
        if isinstance(fd, Errno):
            return fd
        assert self.call("fd_close", fd) is Errno.SUCCESS
        return Errno.SUCCESS

    def write(self, fd: int, data: bytes, offset: int | None = None) -> Errno | int:
        self.put(BUFFER, data)
        self.put(IOVS, struct.pack("<II", BUFFER, len(data)))
        if offset is None:
            errno = self.call("fd_write", fd, IOVS, 1, OUT)
        else:
            errno = self.call("fd_pwrite", fd, IOVS, 1, offset, OUT)
        return int(self.get("I")) if errno is Errno.SUCCESS else errno

    def read(self, fd: int, room: int, offset: int | None = None) -> Errno | bytes:
        self.put(IOVS, struct.pack("<II", BUFFER, room))
        if offset is None:
            errno = self.call("fd_read", fd, IOVS, 1, OUT)
        else:
            errno = self.call("fd_pread", fd, IOVS, 1, offset, OUT)
        if errno is not Errno.SUCCESS:
            return errno
        return bytes(self.memory[BUFFER : BUFFER + self.get("I")])

    def seek(self, fd: int, offset: int, whence: int = 0) -> Errno | int:
        errno = self.call("fd_seek", fd, offset, whence, OUT)
        return int(self.get("Q")) if errno is Errno.SUCCESS else errno

    def fdstat(self, fd: int) -> tuple[int, int, int, int]:
        """Return the file type, the flags and both masks of rights."""
        assert self.call("fd_fdstat_get", fd, OUT) is Errno.SUCCESS
        filetype, flags, base, inheriting = self.get("BxHxxxxQQ")
        return filetype, flags, base, inheriting

    def stat(self, path: str, follow: bool = True, fd: int = 3) -> Errno | Stat:
        errno = self.call("path_filestat_get", fd, int(follow), *self.text(path), OUT)
        return self._stat() if errno is Errno.SUCCESS else errno

    def must_stat(self, path: str, follow: bool = True) -> Stat:
        found = self.stat(path, follow)
        assert isinstance(found, Stat), found
        return found

    def fstat(self, fd: int) -> Stat:
        assert self.call("fd_filestat_get", fd, OUT) is Errno.SUCCESS
        return self._stat()

    def _stat(self) -> Stat:
        return Stat(*self.get("QQB7xQQQQQ"))

    def path_call(self, name: str, path: str | bytes, *more: int, fd: int = 3) -> Errno:
        """Make a call that takes a descriptor and a path first."""
        return self.call(name, fd, *self.text(path), *more)

    def two_paths(self, name: str, old: str, new: str, *, fds: Any = (3, 3)) -> Errno:
        """path_rename, or path_link without following."""
        flags = (0,) if name == "path_link" else ()
        return self.call(
            name,
            *(fds[0], *flags, *self.text(old)),
            *(fds[1], *self.text(new, OTHER_PATH)),
        )

    def symlink(self, old: str, new: str) -> Errno:
        return self.call(
            "path_symlink", *self.text(old), 3, *self.text(new, OTHER_PATH)
        )

    def readlink(self, path: str, room: int = 4096) -> Errno | bytes:
        errno = self.path_call("path_readlink", path, BUFFER, room, OUT)
        if errno is not Errno.SUCCESS:
            return errno
        return bytes(self.memory[BUFFER : BUFFER + self.get("I")])

    def list(
        self, fd: int = 3, room: int = 4096, cookie: int = 0
    ) -> list[tuple[int, int, int, bytes]]:
        """List a directory in steps of `room` bytes: next cookie, inode, type, name."""
        found = []
        while True:
            errno = self.call("fd_readdir", fd, BUFFER, room, cookie, OUT)
            assert errno is Errno.SUCCESS, errno
            used = self.get("I")
            at, before = 0, len(found)
            while at + 24 <= used:
                following, inode, length, filetype = self.get("QQIBxxx", BUFFER + at)
                if at + 24 + length > used:
                    break
                name = bytes(self.memory[BUFFER + at + 24 : BUFFER + at + 24 + length])
                found.append((following, inode, filetype, name))
                cookie = following
                at += 24 + length
            if used < room:
                return found
            assert len(found) > before, "no room for a single entry"

    def poll(self, *subscriptions: bytes) -> list[Event] | Errno:
        self.put(BUFFER, b"".join(subscriptions))
        out = BUFFER + 65536
        errno = self.call("poll_oneoff", BUFFER, out, len(subscriptions), OUT)
        if errno is not Errno.SUCCESS:
            return errno
        events = []
        for n in range(self.get("I")):
            userdata, error, kind, nbytes, flags = self.get(
                "QHBxxxxxQH6x", out + 32 * n
            )
            events.append(Event(userdata, Errno(error), kind, nbytes, flags))
        return events


def on_clock(userdata: int, clock: int, timeout: int, absolute: bool = False) -> bytes:
    """Return a subscription to a clock."""
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, clock, timeout, 0, int(absolute))


def on_fd(userdata: int, fd: int, write: bool = False) -> bytes:
    """Return a subscription to a descriptor."""
    return struct.pack("<QB7xI28x", userdata, 2 if write else 1, fd)
