"""C programs on wasi-libc: what they print and leave behind, on every backing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from wasi_backing import CAPTURE, WASI, Result, Trap

PROGRAMS = Path(__file__).parent / "programs"
Play = Callable[..., Result]


@pytest.fixture
def play(backing: str, guest_dir: Path, compile_guest: Callable[[Path], Path]) -> Play:
    """Run a program of ``programs/`` with `guest_dir` as its root."""

    def play(name: str, *arguments: str, **options: object) -> Result:
        settings: dict[str, object] = {
            "env": {},
            "preopens": {"/": guest_dir},
            "stdin": b"",
            "stdout": CAPTURE,
            "stderr": CAPTURE,
        }
        wasi = WASI(args=[name, *arguments], backing=backing, **{**settings, **options})
        return wasi.run(compile_guest(PROGRAMS / f"{name}.c"))

    return play


def printed(result: Result) -> str:
    """Check that a program ended well, and give what it wrote."""
    assert result.stdout is not None
    assert (result.exit_code, result.stderr) == (0, b"")
    return result.stdout.decode()


def text(lines: str) -> str:
    return dedent(lines).lstrip("\n")


def test_files_by_stdio_and_by_descriptor(play: Play, guest_dir: Path) -> None:
    assert printed(play("files")) == text(
        """
        scanned: 1 1, at 8
        line: second two
        ungot: F
        line: first 1
        /notes: first 1
        second two
        third THIRD
        appended
        and again

        no such: No such file or directory
        exclusive: File exists
        written: 9
        seek: 0
        read: 9 scat tered
        pwrite: 2
        pread: 4 atte, at 9
        /data: scattered...XY
        ftruncate: 0
        /data: scatte
        fallocate: 0
        fadvise: 0
        sync: 0 0
        size: 10, links: 1, regular: 1
        below zero: -1 Invalid argument
        append: 0 1
        /data: Scatte....end
        closed: -1 Bad file descriptor
        mode: r
        write: -1
        mode: w
        read: -1
        mode: rw
        link: 0
        same: 1, links: 2
        rename: 0
        /notes: Scatte....end
        unlink: 0
        unlink: -1 No such file or directory
        access: 0 -1
        truncate: 0
        /notes: Sca
        """
    )
    assert os.listdir(guest_dir) == ["notes"]
    assert (guest_dir / "notes").read_bytes() == b"Sca"


def test_directories_and_links(play: Play, guest_dir: Path) -> None:
    assert printed(play("directories")) == text(
        """
        mkdir: done
        mkdir: File exists
        mkdir: done
        mkdir: No such file or directory
        /a: ./ ../ b/ one two
        /a/b: ./ ../ three
        /a/one:Not a directory
        /missing:No such file or directory
        after rewinddir: 6 entries
        inode: 1 1
        entries: 5, the same by cookie: 5
        behind the last: 0 bytes
        openat: text
        mkdirat: done
        renameat: done
        unlinkat: Directory not empty
        unlinkat: done
        unlinkat: done
        out: Capabilities insufficient
        write: Is a directory
        a file: Not a directory
        symlink: done
        symlink: done
        symlink: done
        symlink: done
        readlink: 3 two
        lstat: link 1, size 3
        stat: link 0
        /a/way: ./ ../ three
        out: Capabilities insufficient
        loop: Symbolic link loop
        not followed: Symbolic link loop
        /a: ./ ../ b/ link@ loop@ out@ two way@
        unlink: done
        rmdir: Not a directory
        /a/b: ./ ../ three
        rmdir: Directory not empty
        unlink: Is a directory
        rmdir: Not a directory
        rename: Not a directory
        rename: Is a directory
        rename: Invalid argument
        rename: done
        /moved: ./ ../ three
        remove: done
        remove: done
        /: ./ ../ a/
        chdir: done
        getcwd: /a
        here: 4, first link
        there: done
        """
    )
    assert sorted(os.listdir(guest_dir / "a")) == ["link", "loop", "out", "two"]


def test_times_to_the_nanosecond(play: Play, guest_dir: Path) -> None:
    assert printed(play("times")) == text(
        """
        new: now now
        futimens 0
        set: 1000000000.000000001 1234567890.987654321
        futimens 0
        one kept: 7.000000007 1234567890.987654321
        utimensat 0
        one now: 7.000000007 now
        futimens 0
        both now: now now
        utimensat 0
        link: 1000000000.000000001 1234567890.987654321
        its file: now now
        utimensat 0
        file by its link: 1000000000.000000001 1234567890.987654321
        utimensat 0
        dir: 1000000000.000000001 1234567890.987654321
        stat 1
        changed after: 1
        """
    )
    assert (guest_dir / "link").lstat().st_mtime_ns == 1234567890987654321
    assert (guest_dir / "dir").stat().st_atime_ns == 1000000000000000001


def test_clocks_sleep_and_poll(play: Play) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"ready")
        result = play("waiting", stdin=reader)
    finally:
        os.close(reader)
        os.close(writer)
    assert printed(result) == text(
        """
        monotonic: 1
        realtime: 1
        resolution: 1
        nanosleep: slept
        usleep: slept
        clock_nanosleep: slept
        until: slept
        poll: 2 in 1, out 1
        read: 5 ready
        poll: 0
        poll: slept
        yield: 0
        """
    )


def test_arguments_environment_and_random_bytes(play: Play) -> None:
    result = play(
        "process", "tell", "", "größe x", env={"Z": "1", "NAME": "value", "A": "b=c"}
    )
    lines = printed(result).splitlines()
    assert lines[:8] == [
        "argument 0: process",
        "argument 1: tell",
        "argument 2: ",
        "argument 3: größe x",
        "variable: Z=1",
        "variable: NAME=value",
        "variable: A=b=c",
        "getenv: value, not set",
    ]
    assert lines[8:11] == ["setenv: changed", "getentropy: 0 0", "different: 1"]


@pytest.mark.parametrize(
    ("how", "output"),
    [
        ("exit", b"leaving\nsecond handler\nfirst handler\n"),
        ("_exit", b""),
        ("return", b""),
    ],
)
@pytest.mark.parametrize("code", [0, 3, 125, 126, 255, 256, 2**31 - 1])
def test_exit_code_is_what_the_program_says(
    play: Play, how: str, output: bytes, code: int
) -> None:
    result = play("process", how, str(code))
    assert (result.exit_code, result.stdout) == (code, output)


def test_abort_traps(play: Play) -> None:
    with pytest.raises(Trap, match="unreachable") as caught:
        play("process", "abort")
    assert caught.value.backtrace


def test_touching_memory_that_is_not_there_traps(play: Play) -> None:
    with pytest.raises(Trap, match="out of bounds"):
        play("process", "null")


def test_pipes_are_no_terminals(play: Play) -> None:
    assert printed(play("process", "isatty")) == "".join(
        f"isatty({fd}) = 0\n" for fd in range(3)
    )


def test_a_terminal_is_one(play: Play) -> None:
    controller, terminal = os.openpty()
    try:
        result = play("process", "isatty", stdin=terminal)
        assert result.stdout == b"isatty(0) = 1\nisatty(1) = 0\nisatty(2) = 0\n"
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_input_comes_out_again(play: Play, size: int) -> None:
    line = b"some line of text\n"
    data = (line * (size // len(line) + 1))[:size]
    result = play("streams", "echo", stdin=data)
    lines = data.count(b"\n") + (not data.endswith(b"\n") and size > 0)
    assert result.exit_code == 0
    assert result.stdout == data
    assert result.stderr == b"%d lines\n" % lines


def test_large_output_on_two_streams_does_not_block(play: Play) -> None:
    result = play("streams", "flood", "30000")
    assert result.stdout == b"".join(b"output line %d\n" % i for i in range(30000))
    assert result.stderr == b"".join(b"error line %d\n" % i for i in range(30000))


def test_stdio_by_path(play: Play, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"from a file\n")
    play(
        "streams",
        "echo",
        stdin=tmp_path / "in",
        stdout=tmp_path / "out",
        stderr=tmp_path / "err",
    )
    assert (tmp_path / "out").read_bytes() == b"from a file\n"
    assert (tmp_path / "err").read_bytes() == b"1 lines\n"


def test_descriptor_numbers(play: Play, guest_dir: Path) -> None:
    result = play("descriptors", max_fds=100)
    assert result.stdout is not None
    assert result.stdout.decode() == text(
        """
        one after the other: 1
        the lowest: 1
        renumber: 0
        moved: words
        old number: -1 Bad file descriptor
        to a free number: -1 Bad file descriptor
        opened: 95, then Too many open files in system
        mkdir: 0
        freed: 1
        renumber: 0
        number 0 stays free: 1
        and reads: -1 Bad file descriptor
        """
    )
    assert (guest_dir / "redirected").read_bytes() == b"to the file\n"


def test_a_server_on_a_listening_socket(play: Play, guest_dir: Path) -> None:
    """The guest gets the socket after its one preopen: descriptor 4."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conversations = [b"hello", b"x" * 300_000, b"stop"]
    with ThreadPoolExecutor(1) as executor:
        guest = executor.submit(play, "server", "4", listen=[f"127.0.0.1:{port}"])
        while not (guest_dir / "waiting").exists() and not guest.done():
            time.sleep(0.01)
        answers = [converse(port, words) for words in conversations]
        result = guest.result(60)
    assert answers == [words.upper() for words in conversations]
    assert result.exit_code == 0
    assert result.ports == [port]
    lines = printed(result).splitlines()
    assert lines[:2] == ["nobody yet: -1 1", "to a file: -1 Not a socket"]
    assert [line for line in lines if line.startswith("served")] == [
        f"served {len(words)} bytes, then 0" for words in conversations
    ]
    assert lines.count("send after it: -1") == len(conversations)


def converse(port: int, words: bytes) -> bytes:
    """Send all words and end; give what the guest answers."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as peer,
        ThreadPoolExecutor(1) as executor,
    ):

        def say() -> None:
            peer.sendall(words)
            peer.shutdown(socket.SHUT_WR)

        said = executor.submit(say)
        answer = b""
        while part := peer.recv(1 << 16):
            answer += part
        said.result()
        return answer


def test_a_directory_that_changes_while_it_is_listed(play: Play) -> None:
    """What was there all along is told once, however often the buffer refills."""
    assert printed(play("many", "20000")) == (
        "twice 0, missing 0, strange 0\nremoved 20100 of 20100, rmdir 0\n"
    )


def test_a_guest_of_wasi_unstable(
    backing: str, guest_dir: Path, compile_guest: Callable[..., Path]
) -> None:
    """Its whence, filestat and subscription are those of that version."""
    (guest_dir / "file").write_bytes(b"contents")
    os.utime(guest_dir / "file", ns=(1, 1234567890987654321))
    wasi = WASI(
        args=["a", "bc"],
        env={},
        preopens={"/": guest_dir},
        stdout=CAPTURE,
        backing=backing,
    )
    result = wasi.run(compile_guest(PROGRAMS / "unstable.c", "-nostdlib"))
    assert result.stdout is not None
    assert result.stdout.decode() == text(
        """
        args_sizes_get 0
        arguments 2
        bytes 5
        path_link 0
        path_open 0
        fd_filestat_get 0
        filetype 4
        nlink 2
        size 8
        mtim 1234567890987654321
        path_filestat_get 0
        nlink 2
        size 8
        behind it 12345678
        from the end 0
        at 5
        from here 0
        at 3
        from the start 0
        at 1
        unknown whence 28
        poll_oneoff 0
        events 1
        userdata 7
        type 0
        long enough 1
        not too long 1
        poll_oneoff 0
        events 1
        userdata 9
        error 8
        """
    )
    assert result.exit_code == 42
