"""The guest's memory as its calls find it."""

from __future__ import annotations

import pytest
import wasmtime

from wasi_backing import CAPTURE, WASI, ConfigurationError, Trap

from .modules import imports, program, wat

# Asks for random bytes at the end of memory, in each of 100 pages that it adds one
# by one; exits with 1 when memory does not grow, 2 when a page stays zero.
GROWING = program(
    """
    (local $size i32) (local $n i32)
    (loop $more
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1))
        (then (call $proc_exit (i32.const 1))))
      (local.set $size (i32.mul (memory.size) (i32.const 65536)))
      (drop (call $random_get
        (i32.sub (local.get $size) (i32.const 16)) (i32.const 16)))
      (if (i64.eqz (i64.or
            (i64.load (i32.sub (local.get $size) (i32.const 16)))
            (i64.load (i32.sub (local.get $size) (i32.const 8)))))
        (then (call $proc_exit (i32.const 2))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))
    """,
    "random_get",
    "proc_exit",
    memory='(memory (export "memory") 0)',
)


def test_calls_follow_memory_that_grows(backing):
    assert WASI(backing=backing, cache=False).run(GROWING).exit_code == 0


def test_memory_that_moves_is_followed():
    """With nothing reserved behind it, memory has to move."""
    config = wasmtime.Config()
    if not hasattr(type(config), "memory_reservation"):
        pytest.skip("this version of wasmtime cannot be told to reserve nothing")
    config.memory_reservation = 0
    config.memory_reservation_for_growth = 0
    store = wasmtime.Store(wasmtime.Engine(config))
    wasi = WASI()
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, GROWING))
    assert wasi.start(instance) == 0


def test_memory_may_grow_from_outside():
    """A pointer into the new page is good in the next call."""
    code = wat(
        f"""(module {imports("random_get")} (memory (export "memory") 1)
        (func (export "fill") (param i32) (result i32)
          (call $random_get (local.get 0) (i32.const 16))))"""
    )
    store = wasmtime.Store(wasmtime.Engine())
    wasi = WASI()
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, code))
    exports = instance.exports(store)
    assert exports["fill"](store, 0) == 0
    exports["memory"].grow(store, 1)
    assert exports["fill"](store, 2 * 65536 - 16) == 0
    assert any(exports["memory"].read(store, 2 * 65536 - 16, 2 * 65536))
    with pytest.raises(Trap, match="of 131072"), wasi.exits():
        exports["fill"](store, 2 * 65536 - 15)


def shared_engine():
    config = wasmtime.Config()
    config.wasm_threads = True
    if hasattr(type(config), "shared_memory"):
        config.shared_memory = True
    return wasmtime.Engine(config)


SHARED = program(
    "(drop (call $random_get (i32.const 0) (i32.const 1)))",
    "random_get",
    memory='(memory (export "memory") 1 1 shared)',
)
LONG = wat(
    f"""(module {imports("random_get")} (memory (export "memory") i64 1)
    (func (export "_start") (drop (call $random_get (i32.const 0) (i32.const 1)))))"""
)
NONE = program(
    "(drop (call $random_get (i32.const 0) (i32.const 1)))", "random_get", memory=""
)
FUNCTION = wat(
    f"""(module {imports("random_get")} (func (export "memory"))
    (func (export "_start") (drop (call $random_get (i32.const 0) (i32.const 1)))))"""
)

UNUSABLE = [
    (SHARED, "shared"),
    (LONG, "64-bit"),
    (NONE, "exports no .memory."),
    (FUNCTION, "is no memory"),
]


@pytest.mark.parametrize(("code", "words"), UNUSABLE)
def test_a_memory_that_cannot_be_used_is_refused(code, words):
    store = wasmtime.Store(shared_engine())
    module = wasmtime.Module(store.engine, code)
    with pytest.raises(ConfigurationError, match=words):
        WASI().instantiate(store, module)


@pytest.mark.parametrize(("code", "words"), UNUSABLE)
def test_under_a_linker_the_call_traps(code, words):
    store = wasmtime.Store(shared_engine())
    linker = wasmtime.Linker(store.engine)
    wasi = WASI()
    wasi.add_to_linker(linker)
    instance = linker.instantiate(store, wasmtime.Module(store.engine, code))
    with pytest.raises(Trap, match=words) as caught:
        wasi.start(instance, store)
    assert caught.value.call == "random_get"


def test_another_modules_call_uses_the_guests_memory():
    """A guest's function that is exported again works on the guest's memory."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    lender = wat(
        f"""(module {imports("fd_write")} (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00")
        (data (i32.const 16) "guest")
        (export "write" (func $fd_write)))"""
    )
    borrower = wat(
        """(module
        (import "lender" "write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00")
        (data (i32.const 16) "other")
        (func (export "go") (result i32)
          (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))"""
    )
    wasi = WASI(stdout=CAPTURE)
    guest = wasi.instantiate(store, wasmtime.Module(engine, lender))
    linker = wasmtime.Linker(engine)
    linker.define_instance(store, "lender", guest)
    other = linker.instantiate(store, wasmtime.Module(engine, borrower))
    assert other.exports(store)["go"](store) == 0
    assert wasi.captured(guest)[0] == b"guest"
