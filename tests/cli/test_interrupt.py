"""Ctrl-C ends the guest at once, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# So many seconds that only a hang reaches it.
HANG = 120

BLOCKED = ["block-in-read", "block-in-sleep", "compute"]


@contextmanager
def guest_that_is_busy(
    *words: object, **options: object
) -> Iterator[subprocess.Popen[str]]:
    """Start the command; go on when the guest is about to block, or computes."""
    command = [sys.executable, "-m", "wasi_backing", "run", *map(str, words)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    ) as guest:
        try:
            assert guest.stdout.readline() == "ready\n"
            yield guest
        finally:
            guest.kill()


@pytest.mark.parametrize("doing", BLOCKED)
def test_ctrl_c_ends_a_guest(probe: Path, backing: str, doing: str) -> None:
    """The process dies of the signal, which a shell shows as status 130."""
    with guest_that_is_busy("--backing", backing, probe, doing) as guest:
        guest.send_signal(signal.SIGINT)
        assert guest.wait(HANG) == -signal.SIGINT
        assert guest.stderr.read() == ""


def test_ctrl_c_ends_a_guest_that_waits_for_a_client(probe: Path) -> None:
    words = ["--listen", "127.0.0.1:0", probe, "greet-client", "3"]
    with guest_that_is_busy(*words) as guest:
        guest.send_signal(signal.SIGINT)
        assert guest.wait(HANG) == -signal.SIGINT


def test_an_ignored_interrupt_stays_ignored(probe: Path) -> None:
    """As under nohup, or in the background of a script."""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with guest_that_is_busy(probe, "block-in-read", preexec_fn=ignore) as guest:
        guest.send_signal(signal.SIGINT)
        output, _ = guest.communicate("x", timeout=HANG)
        assert output.startswith("read 1\n")
        assert guest.returncode == 0


def test_the_callers_handler_is_put_back(probe: Path) -> None:
    from wasi_backing.cli import main

    before = signal.getsignal(signal.SIGINT)
    assert main(["run", str(probe), "exit", "3"]) == 3
    assert signal.getsignal(signal.SIGINT) is before
