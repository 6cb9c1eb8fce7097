"""Any calls in any order on a real backing: nothing crashes, nothing escapes.

The examples are the same in every run.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wasi_backing import DEVNULL, Errno, Exit, Interrupted, PlainGuest, Trap

from .situation import (
    CALLS,
    DIRECTORY,
    FILE,
    OPEN_RIGHTS,
    OTHER_PATH,
    PATH,
    SIZE,
    SPARE,
    lay_out,
    put,
)
from .test_specification import calls, table

ENOUGH = 1.0  # seconds that a story may block before its guest is interrupted

SIGNATURES = {name: signature for name, signature, *_ in calls()}

# Arguments that a guest would give, for each call; those with pointers are CALLS.
USUAL = {name: call.arguments for name, call in CALLS.items()} | {
    "fd_advise": (FILE, 0, 0, 0),
    "fd_allocate": (FILE, 0, 100),
    "fd_close": (FILE,),
    "fd_datasync": (FILE,),
    "fd_fdstat_set_flags": (FILE, 0),
    "fd_fdstat_set_rights": (FILE, int(OPEN_RIGHTS), 0),
    "fd_filestat_set_size": (FILE, 100),
    "fd_filestat_set_times": (FILE, 1, 1, 5),
    "fd_renumber": (FILE, SPARE),
    "fd_sync": (FILE,),
    "sched_yield": (),
    "sock_shutdown": (FILE, 1),
}
# Every call of both versions, but those that end a guest.
VERSIONED = [
    (row[0] == "unstable", row[1])
    for row in table("spec_signatures.txt")
    if row[1] not in ("proc_exit", "proc_raise")
]
# These take room as the guest says: their numbers stay small.
MODEST = {"fd_allocate": 1 << 16, "fd_filestat_set_size": 1 << 40}

# Paths, laid out from this offset on, each in 16 bytes.
NAMES_AT = 3072
NAMES = [
    b"file",
    b"other",
    b"dir",
    b"dir/inner",
    b"new",
    b"dir/new",
    b".",
    b"..",
    b"../outside",
    b"dir/../../outside",
    b"link",
    b"link/",
    b"/",
    b"/file",
    b"dir/..",
    b"file/",
    b"\xff",
    b"a\0b",
]

i32 = st.one_of(
    st.integers(0, 8),
    st.sampled_from([16, 256, SIZE - 4, SIZE, 2**31, 2**32 - 1]),
    st.integers(0, 2**32 - 1),
)
i64 = st.one_of(
    st.integers(0, 64),
    st.sampled_from([2**30 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]),
    st.integers(0, 2**64 - 1),
)

Call = tuple[bool, str, list[int]]


@st.composite
def a_call(draw: Any) -> Call:
    """Draw a usual call with other paths and up to two odd arguments."""
    unstable, name = draw(st.sampled_from(VERSIONED))
    arguments = list(USUAL[name])
    for index, argument in enumerate(arguments):
        if argument in (PATH, OTHER_PATH) and name in CALLS:
            choice = draw(st.integers(0, len(NAMES) - 1))
            arguments[index : index + 2] = [NAMES_AT + 32 * choice, len(NAMES[choice])]
        elif argument in (FILE, DIRECTORY) and index == 0:
            arguments[index] = draw(st.sampled_from([argument] * 4 + [3, 5, 6, 7]))
    if name == "path_open":
        arguments[4] = draw(st.integers(0, 15))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        if arguments:
            index = draw(st.integers(0, len(arguments) - 1))
            wide = SIGNATURES[name][index] == "I"
            arguments[index] = draw(i64 if wide else i32)
    if name in MODEST:
        arguments = [min(argument, MODEST[name]) for argument in arguments]
    return unstable, name, arguments


def make_tree(root: Path) -> Path:
    """Make a guest's directory with something beside it."""
    (root / "outside").write_bytes(b"untouched")
    guest = root / "guest"
    (guest / "dir").mkdir(parents=True)
    (guest / "file").write_bytes(b"0123456789")
    (guest / "dir" / "inner").write_bytes(b"inner")
    (guest / "link").symlink_to("../outside")
    return guest


def lay_out_names(guest: PlainGuest) -> None:
    lay_out(guest)
    for index, name in enumerate(NAMES):
        put(guest, NAMES_AT + 32 * index, name)


def tell(guest: PlainGuest, story: list[Call]) -> list[Errno]:
    """Make the calls of a story, until it blocks for too long."""
    answers = []
    watchdog = threading.Timer(ENOUGH, guest.interrupt)
    watchdog.start()
    try:
        for unstable, name, arguments in story:
            lay_out_names(guest)
            try:
                answers.append(guest.call(name, *arguments, unstable=unstable))
            except Trap as trap:
                if trap.call != name:
                    raise
            except Interrupted:
                break
            except Exit as ended:
                raise AssertionError(f"{name} ended the guest") from ended
    finally:
        watchdog.cancel()
        watchdog.join()
    return answers


@settings(max_examples=250, derandomize=True, deadline=None, database=None)
@given(story=st.lists(a_call(), min_size=1, max_size=30))
def check_stories(backing: str, seen: set[Errno], story: list[Call]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        directory = make_tree(root)
        with PlainGuest(
            backing=backing,
            args=["app"],
            preopens={"/": str(directory)},
            listen=["127.0.0.1:0"],
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            memory_size=SIZE,
            max_fds=32,
        ) as guest:
            opening = (False, "path_open", [*USUAL["path_open"]])
            seen.update(tell(guest, [opening, *story]))
        assert (root / "outside").read_bytes() == b"untouched"
        assert sorted(path.name for path in root.iterdir()) == ["guest", "outside"]


def test_any_calls_in_any_order_crash_nothing_and_escape_nothing(
    backing: str,
) -> None:
    seen: set[Errno] = set()
    check_stories(backing, seen)
    # The stories reached the backing, and more than its front door.
    assert {Errno.SUCCESS, Errno.BADF, Errno.NOENT, Errno.NOTCAPABLE} <= seen
