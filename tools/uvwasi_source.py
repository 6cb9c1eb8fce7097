"""Where the uvwasi backing's foreign source is, whether it is ours to trust, and how
it is compiled. Used by tools/fetch_uvwasi.py and by the package's build.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "vendor"

# SHA-256 of each known source tree (see tree_checksum), newest version first.
KNOWN = {
    "uvwasi": {
        "0.0.21": "717829a2029a7009cae8fd88a1692a3b93e2059d8dcf5b9db3c1fcb76fad114d",
        "0.0.19": "dab2f05a6611c34f6de2e1bb3c8c77bcff0f154cdee0fa52654b4f9a1a4bb86a",
    },
    "libuv": {
        "1.50.0": "acf496eb1573067836587fd52a11b09ef2be1f87b244f8bc573e53b106a9d066",
        "1.44.2": "341c7320ef8c98a527cf2612e081f4940f19df5a253b3b7e727abc547d095030",
    },
}

# uvwasi's versions that the fix-ups were tested with; later ones may work.
OLDEST = (0, 0, 19)

UVWASI_SOURCES = """
    clocks fd_table path_resolver poll_oneoff sync_helpers uv_mapping uvwasi
    wasi_rights wasi_serdes
""".split()

# What of libuv uvwasi reaches; a name that a version lacks is left out. Not there:
# name resolution, shared libraries, processes' titles.
LIBUV_SOURCES = """
    fs-poll inet random strscpy strtok threadpool timer uv-common uv-data-getter-setters
    unix/async unix/core unix/epoll unix/fs unix/linux unix/linux-core
    unix/linux-inotify unix/linux-syscalls unix/loop unix/loop-watcher unix/pipe
    unix/poll unix/process unix/proctitle unix/random-devurandom
    unix/random-getrandom unix/random-sysctl-linux unix/signal unix/stream unix/tcp
    unix/thread unix/tty unix/udp
""".split()

HOW_ELSE = (
    "set WASI_BACKING_UVWASI=off to build without the uvwasi backing, or "
    "UVWASI_DIR to a folder with its source"
)


class SourceError(Exception):
    """The source cannot be had or used; the text is one line for the user."""


@dataclasses.dataclass(frozen=True, slots=True)
class Build:
    """What the compiler is told, with paths relative to the project's root."""

    sources: list[str]
    include_dirs: list[str]
    libraries: list[str]
    version: str


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a source tree in the order of their names."""
    files = (path for path in folder.rglob("*") if path.is_file())
    yield from sorted(files, key=lambda path: path.relative_to(folder).as_posix())


def tree_checksum(folder: Path) -> str:
    """Digest the names and contents of a tree's files, and nothing else of them."""
    digest = hashlib.sha256()
    for path in source_files(folder):
        name = path.relative_to(folder).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()


def version_of(name: str, folder: Path) -> str:
    """Read the version from the library's public header.

    Raises:
        SourceError: there is no such header, or it tells no version.
    """
    header, prefix = {
        "uvwasi": ("include/uvwasi.h", "UVWASI_VERSION_"),
        "libuv": ("include/uv/version.h", "UV_VERSION_"),
    }[name]
    try:
        text = (folder / header).read_text()
    except OSError:
        raise SourceError(f"{folder} holds no {name}: {header} is missing") from None
    numbers = [
        re.search(rf"^#define {prefix}{part}\s+(\d+)", text, re.MULTILINE)
        for part in ("MAJOR", "MINOR", "PATCH")
    ]
    if not all(numbers):
        raise SourceError(f"{folder / header} tells no version")
    return ".".join(number[1] for number in numbers if number)


def check_tree(name: str, folder: Path) -> str:
    """Return the version of a fetched tree that is exactly a known one.

    Raises:
        SourceError: it is not, with the checksums and what to do.
    """
    version = version_of(name, folder)
    known = KNOWN[name]
    if version not in known:
        raise SourceError(
            f"{name} {version} is not a version that this project knows "
            f"({', '.join(known)}): {HOW_ELSE}"
        )
    actual = tree_checksum(folder)
    if actual != known[version]:
        raise SourceError(
            f"the source of {name} {version} is altered: its checksum is {actual}, "
            f"expected {known[version]}; remove {VENDOR.name}/ and fetch it again "
            f"(make vendor), or {HOW_ELSE}"
        )
    return version


def check_age(version: str, folder: Path) -> None:
    """Refuse a uvwasi that is older than the tested ones.

    Raises:
        SourceError: it is.
    """
    if tuple(int(number) for number in version.split(".")) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SourceError(
            f"uvwasi {version} in {folder} is too old: {oldest} or later is needed"
        )


def copy_own(checkout: Path) -> Path:
    """Copy what is needed of a checkout into build/: setuptools takes sources from
    inside the project only."""
    version = version_of("uvwasi", checkout)
    check_age(version, checkout)
    folder = ROOT / "build" / "uvwasi"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("include", "src"):
        if not (checkout / name).is_dir():
            raise SourceError(f"{checkout} holds no uvwasi: {name} is missing")
        shutil.copytree(checkout / name, folder / name)
    for path in checkout.glob("LICENSE*"):
        shutil.copy(path, folder)
    return folder


def named(folder: Path) -> str:
    """Name a folder relative to the project, as setuptools wants it."""
    return folder.relative_to(ROOT).as_posix()


def listed(folder: Path, names: list[str]) -> list[str]:
    return [
        named(folder / f"{name}.c") for name in names if (folder / f"{name}.c").exists()
    ]


def find_build() -> Build | None:
    """Say how uvwasi is compiled in, or None when it is left out.

    The environment decides: WASI_BACKING_UVWASI=off leaves it out, UVWASI_DIR names a
    checkout of uvwasi, WASI_BACKING_LIBUV=system links the system's libuv. Otherwise
    it is what make vendor has fetched, if it has.

    Raises:
        SourceError: a source is altered, incomplete or too old.
    """
    switch = os.environ.get("WASI_BACKING_UVWASI", "on")
    if switch not in ("on", "off"):
        raise SourceError(f"WASI_BACKING_UVWASI is on or off, not {switch!r}")
    if switch == "off":
        return None
    own = os.environ.get("UVWASI_DIR")
    uvwasi = VENDOR / "uvwasi"
    if not own and not uvwasi.exists():
        return None
    if not sys.platform.startswith("linux"):
        raise SourceError(f"the uvwasi backing is for Linux: {HOW_ELSE}")
    if own:
        uvwasi = copy_own(Path(own).absolute())
        version = version_of("uvwasi", uvwasi)
    else:
        version = check_tree("uvwasi", uvwasi)

    sources = listed(uvwasi / "src", UVWASI_SOURCES)
    include_dirs = [named(uvwasi / "include"), named(uvwasi / "src")]
    libraries: list[str] = []
    libuv = VENDOR / "libuv"
    if os.environ.get("WASI_BACKING_LIBUV") == "system" or not libuv.exists():
        libraries.append("uv")
    else:
        check_tree("libuv", libuv)
        sources += listed(libuv / "src", LIBUV_SOURCES)
        include_dirs += [named(libuv / "include"), named(libuv / "src")]
        libraries += ["pthread", "dl", "rt"]
    return Build(sources, include_dirs, libraries, version)
