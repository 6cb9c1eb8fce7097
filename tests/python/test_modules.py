"""What becomes of a module before it runs: reading, checking, and the cache."""

from __future__ import annotations

import os

import pytest
import wasmtime

from wasi_backing import WASI, ConfigurationError

P1 = "wasi_snapshot_preview1"


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


EMPTY = wat('(module (memory (export "memory") 1) (func (export "_start")))')


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def compile_count(code, cache):
    """Run a module and tell how often that compiled."""
    times = []
    WASI(cache=cache).run(code, on_compile=lambda: times.append(1))
    return len(times)


def refusal(code, **options):
    with pytest.raises(ConfigurationError) as caught:
        WASI(cache=False, **options).run(code)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"", "not a WebAssembly module"),
        (b"#!/bin/sh\n", "not a WebAssembly module"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (b"\0asm\x02\0\0\0", "unknown version"),
        (EMPTY + b"\x01", "not a valid module"),
        (wat("(module)"), "exports no _start"),
        (wat('(module (func (export "_start") (param i32)))'), "takes parameters"),
    ],
)
def test_what_cannot_be_run_gets_one_line(tmp_path, code, words):
    path = tmp_path / "odd.wasm"
    path.write_bytes(code)
    assert words in refusal(path)


def test_a_missing_file_is_named(tmp_path):
    assert "none.wasm: No such file" in refusal(tmp_path / "none.wasm")


IMPORTS = [
    ('"env" "f" (func)', "imports 'f' from 'env'"),
    (f'"{P1}" "fd_raed" (func)', "has no call 'fd_raed'"),
    ('"wasi_unstable" "sock_accept" (func)', "has no call 'sock_accept'"),
    (f'"{P1}" "fd_close" (memory 1)', "as a memory"),
    (
        f'"{P1}" "fd_close" (func (param i64) (result i32))',
        "as (i64) -> (i32); it is (i32) -> (i32)",
    ),
    (f'"{P1}" "proc_exit" (func (param i32) (result i32))', "it is (i32) -> ()"),
    (
        f'"{P1}" "args_get" (func (param i32 i32) (result i32))',
        "exports no 'memory', which 'args_get' needs",
    ),
]


@pytest.mark.parametrize(("item", "words"), IMPORTS)
def test_an_import_that_cannot_be_served_is_refused_by_name(item, words):
    assert words in refusal(wat(f'(module (import {item}) (func (export "_start")))'))


def test_a_version_that_was_not_asked_for_is_refused():
    code = wat(
        f'(module (import "{P1}" "sched_yield" (func (result i32)))'
        '(func (export "_start")))'
    )
    assert "version='unstable' is asked" in refusal(code, version="unstable")


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        ('(memory (export "memory") i64 1)', "64-bit"),
        ('(func (export "memory"))', "is no memory"),
    ],
)
def test_a_memory_that_cannot_be_used_is_refused(memory, words):
    assert words in refusal(wat(f'(module {memory} (func (export "_start")))'))


def test_a_module_is_compiled_once(cache):
    assert compile_count(EMPTY, cache) == 1
    assert compile_count(EMPTY, cache) == 0
    assert cache.stat().st_mode & 0o777 == 0o700


def test_another_module_is_compiled_too(cache):
    compile_count(EMPTY, cache)
    other = wat('(module (memory (export "memory") 2) (func (export "_start")))')
    assert compile_count(other, cache) == 1


def test_without_the_cache_nothing_is_kept(cache, monkeypatch):
    monkeypatch.setenv("WASI_BACKING_CACHE", str(cache))
    assert compile_count(EMPTY, False) == 1
    assert not cache.exists()
    assert compile_count(EMPTY, True) == 1
    assert cache.exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_entry_is_compiled_anew(cache, damage):
    compile_count(EMPTY, cache)
    (entry,) = cache.glob("*.cwasm")
    code = bytearray(entry.read_bytes())
    if damage == "cut":
        del code[-100:]
    elif damage == "changed":
        code[len(code) // 2] ^= 1
    else:
        code.clear()
    entry.write_bytes(code)
    assert compile_count(EMPTY, cache) == 1
    assert compile_count(EMPTY, cache) == 0


def test_a_folder_that_others_may_write_to_is_not_trusted(cache):
    compile_count(EMPTY, cache)
    os.chmod(cache, 0o777)
    with pytest.warns(RuntimeWarning, match="others may write"):
        assert compile_count(EMPTY, cache) == 1
