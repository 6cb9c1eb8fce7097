"""Guests in an event loop: coroutines as methods, other tasks meanwhile, cancelling."""

from __future__ import annotations

import asyncio

import pytest
import wasmtime

from wasi_backing import CAPTURE, WASI, AsyncOutput, MinimalBacking, WasiError
from wasi_backing.types import Errno

HELLO = bytes(
    wasmtime.wat2wasm(r"""(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\20\00\00\00\05\00\00\00")
    (data (i32.const 32) "hello")
    (func (export "_start")
        (call $exit (call $write (i32.const 1) (i32.const 8) (i32.const 1)
                                 (i32.const 16)))))""")
)
SPIN = bytes(
    wasmtime.wat2wasm(
        '(module (memory (export "memory") 1)'
        ' (func (export "_start") (loop $spin (br $spin))))'
    )
)


class Patient(MinimalBacking):
    """Awaits something before it writes, in C."""

    async def fd_write(self, fd, iovs):
        await asyncio.sleep(0)
        return super().fd_write(fd, iovs)


def test_a_coroutine_is_awaited_on_the_callers_loop():
    loops = []

    class Backing(MinimalBacking):
        async def fd_write(self, fd, iovs):
            loops.append(asyncio.get_running_loop())
            return super().fd_write(fd, iovs)

    async def main():
        result = await WASI(backing=Backing, stdout=CAPTURE).run_async(HELLO)
        assert loops == [asyncio.get_running_loop()]
        return result

    result = asyncio.run(main())
    assert (result.exit_code, result.stdout) == (0, b"hello")


def test_a_coroutine_works_without_a_loop_of_the_callers():
    result = WASI(backing=Patient, stdout=CAPTURE).run(HELLO)
    assert result.stdout == b"hello"


def test_several_guests_wait_for_each_other():
    """Each guest writes only when all have come to that: none holds up the loop."""
    count = 5

    async def main():
        everybody = asyncio.Barrier(count) if hasattr(asyncio, "Barrier") else None
        arrived = 0
        all_here = asyncio.Event()

        class Meeting(MinimalBacking):
            async def fd_write(self, fd, iovs):
                nonlocal arrived
                if everybody is not None:
                    await everybody.wait()
                else:
                    arrived += 1
                    if arrived == count:
                        all_here.set()
                    await all_here.wait()
                return super().fd_write(fd, iovs)

        return await asyncio.gather(
            *(
                WASI(backing=Meeting, stdout=CAPTURE).run_async(HELLO)
                for _ in range(count)
            )
        )

    assert [result.stdout for result in asyncio.run(main())] == [b"hello"] * count


@pytest.mark.parametrize(
    ("error", "code"),
    [(WasiError(Errno.NOSPC), 51), (FileNotFoundError("x"), 44)],
    ids=["WasiError", "OSError"],
)
def test_an_errno_from_a_coroutine_gets_to_the_guest(error, code):
    class Backing(MinimalBacking):
        async def fd_write(self, fd, iovs):
            raise error

    assert asyncio.run(WASI(backing=Backing).run_async(HELLO)).exit_code == code


def test_an_exception_from_a_coroutine_is_raised_with_its_traceback():
    class Backing(MinimalBacking):
        async def fd_write(self, fd, iovs):
            raise KeyError("lost")

    with pytest.raises(KeyError, match="lost") as caught:
        asyncio.run(WASI(backing=Backing).run_async(HELLO))
    assert caught.traceback[-1].name == "fd_write"


def test_cancelling_waits_for_the_coroutine_and_stops_the_guest():
    events = []

    async def main():
        begun = asyncio.Event()

        class Endless(MinimalBacking):
            async def fd_write(self, fd, iovs):
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0)
                    events.append("cleaned up")

        task = asyncio.create_task(WASI(backing=Endless).run_async(HELLO))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        events.append("cancelled")

    asyncio.run(main())
    assert events == ["cleaned up", "cancelled"]


def test_cancelling_stops_a_guest_that_computes():
    async def main():
        started = asyncio.Event()
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(
            WASI().run_async(
                SPIN, on_start=lambda ports: loop.call_soon_threadsafe(started.set)
            )
        )
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_output_is_iterated_while_the_guest_runs():
    """The guest ends only after the reader has seen what it wrote."""

    async def main():
        seen = asyncio.Event()
        output = AsyncOutput()

        class Waiting(MinimalBacking):
            async def proc_exit(self, rval):
                await seen.wait()

        wasi = WASI(backing=Waiting, stdout=output)
        task = asyncio.create_task(wasi.run_async(HELLO))
        chunks = []
        async for chunk in output:
            chunks.append(chunk)
            seen.set()
        assert b"".join(chunks) == b"hello"
        assert (await task).exit_code == 0

    asyncio.run(main())
