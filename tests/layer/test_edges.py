"""The edges of memory on a real backing: what a guest and its host observe.

The layer's C tests have the full tables on a probe; these rows show that the same
holds from the guest to the file system.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from pathlib import Path

import pytest

from wasi_backing import Errno, PlainGuest, Trap

from .situation import CALLS, IOVS, SIZE, lay_out, put_iovecs, situation
from .test_specification import table


def pointers(version: str) -> list[tuple[str, int, int, int, str]]:
    """Return call, argument, element size, alignment, count of each pointer."""
    return [
        (name, int(argument), int(element), int(align), count)
        for row_version, name, argument, element, align, count in table(
            "spec_pointers.txt"
        )
        if row_version == version
    ]


POINTERS = [
    pytest.param(version, *row[:4], row[4], id=f"{version}-{row[0]}-{row[1]}")
    for version in ("preview1", "unstable")
    for row in pointers(version)
]


def tree(directory: Path) -> dict[str, bytes | None]:
    """Return what the host's directory holds."""
    return {
        str(path.relative_to(directory)): (
            path.read_bytes() if path.is_file() and not path.is_symlink() else None
        )
        for path in directory.rglob("*")
    }


def length_of(call: str, element: int, count: str) -> int:
    """Return how many bytes the baseline call uses at a pointer."""
    if count == "-":
        return element
    if count == "host":
        strings = ["app", "x"] if call == "args_get" else ["K=V"]
        return 4 * len(strings) if element == 4 else sum(len(s) + 1 for s in strings)
    return element * CALLS[call].arguments[int(count)]


def with_argument(call: str, argument: int, value: int) -> list[int]:
    arguments = list(CALLS[call].arguments)
    arguments[argument] = value
    return arguments


@pytest.mark.parametrize(
    ("version", "call", "argument", "element", "align", "count"), POINTERS
)
def test_a_pointer_out_of_bounds_changes_nothing_anywhere(
    backing: str,
    guest_dir: Path,
    version: str,
    call: str,
    argument: int,
    element: int,
    align: int,
    count: str,
) -> None:
    length = length_of(call, element, count)
    offsets = [SIZE - length + 1, SIZE, SIZE + 1, 2**31, 2**32 - length, 2**32 - 1]
    unstable = version == "unstable"
    with situation(backing, guest_dir) as guest:
        before = tree(guest_dir)
        for offset in offsets:
            lay_out(guest)
            memory = bytes(guest.memory)
            with pytest.raises(Trap, match=f"{call}: .*bounds"):
                guest.call(
                    call, *with_argument(call, argument, offset), unstable=unstable
                )
            assert bytes(guest.memory) == memory, offset
            assert tree(guest_dir) == before, offset
    with situation(backing, guest_dir, fault=True) as guest:
        before = tree(guest_dir)
        for offset in offsets:
            lay_out(guest)
            memory = bytes(guest.memory)
            arguments = with_argument(call, argument, offset)
            assert guest.call(call, *arguments, unstable=unstable) is Errno.FAULT
            assert bytes(guest.memory) == memory, offset
            assert tree(guest_dir) == before, offset


@pytest.mark.parametrize(
    ("version", "call", "argument", "element", "align", "count"), POINTERS
)
def test_the_last_fit_works_as_anywhere_else(
    backing: str,
    guest_dir: Path,
    version: str,
    call: str,
    argument: int,
    element: int,
    align: int,
    count: str,
) -> None:
    length = length_of(call, element, count)
    origin = CALLS[call].arguments[argument]
    unstable = version == "unstable"
    with situation(backing, guest_dir) as guest:
        image = bytes(guest.memory[origin : origin + length])
        guest.memory[SIZE - length :] = image
        answer = guest.call(
            call, *with_argument(call, argument, SIZE - length), unstable=unstable
        )
        assert answer in CALLS[call].answers


@pytest.mark.parametrize(
    ("version", "call", "argument", "element", "align", "count"), POINTERS
)
def test_a_misaligned_pointer_traps_in_strict_mode_only(
    backing: str,
    guest_dir: Path,
    version: str,
    call: str,
    argument: int,
    element: int,
    align: int,
    count: str,
) -> None:
    length = length_of(call, element, count)
    origin = CALLS[call].arguments[argument]
    moved = with_argument(call, argument, origin + 1)
    unstable = version == "unstable"

    def move(guest: PlainGuest) -> None:
        image = bytes(guest.memory[origin : origin + length])
        guest.memory[origin + 1 : origin + 1 + length] = image

    with situation(backing, guest_dir) as guest:
        move(guest)
        assert guest.call(call, *moved, unstable=unstable) in CALLS[call].answers
    for path in guest_dir.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    with situation(backing, guest_dir, aligned=True) as guest:
        move(guest)
        if align > 1:
            with pytest.raises(Trap, match=f"{call}: misaligned"):
                guest.call(call, *moved, unstable=unstable)
        else:
            assert guest.call(call, *moved, unstable=unstable) in CALLS[call].answers


@pytest.mark.parametrize("call", ["fd_read", "fd_pread", "fd_write", "fd_pwrite"])
@pytest.mark.parametrize(
    ("span", "inside"),
    [
        pytest.param((SIZE - 1, 1), True, id="last byte"),
        pytest.param((0, SIZE), True, id="all"),
        pytest.param((2**32 - 1, 0), True, id="empty anywhere"),
        pytest.param((SIZE - 7, 8), False, id="8 bytes, one too far"),
        pytest.param((SIZE, 1), False, id="at size"),
        pytest.param((2**32 - 8, 16), False, id="sum wraps"),
        pytest.param((0, 2**32 - 1), False, id="longer than memory"),
    ],
)
def test_an_iovec_is_checked_before_the_file_is_touched(
    backing: str, guest_dir: Path, call: str, span: tuple[int, int], inside: bool
) -> None:
    with situation(backing, guest_dir) as guest:
        before = tree(guest_dir)
        put_iovecs(guest, IOVS, (8, 2), span)
        arguments = with_argument(call, 2, 2)
        memory = bytes(guest.memory)
        if inside:
            assert guest.call(call, *arguments) is Errno.SUCCESS
        else:
            with pytest.raises(Trap, match=f"{call}: .*bounds"):
                guest.call(call, *arguments)
            assert bytes(guest.memory) == memory
            assert tree(guest_dir) == before


def test_a_guest_whose_memory_is_empty_traps_with_any_pointer(
    backing: str, guest_dir: Path
) -> None:
    with PlainGuest(backing=backing, memory_size=0) as guest:
        for call in CALLS.values():
            with pytest.raises(Trap, match=f"{call.name}: .*bounds"):
                guest.call(call.name, *call.arguments)
        assert guest.call("random_get", 0, 0) is Errno.SUCCESS
        assert guest.call("sched_yield") is Errno.SUCCESS
