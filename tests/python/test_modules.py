"""What becomes of a module before it runs: reading, checking, and the cache."""

from __future__ import annotations

import os

import pytest
import wasmtime

from wasi_backing import ConfigurationError, modules

EMPTY = bytes(wasmtime.wat2wasm("(module)"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "wasi-backing"


def compile_count(code, **options):
    """Load a module and tell how often that compiled."""
    times = []
    engine = modules.new_engine()
    modules.load_module(engine, code, on_compile=lambda: times.append(1), **options)
    return len(times)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"", "not WebAssembly"),
        (b"#!/bin/sh\n", "not WebAssembly"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (b"\0asm\x02\0\0\0", "version 2"),
    ],
)
def test_what_is_no_module_is_named(tmp_path, code, words):
    path = tmp_path / "odd.wasm"
    path.write_bytes(code)
    with pytest.raises(ConfigurationError, match=words) as caught:
        modules.read_module(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.wasm: No such file"):
        modules.read_module(tmp_path / "none.wasm")


def test_a_malformed_module_gets_one_line(cache):
    with pytest.raises(ConfigurationError, match="not a valid module") as caught:
        modules.load_module(modules.new_engine(), EMPTY + b"\x01")
    assert "\n" not in str(caught.value)


IMPORTS = [
    ('"env" "f" (func)', "'f' from 'env'"),
    ('"wasi_snapshot_preview1" "fd_raed" (func)', "has no 'fd_raed'"),
    ('"wasi_unstable" "sock_accept" (func)', "wasi_unstable has no 'sock_accept'"),
    ('"wasi_snapshot_preview1" "fd_close" (memory 1)', "not as a function"),
    (
        '"wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))',
        r"'fd_close' as \(i64\) -> \(i32\), but it is \(i32\) -> \(i32\)",
    ),
    (
        '"wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32))',
        r"but it is \(i32\) -> \(\)",
    ),
]


@pytest.mark.parametrize(("item", "words"), IMPORTS)
def test_an_import_that_nobody_provides_is_refused_by_name(item, words):
    module = wasmtime.Module(modules.new_engine(), f"(module (import {item}))")
    with pytest.raises(ConfigurationError, match=words):
        modules.check_imports(module)


def test_imports_are_listed_in_order():
    code = """(module
        (import "wasi_unstable" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))))"""
    module = wasmtime.Module(modules.new_engine(), code)
    found = [(i.version, i.name) for i in modules.check_imports(module)]
    assert found == [
        ("wasi_unstable", "fd_seek"),
        ("wasi_snapshot_preview1", "sched_yield"),
    ]


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        ("", "no memory"),
        ('(memory (export "mem") 1)', "no memory"),
        ('(memory (export "memory") i64 1)', "64-bit"),
    ],
)
def test_a_memory_that_cannot_be_used_is_refused(memory, words):
    module = wasmtime.Module(modules.new_engine(), f"(module {memory})")
    with pytest.raises(ConfigurationError, match=words):
        modules.check_memory(module)


def test_a_module_is_compiled_once(cache):
    assert compile_count(EMPTY) == 1
    assert compile_count(EMPTY) == 0
    assert cache.stat().st_mode & 0o777 == 0o700


def test_another_module_is_compiled_too(cache):
    compile_count(EMPTY)
    assert compile_count(bytes(wasmtime.wat2wasm("(module (memory 1))"))) == 1


def test_without_the_cache_nothing_is_kept(cache):
    assert compile_count(EMPTY, cache=False) == 1
    assert not cache.exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_entry_is_compiled_anew(cache, damage):
    compile_count(EMPTY)
    (entry,) = cache.iterdir()
    code = bytearray(entry.read_bytes())
    if damage == "cut":
        del code[-100:]
    elif damage == "changed":
        code[len(code) // 2] ^= 1
    else:
        code.clear()
    entry.write_bytes(code)
    assert compile_count(EMPTY) == 1
    assert compile_count(EMPTY) == 0


def test_a_folder_that_others_may_write_to_is_not_trusted(cache):
    compile_count(EMPTY)
    os.chmod(cache, 0o777)
    assert compile_count(EMPTY) == 1
    assert len(list(cache.iterdir())) == 1


def test_a_link_in_place_of_the_folder_is_not_trusted(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    cache.symlink_to("elsewhere")
    compile_count(EMPTY)
    assert not list((tmp_path / "elsewhere").iterdir())
