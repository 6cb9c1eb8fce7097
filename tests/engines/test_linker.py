"""Guests whose instances the user's own linker makes."""

from __future__ import annotations

import gc

import pytest
import wasmtime

from wasi_backing import CAPTURE, WASI, ConfigurationError, Exit, Trap

from .modules import MEMORY, WRITE, exit_with, imports, program, wat

# Writes what the host has put at 16; says which descriptor it closed.
WRITER = wat(
    f"""(module {imports("fd_write", "fd_close", "sched_yield")} {MEMORY}
    (func (export "write") (result i32)
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (func (export "close_stdin") (result i32) (call $fd_close (i32.const 0)))
    (func (export "yield") (result i32) (call $sched_yield)))"""
)


class World:
    """An engine, a linker with a WASI, and instances of WRITER."""

    def __init__(self, **options):
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module(self.engine, WRITER)
        self.linker = wasmtime.Linker(self.engine)
        self.store = wasmtime.Store(self.engine)
        self.wasi = WASI(stdout=CAPTURE, **options)
        self.wasi.add_to_linker(self.linker)

    def instance(self, letter, store=None):
        """Make an instance that writes this letter."""
        store = store or self.store
        instance = self.linker.instantiate(store, self.module)
        instance.exports(store)["memory"].write(store, letter, 16)
        return instance

    def call(self, instance, name, store=None):
        store = store or self.store
        return instance.exports(store)[name](store)

    @property
    def written(self):
        return self.wasi.captured(self.linker)[0]


def test_each_instance_uses_its_own_memory(backing):
    world = World(backing=backing)
    first, second = world.instance(b"1"), world.instance(b"2")
    for instance in (first, second, first):
        assert world.call(instance, "write") == 0
    assert world.written == b"121"


def test_instances_of_a_linker_are_one_guest():
    world = World()
    first, second = world.instance(b"1"), world.instance(b"2")
    assert world.call(first, "close_stdin") == 0
    badf = 8
    assert world.call(second, "close_stdin") == badf


def test_a_command_of_a_linker_is_started(backing):
    world = World(backing=backing)
    module = wasmtime.Module(world.engine, exit_with(8))
    instance = world.linker.instantiate(world.store, module)
    assert world.wasi.start(instance, world.store) == 8
    with pytest.raises(ConfigurationError, match="which store"):
        world.wasi.start(instance)


def test_the_functions_outlive_their_wasi(backing):
    world = World(backing=backing)
    before = world.instance(b"1")
    del world.wasi
    gc.collect()
    after = world.instance(b"2")
    assert world.call(before, "write") == 0
    assert world.call(after, "write") == 0


def test_an_exit_is_known_after_the_linker_has_gone():
    world = World()
    module = wasmtime.Module(world.engine, exit_with(8))
    instance = world.linker.instantiate(world.store, module)
    del world.linker
    gc.collect()
    with world.wasi.exits() as status:
        instance.exports(world.store)["_start"](world.store)
    assert status.code == 8


@pytest.mark.parametrize("function", ["write", "yield"])
def test_a_call_from_a_second_store_traps(function):
    world = World()
    world.call(world.instance(b"1"), function)
    other = wasmtime.Store(world.engine)
    instance = world.instance(b"2", other)
    with pytest.raises(Trap, match="second store"), world.wasi.exits():
        world.call(instance, function, other)
    assert world.written in (b"1", b"")


class TestBind:
    def test_calls_use_the_bound_instance(self, backing):
        world = World(backing=backing)
        instance = world.instance(b"1")
        world.wasi.bind(instance, world.store)
        assert world.call(instance, "write") == 0
        assert world.call(instance, "yield") == 0
        assert world.written == b"1"

    def test_a_bound_instance_needs_no_store_to_start(self):
        world = World()
        module = wasmtime.Module(world.engine, WRITE)
        instance = world.linker.instantiate(world.store, module)
        world.wasi.bind(instance, world.store)
        assert world.wasi.start(instance) == 0
        assert world.written == b"x"

    def test_memory_may_grow_later(self):
        world = World()
        instance = world.instance(b"1")
        world.wasi.bind(instance, world.store)
        assert world.call(instance, "write") == 0
        instance.exports(world.store)["memory"].grow(world.store, 1000)
        assert world.call(instance, "write") == 0
        assert world.written == b"11"

    def test_the_linker_keeps_the_store(self):
        world = World()
        instance = world.instance(b"1")
        world.wasi.bind(instance, world.store)
        del world.store, instance
        gc.collect()
        other = wasmtime.Store(world.engine)
        second = world.instance(b"2", other)
        with pytest.raises(Trap, match="second store"), world.wasi.exits():
            world.call(second, "write", other)

    def test_it_must_be_clear_which_linker_is_meant(self):
        world = World()
        other = wasmtime.Linker(world.engine)
        world.wasi.add_to_linker(other)
        instance = world.instance(b"1")
        with pytest.raises(ConfigurationError, match="which linker"):
            world.wasi.bind(instance, world.store)
        world.wasi.bind(instance, world.store, world.linker)
        stranger = wasmtime.Linker(world.engine)
        with pytest.raises(ConfigurationError, match="not added"):
            world.wasi.bind(instance, world.store, stranger)

    @pytest.mark.parametrize(
        ("memory", "words"),
        [
            ("", "no 'memory'"),
            ('(global (export "memory") i32 (i32.const 0))', "no 'memory'"),
            ('(memory (export "memory") i64 1)', "64-bit"),
        ],
    )
    def test_an_instance_without_memory_is_refused(self, memory, words):
        world = World()
        module = wasmtime.Module(world.engine, wat(f"(module {memory})"))
        instance = world.linker.instantiate(world.store, module)
        with pytest.raises(ConfigurationError, match=words):
            world.wasi.bind(instance, world.store)


def test_a_linker_takes_one_wasi_only():
    world = World()
    with pytest.raises(wasmtime.WasmtimeError, match="defined twice"):
        world.wasi.add_to_linker(world.linker)


@pytest.mark.parametrize(
    ("version", "has", "lacks"),
    [
        ("preview1", "wasi_snapshot_preview1", "wasi_unstable"),
        ("unstable", "wasi_unstable", "wasi_snapshot_preview1"),
    ],
)
def test_one_version_alone_can_be_defined(version, has, lacks):
    world = World()
    linker = wasmtime.Linker(world.engine)
    WASI(version=version).add_to_linker(linker)
    for module, served in ((has, True), (lacks, False)):
        code = wat(f"(module {imports('sched_yield', module=module)} {MEMORY})")
        compiled = wasmtime.Module(world.engine, code)
        if served:
            linker.instantiate(world.store, compiled)
        else:
            with pytest.raises(wasmtime.WasmtimeError, match="unknown import"):
                linker.instantiate(world.store, compiled)


@pytest.mark.parametrize(
    "item",
    [
        '"wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))',
        '"wasi_snapshot_preview1" "fd_raed" (func)',
        '"wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32))',
    ],
)
def test_a_hostile_module_does_not_link(item):
    world = World()
    module = wasmtime.Module(world.engine, wat(f"(module (import {item}))"))
    with pytest.raises(wasmtime.WasmtimeError, match="import"):
        world.linker.instantiate(world.store, module)


def test_guests_of_linkers_that_are_gone_are_closed():
    """Their listening socket is free again for the next guest."""
    engine = wasmtime.Engine()
    wasi = WASI(listen=["127.0.0.1:0"])
    linker = wasmtime.Linker(engine)
    wasi.add_to_linker(linker)
    (port,) = wasi.ports(linker)
    again = WASI(listen=[f"127.0.0.1:{port}"])
    with pytest.raises(ConfigurationError, match="in use"):
        again.add_to_linker(wasmtime.Linker(engine))
    del linker
    gc.collect()
    wasi.add_to_linker(wasmtime.Linker(engine))
    again.add_to_linker(wasmtime.Linker(engine))


def test_an_exit_in_a_start_function_is_raised_by_exits():
    world = World()
    code = wat(
        f"""(module {imports("proc_exit")} {MEMORY}
        (func $begin (call $proc_exit (i32.const 3))) (start $begin))"""
    )
    module = wasmtime.Module(world.engine, code)
    with world.wasi.exits() as status:
        world.linker.instantiate(world.store, module)
    assert status.code == 3
    with pytest.raises(Exit):
        WASI().instantiate(world.store, module)


def test_a_program_without_memory_may_make_calls_without_pointers(backing):
    code = program("(drop (call $sched_yield))", "sched_yield", memory="")
    assert WASI(backing=backing, cache=False).run(code).exit_code == 0
