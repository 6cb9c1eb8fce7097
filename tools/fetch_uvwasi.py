"""Fetch uvwasi and libuv from the distribution's source packages into vendor/.

Debian's source package nodejs carries uvwasi, and libuv1 is libuv. They are fetched
with the machine's own apt configuration, its mirror and its keys, but with package
lists and a cache of their own in a temporary folder: the system's stay untouched, and
no root is needed. apt vouches for the packages; the checksums in uvwasi_source.py
vouch for what is extracted from them. Does nothing when vendor/ is in order.

usage: fetch_uvwasi.py [SUITE]     such as trixie; default: the system's own

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from uvwasi_source import HOW_ELSE, ROOT, VENDOR, SourceError, check_age, check_tree

PACKAGES = {"uvwasi": "nodejs", "libuv": "libuv1"}


def wanted_of_uvwasi(path: PurePosixPath) -> PurePosixPath | None:
    """Place a file of the package nodejs: node-v18.20.4/deps/uvwasi/..., or drop it."""
    if path.parts[1:3] != ("deps", "uvwasi"):
        return None
    rest = PurePosixPath(*path.parts[3:])
    keep = rest.name == "LICENSE" or rest.parts[0] in ("include", "src")
    return rest if keep else None


def wanted_of_libuv(path: PurePosixPath) -> PurePosixPath | None:
    """Place a file of the package libuv1: libuv1-1.44.2/..., or drop it."""
    if len(path.parts) < 2:
        return None
    rest = PurePosixPath(*path.parts[1:])
    if rest.name in ("LICENSE", "LICENSE-extra") and len(rest.parts) == 1:
        return rest
    keep = rest.parts[0] in ("include", "src") and "win" not in rest.parts
    return rest if keep and rest.suffix in (".c", ".h") else None


def extract(
    archive: Path,
    place: Callable[[PurePosixPath], PurePosixPath | None],
    folder: Path,
) -> None:
    """Extract the regular files that `place` wants, as plain files in `folder`."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile() or ".." in PurePosixPath(member.name).parts:
                continue
            target = place(PurePosixPath(member.name))
            content = tar.extractfile(member) if target else None
            if target and content:
                path = folder / target
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def system_suite() -> str:
    """Name the release of this system, such as bookworm."""
    text = Path("/etc/os-release").read_text()
    found = re.search(r'^VERSION_CODENAME="?([\w-]+)', text, re.MULTILINE)
    return found[1] if found else ""


def sources_lists(system: Path, own: Path, suite: str) -> None:
    """Copy apt's lists of package sources, asking for source packages of `suite`."""
    codename = system_suite()
    for path in [system / "sources.list", *(system / "sources.list.d").glob("*")]:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".list":
            lines = re.findall(r"^\s*deb(?:-src)?(\s.*)$", text, re.MULTILINE)
            text = "".join(f"deb-src{line}\n" for line in dict.fromkeys(lines))
        else:
            text = re.sub(
                r"^Types:.*$",
                "Types: deb-src",
                text,
                flags=re.MULTILINE | re.IGNORECASE,
            )
        if codename and suite != codename:
            text = re.sub(rf"\b{codename}\b", suite, text)
        (own / path.name).write_text(text)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LC_ALL": "C"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """The first error that apt printed, or its last line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "Err:"))]
    return (errors or lines[-1:] or [f"status {done.returncode}"])[0]


def download(suite: str, folder: Path) -> None:
    """Download the source packages' archives into `folder`.

    Raises:
        SourceError: apt is missing, or cannot have them.
    """
    if not shutil.which("apt-get"):
        raise SourceError(f"this system has no apt to fetch uvwasi with: {HOW_ELSE}")
    # apt drops root for downloading, and needs to enter these.
    folder.chmod(0o755)
    for name in ("lists.d", "lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    etc = run(["apt-config", "shell", "etc", "Dir::Etc/d"], folder).stdout
    found = re.search(r"etc='(.*)'", etc)
    sources_lists(Path(found[1] if found else "/etc/apt"), folder / "lists.d", suite)
    apt = ["apt-get", "-q"]
    for option in (
        f"Dir::Etc::sourcelist={folder}/lists.d/sources.list",
        f"Dir::Etc::sourceparts={folder}/lists.d",
        f"Dir::State::lists={folder}/lists",
        f"Dir::Cache={folder}/cache",
        "Acquire::Languages=none",
        "Acquire::Retries=2",
    ):
        apt += ["-o", option]
    updated = run([*apt, "update"], folder)
    if updated.returncode:
        raise SourceError(
            f"apt cannot fetch package lists ({reason(updated)}): {HOW_ELSE}"
        )
    packages = [f"{name}/{suite}" if suite else name for name in PACKAGES.values()]
    got = run(
        [*apt, "source", "--only-source", "--download-only", "--tar-only", *packages],
        folder,
    )
    if got.returncode:
        why = reason(got)
        if "Err" in updated.stderr + updated.stdout:
            why += "; some package lists could not be fetched"
        raise SourceError(
            f"apt cannot fetch {' and '.join(packages)} ({why}): {HOW_ELSE}"
        )


def fetch(suite: str) -> dict[str, str]:
    """Fill vendor/, whole or not at all, and return the versions.

    Raises:
        SourceError: with what stands in the way.
    """
    VENDOR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wasi-backing-") as temporary:
        folder = Path(temporary)
        download(suite, folder)
        versions = {}
        for name, package in PACKAGES.items():
            archives = list(folder.glob(f"{package}_*.orig.tar.*"))
            if len(archives) != 1:
                raise SourceError(
                    f"the package {package} has no one archive: {HOW_ELSE}"
                )
            place = wanted_of_uvwasi if name == "uvwasi" else wanted_of_libuv
            extract(archives[0], place, folder / name)
            versions[name] = check_tree(name, folder / name)
        check_age(versions["uvwasi"], folder / "uvwasi")
        for name in PACKAGES:
            shutil.rmtree(VENDOR / name, ignore_errors=True)
            shutil.move(folder / name, VENDOR / name)
    return versions


def main() -> int:
    suite = sys.argv[1] if len(sys.argv) > 1 else ""
    if os.environ.get("WASI_BACKING_UVWASI") == "off" or os.environ.get("UVWASI_DIR"):
        return 0
    try:
        if not suite and all((VENDOR / name).exists() for name in PACKAGES):
            for name in PACKAGES:
                check_tree(name, VENDOR / name)
            return 0
        print("==> fetching uvwasi and libuv", file=sys.stderr, flush=True)
        versions = fetch(suite or system_suite())
    except (SourceError, OSError, tarfile.TarError) as error:
        print(f"uvwasi: {error}", file=sys.stderr)
        return 1
    for name, version in versions.items():
        print(
            f"==> {name} {version} in {VENDOR.relative_to(ROOT)}/{name}",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
