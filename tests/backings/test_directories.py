"""fd_readdir, as a guest observes it on each backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wasi_backing import Errno, Filetype

from .guest import BUFFER, DIRECTORY, DIRECTORY_RIGHTS, OUT, Guest


@pytest.fixture
def guest(backing: str, guest_dir: Path) -> Iterator[Guest]:
    with Guest(backing, guest_dir) as guest:
        yield guest


def test_names_types_and_inodes(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").write_text("")
    (guest_dir / "dir").mkdir()
    (guest_dir / "link").symlink_to("file")
    entries = {name: (inode, kind) for _, inode, kind, name in guest.list()}
    root = guest_dir.stat().st_ino
    assert entries == {
        # What is above the root is not the guest's to know.
        b".": (root, Filetype.DIRECTORY),
        b"..": (root, Filetype.DIRECTORY),
        b"file": ((guest_dir / "file").stat().st_ino, Filetype.REGULAR_FILE),
        b"dir": ((guest_dir / "dir").stat().st_ino, Filetype.DIRECTORY),
        b"link": ((guest_dir / "link").lstat().st_ino, Filetype.SYMBOLIC_LINK),
    }


def test_the_parent_of_a_directory_within(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "dir").mkdir()
    fd = guest.must_open("dir", DIRECTORY, DIRECTORY_RIGHTS)
    entries = {name: inode for _, inode, _, name in guest.list(fd)}
    assert entries[b".."] == guest_dir.stat().st_ino
    assert entries[b"."] == (guest_dir / "dir").stat().st_ino


@pytest.mark.parametrize("room", [64, 100, 4096, 400_000])
def test_every_name_once_whatever_the_room(
    guest: Guest, guest_dir: Path, room: int
) -> None:
    names = {f"name-{n}".encode() for n in range(2000)}
    for name in names:
        os.close(os.open(os.fsencode(guest_dir) + b"/" + name, os.O_CREAT))
    found = [name for *_, name in guest.list(room=room)]
    assert len(found) == len(names) + 2
    assert set(found) == names | {b".", b".."}


def test_cookies_survive_entries_that_come_and_go(
    guest: Guest, guest_dir: Path
) -> None:
    stay = {f"stay{n}".encode() for n in range(50)}
    for n in range(50):
        (guest_dir / f"stay{n}").write_text("")
        (guest_dir / f"go{n}").write_text("")
    found: list[bytes] = []
    cookie = 0
    for n in range(1000):
        # One entry, whose name has 6 bytes at most.
        errno = guest.call("fd_readdir", 3, BUFFER, 24 + 6, cookie, OUT)
        assert errno is Errno.SUCCESS
        if guest.get("I") == 0:
            break
        cookie, _, length = guest.get("QQI", BUFFER)
        found.append(bytes(guest.memory[BUFFER + 24 : BUFFER + 24 + length]))
        if n < 50:
            (guest_dir / f"go{n}").unlink()
            (guest_dir / f"new{n}").write_text("")
    assert sorted(name for name in found if name in stay) == sorted(stay)
    again = [name for *_, name in guest.list()]
    assert {f"new{n}".encode() for n in range(50)} <= set(again)
    assert not any(name.startswith(b"go") for name in again)


def test_a_name_that_is_not_utf8_is_left_out(guest: Guest, guest_dir: Path) -> None:
    os.close(os.open(os.fsencode(guest_dir) + b"/\xff\xfe", os.O_CREAT))
    (guest_dir / "good").write_text("")
    assert {name for *_, name in guest.list()} == {b".", b"..", b"good"}


def test_what_is_no_directory_is_notdir(guest: Guest, guest_dir: Path) -> None:
    (guest_dir / "file").write_text("")
    fd = guest.must_open("file")
    assert guest.call("fd_readdir", fd, BUFFER, 100, 0, OUT) is Errno.NOTDIR
    assert guest.call("fd_readdir", 99, BUFFER, 100, 0, OUT) is Errno.BADF
