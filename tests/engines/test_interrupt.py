"""Guests that are ended from outside, whatever they are busy with."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import indent

import pytest
import wasmtime

from wasi_backing import WASI, Errno, Interrupted, PlainGuest
from wasi_backing.ffi import ffi, lib

from .modules import BUSY, busy, program

ROOT = Path(__file__).resolve().parents[2]

# So long that only a hang reaches it.
HANG = 120


class Pipes:
    """The guest's stdin, into which nothing comes, and its stdout."""

    def __init__(self):
        self.stdin, self.keep = os.pipe()
        self.read, self.stdout = os.pipe()

    def wait_until_ready(self):
        assert len(os.read(self.read, 1)) == 1

    def close(self):
        for descriptor in (self.stdin, self.keep, self.read, self.stdout):
            os.close(descriptor)


@pytest.fixture
def pipes():
    pipes = Pipes()
    yield pipes
    pipes.close()


def options_for(doing, pipes):
    listen = ["127.0.0.1:0"] if doing == "accept" else []
    return {"stdin": pipes.stdin, "stdout": pipes.stdout, "listen": listen}


def in_thread(function):
    """Call a function in a thread; return the thread and where its end goes."""
    outcome = []

    def body():
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread, outcome


@pytest.mark.parametrize("doing", BUSY)
def test_interrupt_ends_a_guest_of_run(backing, doing, pipes):
    wasi = WASI(backing=backing, cache=False, **options_for(doing, pipes))
    thread, outcome = in_thread(lambda: wasi.run(busy(doing)))
    pipes.wait_until_ready()
    wasi.interrupt()
    thread.join(HANG)
    assert not thread.is_alive()
    assert isinstance(outcome[0], Interrupted)


@pytest.mark.parametrize("doing", sorted(BUSY.keys() - {"compute"}))
def test_interrupt_ends_a_guest_of_an_own_store(backing, doing, pipes):
    store = wasmtime.Store(wasmtime.Engine())
    wasi = WASI(backing=backing, **options_for(doing, pipes))
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, busy(doing)))
    thread, outcome = in_thread(lambda: wasi.start(instance))
    pipes.wait_until_ready()
    wasi.interrupt()
    thread.join(HANG)
    assert not thread.is_alive()
    assert isinstance(outcome[0], Interrupted)


@pytest.mark.parametrize("doing", ["read", "accept"])
def test_an_interrupt_is_not_lost(backing, doing):
    """Whenever it comes: here, about when the guest begins to wait."""
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, busy(doing))
    for _ in range(300):
        pipes = Pipes()
        wasi = WASI(backing=backing, **options_for(doing, pipes))
        instance = wasi.instantiate(wasmtime.Store(engine), module)
        thread, outcome = in_thread(functools.partial(wasi.start, instance))
        pipes.wait_until_ready()
        wasi.interrupt()
        thread.join(HANG)
        assert not thread.is_alive()
        assert isinstance(outcome[0], Interrupted)
        pipes.close()


def test_interrupt_and_an_epoch_stop_an_own_engine_that_computes(pipes):
    config = wasmtime.Config()
    config.epoch_interruption = True
    store = wasmtime.Store(wasmtime.Engine(config))
    store.set_epoch_deadline(1)
    wasi = WASI(**options_for("compute", pipes))
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, busy("compute")))
    thread, outcome = in_thread(lambda: wasi.start(instance))
    pipes.wait_until_ready()
    wasi.interrupt()
    store.engine.increment_epoch()
    thread.join(HANG)
    assert not thread.is_alive()
    assert isinstance(outcome[0], Interrupted)


def test_all_guests_of_a_wasi_end(backing, pipes):
    wasi = WASI(backing=backing, cache=False, **options_for("sleep", pipes))
    threads = [in_thread(lambda: wasi.run(busy("sleep"))) for _ in range(4)]
    for _ in threads:
        pipes.wait_until_ready()
    wasi.interrupt()
    for thread, outcome in threads:
        thread.join(HANG)
        assert isinstance(outcome[0], Interrupted)


def test_one_wasi_alone_is_interrupted(pipes):
    """Its neighbour, on the same engine, goes on."""
    one = WASI(cache=False, **options_for("compute", pipes))
    other = WASI(cache=False, **options_for("read", pipes))
    thread, outcome = in_thread(lambda: one.run(busy("compute")))
    pipes.wait_until_ready()
    neighbour, result = in_thread(lambda: other.run(busy("read")))
    pipes.wait_until_ready()
    one.interrupt()
    thread.join(HANG)
    assert isinstance(outcome[0], Interrupted)
    os.write(pipes.keep, b"x")
    neighbour.join(HANG)
    assert result[0].exit_code == 0


def test_there_is_no_way_back(pipes):
    store = wasmtime.Store(wasmtime.Engine())
    wasi = WASI(**options_for("read", pipes))
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, busy("read")))
    wasi.interrupt()
    wasi.interrupt()
    for _ in range(2):
        with pytest.raises(Interrupted):
            wasi.start(instance)


def test_interrupt_touches_no_later_guest():
    wasi = WASI(cache=False)
    wasi.run(program(""))
    wasi.interrupt()
    assert wasi.run(program("")).exit_code == 0


# ---- SIGINT ------------------------------------------------------------------

# Each prints what the guest was ended with; the guest itself writes the first byte.
WAYS = {
    "run": "WASI(cache=False, listen=listen).run(code)",
    "start": "wasi.start(instance)",
    "exits": """
with wasi.exits():
    instance.exports(store)["_start"](store)""",
    "linker": """
linker = wasmtime.Linker(store.engine)
wasi.add_to_linker(linker)
wasi.start(linker.instantiate(store, module), store)""",
}

PROGRAM = """
import sys
import wasmtime
from wasi_backing import WASI, Interrupted
with open(sys.argv[1], "rb") as file:
    code = file.read()
listen = ["127.0.0.1:0"]
store = wasmtime.Store(wasmtime.Engine())
module = wasmtime.Module(store.engine, code)
wasi = WASI(listen=listen)
instance = wasi.instantiate(store, module)
try:
WAY
except KeyboardInterrupt:
    print("KeyboardInterrupt")
except Interrupted:
    print("Interrupted")
"""

BLOCKED = [
    (way, doing)
    for way in WAYS
    for doing in BUSY
    if way == "run" or doing in ("read", "sleep")
]


def sigint(tmp_path, code, way, before="", send=signal.SIGINT):
    """Send a signal to a process whose guest is busy; return what it prints."""
    module = tmp_path / "guest.wasm"
    module.write_bytes(code)
    script = before + PROGRAM.replace("WAY", indent(WAYS[way], "    "))
    with subprocess.Popen(
        [sys.executable, "-c", script, module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert len(process.stdout.read(1)) == 1, process.stderr.read()
            process.send_signal(send)
            # stdin stays open: the guest must not end because of it.
            output = process.stdout.read()
            assert process.wait(HANG) == 0, process.stderr.read()
            return output.decode().strip()
        finally:
            process.kill()


@pytest.mark.parametrize(("way", "doing"), BLOCKED)
def test_sigint_is_a_keyboard_interrupt(tmp_path, way, doing):
    assert sigint(tmp_path, busy(doing), way) == "KeyboardInterrupt"


def test_a_handler_that_raises_nothing_leaves_the_interruption(tmp_path):
    before = "import signal; signal.signal(signal.SIGINT, lambda *_: None)\n"
    assert sigint(tmp_path, busy("read"), "run", before) == "Interrupted"


# A thread that gets a SIGINT of its own when the process gets SIGUSR1.
OTHER_THREAD = """
import signal, threading
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
def wait():
    signal.sigwait({signal.SIGUSR1})
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
threading.Thread(target=wait, daemon=True).start()
"""


@pytest.mark.parametrize("doing", BUSY)
def test_it_does_not_matter_which_thread_gets_the_signal(tmp_path, doing):
    ended = sigint(tmp_path, busy(doing), "run", OTHER_THREAD, signal.SIGUSR1)
    assert ended == "KeyboardInterrupt"


def test_a_guest_that_is_left_is_not_interrupted():
    """Also when the one that was entered after it is still there."""
    with PlainGuest() as left, PlainGuest() as inner, PlainGuest() as never:
        entries = [ffi.new("struct wb_sigint *") for _ in range(3)]
        for entry, guest in zip(entries, (left, inner, never), strict=True):
            entry.guest = guest._guest
        lib.wb_sigint_enter(entries[0])
        lib.wb_sigint_enter(entries[1])
        lib.wb_sigint_leave(entries[0])
        lib.wb_sigint_leave(entries[2])
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        lib.wb_sigint_leave(entries[1])
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            inner.call("sched_yield")
        assert left.call("sched_yield") is Errno.SUCCESS
        assert never.call("sched_yield") is Errno.SUCCESS


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    WASI(cache=False).run(program(""))
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
