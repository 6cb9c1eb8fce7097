"""The scripts that the differential test plays, and the tree that each finds.

A script is a case of a file in ``cases/``: a name in brackets, then the calls, one a
line, in the language of ``script_guest.c``. Words in capitals are the constants
below, joined by ``|``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from wasi_backing import Rights

HERE = Path(__file__).parent

CONSTANTS = {str(right.name): right.value for right in Rights}

# What directories can pass on.
ALL = sum(CONSTANTS.values()) & ~Rights.SOCK_SHUTDOWN & ~Rights.SOCK_ACCEPT


def _rights(*names: str) -> int:
    return sum(CONSTANTS[name] for name in names)


# What wasi-libc asks for with O_RDONLY, O_WRONLY and O_RDWR.
_TO_READ = _rights("FD_READ", "FD_READDIR")
_TO_WRITE = _rights("FD_DATASYNC", "FD_WRITE", "FD_ALLOCATE", "FD_FILESTAT_SET_SIZE")
_EITHER = ALL & ~_TO_READ & ~_TO_WRITE

CONSTANTS |= {
    "ALL": ALL,
    "R": _EITHER | _TO_READ,
    "W": _EITHER | _TO_WRITE,
    "RW": ALL,
    # lookupflags, oflags, fdflags, fstflags
    "FOLLOW": 1,
    **{"CREAT": 1, "DIRECTORY": 2, "EXCL": 4, "TRUNC": 8},
    **{"APPEND": 1, "DSYNC": 2, "NONBLOCK": 4, "RSYNC": 8, "SYNC": 16},
    **{"ATIM": 1, "ATIM_NOW": 2, "MTIM": 4, "MTIM_NOW": 8},
    # whence, advice, sdflags
    **{"SET": 0, "CUR": 1, "END": 2},
    **{"NORMAL": 0, "SEQUENTIAL": 1, "RANDOM": 2},
    **{"WILLNEED": 3, "DONTNEED": 4, "NOREUSE": 5},
    **{"RD": 1, "WR": 2},
}


@dataclass(frozen=True)
class Script:
    """A case: what is to be done, by one guest in one fresh tree."""

    name: str
    calls: tuple[str, ...]

    def arguments(self) -> list[str]:
        """Give the calls with the numbers of their constants."""
        return [_CONSTANT.sub(_number, call) for call in self.calls]


_CONSTANT = re.compile(r'"[^"]*"|\b[A-Z][A-Z_|]*\b')


def _number(match: re.Match[str]) -> str:
    word = match.group()
    if word.startswith('"'):
        return word
    number = 0
    for name in word.split("|"):
        number |= CONSTANTS[name]
    return hex(number)


def scripts() -> list[Script]:
    """Read all cases, in order.

    Raises:
        ValueError: Two cases have one name, or a call stands before any name.
    """
    cases: dict[str, list[str]] = {}
    for path in sorted((HERE / "cases").glob("*.txt")):
        calls: list[str] | None = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            if line.startswith("["):
                name = line.strip("[]")
                if name in cases:
                    raise ValueError(f"{path.name}: two cases called {name!r}")
                calls = cases[name] = []
            elif calls is None:
                raise ValueError(f"{path.name}: {line!r} belongs to no case")
            else:
                calls.append(line)
    return [Script(name, tuple(calls)) for name, calls in cases.items()]


# The times of everything in the tree, which the guests may tell: nanoseconds.
LONG_AGO = (500_000_000_000_000_005, 600_000_000_000_000_006)


def build_tree(base: Path, *, chain: bool = False) -> tuple[Path, Path]:
    """Make what a script finds, in the empty directory *base*.

    With *chain* there are also 42 links in a row, `chain41` to `chain0`.

    Returns:
        The directories for the guest's ``/`` and ``/other``. Beside them is
        ``outside``, which no guest must reach.
    """
    tree, other, outside = base / "tree", base / "other", base / "outside"
    for directory in (
        tree / "dir" / "sub",
        tree / "empty-dir",
        tree / "not-utf8",
        other,
        outside / "empty",
    ):
        directory.mkdir(parents=True)
    (tree / "file").write_text("contents")
    os.link(tree / "file", tree / "hard")
    (tree / "empty").touch()
    (tree / "dir" / "inner").write_text("inner contents")
    (tree / "not-utf8" / "plain").touch()
    open(os.fsencode(tree / "not-utf8") + b"/\xff\xfe", "w").close()
    os.mkfifo(tree / "fifo")
    (outside / "secret").write_text("secret")
    (outside / "link").symlink_to("secret")
    links = {
        "to-file": "file",
        "to-dir": "dir",
        "to-sub": "dir/sub",
        "to-empty": "empty-dir",
        "to-missing": "missing",
        "to-itself": "to-itself",
        "ping": "pong",
        "pong": "ping",
        "to-outside": "../outside/secret",
        "to-outside-new": "../outside/new",
        "to-outside-dir": "../outside",
        "to-absolute": "/etc/passwd",
        "to-dir-slash": "dir/",
        "to-file-slash": "file/",
        "dir/back": "../file",
    }
    if chain:
        links["chain0"] = "file"
        links |= {f"chain{n}": f"chain{n - 1}" for n in range(1, 42)}
    for name, target in links.items():
        (tree / name).symlink_to(target)
    os.symlink(b"\xff", os.fsencode(tree / "to-not-utf8"))
    settle(base)
    return tree, other


def settle(base: Path) -> None:
    """Set all times below *base* to ``LONG_AGO``."""
    for directory, names, files in os.walk(os.fsencode(base), topdown=False):
        for name in [*names, *files, b"."]:
            path = os.path.join(directory, name)
            os.utime(path, ns=LONG_AGO, follow_symlinks=False)


def look(base: Path) -> dict[str, str]:
    """Describe everything below *base*: a line for each name."""
    found: dict[str, str] = {}
    for directory, names, files in os.walk(base):
        for name in sorted([*names, *files]):
            path = Path(directory, name)
            if path.is_symlink():
                line = f"-> {os.readlink(path)}"
            elif path.is_file():
                line = repr(path.read_text())
            else:
                line = "a directory" if path.is_dir() else "something else"
            if path.lstat().st_mtime_ns != LONG_AGO[1]:
                line += ", changed"
            found[str(path.relative_to(base))] = line
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Tell what changed between two looks, a line for each name."""
    lines = []
    for name in sorted({*before, *after}):
        if name not in after:
            lines.append(f"- {name}")
        elif before.get(name) != after[name]:
            lines.append(f"+ {name}: {after[name]}")
    return [line.encode("unicode_escape", "surrogatepass").decode() for line in lines]
