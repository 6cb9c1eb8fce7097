"""Backings in Python: subclass `Backing`, override what you support.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    NoReturn,
    TypeAlias,
    TypeVar,
)

from wasi_backing import registry
from wasi_backing.errors import WasiError
from wasi_backing.types import (
    Advice,
    Clock,
    Cookie,
    Dirent,
    Errno,
    Event,
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
    Signal,
    Subscription,
    Whence,
)

if TYPE_CHECKING:
    from wasi_backing._context import Context
    from wasi_backing.options import Options

T = TypeVar("T")

#: What a method may return: the result, or a coroutine for it (`async def`).
Result: TypeAlias = T | Awaitable[T]

#: Spans of guest memory, none of them empty, in the order of use.
Buffers: TypeAlias = Sequence[memoryview]

#: Calls whose answer follows from that of another one.
DERIVED: Final = {
    "args_sizes_get": "args_get",
    "environ_sizes_get": "environ_get",
    "fd_prestat_get": "fd_prestat_dir_name",
}


class Backing:
    """What a guest can ask of its host. Override only what you support.

    A method has the name of its call, and answers it in one of three ways.

    - It returns the result.
    - It raises `WasiError`, or any `OSError` (FileNotFoundError becomes NOENT), and
      the guest gets the errno. `NotImplementedError` is NOSYS.
    - It raises anything else: the guest is stopped, and `run()` raises that very
      exception, with its traceback.

    What is not overridden answers NOSYS, like a call that a backing in C lacks.
    A method may be `async def`: see `WASI.run_async`.

    Memory: a memoryview is the guest's own memory, already checked, and writable
    only where the guest expects bytes. It is released when the method returns (a
    coroutine: when it has finished): copy, don't keep. If a slice or another view of
    it is kept nevertheless, the run ends with an exception that names the method.

    Text: names and paths come as `str`, always valid and without a NUL. In names
    that you return, bytes that are not UTF-8 can be given as lone surrogates, as
    `os.fsdecode` makes them; the guest is not told such a name.

    Life: an object serves one guest at a time. `context_init` comes first and
    `context_destroy` last, on the thread that opens and closes the guest. Calls come
    one at a time, on the guest's thread. Pass the class instead of an object
    to get a new object for each guest.
    """

    #: The name in messages and traces; the class's own unless it is set.
    name: ClassVar[str] = ""

    #: The built-in backing that answers what is not overridden; None: nothing does.
    wraps: ClassVar[str | None] = None

    _not_an_override: ClassVar[bool] = True

    #: Settings of the built-in backing, besides those of the options' `extras`.
    _extras: Mapping[str, str] = MappingProxyType({})

    #: Preopens are places in files of its own, and not opened by what it wraps.
    _own_files: ClassVar[bool] = False

    #: The guest that is served at the moment.
    _context: Context | None = None

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Refuse a method that looks like a call but is none."""
        super().__init_subclass__(**arguments)
        cls._not_an_override = "_not_an_override" in vars(cls)
        check_names(cls.__qualname__, vars(cls))

    def context_init(self, options: Options) -> None:
        """Get ready for a guest. An exception here is raised by whoever opens it."""

    def context_destroy(self) -> None:
        """Release what the guest left open. Called once after every context_init
        that returned.
        """

    # ---- arguments and environment -----------------------------------------------

    def args_get(self) -> Result[Sequence[str]]:
        """Return the arguments, the program's name first."""
        _nosys()

    def args_sizes_get(self) -> Result[tuple[int, int]]:
        """Return how many arguments there are, and their bytes with terminators.

        There is no need to override it: it follows from `args_get`.
        """
        _nosys()

    def environ_get(self) -> Result[Sequence[str]]:
        """Return the environment, each variable as NAME=VALUE."""
        _nosys()

    def environ_sizes_get(self) -> Result[tuple[int, int]]:
        """Return the number of variables, and their bytes with terminators.

        There is no need to override it: it follows from `environ_get`.
        """
        _nosys()

    # ---- clocks and random numbers -------------------------------------------------

    def clock_res_get(self, id: Clock) -> Result[int]:
        """Return the resolution of a clock in nanoseconds."""
        _nosys()

    def clock_time_get(self, id: Clock, precision: int) -> Result[int]:
        """Return the time of a clock in nanoseconds.

        The guest lets the answer be `precision` nanoseconds off.
        """
        _nosys()

    def random_get(self, buf: memoryview) -> Result[None]:
        """Fill all of `buf` with random bytes."""
        _nosys()

    # ---- descriptors ----------------------------------------------------------------

    def fd_advise(
        self, fd: Fd, offset: int, length: int, advice: Advice
    ) -> Result[None]:
        """Hear how the guest will use a part of a file; `length` 0 is up to its end."""
        _nosys()

    def fd_allocate(self, fd: Fd, offset: int, length: int) -> Result[None]:
        """Make sure that a part of a file has storage."""
        _nosys()

    def fd_close(self, fd: Fd) -> Result[None]:
        """Close a descriptor; it is closed also when an error is raised."""
        _nosys()

    def fd_datasync(self, fd: Fd) -> Result[None]:
        """Bring a file's data to storage. Without it, `fd_sync` is called."""
        _nosys()

    def fd_fdstat_get(self, fd: Fd) -> Result[Fdstat]:
        """Describe a descriptor. Guests read from its rights what they may do."""
        _nosys()

    def fd_fdstat_set_flags(self, fd: Fd, flags: FdFlags) -> Result[None]:
        """Set how a descriptor behaves from now on."""
        _nosys()

    def fd_fdstat_set_rights(
        self, fd: Fd, fs_rights_base: Rights, fs_rights_inheriting: Rights
    ) -> Result[None]:
        """Take rights away; NOTCAPABLE for one that the descriptor lacks."""
        _nosys()

    def fd_filestat_get(self, fd: Fd) -> Result[Filestat]:
        """Describe the file behind a descriptor."""
        _nosys()

    def fd_filestat_set_size(self, fd: Fd, size: int) -> Result[None]:
        """Cut or extend a file; new bytes read as zero."""
        _nosys()

    def fd_filestat_set_times(
        self, fd: Fd, atim: int, mtim: int, fst_flags: FstFlags
    ) -> Result[None]:
        """Set those times of a file that have a flag, in nanoseconds."""
        _nosys()

    def fd_pread(self, fd: Fd, iovs: Buffers, offset: int) -> Result[int]:
        """Fill `iovs` in order from `offset` on; return how many bytes were stored.

        0 is the end of the file. The descriptor's own position stays put.
        """
        _nosys()

    def fd_prestat_get(self, fd: Fd) -> Result[int]:
        """Return how many bytes the guest's name of a preopened directory has.

        There is no need to override it: it follows from `fd_prestat_dir_name`.
        """
        _nosys()

    def fd_prestat_dir_name(self, fd: Fd) -> Result[str]:
        """Return the guest's name of a preopened directory.

        Raises:
            WasiError: BADF for every other descriptor: guests ask from 3 upward
                until the first BADF, and give up on any other error.
        """
        _nosys()

    def fd_pwrite(self, fd: Fd, iovs: Buffers, offset: int) -> Result[int]:
        """Write `iovs` in order at `offset`; return how many bytes were taken."""
        _nosys()

    def fd_read(self, fd: Fd, iovs: Buffers) -> Result[int]:
        """Fill `iovs` in order; return how many bytes were stored, 0 at the end."""
        _nosys()

    def fd_readdir(self, fd: Fd, cookie: Cookie) -> Result[Iterable[Dirent]]:
        """Return the entries of a directory from a cookie on, `.` and `..` included.

        The iterable is read only as far as the guest's buffer goes. Each `next`
        must stay valid while entries come and go.
        """
        _nosys()

    def fd_renumber(self, fd: Fd, to: Fd) -> Result[None]:
        """Move a descriptor to the number of another open one, which is closed."""
        _nosys()

    def fd_seek(self, fd: Fd, offset: int, whence: Whence) -> Result[int]:
        """Move a descriptor's position and return the new one."""
        _nosys()

    def fd_sync(self, fd: Fd) -> Result[None]:
        """Bring a file's data and metadata to storage."""
        _nosys()

    def fd_tell(self, fd: Fd) -> Result[int]:
        """Return a descriptor's position."""
        _nosys()

    def fd_write(self, fd: Fd, iovs: Buffers) -> Result[int]:
        """Write `iovs` in order; return how many bytes were taken."""
        _nosys()

    # ---- paths, relative to the directory fd and never above it ----------------------

    def path_create_directory(self, fd: Fd, path: str) -> Result[None]:
        """Make a directory."""
        _nosys()

    def path_filestat_get(
        self, fd: Fd, flags: LookupFlags, path: str
    ) -> Result[Filestat]:
        """Describe the file that a path names."""
        _nosys()

    def path_filestat_set_times(
        self,
        fd: Fd,
        flags: LookupFlags,
        path: str,
        atim: int,
        mtim: int,
        fst_flags: FstFlags,
    ) -> Result[None]:
        """Set the times of the file that a path names, or of a link itself."""
        _nosys()

    def path_link(
        self,
        old_fd: Fd,
        old_flags: LookupFlags,
        old_path: str,
        new_fd: Fd,
        new_path: str,
    ) -> Result[None]:
        """Give a file a second name."""
        _nosys()

    def path_open(
        self,
        fd: Fd,
        dirflags: LookupFlags,
        path: str,
        oflags: OFlags,
        fs_rights_base: Rights,
        fs_rights_inheriting: Rights,
        fdflags: FdFlags,
    ) -> Result[Fd]:
        """Open a file or directory; return its descriptor, the lowest free number.

        There is no access mode: FD_READ and FD_WRITE in `fs_rights_base` carry it.
        """
        _nosys()

    def path_readlink(self, fd: Fd, path: str) -> Result[str]:
        """Return what a link holds."""
        _nosys()

    def path_remove_directory(self, fd: Fd, path: str) -> Result[None]:
        """Remove an empty directory."""
        _nosys()

    def path_rename(
        self, fd: Fd, old_path: str, new_fd: Fd, new_path: str
    ) -> Result[None]:
        """Rename or move, replacing what `new_path` named."""
        _nosys()

    def path_symlink(self, old_path: str, fd: Fd, new_path: str) -> Result[None]:
        """Make a link at `new_path` that holds `old_path`."""
        _nosys()

    def path_unlink_file(self, fd: Fd, path: str) -> Result[None]:
        """Remove a name that is no directory."""
        _nosys()

    # ---- the others ------------------------------------------------------------------

    def poll_oneoff(
        self, subscriptions: Sequence[Subscription]
    ) -> Result[Iterable[Event]]:
        """Wait until at least one subscription is due; return an event for each."""
        _nosys()

    def proc_exit(self, rval: int) -> Result[None]:
        """Hear that the guest ends with this code; it ends in any case."""
        _nosys()

    def proc_raise(self, sig: Signal) -> Result[None]:
        """Hear that the guest raises a signal, which is then done to it alone."""
        _nosys()

    def sched_yield(self) -> Result[None]:
        """Let others run."""
        _nosys()

    def sock_accept(self, fd: Fd, flags: FdFlags) -> Result[Fd]:
        """Take a connection from a listening socket; return its descriptor."""
        _nosys()

    def sock_recv(
        self, fd: Fd, ri_data: Buffers, ri_flags: RiFlags
    ) -> Result[tuple[int, RoFlags]]:
        """Receive; return how many bytes were stored, and flags."""
        _nosys()

    def sock_send(self, fd: Fd, si_data: Buffers) -> Result[int]:
        """Send; return how many bytes were taken."""
        _nosys()

    def sock_shutdown(self, fd: Fd, how: SdFlags) -> Result[None]:
        """End one half of a connection, or both."""
        _nosys()


def _nosys() -> NoReturn:
    raise WasiError(Errno.NOSYS)


def check_names(owner: str, members: Mapping[str, object]) -> None:
    """Find methods that are probably meant to override a call.

    Raises:
        TypeError: There is one, such as `fd_raed`; the text suggests the right name.
    """
    calls = registry.calls()
    for name, member in members.items():
        if name in calls or name.startswith("_") or not callable(member):
            continue
        close = difflib.get_close_matches(name, calls, n=1, cutoff=0.85)
        if close:
            raise TypeError(
                f"{owner}.{name} overrides nothing; did you mean {close[0]}? "
                "(a helper of your own can begin with an underscore)"
            )
