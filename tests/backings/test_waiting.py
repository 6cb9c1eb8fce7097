"""Streams, sockets, clocks and waiting, as a guest observes them on each backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import contextlib
import os
import pty
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wasi_backing import Errno, Filetype, Interrupted, Rights

from .guest import BUFFER, IOVS, NONBLOCK, OUT, Guest, on_clock, on_fd

MS = 1_000_000
PEEK, WAITALL = 1, 2


@contextlib.contextmanager
def soon(action: Callable[[], object], after: float = 0.05) -> Iterator[None]:
    """Do something from another thread in a while."""
    timer = threading.Timer(after, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


# ---- stdio ---------------------------------------------------------------------


def test_a_read_waits_for_input(backing: str, pipe: tuple[int, int]) -> None:
    with Guest(backing, stdin=pipe[0]) as guest:
        with soon(lambda: os.write(pipe[1], b"text")):
            assert guest.read(0, 10) == b"text"
        os.close(pipe[1])
        assert guest.read(0, 10) == b""


def test_interrupt_ends_a_read(backing: str, pipe: tuple[int, int]) -> None:
    with Guest(backing, stdin=pipe[0]) as guest:
        with soon(guest.interrupt), pytest.raises(Interrupted):
            guest.read(0, 10)
        with pytest.raises(Interrupted):
            guest.read(0, 10)


def test_interrupt_ends_a_write(backing: str, pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe[1], bytes(4096))
    os.set_blocking(pipe[1], True)
    with (
        Guest(backing, stdout=pipe[1]) as guest,
        soon(guest.interrupt),
        pytest.raises(Interrupted),
    ):
        guest.write(1, b"text")


def test_interrupt_ends_a_read_from_a_terminal(backing: str) -> None:
    master, slave = pty.openpty()
    try:
        with Guest(backing, stdin=slave) as guest:
            filetype, _, base, _ = guest.fdstat(0)
            assert filetype == Filetype.CHARACTER_DEVICE
            assert not base & (Rights.FD_SEEK | Rights.FD_TELL)
            with soon(lambda: os.write(master, b"line\n")):
                assert guest.read(0, 10) == b"line\n"
            with soon(guest.interrupt), pytest.raises(Interrupted):
                guest.read(0, 10)
    finally:
        os.close(master)
        os.close(slave)


def test_nonblock_leaves_the_shared_description_alone(
    backing: str, pipe: tuple[int, int]
) -> None:
    with Guest(backing, stdin=pipe[0]) as guest:
        assert guest.call("fd_fdstat_set_flags", 0, NONBLOCK) is Errno.SUCCESS
        assert guest.fdstat(0)[1] == NONBLOCK
        assert guest.read(0, 10) is Errno.AGAIN
        assert os.get_blocking(pipe[0])
        os.write(pipe[1], b"x")
        assert guest.read(0, 10) == b"x"


def test_a_reader_that_has_gone_is_pipe(backing: str, pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with Guest(backing, stdout=pipe[1]) as guest:
        assert guest.write(1, b"text") is Errno.PIPE


def test_a_pipe_has_no_position(backing: str, pipe: tuple[int, int]) -> None:
    with Guest(backing, stdin=pipe[0]) as guest:
        assert guest.seek(0, 0) is Errno.SPIPE
        assert guest.seek(0, 0, 1) is Errno.SPIPE
        assert guest.call("fd_tell", 0, OUT) is Errno.SPIPE
        assert guest.read(0, 1, offset=0) is Errno.SPIPE


# ---- poll_oneoff ---------------------------------------------------------------


@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_clock_is_due_at_its_time(backing: str, clock: int, absolute: bool) -> None:
    def now(guest: Guest) -> int:
        assert guest.call("clock_time_get", clock, 0, OUT) is Errno.SUCCESS
        return guest.get("Q")

    with Guest(backing) as guest:
        began = now(guest)
        base = began if absolute else 0
        events = guest.poll(
            on_clock(1, clock, base + 30_000 * MS, absolute),
            on_clock(2, clock, base + 30 * MS, absolute),
        )
        assert not isinstance(events, Errno)
        assert [(e.userdata, e.error, e.type) for e in events] == [(2, 0, 0)]
        # The clock itself says so, however long this process was held up; a relative
        # time runs on the monotonic clock, from which the other may stray a little.
        assert now(guest) - began >= 30 * MS - (0 if absolute or clock else MS)


def test_a_sleeping_guest_uses_no_processor_time(backing: str) -> None:
    with Guest(backing) as guest:
        before = resource.getrusage(resource.RUSAGE_THREAD)
        guest.poll(on_clock(1, 1, 300 * MS))
        after = resource.getrusage(resource.RUSAGE_THREAD)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.1


@pytest.mark.parametrize("absolute", [False, True])
def test_interrupt_ends_a_sleep(backing: str, absolute: bool) -> None:
    with Guest(backing) as guest:
        timeout = time.time_ns() + 60_000 * MS if absolute else 60_000 * MS
        with soon(guest.interrupt), pytest.raises(Interrupted):
            guest.poll(on_clock(1, 0, timeout, absolute))


def test_descriptors_beside_clocks(backing: str, pipe: tuple[int, int]) -> None:
    with Guest(backing, stdin=pipe[0]) as guest:
        read, limit = on_fd(7, 0), on_clock(8, 1, 30 * MS)
        events = guest.poll(read, limit)
        assert not isinstance(events, Errno)
        assert [e.userdata for e in events] == [8]
        with soon(lambda: os.write(pipe[1], b"abc")):
            events = guest.poll(read, on_clock(8, 1, 60_000 * MS))
        assert not isinstance(events, Errno)
        assert [(e.userdata, e.type, e.nbytes, e.flags) for e in events] == [
            (7, 1, 3, 0)
        ]
        guest.read(0, 10)
        os.close(pipe[1])
        events = guest.poll(read)
        assert not isinstance(events, Errno)
        assert [(e.nbytes, e.flags) for e in events] == [(0, 1)]


def test_a_bad_subscription_has_an_event_of_its_own(backing: str) -> None:
    with Guest(backing) as guest:
        events = guest.poll(on_fd(1, 77), on_clock(2, 1, 60_000 * MS))
        assert not isinstance(events, Errno)
        assert [(e.userdata, e.error) for e in events] == [(1, Errno.BADF)]


# ---- sockets -------------------------------------------------------------------


@pytest.fixture
def server(backing: str) -> Iterator[Guest]:
    """A guest with a listening socket as descriptor 3."""
    with Guest(backing, listen=["127.0.0.1:0"]) as guest:
        yield guest


def connect(guest: Guest) -> socket.socket:
    return socket.create_connection(("127.0.0.1", guest.ports[0]), timeout=10)


def accept(guest: Guest, flags: int = 0) -> Errno | int:
    errno = guest.call("sock_accept", 3, flags, OUT)
    return int(guest.get("I")) if errno is Errno.SUCCESS else errno


def receive(guest: Guest, fd: int, room: int, flags: int = 0) -> Errno | bytes:
    guest.put(IOVS, BUFFER.to_bytes(4, "little") + room.to_bytes(4, "little"))
    errno = guest.call("sock_recv", fd, IOVS, 1, flags, OUT, OUT + 4)
    if errno is not Errno.SUCCESS:
        return errno
    return bytes(guest.memory[BUFFER : BUFFER + guest.get("I")])


def test_a_connection_is_accepted(server: Guest) -> None:
    assert server.fdstat(3)[0] == Filetype.SOCKET_STREAM
    assert server.call("fd_prestat_get", 3, OUT) is Errno.BADF
    assert server.call("fd_fdstat_set_flags", 3, NONBLOCK) is Errno.SUCCESS
    assert accept(server) is Errno.AGAIN
    assert server.call("fd_fdstat_set_flags", 3, 0) is Errno.SUCCESS
    peers: list[socket.socket] = []
    with soon(lambda: peers.append(connect(server))):
        fd = accept(server, NONBLOCK)
    assert fd == 4
    with peers[0] as peer:
        assert server.fdstat(4)[1] == NONBLOCK
        assert receive(server, 4, 10) is Errno.AGAIN
        assert server.call("fd_fdstat_set_flags", 4, 0) is Errno.SUCCESS
        peer.sendall(b"hello")
        assert receive(server, 4, 10, PEEK) == b"hello"
        with soon(lambda: peer.sendall(b" you")):
            assert receive(server, 4, 9, WAITALL) == b"hello you"
        assert server.write(4, b"bye") == 3
        assert server.call("sock_shutdown", 4, 2) is Errno.SUCCESS
        assert peer.recv(10) == b"bye"
        assert peer.recv(10) == b""
    assert receive(server, 4, 10) == b""


def test_interrupt_ends_an_accept(server: Guest) -> None:
    with soon(server.interrupt), pytest.raises(Interrupted):
        accept(server)


def test_a_file_is_no_socket(backing: str, guest_dir: Path) -> None:
    with Guest(backing, guest_dir) as guest:
        assert accept(guest) is Errno.NOTSOCK
        assert receive(guest, 3, 1) is Errno.NOTSOCK
        assert guest.call("sock_shutdown", 3, 1) is Errno.NOTSOCK


# ---- clocks and random bytes ---------------------------------------------------


def test_clocks_tell_the_time(backing: str) -> None:
    with Guest(backing) as guest:
        for clock in range(4):
            assert guest.call("clock_res_get", clock, OUT) is Errno.SUCCESS
            assert guest.get("Q") > 0
            assert guest.call("clock_time_get", clock, 0, OUT) is Errno.SUCCESS
            first = guest.get("Q")
            assert guest.call("clock_time_get", clock, 0, OUT) is Errno.SUCCESS
            assert guest.get("Q") >= first
        assert guest.call("clock_time_get", 0, 0, OUT) is Errno.SUCCESS
        assert abs(guest.get("Q") - time.time_ns()) < 10_000 * MS


def test_random_bytes_differ(backing: str) -> None:
    with Guest(backing) as guest:
        assert guest.call("random_get", BUFFER, 64) is Errno.SUCCESS
        first = bytes(guest.memory[BUFFER : BUFFER + 64])
        assert guest.call("random_get", BUFFER, 64) is Errno.SUCCESS
        assert bytes(guest.memory[BUFFER : BUFFER + 64]) != first
