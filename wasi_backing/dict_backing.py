"""A file system in memory, in Python: the backing to read first.

`nodes.py` has files and directories, and finds paths among them; here are the calls.
Streams, sockets, clocks and waiting stay in C, behind `super()`.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Sequence

from wasi_backing.backing import Buffers
from wasi_backing.errors import ConfigurationError, WasiError
from wasi_backing.native import MinimalBacking
from wasi_backing.nodes import (
    Directory,
    File,
    How,
    Link,
    Node,
    Place,
    Symlink,
    Tree,
    fail,
    resolve,
)
from wasi_backing.options import Options
from wasi_backing.types import (
    Advice,
    Cookie,
    Dirent,
    Errno,
    Event,
    EventType,
    Fd,
    FdFlags,
    Fdstat,
    Filestat,
    FstFlags,
    LookupFlags,
    OFlags,
    RiFlags,
    Rights,
    RoFlags,
    SdFlags,
    Subscription,
    Whence,
)

_MAX_OFFSET = (1 << 63) - 1
_ALL = Rights((1 << 30) - 1)
_READING = Rights.FD_READ | Rights.FD_READDIR
# What only a descriptor that is opened for writing can do.
_WRITING = Rights.FD_WRITE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE
_OF_DIRECTORY = Rights.FD_READDIR | Rights(
    sum(right for right in Rights if str(right.name).startswith("PATH_"))
)
_OF_BOTH = (
    Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_DATASYNC
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_TIMES
)
_SOCKET = Rights.SOCK_ACCEPT | Rights.SOCK_SHUTDOWN
_OF_FILE = _ALL & ~_OF_DIRECTORY & ~_SOCKET
_NONE = Rights(0)


@dataclasses.dataclass(slots=True)
class Open:
    """A file or directory that the guest has open."""

    node: Node
    base: Rights
    inheriting: Rights
    read_only: bool
    flags: FdFlags = FdFlags(0)
    position: int = 0
    #: The guest's name of a preopened directory.
    preopen: str | None = None


class DictBacking(MinimalBacking):
    """Files in memory, given as a dict and read back as one.

        backing = DictBacking({"hello.txt": b"hi", "sub": {"to": Link("../hello.txt")}})
        WASI(backing=backing).run("app.wasm")
        print(backing.tree())

    The guest finds the whole tree as `/`. With preopens it finds those instead, whose
    paths are directories of the tree. The files stay when the guest ends.
    """

    _own_files = True
    #: What is preopened unless the guest's options say otherwise.
    _whole: Sequence[tuple[bytes, bytes, bool]] = ((b"/", b"/", False),)

    def __init__(self, tree: Tree | None = None, *, max_size: int = 1 << 30) -> None:
        """Begin with a tree; `max_size` limits the bytes of one file (FBIG).

        Raises:
            TypeError: Something in the tree is no bytes, mapping or Link.
            ValueError: A name cannot be one.
        """
        self.root = Directory(tree)
        self._max_size = max_size

    def tree(self) -> dict[str, object]:
        """Return all files as they are now."""
        return _tree(self.root)

    def context_init(self, options: Options) -> None:
        """Open the preopens. Descriptors that C has are their number there."""
        self._max_fds = options.max_fds or 1024
        self._ignore_rights = options.ignore_rights
        self._files: dict[int, Open | int] = {0: 0, 1: 1, 2: 2}
        for name, path, read_only in options.preopens or self._whole:
            at = os.fsdecode(path).strip("/") or "."
            try:
                node = resolve(self.root, at, How.FOLLOW).node
            except WasiError:
                node = None
            if not isinstance(node, Directory):
                raise ConfigurationError(f"preopen {name!r}: no directory {at!r}")
            opened = Open(node, _OF_DIRECTORY | _OF_BOTH, _ALL, read_only)
            opened.preopen = os.fsdecode(name)
            self._files[len(self._files)] = opened
        for number in range(len(options.listen)):
            self._files[len(self._files)] = 3 + number

    # ---- descriptors ------------------------------------------------------------

    def _fd(self, fd: int, need: Rights, *, directory: bool = True) -> Open | int:
        """Find a descriptor that may do something; a number is C's affair."""
        file = self._files.get(fd)
        if file is None:
            fail(Errno.BADF)
        if isinstance(file, Open):
            if not directory and isinstance(file.node, Directory):
                fail(Errno.BADF)
            have = file.base
            if have & Rights.FD_SEEK:
                have |= Rights.FD_TELL
            if need & ~have and not self._ignore_rights:
                fail(Errno.NOTCAPABLE)
        return file

    def _file(self, fd: int, need: Rights) -> tuple[Open, File] | int:
        """Find a file; whoever ignores rights still heeds how it was opened."""
        file = self._fd(fd, need, directory=False)
        if not isinstance(file, Open):
            return file
        if need & (_READING | _WRITING) & ~file.base:
            fail(Errno.BADF)
        assert isinstance(file.node, File)
        return file, file.node

    def _directory(self, fd: int, need: Rights) -> tuple[Open, Directory]:
        file = self._files.get(fd)
        if file is None:
            fail(Errno.BADF)
        if not isinstance(file, Open) or not isinstance(file.node, Directory):
            fail(Errno.NOTDIR)
        self._fd(fd, need)
        return file, file.node

    def _free(self) -> int:
        """Return the lowest free number; standard streams keep theirs."""
        number = next(n for n in itertools.count(3) if n not in self._files)
        if number >= self._max_fds:
            fail(Errno.NFILE)
        return number

    def fd_advise(self, fd: Fd, offset: int, length: int, advice: Advice) -> None:
        file = self._file(fd, Rights.FD_ADVISE)
        if isinstance(file, int):
            super().fd_advise(Fd(file), offset, length, advice)
        elif offset + length > _MAX_OFFSET:
            fail(Errno.INVAL)

    def fd_allocate(self, fd: Fd, offset: int, length: int) -> None:
        found = self._file(fd, Rights.FD_ALLOCATE)
        if isinstance(found, int):
            return super().fd_allocate(Fd(found), offset, length)
        if length == 0 or offset + length > _MAX_OFFSET:
            fail(Errno.INVAL)
        if offset + length > found[1].size:
            found[1].resize(offset + length, self._max_size)

    def fd_close(self, fd: Fd) -> None:
        file = self._fd(fd, _NONE)
        del self._files[fd]
        if isinstance(file, int):
            super().fd_close(Fd(file))

    def fd_sync(self, fd: Fd) -> None:
        file = self._fd(fd, Rights.FD_SYNC)
        if isinstance(file, int):
            super().fd_sync(Fd(file))

    def fd_datasync(self, fd: Fd) -> None:
        file = self._fd(fd, Rights.FD_DATASYNC)
        if isinstance(file, int):
            super().fd_datasync(Fd(file))

    def fd_fdstat_get(self, fd: Fd) -> Fdstat:
        file = self._fd(fd, _NONE)
        if isinstance(file, int):
            return super().fd_fdstat_get(Fd(file))
        return Fdstat(file.node.filetype, file.flags, file.base, file.inheriting)

    def fd_fdstat_set_flags(self, fd: Fd, flags: FdFlags) -> None:
        file = self._fd(fd, Rights.FD_FDSTAT_SET_FLAGS, directory=False)
        if isinstance(file, int):
            return super().fd_fdstat_set_flags(Fd(file), flags)
        file.flags = flags

    def fd_fdstat_set_rights(
        self, fd: Fd, fs_rights_base: Rights, fs_rights_inheriting: Rights
    ) -> None:
        base, inheriting = fs_rights_base, fs_rights_inheriting
        file = self._fd(fd, _NONE)
        if isinstance(file, int):
            return super().fd_fdstat_set_rights(Fd(file), base, inheriting)
        if self._ignore_rights:
            fail(Errno.NOTSUP)
        if base & ~file.base or inheriting & ~file.inheriting:
            fail(Errno.NOTCAPABLE)
        file.base, file.inheriting = base, inheriting

    def fd_filestat_get(self, fd: Fd) -> Filestat:
        file = self._fd(fd, Rights.FD_FILESTAT_GET)
        if isinstance(file, int):
            return super().fd_filestat_get(Fd(file))
        return file.node.filestat()

    def fd_filestat_set_size(self, fd: Fd, size: int) -> None:
        file = self._fd(fd, Rights.FD_FILESTAT_SET_SIZE, directory=False)
        if isinstance(file, int):
            return super().fd_filestat_set_size(Fd(file), size)
        if size > _MAX_OFFSET or not file.base & Rights.FD_FILESTAT_SET_SIZE:
            fail(Errno.INVAL)
        assert isinstance(file.node, File)
        file.node.resize(size, self._max_size)

    def fd_filestat_set_times(
        self, fd: Fd, atim: int, mtim: int, fst_flags: FstFlags
    ) -> None:
        file = self._fd(fd, Rights.FD_FILESTAT_SET_TIMES)
        if isinstance(file, int):
            return super().fd_filestat_set_times(Fd(file), atim, mtim, fst_flags)
        if file.read_only:
            fail(Errno.ROFS)
        file.node.set_times(atim, mtim, fst_flags)

    def fd_prestat_dir_name(self, fd: Fd) -> str:
        file = self._fd(fd, _NONE)
        if isinstance(file, int) or file.preopen is None:
            fail(Errno.BADF)
        return file.preopen

    def fd_renumber(self, fd: Fd, to: Fd) -> None:
        self._fd(fd, _NONE)
        replaced = self._fd(to, _NONE)
        if fd != to:
            self._files[to] = self._files.pop(fd)
            if isinstance(replaced, int):
                super().fd_close(Fd(replaced))

    # ---- contents ---------------------------------------------------------------

    def fd_read(self, fd: Fd, iovs: Buffers) -> int:
        found = self._file(fd, Rights.FD_READ)
        if isinstance(found, int):
            return super().fd_read(Fd(found), iovs)
        file, node = found
        count = node.read(file.position, iovs)
        file.position += count
        return count

    def fd_pread(self, fd: Fd, iovs: Buffers, offset: int) -> int:
        found = self._file(fd, Rights.FD_READ | Rights.FD_SEEK)
        if isinstance(found, int):
            return super().fd_pread(Fd(found), iovs, offset)
        if offset > _MAX_OFFSET:
            fail(Errno.INVAL)
        return found[1].read(offset, iovs)

    def fd_write(self, fd: Fd, iovs: Buffers) -> int:
        found = self._file(fd, Rights.FD_WRITE)
        if isinstance(found, int):
            return super().fd_write(Fd(found), iovs)
        file, node = found
        offset = node.size if file.flags & FdFlags.APPEND else file.position
        count = node.write(offset, iovs, self._max_size)
        file.position = offset + count
        return count

    def fd_pwrite(self, fd: Fd, iovs: Buffers, offset: int) -> int:
        found = self._file(fd, Rights.FD_WRITE | Rights.FD_SEEK)
        if isinstance(found, int):
            return super().fd_pwrite(Fd(found), iovs, offset)
        if offset > _MAX_OFFSET:
            fail(Errno.INVAL)
        return found[1].write(offset, iovs, self._max_size)

    def fd_readdir(self, fd: Fd, cookie: Cookie) -> Iterable[Dirent]:
        file, node = self._directory(fd, Rights.FD_READDIR)
        # What is above a preopened directory is not the guest's to know.
        return node.entries(cookie, node if file.preopen else node.parent)

    def fd_seek(self, fd: Fd, offset: int, whence: Whence) -> int:
        asking = offset == 0 and whence == Whence.CUR
        found = self._file(fd, Rights.FD_TELL if asking else Rights.FD_SEEK)
        if isinstance(found, int):
            return super().fd_seek(Fd(found), offset, whence)
        file, node = found
        position = offset + (0, file.position, node.size)[whence]
        if not 0 <= position <= _MAX_OFFSET:
            fail(Errno.INVAL)
        file.position = position
        return position

    def fd_tell(self, fd: Fd) -> int:
        found = self._file(fd, Rights.FD_TELL)
        return (
            super().fd_tell(Fd(found)) if isinstance(found, int) else found[0].position
        )

    # ---- paths ------------------------------------------------------------------

    def _find(self, fd: int, need: Rights, path: str, how: How) -> Node:
        node = resolve(self._directory(fd, need)[1], path, how).node
        return node or fail(Errno.NOENT)

    def _change(self, fd: int, need: Rights, path: str, how: How) -> Place:
        """Find a place that is about to change."""
        file, directory = self._directory(fd, need)
        place = resolve(directory, path, how)
        if file.read_only:
            fail(Errno.ROFS)
        return place

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
        need, passed_on = Rights.PATH_OPEN, fs_rights_base | fs_rights_inheriting
        if oflags & OFlags.CREAT:
            need |= Rights.PATH_CREATE_FILE
        if oflags & OFlags.TRUNC:
            need |= Rights.PATH_FILESTAT_SET_SIZE
        if fdflags & FdFlags.DSYNC:
            passed_on |= Rights.FD_DATASYNC
        if fdflags & (FdFlags.RSYNC | FdFlags.SYNC):
            passed_on |= Rights.FD_SYNC
        root, directory = self._directory(fd, need)
        if passed_on & ~root.inheriting and not self._ignore_rights:
            fail(Errno.NOTCAPABLE)
        if oflags & OFlags.DIRECTORY and oflags & ~OFlags.DIRECTORY:
            fail(Errno.INVAL)
        number = self._free()
        reading, writing = fs_rights_base & _READING, fs_rights_base & _WRITING
        node = self._open(root, directory, dirflags, path, oflags, bool(writing))
        base = _OF_DIRECTORY | _OF_BOTH if isinstance(node, Directory) else _OF_FILE
        if not writing:
            base &= ~_WRITING
        elif not reading:
            base &= ~Rights.FD_READ
        inheriting = _ALL if isinstance(node, Directory) else _NONE
        if not self._ignore_rights:
            base, inheriting = base & fs_rights_base, fs_rights_inheriting
        self._files[number] = Open(node, base, inheriting, root.read_only, fdflags)
        return Fd(number)

    def _open(
        self,
        root: Open,
        directory: Directory,
        flags: LookupFlags,
        path: str,
        oflags: OFlags,
        writing: bool,
    ) -> Node:
        """Find the node to open, or make it."""
        how = How.FOLLOW if flags else How.NOFOLLOW
        if oflags & OFlags.CREAT:
            how = How.CREATE if flags and not oflags & OFlags.EXCL else How.ENTRY
        place = resolve(directory, path, how)
        node = place.node
        if how is How.ENTRY and place.slash and place.name not in (".", ".."):
            fail(Errno.ISDIR)
        changing = writing or oflags & OFlags.TRUNC
        if node is None:
            if not oflags & OFlags.CREAT:
                fail(Errno.NOENT)
            if root.read_only:
                fail(Errno.ROFS)
            node = File()
            place.directory.add(place.name, node)
        elif oflags & OFlags.CREAT and oflags & OFlags.EXCL:
            fail(Errno.EXIST)
        elif isinstance(node, Symlink):
            fail(Errno.LOOP)
        elif isinstance(node, Directory):
            if root.read_only and changing:
                fail(Errno.ROFS)
            if changing or oflags & OFlags.CREAT:
                fail(Errno.ISDIR)
        elif oflags & OFlags.DIRECTORY:
            fail(Errno.NOTDIR)
        elif root.read_only and changing:
            fail(Errno.ROFS)
        elif oflags & OFlags.TRUNC and isinstance(node, File):
            node.resize(0, self._max_size)
        return node

    def path_create_directory(self, fd: Fd, path: str) -> None:
        place = self._change(fd, Rights.PATH_CREATE_DIRECTORY, path, How.ENTRY)
        if place.node:
            fail(Errno.EXIST)
        place.directory.add(place.name, Directory())

    def path_filestat_get(self, fd: Fd, flags: LookupFlags, path: str) -> Filestat:
        how = How.FOLLOW if flags else How.NOFOLLOW
        return self._find(fd, Rights.PATH_FILESTAT_GET, path, how).filestat()

    def path_filestat_set_times(
        self,
        fd: Fd,
        flags: LookupFlags,
        path: str,
        atim: int,
        mtim: int,
        fst_flags: FstFlags,
    ) -> None:
        how = How.FOLLOW if flags else How.NOFOLLOW
        place = self._change(fd, Rights.PATH_FILESTAT_SET_TIMES, path, how)
        (place.node or fail(Errno.NOENT)).set_times(atim, mtim, fst_flags)

    def path_link(
        self,
        old_fd: Fd,
        old_flags: LookupFlags,
        old_path: str,
        new_fd: Fd,
        new_path: str,
    ) -> None:
        how = How.FOLLOW if old_flags else How.NOFOLLOW
        self._directory(new_fd, Rights.PATH_LINK_TARGET)
        old = self._change(old_fd, Rights.PATH_LINK_SOURCE, old_path, how)
        node = old.node or fail(Errno.NOENT)
        new = self._change(new_fd, Rights.PATH_LINK_TARGET, new_path, How.ENTRY)
        if new.node:
            fail(Errno.EXIST)
        if new.slash:
            fail(Errno.NOENT)
        if isinstance(node, Directory):
            fail(Errno.PERM)
        new.directory.add(new.name, node)

    def path_readlink(self, fd: Fd, path: str) -> str:
        node = self._find(fd, Rights.PATH_READLINK, path, How.NOFOLLOW)
        if not isinstance(node, Symlink):
            fail(Errno.INVAL)
        return node.target

    def path_remove_directory(self, fd: Fd, path: str) -> None:
        place = self._change(fd, Rights.PATH_REMOVE_DIRECTORY, path, How.ENTRY)
        if place.name in (".", ".."):
            fail(Errno.INVAL if place.name == "." else Errno.NOTEMPTY)
        node = place.node or fail(Errno.NOENT)
        if not isinstance(node, Directory):
            fail(Errno.NOTDIR)
        if not node.is_empty():
            fail(Errno.NOTEMPTY)
        place.directory.remove(place.name)

    def path_rename(self, fd: Fd, old_path: str, new_fd: Fd, new_path: str) -> None:
        self._directory(new_fd, Rights.PATH_RENAME_TARGET)
        old = self._change(fd, Rights.PATH_RENAME_SOURCE, old_path, How.ENTRY)
        new = self._change(new_fd, Rights.PATH_RENAME_TARGET, new_path, How.ENTRY)
        if {old.name, new.name} & {".", ".."}:
            fail(Errno.BUSY)
        node = old.node or fail(Errno.NOENT)
        if not isinstance(node, Directory):
            if old.slash or new.slash:
                fail(Errno.NOTDIR)
        elif _is_below(new.directory, node):
            fail(Errno.INVAL)
        if new.node is node:
            return
        if isinstance(new.node, Directory):
            if _is_below(old.directory, new.node):
                fail(Errno.NOTEMPTY)
            if not isinstance(node, Directory):
                fail(Errno.ISDIR)
            if not new.node.is_empty():
                fail(Errno.NOTEMPTY)
        elif new.node and isinstance(node, Directory):
            fail(Errno.NOTDIR)
        old.directory.remove(old.name)
        new.directory.add(new.name, node)

    def path_symlink(self, old_path: str, fd: Fd, new_path: str) -> None:
        if old_path.startswith("/"):
            fail(Errno.NOTCAPABLE)
        place = self._change(fd, Rights.PATH_SYMLINK, new_path, How.ENTRY)
        if place.node:
            fail(Errno.EXIST)
        if place.slash:
            fail(Errno.NOENT)
        place.directory.add(place.name, Symlink(old_path))

    def path_unlink_file(self, fd: Fd, path: str) -> None:
        place = self._change(fd, Rights.PATH_UNLINK_FILE, path, How.ENTRY)
        node = place.node or fail(Errno.NOENT)
        if isinstance(node, Directory):
            fail(Errno.ISDIR)
        if place.slash:
            fail(Errno.NOTDIR)
        place.directory.remove(place.name)

    # ---- waiting, and sockets ---------------------------------------------------

    def poll_oneoff(self, subscriptions: Sequence[Subscription]) -> Iterable[Event]:
        """Files are always ready; C waits for the rest."""
        events, rest = [], []
        for asked in subscriptions:
            if asked.type == EventType.CLOCK:
                rest.append((asked, asked.fd))
                continue
            reading = asked.type == EventType.FD_READ
            need = Rights.FD_READ if reading else Rights.FD_WRITE
            try:
                found = self._file(asked.fd, need | Rights.POLL_FD_READWRITE)
            except WasiError as error:
                events.append(Event(asked.userdata, asked.type, error.errno_wasi))
                continue
            if isinstance(found, int):
                rest.append((asked, Fd(found)))
                continue
            file, node = found
            left = max(node.size - file.position, 0) if reading else 0
            events.append(Event(asked.userdata, asked.type, nbytes=left))
        waits = [
            dataclasses.replace(asked, userdata=number, fd=fd)
            for number, (asked, fd) in enumerate(rest)
        ]
        if events and waits:  # look, do not wait
            waits.append(Subscription(len(rest), EventType.CLOCK))
        for event in super().poll_oneoff(waits) if waits else ():
            if event.userdata < len(rest):
                userdata = rest[event.userdata][0].userdata
                events.append(dataclasses.replace(event, userdata=userdata))
        return events

    def _socket(self, fd: int) -> Fd:
        file = self._fd(fd, _NONE)
        return fail(Errno.NOTSOCK) if isinstance(file, Open) else Fd(file)

    def sock_accept(self, fd: Fd, flags: FdFlags) -> Fd:
        inner, number = self._socket(fd), self._free()
        self._files[number] = super().sock_accept(inner, flags)
        return Fd(number)

    def sock_recv(
        self, fd: Fd, ri_data: Buffers, ri_flags: RiFlags
    ) -> tuple[int, RoFlags]:
        return super().sock_recv(self._socket(fd), ri_data, ri_flags)

    def sock_send(self, fd: Fd, si_data: Buffers) -> int:
        return super().sock_send(self._socket(fd), si_data)

    def sock_shutdown(self, fd: Fd, how: SdFlags) -> None:
        super().sock_shutdown(self._socket(fd), how)


def _is_below(directory: Directory, ancestor: Node) -> bool:
    while directory is not ancestor and directory.parent is not directory:
        directory = directory.parent
    return directory is ancestor


def _tree(directory: Directory) -> dict[str, object]:
    tree: dict[str, object] = {}
    for name, node in directory.items():
        if isinstance(node, Directory):
            tree[name] = _tree(node)
        elif isinstance(node, Symlink):
            tree[name] = Link(node.target)
        elif isinstance(node, File):
            tree[name] = bytes(node.data)
    return tree
