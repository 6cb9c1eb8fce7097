"""What cannot be given to a guest is refused, in one clear line."""

from __future__ import annotations

import socket

import pytest
import wasmtime

from wasi_backing import (
    CAPTURE,
    WASI,
    ConfigurationError,
    Preopen,
    UnknownBackingError,
    backings,
)

RETURNS = bytes(
    wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "_start")))')
)
# Exits with the number of arguments and variables, 16 for each variable.
COUNTS = bytes(
    wasmtime.wat2wasm(
        """(module
        (import "wasi_snapshot_preview1" "args_sizes_get"
          (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get"
          (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (drop (call $args (i32.const 0) (i32.const 4)))
          (drop (call $environ (i32.const 8) (i32.const 12)))
          (call $exit (i32.add (i32.load (i32.const 0))
            (i32.mul (i32.const 16) (i32.load (i32.const 8)))))))"""
    )
)


def line_of(caught):
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


class NoBacking:
    pass


WRONG = [
    ({"args": ["a", "b\0c"]}, "argument 1 holds a NUL"),
    ({"args": "a b"}, "list of arguments"),
    ({"args": [1]}, "argument 0 must be text, not int"),
    ({"env": {"A": "b\0"}}, "environment variable A holds a NUL"),
    ({"env": {"A\0": "b"}}, "holds a NUL"),
    ({"env": {"A=B": "c"}}, "cannot name an environment variable"),
    ({"env": {"": "c"}}, "cannot name an environment variable"),
    ({"env": {"A": 1}}, "must be text, not int"),
    ({"env": ["A=B"]}, "expected pairs"),
    ({"preopens": [("/a", "."), ("/a", "..")]}, "two preopens are named '/a'"),
    ({"preopens": {"": "."}}, "empty"),
    ({"preopens": {"/": ""}}, "empty"),
    ({"preopens": {"/\0": "."}}, "holds a NUL"),
    ({"preopens": {"/": "a\0b"}}, "holds a NUL"),
    ({"preopens": {"/": 3}}, "must be text, not int"),
    ({"preopens": ["/"]}, "expected pairs"),
    ({"listen": "127.0.0.1:0"}, "must be a list"),
    ({"listen": ["localhost:80"]}, "numeric ADDRESS:PORT"),
    ({"listen": ["127.0.0.1"]}, "numeric ADDRESS:PORT"),
    ({"listen": ["127.0.0.1:65536"]}, "numeric ADDRESS:PORT"),
    ({"listen": ["127.0.0.1:-1"]}, "numeric ADDRESS:PORT"),
    ({"listen": ["::1:80"]}, "numeric ADDRESS:PORT"),
    ({"listen": [80]}, "numeric ADDRESS:PORT"),
    ({"rights": "none"}, "'enforce' or 'ignore', not 'none'"),
    ({"max_fds": 2}, "3 or more"),
    ({"max_fds": 1 << 31}, "max_fds"),
    ({"engine": "v8"}, "unknown engine 'v8'; known are: wasmtime"),
    ({"version": "preview2"}, "preview1, unstable, not 'preview2'"),
    ({"extras": {"a\0": "b"}}, "holds a NUL"),
    ({"backing": NoBacking}, "must be a name"),
    ({"backing": 1}, "must be a name"),
    ({"stdin": -1}, "-1 is no descriptor"),
    ({"stdin": True}, "no streams"),
    ({"stdin": CAPTURE}, "only stdout and stderr can be captured"),
    ({"stdout": b"x"}, "bytes can only be read"),
    ({"stdout": "a\0b"}, "holds a NUL"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_it_is_refused_before_anything_is_opened(options, words):
    with pytest.raises(ConfigurationError) as caught:
        WASI(**options)
    assert words in line_of(caught)


@pytest.mark.parametrize("given", ["none", "minimal,none"])
def test_an_unknown_backing_gets_the_list_of_those_known(given):
    with pytest.raises(UnknownBackingError) as caught:
        WASI(backing=given)
    text = line_of(caught)
    for known in backings():
        assert known.name in text


def refusal(**options):
    with pytest.raises(ConfigurationError) as caught:
        WASI(cache=False, **options).run(RETURNS)
    return line_of(caught)


def test_a_preopen_that_does_not_exist_is_named(backing, tmp_path):
    path = tmp_path / "none"
    text = refusal(backing=backing, preopens={"/data": path})
    assert str(path) in text
    assert "No such file" in text or "NOENT" in text.upper()


def test_a_preopen_that_is_a_file_is_named(backing, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    text = refusal(backing=backing, preopens={"/data": Preopen(path)})
    assert str(path) in text
    assert "ot a directory" in text


def test_a_port_in_use_is_named(backing):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = refusal(backing=backing, listen=[f"127.0.0.1:{port}"])
    assert f"127.0.0.1 port {port}" in text
    assert "in use" in text


def test_an_unknown_extra_is_named(backing):
    assert "colour" in refusal(backing=backing, extras={"colour": "red"})


def test_arguments_and_environment_arrive(backing):
    def count(args, env):
        wasi = WASI(args, env, backing=backing, cache=False)
        return wasi.run(COUNTS).exit_code

    assert count(None, None) == 1
    assert count([], {}) == 0
    assert count(["a", b"b", "\N{SNOWMAN}"], {"A": "", "B": "=x"}) == 3 + 32
    assert count(["a"], [("A", "1"), ("B", "2"), ("C", "3")]) == 1 + 48


def test_a_configuration_is_not_changed_afterwards(backing):
    args = ["a"]
    wasi = WASI(args, backing=backing, cache=False)
    args.append("b")
    assert wasi.run(COUNTS).exit_code == 1


def test_a_listening_port_can_be_asked_for_before_the_guest_begins(backing):
    seen = []

    def on_start(ports):
        with socket.create_connection(("127.0.0.1", ports[0])):
            seen.extend(ports)

    wasi = WASI(listen=["127.0.0.1:0"], backing=backing, cache=False)
    assert wasi.run(RETURNS, on_start=on_start).ports == seen
