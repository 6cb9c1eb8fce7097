"""Guests that begin, run and end, as who starts them sees it."""

from __future__ import annotations

import contextlib
import gc
import os

import pytest
import wasmtime

from wasi_backing import (
    CAPTURE,
    WASI,
    ConfigurationError,
    Exit,
    MinimalBacking,
    Trap,
    run,
)

from .modules import MEMORY, SAY_READY, WRITE, exit_with, imports, program, wat

# Three functions that end in three ways, for users who call functions themselves.
REACTOR = wat(
    f"""(module {imports("proc_exit", "args_sizes_get", "fd_close")} {MEMORY}
    (global $ready (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $ready (i32.const 1)))
    (func (export "ready") (result i32) (global.get $ready))
    (func (export "two") (result i32 i32) (i32.const 3) (i32.const 4))
    (func (export "takes") (param i32))
    (func (export "exit_5") (call $proc_exit (i32.const 5)))
    (func (export "trap") unreachable)
    (func (export "close_stdin") (result i32) (call $fd_close (i32.const 0)))
    )"""
)


@pytest.fixture
def store():
    return wasmtime.Store(wasmtime.Engine())


def instance_of(code, store, **options):
    wasi = WASI(**options)
    return wasi, wasi.instantiate(store, wasmtime.Module(store.engine, code))


@pytest.mark.parametrize("code", [0, 1, 7, 255, 256, 0xFFFFFFFF])
def test_the_whole_exit_code_arrives(backing, code):
    assert WASI(backing=backing, cache=False).run(exit_with(code)).exit_code == code


def test_a_guest_that_returns_has_succeeded(backing):
    assert WASI(backing=backing, cache=False).run(program("")).exit_code == 0


def test_run_alone_captures_what_is_written(backing):
    result = run(WRITE, backing=backing, cache=False)
    assert (result.stdout, result.stderr, result.exit_code) == (b"x", b"", 0)


def test_a_command_of_an_own_store_is_started(store, backing):
    wasi, instance = instance_of(exit_with(9), store, backing=backing)
    assert wasi.start(instance) == 9


def test_a_guest_may_throw_and_catch():
    code = wat(
        f"""(module {imports("proc_exit")} {MEMORY} (tag $thrown (param i32))
        (func $throw (throw $thrown (i32.const 5)))
        (func (export "_start") (call $proc_exit
          (block $caught (result i32)
            (try_table (catch $thrown $caught) (call $throw)) (i32.const 1)))))"""
    )
    assert WASI(cache=False).run(code).exit_code == 5


class TestWithoutReturningOnExit:
    def test_run_raises_the_code(self):
        with pytest.raises(SystemExit) as caught:
            WASI(return_on_exit=False, cache=False).run(exit_with(3))
        assert caught.value.code == 3

    def test_start_raises_the_code(self, store):
        wasi, instance = instance_of(exit_with(0), store, return_on_exit=False)
        with pytest.raises(SystemExit) as caught:
            wasi.start(instance)
        assert caught.value.code == 0

    def test_a_guest_that_returns_raises_nothing(self):
        result = WASI(return_on_exit=False, cache=False).run(program(""))
        assert result.exit_code == 0


class TestReactors:
    def test_initialize_prepares_one(self, store):
        wasi, instance = instance_of(REACTOR, store)
        wasi.initialize(instance)
        assert instance.exports(store)["ready"](store) == 1

    def test_one_without_initialize_is_ready_as_it_is(self, store):
        code = wat(f'(module {MEMORY} (func (export "f")))')
        wasi, instance = instance_of(code, store)
        wasi.initialize(instance)

    def test_a_command_is_not_initialised(self, store):
        wasi, instance = instance_of(program(""), store)
        with pytest.raises(ConfigurationError, match="it is a command"):
            wasi.initialize(instance)

    def test_a_reactor_is_not_started(self, store):
        wasi, instance = instance_of(REACTOR, store)
        with pytest.raises(ConfigurationError, match="exports no _start"):
            wasi.start(instance)

    def test_an_exit_in_initialize_is_raised(self, store):
        code = wat(
            f"""(module {imports("proc_exit")} {MEMORY}
            (func (export "_initialize") (call $proc_exit (i32.const 6))))"""
        )
        wasi, instance = instance_of(code, store)
        with pytest.raises(Exit) as caught:
            wasi.initialize(instance)
        assert caught.value.code == 6

    def test_invoke_initialises_and_returns_values(self, backing):
        wasi = WASI(backing=backing, cache=False)
        assert wasi.run(REACTOR, "ready").values == (1,)
        assert wasi.run(REACTOR, "two").values == (3, 4)
        assert wasi.run(REACTOR, "exit_5").exit_code == 5

    @pytest.mark.parametrize(
        ("function", "words"),
        [("none", "exports no none"), ("takes", "takes takes parameters")],
    )
    def test_what_cannot_be_invoked_is_refused(self, function, words):
        with pytest.raises(ConfigurationError, match=words):
            WASI(cache=False).run(REACTOR, function)


class TestStartFunctions:
    """A module's start function runs while it is instantiated."""

    CODE = f"""(module {imports("args_sizes_get", "proc_exit")} {MEMORY}
        (func $begin (drop (call $args_sizes_get (i32.const 8) (i32.const 12))))
        (start $begin)
        (func (export "_start") (call $proc_exit (i32.load (i32.const 8)))))"""

    def test_its_calls_use_memory(self, store, backing):
        options = {"args": ["a", "b", "c"], "backing": backing}
        assert WASI(**options, cache=False).run(wat(self.CODE)).exit_code == 3
        wasi, instance = instance_of(wat(self.CODE), store, **options)
        assert wasi.start(instance) == 3

    def test_its_exit_ends_the_guest(self, store):
        code = wat(
            f"""(module {imports("proc_exit")} {MEMORY}
            (func $begin (call $proc_exit (i32.const 4))) (start $begin)
            (func (export "_start")))"""
        )
        assert WASI(cache=False).run(code).exit_code == 4
        with pytest.raises(Exit) as caught:
            instance_of(code, store)
        assert caught.value.code == 4

    def test_its_trap_is_raised(self, store):
        code = wat(f"(module {MEMORY} (func $begin unreachable) (start $begin))")
        with pytest.raises(Trap, match="unreachable"):
            instance_of(code, store)


class TestExits:
    """Users who call the guest's functions themselves."""

    def test_the_code_arrives(self, store):
        wasi, instance = instance_of(REACTOR, store)
        with wasi.exits() as status:
            instance.exports(store)["exit_5"](store)
        assert status.code == 5

    def test_without_an_exit_there_is_no_code(self, store):
        wasi, instance = instance_of(REACTOR, store)
        with wasi.exits() as status:
            instance.exports(store)["ready"](store)
        assert status.code is None

    def test_a_trap_is_raised(self, store):
        wasi, instance = instance_of(REACTOR, store)
        with pytest.raises(Trap), wasi.exits():
            instance.exports(store)["trap"](store)

    def test_a_guest_of_the_block_itself_counts(self, store):
        wasi = WASI()
        module = wasmtime.Module(store.engine, REACTOR)
        with wasi.exits() as status:
            instance = wasi.instantiate(store, module)
            instance.exports(store)["exit_5"](store)
        assert status.code == 5

    def test_a_function_outlives_its_instance(self, store):
        wasi, instance = instance_of(REACTOR, store)
        function = instance.exports(store)["exit_5"]
        del instance
        gc.collect()
        with wasi.exits() as status:
            function(store)
        assert status.code == 5

    def test_system_exit_on_demand(self, store):
        wasi, instance = instance_of(REACTOR, store, return_on_exit=False)
        with pytest.raises(SystemExit) as caught, wasi.exits():
            instance.exports(store)["exit_5"](store)
        assert caught.value.code == 5

    def test_an_exit_that_was_caught_before_is_not_told_again(self, store):
        wasi, instance = instance_of(REACTOR, store)
        functions = instance.exports(store)
        with pytest.raises(wasmtime.WasmtimeError):
            functions["exit_5"](store)
        with pytest.raises(Trap), wasi.exits():
            functions["trap"](store)

    def test_an_exit_that_is_caught_in_the_block_is_not_told(self, store):
        wasi, instance = instance_of(REACTOR, store)
        functions = instance.exports(store)

        def exit_and_trap():
            with pytest.raises(wasmtime.WasmtimeError):
                functions["exit_5"](store)
            functions["trap"](store)

        with pytest.raises(Trap), wasi.exits():
            exit_and_trap()

    def test_errors_that_are_no_guests_end_pass(self, store):
        wasi = WASI()
        module = wasmtime.Module(store.engine, REACTOR)
        linker = wasmtime.Linker(store.engine)
        unknown = pytest.raises(wasmtime.WasmtimeError, match="unknown import")
        with unknown, wasi.exits():
            linker.instantiate(store, module)


def test_two_instances_are_two_guests(store, backing):
    wasi, first = instance_of(REACTOR, store, backing=backing)
    second = wasi.instantiate(store, wasmtime.Module(store.engine, REACTOR))
    closers = [one.exports(store)["close_stdin"] for one in (first, second)]
    assert [close(store) for close in closers] == [0, 0]
    badf = 8
    assert [close(store) for close in closers] == [badf, badf]


def test_an_instance_that_does_not_fit_is_refused(store):
    store.set_limits(memory_size=1 << 20)
    code = wat('(module (memory (export "memory") 100))')
    with pytest.raises(
        ConfigurationError, match=r"cannot be instantiated: .*memory"
    ) as e:
        instance_of(code, store)
    assert "\n" not in str(e.value)


def test_argv0_is_the_modules_name(tmp_path):
    code = wat(
        """(module (import "wasi_snapshot_preview1" "args_sizes_get"
              (func $sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (drop (call $sizes (i32.const 8) (i32.const 12)))
              (call $exit (i32.load (i32.const 12)))))"""
    )
    path = tmp_path / "four.wasm"
    path.write_bytes(code)
    assert WASI(cache=False).run(path).exit_code == len("four.wasm\0")
    assert WASI(["other"], cache=False).run(path).exit_code == len("other\0")


def test_ports_and_output_of_a_guest_can_be_asked_for(store):
    code = program(SAY_READY, "fd_write")
    wasi, instance = instance_of(code, store, stdout=CAPTURE, listen=["127.0.0.1:0"])
    assert wasi.start(instance) == 0
    assert wasi.captured(instance) == (b"\0", None)
    (port,) = wasi.ports(instance)
    assert 0 < port < 65536
    with pytest.raises(LookupError):
        WASI().ports()


@pytest.mark.parametrize("in_python", [False, True])
def test_a_guest_ends_with_its_store(in_python):
    """Its listening socket is then closed."""

    class Slow(MinimalBacking):
        def sched_yield(self):
            pass

    before = sockets()
    store = wasmtime.Store(wasmtime.Engine())
    listen = {"listen": ["127.0.0.1:0"], "backing": Slow if in_python else "minimal"}
    wasi, instance = instance_of(REACTOR, store, **listen)
    assert wasi.ports(instance)
    assert len(sockets() - before) == 1
    del store, instance
    gc.collect()
    assert sockets() == before


def sockets():
    """The sockets that this process has open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that lists them
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return {name for name in found if name.startswith("socket:")}


class TestFailuresOfPythonBackings:
    """What a method raises to stop its guest comes out of run as it is."""

    @pytest.mark.parametrize("cause", [None, KeyError("why")])
    def test_with_the_cause_that_it_has(self, cause):
        class Failing(MinimalBacking):
            def sched_yield(self):
                raise ZeroDivisionError("ours") from cause

        code = program("(drop (call $sched_yield))", "sched_yield")
        with pytest.raises(ZeroDivisionError, match="ours") as caught:
            WASI(backing=Failing, cache=False).run(code)
        assert caught.value.__cause__ is cause
        assert caught.value.__suppress_context__
