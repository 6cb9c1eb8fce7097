"""DictBacking as a user has it; what a guest observes is in tests/backings."""

from __future__ import annotations

import pytest

from wasi_backing import (
    WASI,
    ConfigurationError,
    DictBacking,
    Errno,
    Link,
    PlainGuest,
    Preopen,
)

READ = 1 << 1
WRITE = 1 << 6


def put(guest, offset, data):
    guest.memory[offset : offset + len(data)] = data
    return offset, len(data)


def open_file(guest, path, oflags=0, rights=READ, fd=3):
    place = put(guest, 1024, path)
    errno = guest.call("path_open", fd, 1, *place, oflags, rights, 0, 0, 512)
    number = int.from_bytes(guest.memory[512:516], "little")
    return number if errno is Errno.SUCCESS else errno


def write(guest, fd, data):
    at, length = put(guest, 2048, data)
    put(guest, 600, at.to_bytes(4, "little") + length.to_bytes(4, "little"))
    return guest.call("fd_write", fd, 600, 1, 608)


def read(guest, fd):
    put(guest, 600, (2048).to_bytes(4, "little") + (1000).to_bytes(4, "little"))
    assert guest.call("fd_read", fd, 600, 1, 608) is Errno.SUCCESS
    count = int.from_bytes(guest.memory[608:612], "little")
    return bytes(guest.memory[2048 : 2048 + count])


def test_a_tree_comes_back_as_it_was_given():
    tree = {"hello.txt": b"hi", "sub": {"empty": {}, "link": Link("../hello.txt")}}
    assert DictBacking(tree).tree() == tree
    assert isinstance(DictBacking(tree).tree()["sub"]["link"], Link)


def test_a_guest_reads_and_python_reads_back():
    backing = DictBacking({"hello.txt": b"hi", "sub": {"link": Link("../hello.txt")}})
    with PlainGuest(backing=backing) as guest:
        assert read(guest, open_file(guest, b"sub/link")) == b"hi"
        assert write(guest, open_file(guest, b"new", 1, WRITE), b"out") is Errno.SUCCESS
        assert backing.tree()["new"] == b"out"
    with PlainGuest(backing=backing) as guest:
        assert read(guest, open_file(guest, b"new")) == b"out"


def test_preopens_are_places_in_the_tree():
    backing = DictBacking({"a": {"f": b"1"}, "b": {"f": b"2"}})
    preopens = {"/x": "a", "/y": Preopen("/b", read_only=True)}
    with PlainGuest(backing=backing, preopens=preopens) as guest:
        assert read(guest, open_file(guest, b"f", fd=4)) == b"2"
        assert open_file(guest, b"../b/f") is Errno.NOTCAPABLE
        assert open_file(guest, b"f", 0, WRITE, fd=4) is Errno.ROFS


def test_a_preopen_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="no directory"):
        PlainGuest(backing=DictBacking({"f": b""}), preopens={"/": "f"})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "x" * 256])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(ValueError, match="cannot be the name"):
        DictBacking({name: b""})


@pytest.mark.parametrize("content", [None, "text", 3, Link("")])
def test_a_content_that_cannot_be_is_refused(content):
    with pytest.raises(TypeError, match="expected bytes"):
        DictBacking({"f": content})


def test_a_file_that_grows_too_large_is_fbig():
    backing = DictBacking(max_size=4)
    with PlainGuest(backing=backing) as guest:
        fd = open_file(guest, b"f", 1, WRITE | 1 << 2)
        assert write(guest, fd, b"12345") is Errno.FBIG
        assert write(guest, fd, b"1234") is Errno.SUCCESS
    assert backing.tree() == {"f": b"1234"}


def test_an_unlinked_file_lives_while_it_is_open():
    with PlainGuest(backing=DictBacking({"f": b"text"})) as guest:
        fd = open_file(guest, b"f")
        place = put(guest, 1024, b"f")
        assert guest.call("path_unlink_file", 3, *place) is Errno.SUCCESS
        assert open_file(guest, b"f") is Errno.NOENT
        assert read(guest, fd) == b"text"


def test_a_program_runs_on_it(compile_guest):
    module = compile_guest(
        r"""
        #include <stdio.h>
        int main(void)
        {
            char line[20] = "";
            FILE *in = fopen("/in", "r"), *out = fopen("/dir/out", "w");
            return !in || !out || !fgets(line, sizeof line, in) ||
                   fprintf(out, "<%s>", line) < 0 || fclose(out);
        }"""
    )
    backing = DictBacking({"in": b"data", "dir": {}})
    assert WASI(backing=backing).run(module).exit_code == 0
    assert backing.tree() == {"in": b"data", "dir": {"out": b"<data>"}}
