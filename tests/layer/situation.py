"""A guest on a real backing with something to call: a directory, a file, a socket.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wasi_backing import DEVNULL, Errno, PlainGuest, Rights

SIZE = 4096

# What the descriptors of a guest are.
STDIN, STDOUT, DIRECTORY, LISTENER, FILE, SPARE = 0, 1, 3, 4, 5, 6

# Where things lie in memory: spans of the baseline do not meet.
PATH, OTHER_PATH, IOVS, BUFFER, OUT, OUT2, ARRAY = (
    256,
    512,
    768,
    1024,
    1280,
    1536,
    2048,
)

OPEN_RIGHTS = (
    Rights.FD_READ
    | Rights.FD_WRITE
    | Rights.FD_SEEK
    | Rights.FD_TELL
    | Rights.FD_FILESTAT_GET
)


def u32(guest: PlainGuest, offset: int) -> int:
    """Return the little-endian integer of 32 bits at an offset."""
    return int(struct.unpack_from("<I", guest.memory, offset)[0])


def put(guest: PlainGuest, offset: int, data: bytes) -> None:
    """Store bytes in the guest's memory."""
    guest.memory[offset : offset + len(data)] = data


def put_iovecs(guest: PlainGuest, offset: int, *spans: tuple[int, int]) -> None:
    """Store an array of iovecs."""
    put(guest, offset, b"".join(struct.pack("<II", *span) for span in spans))


@dataclass(frozen=True)
class Call:
    """A call with arguments that are good in a situation."""

    name: str
    arguments: tuple[int, ...]
    # What the last-fit row may answer besides SUCCESS on a fresh situation.
    answers: tuple[Errno, ...] = (Errno.SUCCESS,)


def _calls() -> list[Call]:
    path, other = (PATH, 4), (OTHER_PATH, 5)
    return [
        Call("args_get", (OUT, BUFFER)),
        Call("args_sizes_get", (OUT, OUT2)),
        Call("environ_get", (OUT, BUFFER)),
        Call("environ_sizes_get", (OUT, OUT2)),
        Call("clock_res_get", (1, OUT)),
        Call("clock_time_get", (1, 0, OUT)),
        Call("fd_fdstat_get", (FILE, OUT)),
        Call("fd_filestat_get", (FILE, OUT)),
        Call("fd_pread", (FILE, IOVS, 1, 0, OUT)),
        Call("fd_prestat_get", (DIRECTORY, OUT)),
        Call("fd_prestat_dir_name", (DIRECTORY, OUT, 1)),
        Call("fd_pwrite", (FILE, IOVS, 1, 0, OUT)),
        Call("fd_read", (FILE, IOVS, 1, OUT)),
        Call("fd_readdir", (DIRECTORY, BUFFER, 100, 0, OUT)),
        Call("fd_seek", (FILE, 0, 0, OUT)),
        Call("fd_tell", (FILE, OUT)),
        Call("fd_write", (FILE, IOVS, 1, OUT)),
        Call("path_create_directory", (DIRECTORY, *other)),
        Call("path_filestat_get", (DIRECTORY, 0, *path, OUT)),
        Call("path_filestat_set_times", (DIRECTORY, 0, *path, 0, 0, 0)),
        Call("path_link", (DIRECTORY, 0, *path, DIRECTORY, *other)),
        Call("path_open", (DIRECTORY, 0, *path, 0, int(OPEN_RIGHTS), 0, 0, OUT)),
        Call("path_readlink", (DIRECTORY, *path, BUFFER, 9, OUT), (Errno.INVAL,)),
        Call("path_remove_directory", (DIRECTORY, *path), (Errno.NOTDIR,)),
        Call("path_rename", (DIRECTORY, *path, DIRECTORY, *other)),
        Call("path_symlink", (*path, DIRECTORY, *other)),
        Call("path_unlink_file", (DIRECTORY, *path)),
        Call("poll_oneoff", (ARRAY, BUFFER, 1, OUT)),
        Call("random_get", (BUFFER, 9)),
        Call("sock_accept", (FILE, 0, OUT), (Errno.NOTSOCK,)),
        Call("sock_recv", (FILE, IOVS, 1, 0, OUT, OUT2), (Errno.NOTSOCK,)),
        Call("sock_send", (FILE, IOVS, 1, 0, OUT), (Errno.NOTSOCK,)),
    ]


# Each call with a pointer.
CALLS = {call.name: call for call in _calls()}


def lay_out(guest: PlainGuest) -> None:
    """Fill memory with '?', and put what the calls of CALLS read in its place."""
    guest.memory[:] = b"?" * len(guest.memory)
    put(guest, PATH, b"file")
    put(guest, OTHER_PATH, b"other")
    put_iovecs(guest, IOVS, (BUFFER, 8))
    put(guest, ARRAY, bytes(56))


@contextmanager
def situation(backing: str, directory: Path, **settings: Any) -> Iterator[PlainGuest]:
    """Open a guest that has DIRECTORY (rights and all) and FILE open."""
    (directory / "file").write_bytes(b"0123456789")
    options: dict[str, Any] = {
        "backing": backing,
        "args": ["app", "x"],
        "env": {"K": "V"},
        "preopens": {"/": str(directory)},
        "listen": ["127.0.0.1:0"],
        "stdin": DEVNULL,
        "stdout": DEVNULL,
        "stderr": DEVNULL,
        "memory_size": SIZE,
    }
    with PlainGuest(**{**options, **settings}) as guest:
        lay_out(guest)
        opened = guest.call(
            "path_open", DIRECTORY, 0, PATH, 4, 0, int(OPEN_RIGHTS), 0, 0, OUT
        )
        assert (opened, u32(guest, OUT)) == (Errno.SUCCESS, FILE)
        lay_out(guest)
        yield guest
