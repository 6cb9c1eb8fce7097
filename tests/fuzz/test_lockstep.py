"""Random calls on two guests side by side: they agree, and nothing leaks or gets out.

The same calls go to the `minimal` backing with paths resolved by the kernel and to
`minimal` with the component walk. What they answer, what they store and what they
leave behind must be equal; what lies outside of the root must be as before.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from wasi_backing import DEVNULL, Errno, PlainGuest

RUNS = int(os.environ.get("WASI_BACKING_FUZZ_RUNS", "40"))
CALLS = 250

# A guest's memory: what a call reads is laid out below OUTPUT, what it stores goes
# above, with sentinels in between.
INPUT, OUTPUT, SIZE = 1024, 32768, 65536
SENTINEL = 0xA5

Call = tuple[str, tuple[Any, ...]]
Draw = Callable[[random.Random], Any]


def one_of(*values: Any) -> Draw:
    """Any of these; a value that is here twice comes up twice as often."""
    return lambda rng: rng.choice(values)


# Most arguments make sense, so that calls succeed and have something to build on.

NAMES = ["a", "b", "c", "file", "dir", "sub", "link", "way", "out", "far", "loop"]
NAMES += [".", ".."]
ODD_PATHS = [
    *("", "/", "/file", "//", "a//b", "./", "../", "../outside/secret", "out/secret"),
    *("x" * 255, "x" * 256, "a/" * 2047, "a/" * 3000, "\0", "a\0b"),
    *(b"\xff", b"a\xc0\xaf"),
]


def path(rng: random.Random) -> str | bytes:
    if rng.random() < 0.1:
        return rng.choice(ODD_PATHS)
    parts = [rng.choice(NAMES) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))]
    return "/".join(parts) + rng.choice(("",) * 7 + ("/",))


def data(rng: random.Random) -> list[bytes]:
    return [rng.randbytes(rng.randrange(12)) for _ in range(rng.randrange(4))]


def rooms(rng: random.Random) -> list[int]:
    return [rng.randrange(40) for _ in range(rng.randrange(4))]


def place(rng: random.Random) -> int:
    return rng.randrange(300)


directory = one_of(*[3] * 10, 4, 4, 5, 6, 7, 0, 99)
fd = one_of(4, 5, 6, 7, 8, 4, 5, 6, 7, 8, 9, 10, 3, 0, 15, 16, 0xFFFFFFFF)
doomed = one_of(4, 5, 6, 7, 8, 9, 10, 2, 16, 99)  # not 3: all paths start there
size = one_of(*range(12), 100, 4096, 2**31, 2**63 - 1, 2**63, 2**64 - 1)
time = one_of(0, 1, 10**9, 10**18 + 7, 2**63 - 1, 2**63, 2**64 - 1)
times = one_of(0, 1, 4, 5, 2, 8, 10, 5, 5, 3, 12, 16)
lookup = one_of(0, 1, 1, 1, 2)
oflags = one_of(*[0] * 8, 1, 1, 1, 1, 2, 2, 2, 8, 9, 5, 13, 3, 16)
fdflags = one_of(*[0] * 12, 1, 1, 4, 16, 2, 8, 31, 32)
rights = one_of(*[(1 << 30) - 1] * 12, 2, 66, 1 << 14, 0, 1 << 30)
read_rights = one_of(*[0x3FBFFE9F & ~0x141] * 6, *[(1 << 30) - 1] * 6, 2, 0, 64)

ARGUMENTS: dict[str, tuple[Draw, ...]] = {
    "fd_advise": (fd, place, place, one_of(0, 1, 2, 3, 4, 5, 6)),
    "fd_allocate": (fd, place, place),
    "fd_close": (doomed,),
    "fd_datasync": (fd,),
    "fd_fdstat_get": (fd,),
    "fd_fdstat_set_flags": (fd, fdflags),
    "fd_fdstat_set_rights": (fd, rights, rights),
    "fd_filestat_get": (fd,),
    "fd_filestat_set_size": (fd, one_of(0, 5, 100, 2**63 - 1, 2**63)),
    "fd_filestat_set_times": (fd, time, time, times),
    "fd_pread": (fd, rooms, size),
    "fd_prestat_get": (fd,),
    "fd_prestat_dir_name": (fd, one_of(0, 1, 20)),
    "fd_pwrite": (fd, data, place),
    "fd_read": (fd, rooms),
    "fd_readdir": (fd, one_of(0, 10, 24, 100, 4096)),
    "fd_renumber": (doomed, doomed),
    "fd_seek": (fd, size, one_of(0, 1, 2, 3)),
    "fd_sync": (fd,),
    "fd_tell": (fd,),
    "fd_write": (fd, data),
    "path_create_directory": (directory, path),
    "path_filestat_get": (directory, lookup, path),
    "path_filestat_set_times": (directory, lookup, path, time, time, times),
    "path_link": (directory, lookup, path, directory, path),
    "path_open": (directory, lookup, path, oflags, read_rights, rights, fdflags),
    "path_readlink": (directory, path, one_of(0, 1, 5, 40)),
    "path_remove_directory": (directory, path),
    "path_rename": (directory, path, directory, path),
    "path_symlink": (path, directory, path),
    "path_unlink_file": (directory, path),
    "poll_oneoff": (fd, one_of(0, 1, 2, 3)),
    "random_get": (place,),
    "sock_accept": (fd, fdflags),
    "sock_recv": (fd, rooms, one_of(0, 1, 4)),
    "sock_send": (fd, data, one_of(0, 1)),
    "sock_shutdown": (fd, one_of(0, 1, 2, 3, 4)),
}
OFTEN = ["path_open"] * 20 + ["fd_write", "fd_read", "path_symlink", "path_rename"] * 2


def random_call(rng: random.Random) -> Call:
    name = rng.choice([*ARGUMENTS, *OFTEN])
    return name, tuple(draw(rng) for draw in ARGUMENTS[name])


class Memory:
    """Lays out what a call reads, and finds what it has stored."""

    def __init__(self, guest: PlainGuest) -> None:
        self._memory = guest.memory
        self._memory[OUTPUT:] = bytes([SENTINEL]) * (SIZE - OUTPUT)
        self._next = INPUT
        self._out = OUTPUT + 16

    def put(self, content: bytes) -> int:
        where = self._next
        self._memory[where : where + len(content)] = content
        self._next += len(content) + 3  # not aligned, on purpose
        return where

    def path(self, path: str | bytes) -> tuple[int, int]:
        content = path.encode() if isinstance(path, str) else path
        return self.put(content), len(content)

    def out(self, size: int) -> int:
        where = self._out
        self._out += size + 16
        return where

    def iovs(self, buffers: list[tuple[int, int]]) -> tuple[int, int]:
        array = b"".join(struct.pack("<II", *buffer) for buffer in buffers)
        return self.put(array), len(buffers)

    def rooms(self, sizes: list[int]) -> tuple[int, int]:
        return self.iovs([(self.out(size), size) for size in sizes])

    def data(self, pieces: list[bytes]) -> tuple[int, int]:
        return self.iovs([(self.put(piece), len(piece)) for piece in pieces])

    def stored(self) -> bytes:
        """Give all that is above the inputs, and check what lies between."""
        assert bytes(self._memory[OUTPUT : OUTPUT + 16]) == bytes([SENTINEL]) * 16
        assert set(self._memory[self._out :]) == {SENTINEL}
        return bytes(self._memory[OUTPUT : self._out])


def perform(guest: PlainGuest, call: Call) -> tuple[Errno, bytes]:
    """Make a call; give its errno and what it stored, less what always differs."""
    name, given = call
    memory = Memory(guest)
    arguments: list[int] = []
    for value in given:
        if isinstance(value, str | bytes):
            arguments += memory.path(value)
        elif isinstance(value, list) and name in ("fd_write", "fd_pwrite", "sock_send"):
            arguments += memory.data(value)
        elif isinstance(value, list):
            arguments += memory.rooms(value)
        else:
            arguments.append(value)
    if name in ("fd_prestat_dir_name", "path_readlink", "fd_readdir"):
        length = arguments.pop()
        arguments += [memory.out(length), length]
    if name == "fd_readdir":
        arguments.append(0)
    if name == "random_get":
        arguments.insert(0, memory.out(given[0]))
    if name == "poll_oneoff":
        fd, tag = given
        clock = struct.pack("<QQIxxxxQQQ", 7, 0, 1, 0, 0, 0)
        other = struct.pack("<QBxxxxxxxI28x", 8, tag, fd)
        arguments = [memory.put(clock + other), memory.out(64), 2]
    arguments += [memory.out(size) for size in RESULTS.get(name, ())]
    errno = guest.call(name, *arguments)
    stored = memory.stored()
    if errno:
        assert set(stored) <= {SENTINEL}, f"{name} stored something and failed"
    return errno, b"" if name in ("random_get", "fd_readdir") else comparable(
        name, stored
    )


RESULTS = {
    "fd_fdstat_get": (24,),
    "fd_filestat_get": (64,),
    "fd_pread": (4,),
    "fd_prestat_get": (8,),
    "fd_pwrite": (4,),
    "fd_read": (4,),
    "fd_readdir": (4,),
    "fd_seek": (8,),
    "fd_tell": (8,),
    "fd_write": (4,),
    "path_filestat_get": (64,),
    "path_open": (4,),
    "path_readlink": (4,),
    "poll_oneoff": (4,),
    "sock_accept": (4,),
    "sock_recv": (4, 2),
    "sock_send": (4,),
}


def comparable(name: str, stored: bytes) -> bytes:
    """Leave out inodes and times."""
    if name.endswith("filestat_get"):
        return (
            stored[32:40] + stored[40:48] + (stored[48:56] if stored[32] != 3 else b"")
        )
    return stored


def build(base: Path) -> Path:
    """Make a tree with links of all kinds, and a secret beside it."""
    root = base / "root"
    (root / "dir" / "sub").mkdir(parents=True)
    (base / "outside").mkdir()
    (base / "outside" / "secret").write_text("secret")
    (root / "file").write_text("contents")
    (root / "dir" / "file").write_text("inner")
    for name, target in {
        "link": "file",
        "way": "dir/sub",
        "out": "../outside",
        "far": "/etc",
        "loop": "loop",
        "dir/out": "../../outside/secret",
        "dir/way": "../dir",
        "dir/sub/out": "../../..",
    }.items():
        (root / name).symlink_to(target)
    return root


def look(base: Path) -> dict[str, str]:
    """Describe all names below `base`."""
    found = {}
    for folder, directories, files in os.walk(os.fsencode(base)):
        for name in [*directories, *files]:
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, os.fsencode(base)).decode(errors="replace")
            if os.path.islink(path):
                found[shown] = "-> " + os.fsdecode(os.readlink(path))
            elif os.path.isfile(path):
                found[shown] = Path(os.fsdecode(path)).read_bytes().hex()
            else:
                found[shown] = "directory"
    return found


@contextmanager
def no_descriptor_leaks() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


@contextmanager
def by_kernel_and_by_walk(
    folder: Path,
) -> Iterator[tuple[list[PlainGuest], list[Path]]]:
    """Two guests that resolve paths in one way each, and where their roots are."""
    bases = [folder / "openat2", folder / "walk"]
    with no_descriptor_leaks(), ExitStack() as stack:
        guests = [
            stack.enter_context(
                PlainGuest(
                    preopens={"/": build(base)},
                    stdin=DEVNULL,
                    stdout=DEVNULL,
                    stderr=DEVNULL,
                    backing="minimal",
                    max_fds=16,
                    extras={"path_resolution": base.name},
                    memory_size=SIZE,
                )
            )
            for base in bases
        ]
        yield guests, bases


@pytest.mark.parametrize("seed", range(RUNS))
def test_the_kernel_and_the_walk_agree(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    calls = [random_call(rng) for _ in range(CALLS)]
    with by_kernel_and_by_walk(tmp_path) as (guests, bases):
        for number, call in enumerate(calls):
            by_kernel, by_walk = (perform(guest, call) for guest in guests)
            assert by_kernel == by_walk, f"call {number}: {call}"
    trees = [look(base) for base in bases]
    assert trees[0] == trees[1]
    assert {name: what for name, what in trees[0].items() if "root" not in name} == {
        "outside": "directory",
        "outside/secret": b"secret".hex(),
    }


@pytest.mark.parametrize("slash", ["", "/", "/.", "/..", "/new", "/new/", "//../way"])
@pytest.mark.parametrize(
    "path", ["dir", "way", "way/..", ".", "..", "file", "link", "out", "loop", "none"]
)
def test_the_kernel_and_the_walk_open_alike(
    path: str, slash: str, tmp_path: Path
) -> None:
    everything = (1 << 30) - 1
    with by_kernel_and_by_walk(tmp_path) as (guests, _):
        for follow in (0, 1):
            for oflags in range(16):
                for asked in (2, 66):
                    given = (3, follow, path + slash, oflags, asked, everything, 0)
                    by_kernel, by_walk = (
                        perform(guest, ("path_open", given))[0] for guest in guests
                    )
                    assert by_kernel == by_walk, given
                    for guest in guests:
                        guest.call("fd_close", 4)
