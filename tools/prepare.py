"""Install into .venv what a target of the Makefile needs, if something changed.

Started by prepare.sh with .venv's Python; the standard library is all there is.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".venv" / "prepared.json"
FETCH = ROOT / "tools" / "fetch_uvwasi.py"

# Which of pyproject.toml's extras each target of the Makefile needs.
EXTRAS = {
    "run": {"guests"},
    "test": {"guests", "test"},
    "bench": {"guests", "bench"},
    "dev": {"guests", "test", "dev"},
}

# What the tests use besides: a command, its Debian packages, what it is for.
# Tests that miss one are skipped and say so.
TEST_TOOLS = [
    ("arm-none-eabi-gcc", "gcc-arm-none-eabi", "the layer on a microcontroller"),
    (
        "s390x-linux-gnu-gcc",
        "gcc-s390x-linux-gnu libc6-dev-s390x-cross",
        "the layer on a 64-bit big-endian machine",
    ),
    (
        "mips-linux-gnu-gcc",
        "gcc-mips-linux-gnu libc6-dev-mips-cross",
        "the layer on a 32-bit big-endian machine",
    ),
    (
        "arm-linux-gnueabihf-gcc",
        "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
        "the layer on 32-bit ARM",
    ),
    (
        "i686-linux-gnu-gcc",
        "gcc-i686-linux-gnu libc6-dev-i386-cross",
        "the layer on 32-bit x86",
    ),
    ("qemu-s390x", "qemu-user", "the layer on other machines"),
    ("clang", "clang libclang-rt-dev", "with clang and its sanitizers"),
]

# What goes into the package's build; a change means building it again.
SOURCES = ("csrc", "impl_*", "kit", "vendor", "wasi_backing")
SOURCE_SUFFIXES = {".c", ".h", ".def"}
BUILD_FILES = (
    "setup.py",
    "pyproject.toml",
    "wasi_backing/_ffi_build.py",
    "tools/uvwasi_source.py",
)
BUILD_VARIABLES = ("CC", "CFLAGS", "LDFLAGS", "UVWASI_DIR", "WASI_BACKING_UVWASI")


def say(message: str) -> None:
    print(f"==> {message}", file=sys.stderr, flush=True)


def fingerprint() -> str:
    """Digest everything that the built package depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for name in BUILD_VARIABLES:
        digest.update(f"{name}={os.environ.get(name)}\0".encode())
    files = {ROOT / name for name in BUILD_FILES}
    for pattern in SOURCES:
        for folder in ROOT.glob(pattern):
            files.update(
                path
                for path in folder.rglob("*")
                if path.suffix in SOURCE_SUFFIXES
                and path.is_file()
                and path.name != "_native.c"
            )
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def install_test_tools() -> None:
    """Install the TEST_TOOLS that are missing, or name what goes untested."""

    def missing() -> list[tuple[str, str, str]]:
        return [tool for tool in TEST_TOOLS if not shutil.which(tool[0])]

    def apt_get(*arguments: str) -> bool:
        command = ["apt-get", "-y", "-qq", *arguments]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        return not subprocess.run(
            command, env=environment, capture_output=True, check=False
        ).returncode

    wanted = [names.split() for _, names, _ in missing()]
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [name for names in wanted for name in names]
        say(f"installing {' '.join(packages)}")
        install = ["install", "--no-install-recommends"]
        # A new machine has no package lists, and some Debian may lack a package.
        if not apt_get(*install, *packages):
            apt_get("update")
            if not apt_get(*install, *packages):
                for names in wanted:
                    apt_get(*install, *names)
    for command, packages, purpose in missing():
        say(f"no {command}: not testing {purpose}; Debian has it in {packages}")


def fetch_uvwasi() -> int:
    """Fetch the uvwasi backing's sources; without them it is not built."""
    return subprocess.run([sys.executable, str(FETCH)], check=False).returncode


def install_package(extras: set[str]) -> None:
    """Build the package and install it, editable, with these extras."""
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    now = fingerprint()
    extras |= set(state.get("extras", ()))
    if state == {"fingerprint": now, "extras": sorted(extras)}:
        return
    say(f"building wasi-backing, installing it in .venv with {', '.join(extras)}")
    STATE.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet"]
    command += ["--editable", f".[{','.join(sorted(extras))}]"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("building or installing failed: see above")
    STATE.write_text(json.dumps({"fingerprint": now, "extras": sorted(extras)}))


def main() -> None:
    target = sys.argv[1]
    if target in ("test", "dev"):
        install_test_tools()
    status = fetch_uvwasi()
    if target == "vendor":
        sys.exit(status)
    install_package(set(EXTRAS[target]))


if __name__ == "__main__":
    main()
