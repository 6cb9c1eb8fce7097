"""The examples do what they say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*words: object) -> str:
    """Run a command in the project's folder; return what it printed."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout


@pytest.fixture
def tree(compile_guest: Callable[[str], Path]) -> Path:
    return compile_guest((EXAMPLES / "tree.c").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory to walk through."""
    (tmp_path / "sub" / "empty").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "sub" / "b.txt").write_text("three\n")
    (tmp_path / "link").symlink_to("a.txt")
    return tmp_path


INDEX = """\
a.txt                    8 bytes, 2 lines
link                     link
sub                      directory
  b.txt                  6 bytes, 1 lines
  empty                  directory
"""


def test_tree_walks_reads_and_writes(tree: Path, folder: Path, backing: str) -> None:
    command = [sys.executable, "-m", "wasi_backing", "run", "--backing", backing]
    printed = run(*command, "--dir", f"{folder}::/", tree, "/")
    assert printed == (f"{INDEX}2 files in 2 directories below /\nwrote /INDEX.txt\n")
    assert (folder / "INDEX.txt").read_text() == INDEX
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["INDEX.txt", "a.txt", "link", "sub"]


def test_run_program(tree: Path, folder: Path) -> None:
    printed = run(sys.executable, EXAMPLES / "run_program.py", tree, folder, "/")
    assert printed == "exit code 0, 7 lines, the last one:\nwrote /INDEX.txt\n"


def test_stop_after(compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest("int main(void) { for (volatile int n = 0;; n++) ; }")
    printed = run(sys.executable, EXAMPLES / "stop_after.py", "0.1", module)
    assert printed == "stopped after 0.1 seconds\n"


def test_without_engine() -> None:
    printed = run(sys.executable, EXAMPLES / "without_engine.py")
    assert printed == (
        "create sub: SUCCESS\nstat sub: SUCCESS file type 3\nstat ..: NOTCAPABLE\n"
    )


def test_file_from_dict(compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest(
        """#include <stdio.h>
        int main(int argc, char **argv) {
            FILE *file = fopen(argv[1], "r");
            if (!file)
                return puts("no such file"), 1;
            for (int c; (c = getc(file)) != EOF;)
                putchar(c);
        }"""
    )
    example = EXAMPLES / "file_from_dict.py"
    printed = run(sys.executable, example, module, "/hello.txt")
    assert printed == "hello from a dict\n"
    assert run(sys.executable, example, module, "/LICENSE").startswith("MIT License")
    assert run(sys.executable, example, module, "/none") == "no such file\n"


def test_fixed_clock(compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest(
        """#include <stdio.h>
        #include <time.h>
        #include <unistd.h>
        int main(void) {
            unsigned char dice[3];
            getentropy(dice, sizeof dice);
            printf("%lld %d %d %d\\n", (long long)time(NULL),
                   dice[0], dice[1], dice[2]);
        }"""
    )
    printed = run(sys.executable, EXAMPLES / "fixed_clock.py", module)
    assert printed == "1000000000 0 1 2\n"


def test_slow_input(compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest(
        """#include <stdio.h>
        int main(void) {
            char line[20];
            printf("got %s", fgets(line, sizeof line, stdin));
        }"""
    )
    assert run(sys.executable, EXAMPLES / "slow_input.py", module) == "got slow\n"


def test_a_backing_of_one_call(tmp_path: Path) -> None:
    program = tmp_path / "console"
    layer = sorted((ROOT / "csrc" / "layer").glob("*.c"))
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Icsrc/include"]
    run("cc", *flags, EXAMPLES / "backing.c", *layer, "-o", program)
    assert run(program) == (
        "hello, world\n"
        "fd_write: SUCCESS, 13 bytes\n"
        "random_get: NOSYS\n"
        "fd_write with a wild offset: pointer out of bounds of memory\n"
    )
