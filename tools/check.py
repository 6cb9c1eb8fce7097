"""Lint, check types, and compile the C code with warnings as errors.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Werror"]
C_FOLDERS = ("csrc", "impl_*")
INCLUDE = ["csrc/include", "csrc", "vendor/uvwasi/include", "vendor/uvwasi/src"]
INCLUDE += ["vendor/libuv/include", "vendor/libuv/src"]


def run(*words: object, text: str | None = None) -> bool:
    """Run a command in the project's folder; what it prints is for the user."""
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=ROOT, input=text, text=True, check=False)
    return not done.returncode


def check_c(compiler: str) -> bool:
    """Check each C file, and each public header alone, as C and as C++."""
    print(f"==> {compiler}", flush=True)
    include = [f"-I{folder}" for folder in INCLUDE]
    files = [
        file.relative_to(ROOT)
        for folder in C_FOLDERS
        for file in sorted(ROOT.glob(f"{folder}/**/*.c"))
    ]
    if not (ROOT / "vendor" / "uvwasi").exists():
        files = [file for file in files if file.parts[0] != "impl_uvwasi"]
    check = [compiler, "-fsyntax-only", *include]
    good = run(*check, "-std=gnu11", *WARNINGS, *files)
    for header in sorted((ROOT / "csrc/include").rglob("*.h")):
        # Macros alone are no translation unit.
        line = f'#include "{header.relative_to(ROOT / "csrc/include")}"\nint unit;\n'
        good &= run(*check, "-std=c11", *WARNINGS, "-x", "c", "-", text=line)
        if shutil.which("g++"):
            # C++ has no such thing as a missing prototype.
            warnings = [word for word in WARNINGS if word != "-Wmissing-prototypes"]
            good &= run(*check, "-std=c++17", *warnings, "-x", "c++", "-", text=line)
    return good


def main() -> int:
    python = [sys.executable, "-m"]
    print("==> ruff and mypy", flush=True)
    good = run(*python, "ruff", "check", "--quiet")
    good &= run(*python, "ruff", "format", "--check", "--quiet")
    good &= run(*python, "mypy", "--no-error-summary")
    for compiler in ("gcc", "clang"):
        if shutil.which(compiler):
            good &= check_c(compiler)
    print("all is well" if good else "there is something to do: see above")
    return not good


if __name__ == "__main__":
    sys.exit(main())
