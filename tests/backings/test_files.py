"""Files and descriptors, as a guest observes them on each backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wasi_backing import Errno, Preopen, Rights

from .guest import (
    APPEND,
    CREAT,
    DIRECTORY,
    DIRECTORY_RIGHTS,
    DSYNC,
    EXCL,
    FILE_RIGHTS,
    READ,
    SYNC,
    TRUNC,
    WRITE,
    Guest,
)


@pytest.fixture
def guest(backing: str, guest_dir: Path) -> Iterator[Guest]:
    with Guest(backing, guest_dir) as guest:
        yield guest


def test_the_lowest_free_number_comes_first(guest: Guest) -> None:
    fds = [guest.must_open(f"f{n}", CREAT) for n in range(200)]
    assert fds == list(range(4, 204))
    for fd in (150, 7, 64):
        assert guest.call("fd_close", fd) is Errno.SUCCESS
    assert [guest.must_open("f0") for _ in range(4)] == [7, 64, 150, 204]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_file_never_gets_the_number_of_a_standard_stream(
    guest: Guest, order: tuple[int, ...]
) -> None:
    for fd in order:
        assert guest.call("fd_close", fd) is Errno.SUCCESS
        assert guest.call("fd_close", fd) is Errno.BADF
    assert guest.must_open("f", CREAT) == 4
    assert guest.call("fd_renumber", 4, 1) is Errno.BADF
    assert guest.must_open("f") == 5


def test_a_number_that_a_standard_stream_has_left_stays_free(guest: Guest) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    assert guest.call("fd_renumber", 1, fd) is Errno.SUCCESS
    assert guest.must_open("g", CREAT) == fd + 1
    assert guest.call("fd_fdstat_get", 1, 0) is Errno.BADF


def test_max_fds_is_nfile_and_leaves_no_file(backing: str, guest_dir: Path) -> None:
    with Guest(backing, guest_dir, max_fds=6) as guest:
        assert guest.must_open("a", CREAT) == 4
        assert guest.must_open("b", CREAT) == 5
        assert guest.open("c", CREAT) is Errno.NFILE
        assert guest.call("fd_close", 4) is Errno.SUCCESS
        assert guest.must_open("c", CREAT) == 4


def test_reads_and_writes_move_the_position(guest: Guest) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    assert guest.write(fd, b"hello world") == 11
    assert guest.seek(fd, 0, 1) == 11
    assert guest.seek(fd, -5, 2) == 6
    assert guest.read(fd, 100) == b"world"
    assert guest.read(fd, 100) == b""
    assert guest.write(fd, b"J", offset=0) == 1
    assert guest.read(fd, 5, offset=0) == b"Jello"
    assert guest.seek(fd, 0, 1) == 11


def test_a_write_past_the_end_leaves_zeros(guest: Guest) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    assert guest.write(fd, b"x", offset=5) == 1
    assert guest.read(fd, 10, offset=0) == b"\0\0\0\0\0x"


@pytest.mark.parametrize(
    ("offset", "whence"), [(-1, 0), (-1, 1), (-4, 2), (1 << 63, 0)]
)
def test_a_position_below_zero_is_inval(guest: Guest, offset: int, whence: int) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    guest.write(fd, b"abc", offset=0)
    assert guest.seek(fd, offset, whence) is Errno.INVAL
    assert guest.seek(fd, 0, 1) == 0


def test_append_goes_to_the_end(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("0123")
    fd = guest.must_open("f", 0, FILE_RIGHTS, fdflags=APPEND)
    assert guest.fdstat(fd)[1] == APPEND
    assert guest.seek(fd, 1) == 1
    assert guest.write(fd, b"ab") == 2
    assert guest.seek(fd, 0, 1) == 6
    assert guest.call("fd_fdstat_set_flags", fd, 0) is Errno.SUCCESS
    assert guest.seek(fd, 1) == 1
    assert guest.write(fd, b"X") == 1
    assert (guest_dir / "f").read_text() == "0X23ab"


@pytest.mark.parametrize("flags", [DSYNC, SYNC])
def test_synchronous_writes_are_written(
    guest: Guest, guest_dir: Path, flags: int
) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS, fdflags=flags)
    assert guest.fdstat(fd)[1] & flags
    assert guest.write(fd, b"data") == 4
    assert guest.call("fd_sync", fd) is Errno.SUCCESS
    assert guest.call("fd_datasync", fd) is Errno.SUCCESS
    assert (guest_dir / "f").read_text() == "data"


def test_sizes_can_be_set(guest: Guest) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    guest.write(fd, b"hello")
    assert guest.call("fd_filestat_set_size", fd, 2) is Errno.SUCCESS
    assert guest.fstat(fd).size == 2
    assert guest.call("fd_filestat_set_size", fd, 1 << 63) is Errno.INVAL
    assert guest.call("fd_allocate", fd, 0, 100) is Errno.SUCCESS
    assert guest.fstat(fd).size == 100
    assert guest.call("fd_allocate", fd, 0, 0) is Errno.INVAL
    assert guest.call("fd_allocate", fd, 1 << 63, 1) is Errno.INVAL


def test_truncating_and_exclusive_opens(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("text")
    assert guest.try_open("f", CREAT | EXCL, int(WRITE)) is Errno.EXIST
    assert guest.try_open("f", TRUNC, int(WRITE)) is Errno.SUCCESS
    assert (guest_dir / "f").read_text() == ""
    assert guest.try_open("g", CREAT | EXCL, int(WRITE)) is Errno.SUCCESS
    assert (guest_dir / "g").exists()


def test_times_are_nanoseconds_both_ways(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("")
    fd = guest.must_open("f", 0, FILE_RIGHTS)
    then = 1234567890123456789
    assert guest.call("fd_filestat_set_times", fd, then, 7, 1 | 4) is Errno.SUCCESS
    assert (guest.fstat(fd).atim, guest.fstat(fd).mtim) == (then, 7)
    assert (guest_dir / "f").stat().st_atime_ns == then
    assert guest.call("fd_filestat_set_times", fd, 0, 0, 8) is Errno.SUCCESS
    assert guest.fstat(fd).atim == then
    assert guest.fstat(fd).mtim > then


def test_times_of_a_link_itself(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("")
    (guest_dir / "l").symlink_to("f")
    before = guest.must_stat("f").mtim
    path = guest.text("l")
    set_times = "path_filestat_set_times"
    assert guest.call(set_times, 3, 0, *path, 5, 6, 5) is Errno.SUCCESS
    assert guest.must_stat("l", follow=False).mtim == 6
    assert guest.must_stat("f").mtim == before
    assert guest.call(set_times, 3, 1, *path, 8, 9, 5) is Errno.SUCCESS
    assert guest.must_stat("f").mtim == 9
    assert guest.must_stat("l", follow=False).mtim == 6


def test_renumber_works_onto_stdio_and_preopens(guest: Guest) -> None:
    fd = guest.must_open("f", CREAT, FILE_RIGHTS)
    guest.write(fd, b"moved")
    assert guest.call("fd_renumber", fd, 0) is Errno.SUCCESS
    assert guest.call("fd_close", fd) is Errno.BADF
    assert guest.read(0, 9, offset=0) == b"moved"
    assert guest.call("fd_renumber", 0, 0) is Errno.SUCCESS
    assert guest.call("fd_renumber", 0, 77) is Errno.BADF
    assert guest.call("fd_renumber", 3, 1) is Errno.SUCCESS
    assert guest.call("fd_prestat_get", 1, 64) is Errno.SUCCESS
    assert guest.call("fd_prestat_get", 3, 64) is Errno.BADF


def test_a_directory_is_no_file(guest: Guest) -> None:
    assert guest.read(3, 1) is Errno.BADF
    assert guest.seek(3, 0) is Errno.BADF
    assert guest.call("fd_tell", 3, 64) is Errno.BADF
    assert guest.call("fd_advise", 3, 0, 0, 0) is Errno.BADF
    assert guest.call("fd_allocate", 3, 0, 1) is Errno.BADF
    assert guest.call("fd_filestat_set_size", 3, 0) is Errno.BADF


def test_rights_are_passed_on_and_no_wider(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "d").mkdir()
    (guest_dir / "d" / "f").write_text("text")
    read = int(Rights.FD_READ)
    sub = guest.must_open("d", DIRECTORY, DIRECTORY_RIGHTS, inheriting=read)
    fd = guest.must_open("f", 0, read, fd=sub, inheriting=0)
    assert guest.fdstat(fd)[2:] == (read, 0)
    assert guest.read(fd, 9) == b"text"
    wider = int(WRITE)
    assert guest.open("f", 0, wider, fd=sub, inheriting=0) is Errno.NOTCAPABLE
    assert guest.write(fd, b"x") is Errno.NOTCAPABLE
    assert guest.call("fd_fdstat_set_rights", fd, wider, 0) is Errno.NOTCAPABLE
    assert guest.call("fd_fdstat_set_rights", fd, 0, 0) is Errno.SUCCESS
    assert guest.read(fd, 1) is Errno.NOTCAPABLE


def test_ignored_rights_leave_the_access_mode(backing: str, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("text")
    with Guest(backing, guest_dir, rights="ignore") as guest:
        fd = guest.must_open("f", 0, int(Rights.FD_READ), inheriting=0)
        assert guest.seek(fd, 1) == 1
        assert guest.read(fd, 9) == b"ext"
        assert guest.write(fd, b"x") is Errno.BADF
        assert not guest.fdstat(fd)[2] & Rights.FD_WRITE
        assert guest.call("fd_fdstat_set_rights", fd, 0, 0) is Errno.NOTSUP


def test_a_read_only_preopen_refuses_changes(backing: str, guest_dir: Path) -> None:
    (guest_dir / "f").write_text("text")
    (guest_dir / "d").mkdir()
    other = guest_dir.parent / "other"
    other.mkdir()
    (other / "o").write_text("")
    preopens = {"/": Preopen(guest_dir, read_only=True), "/w": Preopen(other)}
    with Guest(backing, preopens=preopens) as guest:
        assert guest.try_open("f", 0, int(READ)) is Errno.SUCCESS
        for oflags, rights in [
            (0, WRITE),
            (0, READ | WRITE),
            (TRUNC, READ),
            (CREAT | TRUNC, WRITE),
        ]:
            assert guest.try_open("f", oflags, int(rights)) is Errno.ROFS
        assert guest.try_open("new", CREAT, int(READ)) is Errno.ROFS
        assert guest.path_call("path_create_directory", "x") is Errno.ROFS
        assert guest.path_call("path_unlink_file", "f") is Errno.ROFS
        assert guest.path_call("path_remove_directory", "d") is Errno.ROFS
        assert guest.symlink("f", "l") is Errno.ROFS
        for call in ("path_rename", "path_link"):
            assert guest.two_paths(call, "f", "n", fds=(3, 4)) is Errno.ROFS
            assert guest.two_paths(call, "o", "n", fds=(4, 3)) is Errno.ROFS
        path = guest.text("f")
        times = guest.call("path_filestat_set_times", 3, 0, *path, 1, 1, 5)
        assert times is Errno.ROFS
    assert sorted(p.name for p in guest_dir.iterdir()) == ["d", "f"]
    assert (guest_dir / "f").read_text() == "text"
