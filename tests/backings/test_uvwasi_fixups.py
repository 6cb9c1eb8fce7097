"""What each fix-up of the uvwasi backing is for: uvwasi alone, and with fix-ups.

Nothing here says that uvwasi is to stay as it is: a row fails when a later version
does better, and then the fix-up can go.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wasi_backing import (
    ConfigurationError,
    Errno,
    Preopen,
    Rights,
    UvwasiBacking,
    backings,
)

from .guest import (
    APPEND,
    CREAT,
    DIRECTORY,
    FILE_RIGHTS,
    OUT,
    READ,
    WRITE,
    Guest,
    on_clock,
    on_fd,
)

pytestmark = pytest.mark.skipif(
    "uvwasi" not in [backing.name for backing in backings()],
    reason="the uvwasi backing is not built in: make vendor",
)
RAW = {"fixups": "off"}


@pytest.fixture
def raw(guest_dir: Path) -> Iterator[Guest]:
    """A guest on uvwasi as it is."""
    with Guest("uvwasi", guest_dir, extras=RAW) as guest:
        yield guest


@pytest.fixture
def fixed(guest_dir: Path) -> Iterator[Guest]:
    """A guest on the same directory, with the fix-ups."""
    with Guest("uvwasi", guest_dir) as guest:
        yield guest


def version() -> tuple[int, ...]:
    """The version of uvwasi that is built in, as its summary tells it."""
    [summary] = [b.summary for b in backings() if b.name == "uvwasi"]
    return tuple(
        map(int, summary.partition("(uvwasi ")[2].partition(")")[0].split("."))
    )


def test_prestat(raw: Guest, fixed: Guest) -> None:
    assert raw.call("fd_prestat_get", 0, OUT) is Errno.INVAL
    assert fixed.call("fd_prestat_get", 0, OUT) is Errno.BADF


def test_rights(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").touch()
    # To read only, with the right to bring what was written to storage.
    rights = Rights.FD_READ | Rights.FD_SEEK | Rights.FD_DATASYNC
    assert raw.fdstat(raw.must_open("file", rights=rights, inheriting=0))[2] == rights
    assert fixed.fdstat(fixed.must_open("file", rights=rights))[2] == rights
    # uvwasi opens for writing then, which a directory refuses.
    assert raw.open(".", DIRECTORY, rights, inheriting=0) is Errno.ISDIR
    assert isinstance(fixed.open(".", DIRECTORY, rights), int)


def test_flags(raw: Guest, fixed: Guest) -> None:
    for guest, expected in ((raw, False), (fixed, True)):
        fd = guest.must_open("file", CREAT, READ, inheriting=0, fdflags=APPEND)
        assert (guest.fdstat(fd)[1] == APPEND) is expected


def test_readdir(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").touch()
    [entry] = raw.list()
    assert entry[1:] == (0, 4, b"file")
    inodes = {name: inode for _, inode, _, name in fixed.list()}
    assert set(inodes) == {b".", b"..", b"file"}
    assert inodes[b"file"] == (guest_dir / "file").stat().st_ino


def test_paths(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "a" / "b").mkdir(parents=True)
    (guest_dir / "a" / "b" / "other").touch()
    for path in ("/a", "../../a", "missing/../a"):
        assert raw.try_open(path, DIRECTORY, 0, inheriting=0) is Errno.SUCCESS
    for path in ("/a", "../../a"):
        assert fixed.try_open(path, DIRECTORY, 0) is Errno.NOTCAPABLE
    assert fixed.try_open("missing/../a", DIRECTORY, 0) is Errno.NOENT
    for guest, expected in ((raw, Errno.SUCCESS), (fixed, Errno.NOTCAPABLE)):
        rights = int(Rights.PATH_OPEN | Rights.FD_READDIR)
        below = guest.must_open("a", DIRECTORY, rights, inheriting=FILE_RIGHTS)
        # The text begins like that of a: to uvwasi it is a/b/other.
        errno = guest.try_open("../ab/other", 0, READ, fd=below, inheriting=0)
        assert errno is expected


def test_slashes(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").touch()
    assert raw.try_open("file/", inheriting=0) is Errno.SUCCESS
    assert fixed.try_open("file/") is Errno.NOTDIR


def test_links(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "d").mkdir()
    (guest_dir / "d" / "file").write_text("text")
    (guest_dir / "d" / "link").symlink_to("file")
    assert raw.try_open("d/link", follow=False, inheriting=0) is Errno.SUCCESS
    assert fixed.try_open("d/link", follow=False) is Errno.LOOP
    assert fixed.must_stat("d/link").size == 4
    if version() == (0, 0, 19):
        assert raw.stat("d/link") is Errno.NOENT
        assert raw.readlink("d/link") is not Errno.SUCCESS
    assert fixed.readlink("d/link") == b"file"


def test_times(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    file = guest_dir / "file"
    for guest, expected in ((raw, 3_000_000_000), (fixed, 3_000_000_004)):
        file.touch()
        os.utime(file, ns=(1_000_000_002, 5))
        path = guest.text("file")
        times = (0, 3_000_000_004, 4)
        errno = guest.call("path_filestat_set_times", 3, 0, *path, *times)
        assert errno is Errno.SUCCESS
        assert file.stat().st_mtime_ns == expected


def test_clocks(raw: Guest, fixed: Guest) -> None:
    def fractions(guest: Guest) -> set[int]:
        found = set()
        for _ in range(50):
            assert guest.call("clock_time_get", 0, 0, OUT) is Errno.SUCCESS
            found.add(guest.get("Q") % 1000)
        return found

    assert fractions(raw) == {0}
    assert len(fractions(fixed)) > 1


def test_storage(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    for guest, expected in ((raw, False), (fixed, True)):
        (guest_dir / "file").unlink(missing_ok=True)
        fd = guest.must_open("file", CREAT, FILE_RIGHTS, inheriting=0)
        errno = guest.call("fd_allocate", fd, 0, 1 << 20)
        if errno is Errno.NOTSUP:
            pytest.skip("this file system cannot allocate")
        facts = (guest_dir / "file").stat()
        assert facts.st_size == 1 << 20
        assert (facts.st_blocks > 0) is expected


def test_types(guest_dir: Path) -> None:
    reader, writer = os.pipe()
    try:
        for extras, filetype in ((RAW, 6), ({}, 0)):
            with Guest("uvwasi", guest_dir, stdin=reader, extras=extras) as guest:
                assert guest.fdstat(0)[0] == filetype
    finally:
        os.close(reader)
        os.close(writer)


def test_poll(raw: Guest, fixed: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").write_text("text")
    soon = on_clock(1, 1, 1), on_clock(2, 1, 2)
    assert [event.userdata for event in raw.poll(*soon)] == [1]
    assert [event.userdata for event in fixed.poll(*soon)] == [1, 2]
    rights = READ | Rights.POLL_FD_READWRITE
    file = fixed.must_open("file", rights=rights)
    [event] = fixed.poll(on_fd(7, file))
    assert (event.error, event.nbytes) == (Errno.SUCCESS, 4)
    file = raw.must_open("file", rights=rights, inheriting=0)
    assert raw.poll(on_fd(7, file)) is Errno.PERM


def test_poll_of_a_bad_descriptor_is_survived(raw: Guest) -> None:
    # uvwasi itself reads through NULL at the second subscription.
    events = raw.poll(on_fd(1, 99), on_fd(2, 0), on_fd(3, 98))
    assert [(event.userdata, event.error) for event in events] == [
        (1, Errno.BADF),
        (3, Errno.BADF),
    ]


def test_sockets(guest_dir: Path) -> None:
    with Guest("uvwasi", guest_dir, listen=["127.0.0.1:0"]) as guest:
        [port] = guest.ports
        with socket.create_connection(("127.0.0.1", port)) as peer:
            assert guest.call("sock_accept", 4, 0, OUT) is Errno.SUCCESS
            fd = guest.get("I")
            peer.sendall(b"hello")
            assert guest.read(fd, 100) == b"hello"
            assert guest.write(fd, b"world") == 5
            assert peer.recv(100) == b"world"
            peer.shutdown(socket.SHUT_WR)
            assert guest.read(fd, 100) == b""


def test_uvwasis_own_sockets(guest_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    listen = [f"127.0.0.1:{port}"]
    with Guest("uvwasi", guest_dir, listen=listen, extras=RAW) as guest:
        with socket.create_connection(("127.0.0.1", port)) as peer:
            assert guest.call("sock_accept", 4, 0, OUT) is Errno.SUCCESS
            fd = guest.get("I")
            assert guest.call("fd_prestat_get", 4, OUT) is Errno.BADF
            assert guest.call("sock_shutdown", 4, 2) is Errno.NOTCONN
            assert guest.read(fd, 100) is Errno.BADF
            assert guest.call("sock_shutdown", fd, 2) is Errno.SUCCESS
            assert guest.call("sock_shutdown", fd, 2) is Errno.NOTCONN
            assert peer.recv(100) == b""
        assert guest.call("fd_close", fd) is Errno.SUCCESS
    # Nothing of it is left listening.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize("call", ["sock_recv", "sock_send", "sock_shutdown"])
@pytest.mark.parametrize("extras", [RAW, {}], ids=["raw", "fixed"])
def test_what_is_no_socket_is_survived(
    guest_dir: Path, call: str, extras: dict[str, str]
) -> None:
    reader, writer = os.pipe()
    try:
        with Guest("uvwasi", guest_dir, stdin=reader, extras=extras) as guest:
            arguments = {
                "sock_recv": (0, 0, 0, 0, OUT, OUT + 8),
                "sock_send": (0, 0, 0, 0, OUT),
                "sock_shutdown": (0, 1),
            }
            assert guest.call(call, *arguments[call]) is Errno.NOTSOCK
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("extras", [RAW, {}], ids=["raw", "fixed"])
def test_a_path_is_taken_from_a_directory_only(
    guest_dir: Path,
    tmp_path: Path,
    extras: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # To uvwasi descriptor 2 is "<stderr>", a folder wherever the host happens to be.
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "<stderr>").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    with Guest("uvwasi", guest_dir, extras=extras) as guest:
        assert guest.open("file", CREAT, WRITE, fd=2, inheriting=0) is Errno.NOTDIR
        assert guest.path_call("path_create_directory", "d", fd=2) is Errno.NOTDIR
    assert list((elsewhere / "<stderr>").iterdir()) == []


@pytest.mark.parametrize("extras", [RAW, {}], ids=["raw", "fixed"])
def test_lent_descriptors_stay_open(guest_dir: Path, extras: dict[str, str]) -> None:
    reader, writer = os.pipe()
    try:
        with Guest("uvwasi", guest_dir, stdin=reader, extras=extras) as guest:
            assert guest.call("fd_close", 0) is Errno.SUCCESS
            assert guest.call("fd_renumber", 3, 1) is Errno.SUCCESS
        os.fstat(reader)
    finally:
        os.close(reader)
        os.close(writer)


def test_nothing_is_left_open(guest_dir: Path) -> None:
    (guest_dir / "file").touch()
    before = len(os.listdir("/proc/self/fd"))
    for extras in (RAW, {}):
        with Guest("uvwasi", guest_dir, extras=extras) as guest:
            for _ in range(20):
                guest.must_open("file", inheriting=0)
            assert guest.call("poll_oneoff", 0, 0, 0, OUT) is Errno.INVAL
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"preopens": {"/": Preopen(".", read_only=True)}}, "read-only preopens"),
        ({"rights": "ignore"}, "ignore rights"),
        ({"listen": ["127.0.0.1:0"]}, "free port"),
    ],
)
def test_what_uvwasi_lacks_is_refused(
    settings: dict[str, object], missing: str
) -> None:
    with pytest.raises((ConfigurationError, OSError), match=missing):
        Guest("uvwasi", extras=RAW, **settings)


@pytest.mark.parametrize(
    ("extras", "message"),
    [({"fixups": "some"}, 'on or off, not "some"'), ({"colour": "blue"}, '"colour"')],
)
def test_an_extra_that_is_unknown_is_refused(
    extras: dict[str, str], message: str
) -> None:
    with pytest.raises((ConfigurationError, OSError), match=message):
        Guest("uvwasi", extras=extras)


def test_a_directory_of_100000_names_takes_linear_time(tmp_path: Path) -> None:
    def seconds(names: int) -> float:
        folder = tmp_path / str(names)
        folder.mkdir()
        code = f"for n in range({names}): open(f'{{n:06}}', 'x').close()"
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
        with Guest("uvwasi", folder) as guest:
            start = time.process_time()
            assert len(guest.list()) == names + 2
            return time.process_time() - start

    # Ten times the names; a quadratic listing would take a hundred times as long.
    small = seconds(10_000)
    assert seconds(100_000) < 40 * small


@pytest.mark.parametrize("fixups", [True, False])
def test_an_object_says_whether_there_are_fixups(guest_dir: Path, fixups: bool) -> None:
    backing = UvwasiBacking(fixups=fixups)
    with Guest(backing, guest_dir) as guest:
        assert (b".." in {name for _, _, _, name in guest.list()}) is fixups
