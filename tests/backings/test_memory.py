"""The memory backing through the Python package: files that the host never sees.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wasi_backing import (
    CAPTURE,
    WASI,
    ConfigurationError,
    Errno,
    MemoryBacking,
    backings,
)

from .guest import CREAT, FILE_RIGHTS, Guest

SOURCE = r"""
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char line[40] = "";
    FILE *file;
    int names = 0;
    if (mkdir("/dir", 0777) || chdir("/dir"))
        return 1;
    file = fopen("new", "w");
    if (!file || fprintf(file, "%s\n", argv[1]) < 0 || fclose(file))
        return 2;
    if (rename("new", "kept") || symlink("kept", "link"))
        return 3;
    file = fopen("link", "r");
    if (!file || !fgets(line, sizeof line, file) || fclose(file))
        return 4;
    DIR *all = opendir(".");
    while (readdir(all))
        names++;
    closedir(all);
    printf("%d names, %s", names, line);
    return unlink("link") || unlink("kept") || rmdir("/dir") ? 5 : 0;
}
"""


def memory_guest(**settings: object) -> Guest:
    return Guest("memory", "/data", **settings)


def test_it_is_listed_with_its_promises() -> None:
    [memory] = [backing for backing in backings() if backing.name == "memory"]
    assert memory.contained
    assert not memory.host_files
    assert len(memory.calls) == 46


def test_a_c_program_works_on_it(compile_guest: Callable[[str], Path]) -> None:
    module = compile_guest(SOURCE)
    wasi = WASI(
        args=["app", "hello"],
        preopens={"/": "/anything"},
        stdout=CAPTURE,
        backing="memory",
    )
    result = wasi.run(module)
    assert result.exit_code == 0
    assert result.stdout == b"4 names, hello\n"


def test_nothing_of_the_host_is_seen_or_changed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("host")
    with Guest("memory", tmp_path) as guest:
        assert names(guest) == {b".", b".."}
        assert guest.open("there") is Errno.NOENT
        guest.must_open("new", CREAT, FILE_RIGHTS)
        assert b"new" in names(guest)
    assert os.listdir(tmp_path) == ["there"]


def test_two_guests_share_nothing() -> None:
    with memory_guest() as one, memory_guest() as other:
        one.must_open("new", CREAT, FILE_RIGHTS)
        assert names(one) == {b".", b"..", b"new"}
        assert names(other) == {b".", b".."}


def test_an_option_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_bytes, not size"):
        memory_guest(extras={"size": "1"})


def test_its_calls_can_be_overridden_in_python() -> None:
    class Refusing(MemoryBacking):
        def path_create_directory(self, fd: int, path: str) -> None:
            raise PermissionError

    with Guest(Refusing(), "/data") as guest:  # type: ignore[arg-type]
        assert guest.path_call("path_create_directory", "dir") is Errno.ACCES
        guest.must_open("new", CREAT, FILE_RIGHTS)
        assert names(guest) == {b".", b"..", b"new"}


def names(guest: Guest) -> set[bytes]:
    return {name for _, _, _, name in guest.list()}
