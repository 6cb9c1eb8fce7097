"""What is told of a guest that is broken."""

from __future__ import annotations

import pytest
import wasmtime

from wasi_backing import WASI, Trap

from .modules import MEMORY, imports, wat


def nested(body: str, *calls: str) -> bytes:
    """Make a command that does this in $inner, which $outer calls."""
    return wat(
        f"""(module $broken {imports(*calls)} {MEMORY}
        (func $inner {body}) (func $outer (call $inner))
        (func $main (export "_start") (call $outer)))"""
    )


UNREACHABLE = nested("unreachable")
BAD_POINTER = nested(
    "(drop (call $random_get (i32.const 65530) (i32.const 8)))", "random_get"
)
BAD_LOAD = nested("(drop (i32.load (i32.const -4)))")


def trap_of(code, **options) -> Trap:
    with pytest.raises(Trap) as caught:
        WASI(cache=False, **options).run(code)
    assert "\n" not in caught.value.reason
    return caught.value


@pytest.mark.parametrize(
    ("code", "call", "words"),
    [
        (UNREACHABLE, None, "unreachable"),
        (BAD_POINTER, "random_get", "out of bounds"),
        (BAD_LOAD, None, "out of bounds memory access"),
    ],
)
def test_reason_call_and_frames_are_told(backing, code, call, words):
    trap = trap_of(code, backing=backing)
    assert words in trap.reason
    assert trap.call == call
    functions = [frame.function for frame in trap.backtrace]
    assert functions == ["inner", "outer", "main"]
    assert {frame.module for frame in trap.backtrace} == {"broken"}
    offsets = [frame.offset for frame in trap.backtrace]
    assert all(0 < offset < len(code) for offset in offsets)
    assert offsets == sorted(offsets)


def test_a_bad_pointer_is_told_with_its_numbers():
    reason = "random_get: pointer out of bounds of memory: 8 bytes at 65530, of 65536"
    assert trap_of(BAD_POINTER).reason == reason


def test_the_text_is_the_reason_and_a_line_for_each_frame():
    trap = trap_of(UNREACHABLE)
    first, *others = str(trap).splitlines()
    assert first == trap.reason
    assert [line.split()[:2] for line in others] == [
        ["in", "inner"],
        ["in", "outer"],
        ["in", "main"],
    ]


def test_functions_without_names_are_numbered():
    code = wat('(module (func nop) (func unreachable) (func (export "_start") call 1))')
    frames = trap_of(code).backtrace
    assert [(frame.function, frame.index) for frame in frames] == [(None, 1), (None, 2)]
    assert str(frames[0]).startswith("function 1, offset 0x")


def test_endless_recursion_is_a_trap():
    trap = trap_of(nested("(call $inner)"))
    assert "stack" in trap.reason
    assert trap.backtrace[0].function == "inner"


def test_the_engines_error_is_the_cause():
    assert isinstance(trap_of(UNREACHABLE).__cause__, wasmtime.Trap)


def test_a_trap_in_an_own_store_is_told_alike():
    store = wasmtime.Store(wasmtime.Engine())
    wasi = WASI()
    instance = wasi.instantiate(store, wasmtime.Module(store.engine, BAD_POINTER))
    with pytest.raises(Trap) as caught:
        wasi.start(instance)
    assert caught.value.call == "random_get"
    assert [frame.function for frame in caught.value.backtrace] == [
        "inner",
        "outer",
        "main",
    ]
