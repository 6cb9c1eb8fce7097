"""Paths, as a guest observes them on each backing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wasi_backing import Errno

from .guest import CREAT, DIRECTORY, DIRECTORY_RIGHTS, EXCL, READ, WRITE, Guest

S, NOTCAPABLE, LOOP = Errno.SUCCESS, Errno.NOTCAPABLE, Errno.LOOP
NOTDIR, NOENT = Errno.NOTDIR, Errno.NOENT


@pytest.fixture
def tree(guest_dir: Path) -> Path:
    """Fill the guest's directory, and put a secret beside it."""
    outside = guest_dir.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (guest_dir / "file").write_text("hello")
    (guest_dir / "dir" / "sub").mkdir(parents=True)
    (guest_dir / "dir" / "inner").write_text("inner")
    for name, target in {
        "to_file": "file",
        "to_dir": "dir",
        "dir/to_top": "../file",
        "dangling": "nowhere",
        "loop": "loop",
        "up": "..",
        "out": "../outside",
        "absolute": "/etc",
    }.items():
        (guest_dir / name).symlink_to(target)
    return guest_dir


@pytest.fixture
def guest(backing: str, tree: Path) -> Iterator[Guest]:
    with Guest(backing, tree) as guest:
        yield guest


@pytest.mark.parametrize(
    ("path", "follow", "answer"),
    [
        ("file", True, S),
        ("dir//inner", True, S),
        ("./dir/../file", True, S),
        ("to_dir/inner", True, S),
        ("dir/to_top", True, S),
        ("to_file", True, S),
        ("to_file", False, LOOP),
        ("to_dir/", False, S),
        ("dir/", True, S),
        ("dir/..", True, S),
        ("file/", True, NOTDIR),
        ("file/.", True, NOTDIR),
        ("file/..", True, NOTDIR),
        ("to_file/", True, NOTDIR),
        ("missing", True, NOENT),
        ("missing/..", True, NOENT),
        ("dangling", True, NOENT),
        ("loop", True, LOOP),
        ("loop/x", True, LOOP),
        ("..", True, NOTCAPABLE),
        ("../outside/secret", True, NOTCAPABLE),
        ("dir/../..", True, NOTCAPABLE),
        ("/", True, NOTCAPABLE),
        ("/file", True, NOTCAPABLE),
        ("up", True, NOTCAPABLE),
        ("up/guest/file", True, NOTCAPABLE),
        ("out/secret", True, NOTCAPABLE),
        ("absolute", True, NOTCAPABLE),
        ("absolute/passwd", True, NOTCAPABLE),
        ("absolute", False, LOOP),
    ],
)
def test_opening(guest: Guest, path: str, follow: bool, answer: Errno) -> None:
    assert guest.try_open(path, follow=follow) is answer


@pytest.mark.parametrize(
    "path", ["..", "../x", "dir/../../x", "/x", "up/x", "out/x", "absolute/x"]
)
def test_no_call_leaves_the_root(guest: Guest, tree: Path, path: str) -> None:
    answers = {
        "create": guest.try_open(path, CREAT, int(WRITE)),
        "stat": guest.stat(path),
        "mkdir": guest.path_call("path_create_directory", path),
        "unlink": guest.path_call("path_unlink_file", path),
        "rmdir": guest.path_call("path_remove_directory", path),
        "symlink": guest.symlink("file", path),
        "readlink": guest.readlink(path),
        "link from": guest.two_paths("path_link", path, "new"),
        "link to": guest.two_paths("path_link", "file", path),
        "rename from": guest.two_paths("path_rename", path, "new"),
        "rename to": guest.two_paths("path_rename", "file", path),
        "times": guest.call(
            "path_filestat_set_times", 3, 1, *guest.text(path), 1, 1, 5
        ),
    }
    assert answers == dict.fromkeys(answers, NOTCAPABLE)
    assert os.listdir(tree.parent / "outside") == ["secret"]
    assert sorted(os.listdir(tree.parent)) == ["guest", "outside"]


def test_an_opened_directory_is_a_root(guest: Guest) -> None:
    fd = guest.must_open("dir", DIRECTORY, DIRECTORY_RIGHTS)
    assert guest.try_open("inner", fd=fd) is S
    assert guest.try_open("sub/../inner", fd=fd) is S
    assert guest.try_open("../file", fd=fd) is NOTCAPABLE
    assert guest.try_open("to_top", fd=fd) is NOTCAPABLE


def test_absolute_links_are_not_made(guest: Guest, tree: Path) -> None:
    assert guest.symlink("/etc", "new") is NOTCAPABLE
    assert guest.symlink("../../x", "new") is S
    assert os.readlink(tree / "new") == "../../x"
    assert guest.readlink("new") == b"../../x"
    assert guest.readlink("new", room=4) == b"../."
    assert guest.readlink("file") is Errno.INVAL
    assert guest.try_open("new") is NOTCAPABLE


def test_making_and_removing(guest: Guest) -> None:
    make = "path_create_directory"
    remove, unlink = "path_remove_directory", "path_unlink_file"
    assert guest.path_call(make, "new/") is S
    assert guest.path_call(make, "new") is Errno.EXIST
    assert guest.path_call(make, "dangling") is Errno.EXIST
    assert guest.path_call(make, "missing/new") is NOENT
    assert guest.path_call(remove, "dir") is Errno.NOTEMPTY
    assert guest.path_call(remove, "file") is NOTDIR
    assert guest.path_call(remove, "to_dir") is NOTDIR
    assert guest.path_call(unlink, "dir") is Errno.ISDIR
    assert guest.path_call(unlink, "file/") is NOTDIR
    assert guest.path_call(unlink, "to_dir") is S
    assert guest.path_call(remove, "new") is S


def test_renaming(guest: Guest, tree: Path) -> None:
    rename = "path_rename"
    assert guest.two_paths(rename, "file", "dir/moved") is S
    assert (tree / "dir" / "moved").read_text() == "hello"
    assert guest.two_paths(rename, "dir", "dir/sub/x") is Errno.INVAL
    assert guest.two_paths(rename, "dir/inner", "dir/sub") is Errno.ISDIR
    assert guest.two_paths(rename, "dir/sub", "dir/inner") is NOTDIR
    assert guest.two_paths(rename, "missing", "x") is NOENT
    assert guest.two_paths(rename, "out", "renamed") is S
    assert os.readlink(tree / "renamed") == "../outside"


def test_linking(guest: Guest, tree: Path) -> None:
    assert guest.two_paths("path_link", "file", "hard") is S
    assert guest.must_stat("file").nlink == 2
    assert guest.must_stat("hard").ino == (tree / "file").stat().st_ino
    assert guest.two_paths("path_link", "dir", "no") is Errno.PERM
    assert guest.two_paths("path_link", "file", "dir") is Errno.EXIST
    assert guest.two_paths("path_link", "out", "link") is S
    assert (tree / "link").is_symlink()


def test_flags_that_exclude_each_other(guest: Guest) -> None:
    assert guest.try_open("dir", CREAT | DIRECTORY) is Errno.INVAL
    assert guest.try_open("dir", 0, int(READ | WRITE)) is Errno.ISDIR
    assert guest.try_open("file", DIRECTORY) is NOTDIR
    assert guest.try_open("dangling", CREAT | EXCL, int(WRITE)) is Errno.EXIST
    assert guest.try_open("new/", CREAT, int(WRITE)) is Errno.ISDIR
