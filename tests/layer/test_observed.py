"""What the layer settles once for all backings, as a guest observes it on each.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wasi_backing import DEVNULL, Errno, Exit, Interrupted, PlainGuest

from .situation import (
    ARRAY,
    BUFFER,
    DIRECTORY,
    FILE,
    IOVS,
    OTHER_PATH,
    OUT,
    OUT2,
    PATH,
    put,
    put_iovecs,
    situation,
    u32,
)

PATH_CALLS: dict[str, Callable[[int, int], tuple[int, ...]]] = {
    "path_create_directory": lambda at, n: (DIRECTORY, at, n),
    "path_filestat_get": lambda at, n: (DIRECTORY, 0, at, n, OUT),
    "path_filestat_set_times": lambda at, n: (DIRECTORY, 0, at, n, 0, 0, 0),
    "path_link": lambda at, n: (DIRECTORY, 0, at, n, DIRECTORY, OTHER_PATH, 5),
    "path_open": lambda at, n: (DIRECTORY, 0, at, n, 0, 2, 0, 0, OUT),
    "path_readlink": lambda at, n: (DIRECTORY, at, n, BUFFER, 9, OUT),
    "path_remove_directory": lambda at, n: (DIRECTORY, at, n),
    "path_rename": lambda at, n: (DIRECTORY, at, n, DIRECTORY, OTHER_PATH, 5),
    "path_symlink": lambda at, n: (at, n, DIRECTORY, OTHER_PATH, 5),
    "path_unlink_file": lambda at, n: (DIRECTORY, at, n),
}


@pytest.mark.parametrize("call", PATH_CALLS)
@pytest.mark.parametrize(
    ("path", "errno"),
    [
        pytest.param(b"", Errno.NOENT, id="empty"),
        pytest.param(b"fi\0le", Errno.INVAL, id="NUL inside"),
        pytest.param(b"file\0", Errno.INVAL, id="NUL counted"),
        pytest.param(b"\xff", Errno.ILSEQ, id="no UTF-8"),
        pytest.param(b"\xc0\xaf", Errno.ILSEQ, id="overlong slash"),
        pytest.param(b"\xed\xa0\x80", Errno.ILSEQ, id="surrogate"),
        pytest.param(b"p/" * 2049, Errno.NAMETOOLONG, id="too long"),
    ],
)
def test_a_path_that_is_none_is_refused_alike_by_every_call(
    backing: str, guest_dir: Path, call: str, path: bytes, errno: Errno
) -> None:
    with situation(backing, guest_dir, memory_size=16384) as guest:
        put(guest, 8192, path)
        arguments = PATH_CALLS[call](8192, len(path))
        assert guest.call(call, *arguments) is errno
    assert [path.name for path in guest_dir.iterdir()] == ["file"]


def test_a_path_needs_no_nul_behind_it(backing: str, guest_dir: Path) -> None:
    with situation(backing, guest_dir) as guest:
        put(guest, PATH, b"fileXYZ")
        call = PATH_CALLS["path_filestat_get"]
        assert guest.call("path_filestat_get", *call(PATH, 4)) is Errno.SUCCESS
        assert guest.call("path_filestat_get", *call(PATH, 5)) is Errno.NOENT


@pytest.mark.parametrize("code", [0, 1, 255, 256, 2**32 - 1])
def test_proc_exit_ends_the_guest_and_not_the_host(backing: str, code: int) -> None:
    with PlainGuest(backing=backing) as guest, pytest.raises(Exit) as ended:
        guest.call("proc_exit", code)
    assert ended.value.code == code


@pytest.mark.parametrize(("signal", "code"), [(6, 134), (9, 137), (15, 143)])
def test_a_signal_ends_the_guest_and_not_the_host(
    backing: str, signal: int, code: int
) -> None:
    with PlainGuest(backing=backing) as guest, pytest.raises(Exit) as ended:
        guest.call("proc_raise", signal)
    assert ended.value.code == code


def test_no_descriptor_but_a_preopen_has_a_prestat(
    backing: str, guest_dir: Path
) -> None:
    with situation(backing, guest_dir) as guest:
        for fd in (0, 1, 2, FILE, 6, 1000, 2**31, 2**32 - 1):
            assert guest.call("fd_prestat_get", fd, OUT) is Errno.BADF, fd
            answer = guest.call("fd_prestat_dir_name", fd, OUT, 1)
            assert answer is Errno.BADF, fd
        assert guest.call("fd_prestat_get", DIRECTORY, OUT) is Errno.SUCCESS
        assert bytes(guest.memory[OUT : OUT + 9]) == b"\0\0\0\0\1\0\0\0?"
        answer = guest.call("fd_prestat_dir_name", DIRECTORY, OUT, 0)
        assert answer is Errno.NAMETOOLONG
        answer = guest.call("fd_prestat_dir_name", DIRECTORY, OUT, 9)
        assert answer is Errno.SUCCESS
        assert bytes(guest.memory[OUT : OUT + 2]) == b"/\0"


def test_whence_and_filestat_of_wasi_unstable_are_translated(
    backing: str, guest_dir: Path
) -> None:
    with situation(backing, guest_dir) as guest:
        for whence, position in ((2, 3), (0, 6), (1, 13)):  # set, current, end
            answer = guest.call("fd_seek", FILE, 3, whence, OUT, unstable=True)
            assert (answer, u32(guest, OUT)) == (Errno.SUCCESS, position)
        for whence, position in ((0, 3), (1, 6), (2, 13)):
            answer = guest.call("fd_seek", FILE, 3, whence, OUT)
            assert (answer, u32(guest, OUT)) == (Errno.SUCCESS, position)

        guest.call("fd_filestat_get", FILE, OUT)
        assert guest.call("fd_filestat_get", FILE, OUT2, unstable=True) is Errno.SUCCESS
        new = struct.unpack_from("<QQB7xQQQQQ", guest.memory, OUT)
        old = struct.unpack_from("<QQB3xIQQQQ", guest.memory, OUT2)
        assert old == new
        assert new[2:5] == (4, 1, 10)
        assert guest.memory[OUT2 + 56] == ord("?")


def test_sleeping_works_in_both_layouts_of_a_subscription(
    backing: str, guest_dir: Path
) -> None:
    nap = 20_000_000
    with situation(backing, guest_dir) as guest:
        for unstable in (False, True):
            identifier = bytes(8) if unstable else b""
            clock = struct.pack("<I4xQQH6x", 1, nap, 0, 0)
            put(guest, ARRAY, struct.pack("<QB7x", 42, 0) + identifier + clock)
            began = time.monotonic_ns()
            answer = guest.call("poll_oneoff", ARRAY, BUFFER, 1, OUT, unstable=unstable)
            assert answer is Errno.SUCCESS
            assert time.monotonic_ns() - began >= nap
            assert u32(guest, OUT) == 1
            event = bytes(guest.memory[BUFFER : BUFFER + 33])
            assert event == struct.pack("<QHB21x", 42, 0, 0) + b"?"


def test_a_read_goes_to_overlapping_buffers_in_order(
    backing: str, guest_dir: Path
) -> None:
    with situation(backing, guest_dir) as guest:
        put_iovecs(guest, IOVS, (BUFFER, 4), (BUFFER + 2, 4), (2**32 - 1, 0))
        assert guest.call("fd_read", FILE, IOVS, 3, OUT) is Errno.SUCCESS
        count = u32(guest, OUT)
        # A short transfer is legal, but bytes come in order.
        full = {4: b"0123????", 8: b"014567??"}
        assert bytes(guest.memory[BUFFER : BUFFER + 8]) == full[count]


def test_the_result_of_a_read_may_lie_in_its_buffer(
    backing: str, guest_dir: Path
) -> None:
    with situation(backing, guest_dir) as guest:
        put_iovecs(guest, IOVS, (BUFFER, 10))
        assert guest.call("fd_read", FILE, IOVS, 1, BUFFER + 2) is Errno.SUCCESS
        assert bytes(guest.memory[BUFFER : BUFFER + 11]) == b"01\n\0\0\x006789?"


def test_a_long_array_is_a_short_transfer_or_all_of_it(
    backing: str, guest_dir: Path
) -> None:
    many = 3000
    with situation(backing, guest_dir, memory_size=65536) as guest:
        put_iovecs(guest, 32768, *[(BUFFER, 1)] * many)
        answer = guest.call("fd_write", FILE, 32768, many, OUT)
        assert answer is Errno.SUCCESS
        written = u32(guest, OUT)
        assert 0 < written <= many
    assert (guest_dir / "file").stat().st_size == max(10, written)


def test_interruption_is_sticky_and_ends_a_sleep(backing: str) -> None:
    with PlainGuest(backing=backing, stdin=DEVNULL) as guest:
        put(guest, ARRAY, struct.pack("<QB7xI4xQQH6x", 0, 0, 1, 60 * 10**9, 0, 0))
        timer = threading.Timer(0.05, guest.interrupt)
        began = time.monotonic()
        timer.start()
        with pytest.raises(Interrupted):
            guest.call("poll_oneoff", ARRAY, BUFFER, 1, OUT)
        assert time.monotonic() - began < 30
        for _ in range(2):
            with pytest.raises(Interrupted):
                guest.call("sched_yield")


def test_memory_that_has_grown_is_used_by_the_next_call(
    backing: str, guest_dir: Path
) -> None:
    with situation(backing, guest_dir) as guest:
        size = len(guest.memory)
        guest.grow(65536)
        assert guest.call("fd_tell", FILE, size + 65536 - 8) is Errno.SUCCESS
        assert guest.call("random_get", size - 8, 16) is Errno.SUCCESS
