"""Build a C program for WASI, run it on each backing, and show what it did.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "examples" / "tree.c"
BUILD = ROOT / "build" / "demo"
COMMAND = Path(sys.executable).with_name("wasi-backing")

# The tree that the guest walks: file name and content.
TREE = {
    "readme.txt": "A directory of the host,\nlent to a guest.\n",
    "songs/one.txt": "do re mi\n" * 8,
    "songs/old/two.txt": "fa so la ti\n" * 1000,
}


def show(*words: str | Path) -> list[str]:
    """Print a command the way a user in the project's folder types it."""
    line = [str(word) for word in words]
    shown = [word.replace(f"{ROOT}/", "") for word in line]
    print(f"\n$ {shlex.join(shown)}", flush=True)
    return line


def build_guest() -> Path:
    """Compile the example, unless that is done, and return the module."""
    module = BUILD / "tree.wasm"
    if not module.exists() or module.stat().st_mtime < SOURCE.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        compiler = [sys.executable, "-m", "ziglang", "cc"]
        options = ["-target", "wasm32-wasi", "-O2"]
        subprocess.run(show(*compiler, *options, SOURCE, "-o", module), check=True)
    return module


def make_tree(folder: Path) -> None:
    """Lay the tree out, without what an earlier run has added to it."""
    for name, content in TREE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "INDEX.txt").unlink(missing_ok=True)


def run_on(backing: str, module: Path) -> None:
    """Run the guest on one backing, and compare what it wrote with what it said."""
    folder = BUILD / backing
    make_tree(folder)
    command = show(
        COMMAND,
        "run",
        "--backing",
        backing,
        "--dir",
        f"{folder}::/data",
        module,
        "/data",
    )
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(printed.stdout, end="", flush=True)
    written = (folder / "INDEX.txt").read_text()
    if not written or not printed.stdout.startswith(written):
        sys.exit(f"{folder}/INDEX.txt is not what the guest printed")
    size = len(written.encode())
    shown = folder.relative_to(ROOT)
    print(f"(on the host, {shown}/INDEX.txt now has {size} bytes)", flush=True)


def main() -> None:
    module = build_guest()
    listed = subprocess.run(
        [COMMAND, "backings", "--json"], check=True, stdout=subprocess.PIPE
    )
    backings = [e["name"] for e in json.loads(listed.stdout) if e["host_files"]]
    for backing in backings:
        run_on(backing, module)

    print("\nThe same directory, lent for reading only:", flush=True)
    folder = BUILD / backings[0]
    subprocess.run(
        show(COMMAND, "run", "--dir", f"{folder}::/data::ro", module, "/data"),
        check=False,
        stderr=subprocess.STDOUT,
    )
    print(
        f"\nThat was {SOURCE.relative_to(ROOT)} on {' and '.join(backings)}."
        "\nNext: README.md, `.venv/bin/wasi-backing run --help`, `make test`"
    )


if __name__ == "__main__":
    main()
