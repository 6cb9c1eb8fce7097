"""Files, directories and links in memory, and the way of a path among them.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Union

from wasi_backing.backing import Buffers
from wasi_backing.errors import WasiError
from wasi_backing.types import Cookie, Dirent, Errno, Filestat, Filetype, FstFlags

#: A directory: a file is bytes, a link a `Link`, a directory a mapping like this one.
Tree = Mapping[str, Union[bytes, "Link", "Mapping[str, Any]"]]

MAX_LINKS = 32
MAX_NAME = 255


def fail(errno: Errno) -> NoReturn:
    """Answer a call with an errno."""
    raise WasiError(errno)


# ---- what there is ------------------------------------------------------------------


class Link(str):
    """What a symbolic link holds, in a tree that is given or told."""


class Node:
    """Something that has a name in a directory, or several."""

    filetype: Filetype
    _numbers = itertools.count(1)

    def __init__(self) -> None:
        """Make a node that has no name yet."""
        self.ino = next(Node._numbers)
        self.nlink = 0
        self.atim = self.mtim = self.ctim = time.time_ns()

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return 0

    def changed(self) -> None:
        """Take note of a change."""
        self.mtim = self.ctim = time.time_ns()

    def filestat(self) -> Filestat:
        """Describe the node."""
        times = (self.atim, self.mtim, self.ctim)
        return Filestat(self.filetype, self.size, self.ino, 1, self.nlink, *times)

    def set_times(self, atim: int, mtim: int, flags: FstFlags) -> None:
        """Set those times that have a flag."""
        now = time.time_ns()
        if flags & (FstFlags.ATIM | FstFlags.ATIM_NOW):
            self.atim = atim if flags & FstFlags.ATIM else now
        if flags & (FstFlags.MTIM | FstFlags.MTIM_NOW):
            self.mtim = mtim if flags & FstFlags.MTIM else now
        self.ctim = now


class File(Node):
    """A regular file."""

    filetype = Filetype.REGULAR_FILE

    def __init__(self, data: bytes = b"") -> None:
        """Make a file of these bytes."""
        super().__init__()
        self.data = bytearray(data)

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return len(self.data)

    def resize(self, size: int, most: int) -> None:
        """Cut the file or fill it up with zeros; FBIG beyond `most`."""
        if size > most:
            fail(Errno.FBIG)
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))
        self.changed()

    def read(self, offset: int, buffers: Buffers) -> int:
        """Fill buffers from an offset on; return how many bytes there were."""
        start = offset
        with memoryview(self.data) as data:
            for buffer in buffers:
                with data[offset : offset + len(buffer)] as part:
                    buffer[: len(part)] = part
                    offset += len(part)
        self.atim = time.time_ns()
        return offset - start

    def write(self, offset: int, buffers: Buffers, most: int) -> int:
        """Write buffers at an offset; return how many bytes there were."""
        end = offset + sum(map(len, buffers))
        if end > most:
            fail(Errno.FBIG)
        if end > offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        start = offset
        for buffer in buffers:
            self.data[offset : offset + len(buffer)] = buffer
            offset += len(buffer)
        self.changed()
        return offset - start


class Symlink(Node):
    """A symbolic link."""

    filetype = Filetype.SYMBOLIC_LINK

    def __init__(self, target: str) -> None:
        """Make a link that holds this path."""
        super().__init__()
        self.target = target

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return len(self.target.encode())


class Directory(Node):
    """A directory: names in the order of their making, each with its cookie."""

    filetype = Filetype.DIRECTORY

    def __init__(self, tree: Tree | None = None) -> None:
        """Make a directory with what a tree has."""
        super().__init__()
        self.nlink = 2
        self.parent = self
        self._names: dict[str, tuple[int, Node]] = {}
        # Cookies rise with each name, are never used again, and those of `.` and
        # `..` come first: so they stay valid while names come and go.
        self._cookies = itertools.count(2)
        for name, content in (tree or {}).items():
            if not isinstance(name, str) or not name or name in (".", ".."):
                raise ValueError(f"{name!r} cannot be the name of a file")
            if "/" in name or "\0" in name or len(name.encode()) > MAX_NAME:
                raise ValueError(f"{name!r} cannot be the name of a file")
            self.add(name, _node(name, content))

    def is_empty(self) -> bool:
        """Tell whether there is no name."""
        return not self._names

    def get(self, name: str) -> Node | None:
        """Find what a name stands for."""
        return self._names.get(name, (0, None))[1]

    def add(self, name: str, node: Node) -> None:
        """Give a node a name here, in place of what had it."""
        if self.nlink == 0:
            fail(Errno.NOENT)
        if name in self._names:
            self.remove(name)
        self._names[name] = (next(self._cookies), node)
        node.nlink += 1
        if isinstance(node, Directory):
            node.parent = self
            node.nlink = 2 + sum(isinstance(n, Directory) for _, n in node.items())
            self.nlink += 1
        node.ctim = time.time_ns()
        self.changed()

    def remove(self, name: str) -> None:
        """Take a name away; what it stood for lives on while it is open."""
        _, node = self._names.pop(name)
        node.nlink -= 1
        if isinstance(node, Directory):
            node.nlink = 0
            self.nlink -= 1
        node.ctim = time.time_ns()
        self.changed()

    def items(self) -> Iterator[tuple[str, Node]]:
        """Tell names and nodes."""
        for name, (_, node) in list(self._names.items()):
            yield name, node

    def entries(self, cookie: int, parent: Directory) -> Iterator[Dirent]:
        """Tell entries from a cookie on; `parent` is what `..` says."""
        if cookie == 0:
            yield Dirent(".", Cookie(1), self.ino, self.filetype)
        if cookie <= 1:
            yield Dirent("..", Cookie(2), parent.ino, self.filetype)
        for name, (number, node) in list(self._names.items()):
            if number >= cookie:
                yield Dirent(name, Cookie(number + 1), node.ino, node.filetype)


def _node(name: str, content: object) -> Node:
    if isinstance(content, Link) and content:
        return Symlink(str(content))
    if isinstance(content, (bytes, bytearray, memoryview)):
        return File(bytes(content))
    if isinstance(content, Mapping):
        return Directory(content)
    raise TypeError(f"{name!r}: expected bytes, a mapping or a Link, not {content!r}")


# ---- paths ---------------------------------------------------------------------------


class How(enum.Enum):
    """What to make of the last name of a path."""

    #: Follow a link; nothing need be there.
    FOLLOW = enum.auto()
    #: Do not follow a link, unless a slash comes behind it.
    NOFOLLOW = enum.auto()
    #: As FOLLOW, and a file is to be made: no slash may come behind.
    CREATE = enum.auto()
    #: The name itself is meant, whatever it stands for.
    ENTRY = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: a name in a directory, and what has it, if anything."""

    directory: Directory
    name: str
    node: Node | None
    #: A slash comes behind the name.
    slash: bool


def resolve(root: Directory, path: str, how: How) -> Place:
    """Go from `root` along a path, and never above it."""
    if path.startswith("/"):
        fail(Errno.NOTCAPABLE)
    names = _names(path)
    slash = path.endswith("/")
    directory, links = root, 0
    while True:
        name = names.pop()
        if name in (".", ".."):
            if name == ".." and directory is root:
                fail(Errno.NOTCAPABLE)
            directory = directory.parent if name == ".." else directory
            if not names:
                return Place(directory, name, directory, slash)
            continue
        if len(name.encode()) > MAX_NAME:
            fail(Errno.NAMETOOLONG)
        if not names and slash and how is How.CREATE:
            fail(Errno.ISDIR)
        node = directory.get(name)
        followed = names or how in (How.FOLLOW, How.CREATE)
        if not followed:
            followed = slash and how is How.NOFOLLOW
        if isinstance(node, Symlink) and followed:
            links += 1
            if links > MAX_LINKS:
                fail(Errno.LOOP)
            if node.target.startswith("/"):
                fail(Errno.NOTCAPABLE)
            slash = slash or (not names and node.target.endswith("/"))
            names += _names(node.target)
        elif names:
            if not isinstance(node, Directory):
                fail(Errno.NOTDIR if node else Errno.NOENT)
            directory = node
        else:
            wrong = node is not None and not isinstance(node, Directory)
            if wrong and slash and how is not How.ENTRY:
                fail(Errno.NOTDIR)
            return Place(directory, name, node, slash)


def _names(path: str) -> list[str]:
    return [name for name in reversed(path.split("/")) if name]
