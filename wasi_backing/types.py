"""The numbers of WASI preview 1, under the specification's names in upper case.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
import enum
from typing import NewType


class Errno(enum.IntEnum):
    """How a call ended. `2big`, which is no name in Python, is TOOBIG."""

    SUCCESS = 0
    TOOBIG = 1
    ACCES = 2
    ADDRINUSE = 3
    ADDRNOTAVAIL = 4
    AFNOSUPPORT = 5
    AGAIN = 6
    ALREADY = 7
    BADF = 8
    BADMSG = 9
    BUSY = 10
    CANCELED = 11
    CHILD = 12
    CONNABORTED = 13
    CONNREFUSED = 14
    CONNRESET = 15
    DEADLK = 16
    DESTADDRREQ = 17
    DOM = 18
    DQUOT = 19
    EXIST = 20
    FAULT = 21
    FBIG = 22
    HOSTUNREACH = 23
    IDRM = 24
    ILSEQ = 25
    INPROGRESS = 26
    INTR = 27
    INVAL = 28
    IO = 29
    ISCONN = 30
    ISDIR = 31
    LOOP = 32
    MFILE = 33
    MLINK = 34
    MSGSIZE = 35
    MULTIHOP = 36
    NAMETOOLONG = 37
    NETDOWN = 38
    NETRESET = 39
    NETUNREACH = 40
    NFILE = 41
    NOBUFS = 42
    NODEV = 43
    NOENT = 44
    NOEXEC = 45
    NOLCK = 46
    NOLINK = 47
    NOMEM = 48
    NOMSG = 49
    NOPROTOOPT = 50
    NOSPC = 51
    NOSYS = 52
    NOTCONN = 53
    NOTDIR = 54
    NOTEMPTY = 55
    NOTRECOVERABLE = 56
    NOTSOCK = 57
    NOTSUP = 58
    NOTTY = 59
    NXIO = 60
    OVERFLOW = 61
    OWNERDEAD = 62
    PERM = 63
    PIPE = 64
    PROTO = 65
    PROTONOSUPPORT = 66
    PROTOTYPE = 67
    RANGE = 68
    ROFS = 69
    SPIPE = 70
    SRCH = 71
    STALE = 72
    TIMEDOUT = 73
    TXTBSY = 74
    XDEV = 75
    NOTCAPABLE = 76

    @property
    def spec_name(self) -> str:
        """The specification's name, in lower case."""
        return "2big" if self is Errno.TOOBIG else self.name.lower()


class Rights(enum.IntFlag):
    """What may be done through a descriptor."""

    FD_DATASYNC = 1 << 0
    FD_READ = 1 << 1
    FD_SEEK = 1 << 2
    FD_FDSTAT_SET_FLAGS = 1 << 3
    FD_SYNC = 1 << 4
    FD_TELL = 1 << 5
    FD_WRITE = 1 << 6
    FD_ADVISE = 1 << 7
    FD_ALLOCATE = 1 << 8
    PATH_CREATE_DIRECTORY = 1 << 9
    PATH_CREATE_FILE = 1 << 10
    PATH_LINK_SOURCE = 1 << 11
    PATH_LINK_TARGET = 1 << 12
    PATH_OPEN = 1 << 13
    FD_READDIR = 1 << 14
    PATH_READLINK = 1 << 15
    PATH_RENAME_SOURCE = 1 << 16
    PATH_RENAME_TARGET = 1 << 17
    PATH_FILESTAT_GET = 1 << 18
    PATH_FILESTAT_SET_SIZE = 1 << 19
    PATH_FILESTAT_SET_TIMES = 1 << 20
    FD_FILESTAT_GET = 1 << 21
    FD_FILESTAT_SET_SIZE = 1 << 22
    FD_FILESTAT_SET_TIMES = 1 << 23
    PATH_SYMLINK = 1 << 24
    PATH_REMOVE_DIRECTORY = 1 << 25
    PATH_UNLINK_FILE = 1 << 26
    POLL_FD_READWRITE = 1 << 27
    SOCK_SHUTDOWN = 1 << 28
    SOCK_ACCEPT = 1 << 29


class Filetype(enum.IntEnum):
    """What kind of file a descriptor or a directory's entry is."""

    UNKNOWN = 0
    BLOCK_DEVICE = 1
    CHARACTER_DEVICE = 2
    DIRECTORY = 3
    REGULAR_FILE = 4
    SOCKET_DGRAM = 5
    SOCKET_STREAM = 6
    SYMBOLIC_LINK = 7


class Clock(enum.IntEnum):
    """A clock."""

    REALTIME = 0
    MONOTONIC = 1
    PROCESS_CPUTIME_ID = 2
    THREAD_CPUTIME_ID = 3


class Whence(enum.IntEnum):
    """What fd_seek counts from."""

    SET = 0
    CUR = 1
    END = 2


class Advice(enum.IntEnum):
    """How a file will be used."""

    NORMAL = 0
    SEQUENTIAL = 1
    RANDOM = 2
    WILLNEED = 3
    DONTNEED = 4
    NOREUSE = 5


class FdFlags(enum.IntFlag):
    """How a descriptor behaves."""

    APPEND = 1 << 0
    DSYNC = 1 << 1
    NONBLOCK = 1 << 2
    RSYNC = 1 << 3
    SYNC = 1 << 4


class FstFlags(enum.IntFlag):
    """Which times to set, and whether to the current time."""

    ATIM = 1 << 0
    ATIM_NOW = 1 << 1
    MTIM = 1 << 2
    MTIM_NOW = 1 << 3


class LookupFlags(enum.IntFlag):
    """Whether a link that a path ends in is followed."""

    SYMLINK_FOLLOW = 1 << 0


class OFlags(enum.IntFlag):
    """How path_open opens."""

    CREAT = 1 << 0
    DIRECTORY = 1 << 1
    EXCL = 1 << 2
    TRUNC = 1 << 3


class EventType(enum.IntEnum):
    """What a subscription waits for."""

    CLOCK = 0
    FD_READ = 1
    FD_WRITE = 2


class EventRwFlags(enum.IntFlag):
    """What is known of a descriptor that is ready."""

    FD_READWRITE_HANGUP = 1 << 0


class SubClockFlags(enum.IntFlag):
    """How the timeout of a subscription is meant."""

    SUBSCRIPTION_CLOCK_ABSTIME = 1 << 0


class Signal(enum.IntEnum):
    """A signal."""

    NONE = 0
    HUP = 1
    INT = 2
    QUIT = 3
    ILL = 4
    TRAP = 5
    ABRT = 6
    BUS = 7
    FPE = 8
    KILL = 9
    USR1 = 10
    SEGV = 11
    USR2 = 12
    PIPE = 13
    ALRM = 14
    TERM = 15
    CHLD = 16
    CONT = 17
    STOP = 18
    TSTP = 19
    TTIN = 20
    TTOU = 21
    URG = 22
    XCPU = 23
    XFSZ = 24
    VTALRM = 25
    PROF = 26
    WINCH = 27
    POLL = 28
    PWR = 29
    SYS = 30


class RiFlags(enum.IntFlag):
    """What sock_recv is asked."""

    RECV_PEEK = 1 << 0
    RECV_WAITALL = 1 << 1


class RoFlags(enum.IntFlag):
    """What sock_recv answers."""

    RECV_DATA_TRUNCATED = 1 << 0


class SdFlags(enum.IntFlag):
    """Which halves of a connection sock_shutdown ends."""

    RD = 1 << 0
    WR = 1 << 1


# ---- structs -----------------------------------------------------------------------

#: A guest's descriptor.
Fd = NewType("Fd", int)
#: A place in a directory; 0 is its start.
Cookie = NewType("Cookie", int)


@dataclasses.dataclass(frozen=True, slots=True)
class Fdstat:
    """What fd_fdstat_get answers."""

    filetype: Filetype
    flags: FdFlags = FdFlags(0)
    #: What may be done through the descriptor.
    rights_base: Rights = Rights(0)
    #: What descriptors opened from it may get.
    rights_inheriting: Rights = Rights(0)


@dataclasses.dataclass(frozen=True, slots=True)
class Filestat:
    """What fd_filestat_get and path_filestat_get answer. Times in nanoseconds."""

    filetype: Filetype
    size: int = 0
    ino: int = 0
    dev: int = 0
    nlink: int = 1
    atim: int = 0
    mtim: int = 0
    ctim: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Dirent:
    """One entry of a directory."""

    name: str
    #: Where the entry after this one is read.
    next: Cookie
    #: 0 when unknown: guests then ask for each entry.
    ino: int = 0
    filetype: Filetype = Filetype.UNKNOWN


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """One thing that poll_oneoff waits for."""

    #: The guest's own mark, which goes back with the event.
    userdata: int
    type: EventType
    #: What is waited for, unless `type` is CLOCK.
    fd: Fd = Fd(0)
    #: The clock and its time in nanoseconds, if `type` is CLOCK.
    clock: Clock = Clock.REALTIME
    timeout: int = 0
    #: How much later the guest tolerates, in nanoseconds.
    precision: int = 0
    flags: SubClockFlags = SubClockFlags(0)


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    userdata: int
    type: EventType
    #: Of this subscription alone.
    error: Errno = Errno.SUCCESS
    #: How much can be read or written now, at least.
    nbytes: int = 0
    flags: EventRwFlags = EventRwFlags(0)
