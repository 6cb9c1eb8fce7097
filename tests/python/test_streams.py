"""Standard streams that are Python objects."""

from __future__ import annotations

import io
import os
import queue

import pytest

from wasi_backing import CAPTURE, WASI, ConfigurationError, Lines, PlainGuest, WasiError
from wasi_backing.types import Errno

CAT = r"""
#include <unistd.h>
int main(void) {
    char buffer[1000];
    for (ssize_t n; (n = read(0, buffer, sizeof buffer)) != 0;)
        if (n < 0 || write(1, buffer, n) != n)
            return 1;
}
"""

TEXT = "first\nzweite ümläute\r\n€ last"
BYTES = TEXT.encode()


@pytest.fixture
def cat(compile_guest):
    return compile_guest(CAT)


class Unreadable:
    """A binary stream that has no descriptor and no read1."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def read(self, size):
        return self._file.read(size)


@pytest.mark.parametrize(
    "stdin",
    [io.BytesIO, Unreadable, lambda content: io.StringIO(content.decode())],
    ids=["binary", "foreign", "text"],
)
def test_a_guest_reads_a_file_object(backing, cat, stdin):
    source = stdin(BYTES * 1000)
    result = WASI(backing=backing, stdin=source, stdout=CAPTURE).run(cat)
    assert (result.exit_code, result.stdout) == (0, BYTES * 1000)


def test_a_guest_writes_to_a_binary_file_object(backing, cat):
    sink = io.BytesIO()
    assert WASI(backing=backing, stdin=BYTES, stdout=sink).run(cat).exit_code == 0
    assert sink.getvalue() == BYTES


def test_a_guest_writes_to_a_text_file_object(backing, cat):
    sink = io.StringIO(newline="")
    WASI(backing=backing, stdin=BYTES * 1000, stdout=sink).run(cat)
    assert sink.getvalue() == TEXT * 1000


def test_a_function_gets_each_chunk(backing, cat):
    chunks = []
    WASI(backing=backing, stdin=BYTES, stdout=chunks.append).run(cat)
    assert b"".join(chunks) == BYTES


def test_a_function_gets_each_line_without_its_end(backing, cat):
    lines = []
    WASI(backing=backing, stdin=BYTES, stdout=Lines(lines.append)).run(cat)
    assert lines == ["first", "zweite ümläute", "€ last"]


def test_a_queue_gets_chunks_and_then_none(backing, cat):
    chunks: queue.Queue[bytes | None] = queue.Queue()
    WASI(backing=backing, stdin=BYTES, stdout=chunks).run(cat)
    assert b"".join(iter(chunks.get_nowait, None)) == BYTES


def test_what_a_stream_raises_is_raised_by_run(backing, cat):
    def refuse(chunk):
        raise KeyError("full")

    with pytest.raises(KeyError, match="full") as caught:
        WASI(backing=backing, stdin=BYTES, stdout=refuse).run(cat)
    assert caught.traceback[-1].name == "refuse"


@pytest.mark.parametrize(
    ("error", "errno"),
    [
        (BrokenPipeError("gone"), Errno.PIPE),
        (OSError(28, "full"), Errno.NOSPC),
        (WasiError(Errno.AGAIN), Errno.AGAIN),
    ],
)
def test_an_error_of_a_stream_is_the_guests_errno(backing, error, errno):
    def fail(chunk):
        raise error

    with PlainGuest(backing=backing, stdout=fail) as guest:
        guest.memory[8:16] = (32).to_bytes(4, "little") + (5).to_bytes(4, "little")
        assert guest.call("fd_write", 1, 8, 1, 16) is errno


def test_a_file_object_with_a_descriptor_is_used_without_python(backing, cat, tmp_path):
    with open(tmp_path / "out", "w") as sink:
        sink.write("before\n")
        WASI(backing=backing, stdin=BYTES, stdout=sink).run(cat)
        assert os.lseek(sink.fileno(), 0, os.SEEK_CUR) == 7 + len(BYTES)
    assert (tmp_path / "out").read_bytes() == b"before\n" + BYTES


@pytest.mark.parametrize(
    ("name", "stream"),
    [("stdin", 3.5), ("stdout", object()), ("stdin", print), ("stderr", True)],
)
def test_what_is_no_stream_is_refused_by_name(name, stream):
    with pytest.raises(ConfigurationError, match=name):
        WASI(**{name: stream})
