"""What a method in Python may not do while it runs: enter its guest, or close it."""

from __future__ import annotations

import threading

import pytest
import wasmtime

from wasi_backing import WASI, Backing, Errno, PlainGuest, Trap

AGAIN = wasmtime.wat2wasm(
    """(module
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "fd_sync" (func $sync (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "again") (drop (call $yield)))
    (func (export "_start") (drop (call $sync (i32.const 0)))))"""
)


def test_a_call_within_a_call_traps():
    class Enters(Backing):
        yields = 0

        def fd_sync(self, fd):
            instance.exports(store)["again"](store)

        def sched_yield(self):
            self.yields += 1

    backing = Enters()
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    wasi = WASI(backing=backing)
    instance = wasi.instantiate(store, wasmtime.Module(engine, AGAIN))
    with pytest.raises(Trap, match="call made while another one is running"):
        wasi.start(instance)
    assert backing.yields == 0


def test_a_call_of_a_plain_guest_within_a_call_is_refused():
    class Enters(Backing):
        def sched_yield(self):
            guest.call("sched_yield")

    running = pytest.raises(ValueError, match="another call of this guest is running")
    with PlainGuest(backing=Enters) as guest, running:
        guest.call("sched_yield")


def test_close_while_a_call_runs_is_refused_and_does_no_harm():
    entered, leave = threading.Event(), threading.Event()
    answers = []

    class Waits(Backing):
        def sched_yield(self):
            entered.set()
            assert leave.wait(10)

    guest = PlainGuest(backing=Waits)
    thread = threading.Thread(target=lambda: answers.append(guest.call("sched_yield")))
    thread.start()
    assert entered.wait(10)
    with pytest.raises(ValueError, match="a call is running"):
        guest.close()
    leave.set()
    thread.join()
    guest.close()
    assert answers == [Errno.SUCCESS]
