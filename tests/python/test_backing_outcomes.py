"""The three outcomes of a method, in each of the 46 calls."""

from __future__ import annotations

import errno
import traceback

import pytest

from wasi_backing import Backing, Errno, MinimalBacking, PlainGuest, WasiError, registry

CALLS = registry.calls()
#: Arguments with which the layer asks the backing: a path, an iovec, room for answers.
PATH, IOV, SUBSCRIPTION, OUT = 64, 128, 256, 1024
ARGUMENTS = {
    "args_get": (OUT, OUT + 256),
    "args_sizes_get": (OUT, OUT + 4),
    "environ_get": (OUT, OUT + 256),
    "environ_sizes_get": (OUT, OUT + 4),
    "clock_res_get": (0, OUT),
    "clock_time_get": (0, 0, OUT),
    "fd_advise": (3, 0, 0, 0),
    "fd_allocate": (3, 0, 1),
    "fd_close": (3,),
    "fd_datasync": (3,),
    "fd_fdstat_get": (3, OUT),
    "fd_fdstat_set_flags": (3, 0),
    "fd_fdstat_set_rights": (3, 0, 0),
    "fd_filestat_get": (3, OUT),
    "fd_filestat_set_size": (3, 0),
    "fd_filestat_set_times": (3, 0, 0, 0),
    "fd_pread": (3, IOV, 1, 0, OUT),
    "fd_prestat_get": (3, OUT),
    "fd_prestat_dir_name": (3, OUT, 10),
    "fd_pwrite": (3, IOV, 1, 0, OUT),
    "fd_read": (3, IOV, 1, OUT),
    "fd_readdir": (3, OUT, 256, 0, OUT + 512),
    "fd_renumber": (3, 4),
    "fd_seek": (3, 0, 0, OUT),
    "fd_sync": (3,),
    "fd_tell": (3, OUT),
    "fd_write": (3, IOV, 1, OUT),
    "path_create_directory": (3, PATH, 1),
    "path_filestat_get": (3, 0, PATH, 1, OUT),
    "path_filestat_set_times": (3, 0, PATH, 1, 0, 0, 0),
    "path_link": (3, 0, PATH, 1, 3, PATH, 1),
    "path_open": (3, 0, PATH, 1, 0, 0, 0, 0, OUT),
    "path_readlink": (3, PATH, 1, OUT, 100, OUT + 512),
    "path_remove_directory": (3, PATH, 1),
    "path_rename": (3, PATH, 1, 3, PATH, 1),
    "path_symlink": (PATH, 1, 3, PATH, 1),
    "path_unlink_file": (3, PATH, 1),
    "poll_oneoff": (SUBSCRIPTION, OUT, 1, OUT + 512),
    "proc_exit": (0,),
    "proc_raise": (0,),
    "random_get": (OUT, 8),
    "sched_yield": (),
    "sock_accept": (3, 0, OUT),
    "sock_recv": (3, IOV, 1, 0, OUT, OUT + 8),
    "sock_send": (3, IOV, 1, 0, OUT),
    "sock_shutdown": (3, 1),
}
ENDING = {"proc_exit", "proc_raise"}


def test_every_call_is_in_the_table():
    assert set(ARGUMENTS) == set(CALLS)


def raising(base, name, error):
    def method(self, *arguments):
        raise error

    return type("Raising", (base,), {name: method})


def call(backing, name):
    with PlainGuest(backing=backing) as guest:
        guest.memory[PATH] = ord("f")
        guest.memory[IOV : IOV + 8] = (OUT).to_bytes(4, "little") + b"\4\0\0\0"
        return guest.call(name, *ARGUMENTS[name])


@pytest.mark.parametrize("base", [Backing, MinimalBacking])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "kind", [KeyError, KeyboardInterrupt, SystemExit, AssertionError, MemoryError]
)
def test_anything_else_stops_the_guest_and_is_raised(base, name, kind):
    error = kind("mine")
    with pytest.raises(kind) as caught:
        call(raising(base, name, error), name)
    assert caught.value is error
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert frames[-1] == "method"


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ENDING])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (WasiError(Errno.DOM), Errno.DOM),
        (FileNotFoundError(), Errno.NOENT),
        (FileExistsError(errno.EEXIST, "there"), Errno.EXIST),
        (PermissionError(), Errno.ACCES),
        (PermissionError(errno.EPERM, "no"), Errno.PERM),
        (OSError(errno.ENOSPC, "full"), Errno.NOSPC),
        (OSError(), Errno.IO),
        (OSError(99999, "odd"), Errno.IO),
        (TimeoutError(), Errno.TIMEDOUT),
        (NotImplementedError(), Errno.NOSYS),
    ],
)
def test_an_oserror_is_an_errno(name, error, answer):
    assert call(raising(Backing, name, error), name) is answer
