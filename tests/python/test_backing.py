"""Backings in Python: what is overridden, and what becomes of results and errors."""

from __future__ import annotations

import gc
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import wasmtime

from wasi_backing import (
    CAPTURE,
    WASI,
    Backing,
    ConfigurationError,
    Errno,
    MinimalBacking,
    PlainGuest,
    WasiError,
)
from wasi_backing._context import KeptViewError
from wasi_backing.registry import calls, signature

IOVS, BUFFER, OUT = 8, 64, 32
# Arguments with which each call gets to its slot: a path "p" at 64, one iovec at 8.
ARGUMENTS = {
    "args_get": (OUT, BUFFER),
    "args_sizes_get": (OUT, OUT + 8),
    "environ_get": (OUT, BUFFER),
    "environ_sizes_get": (OUT, OUT + 8),
    "path_filestat_get": (3, 0, BUFFER, 1, 256),
    "path_filestat_set_times": (3, 0, BUFFER, 1, 0, 0, 0),
    "path_link": (3, 0, BUFFER, 1, 3, BUFFER, 1),
    "path_open": (3, 0, BUFFER, 1, 0, 0, 0, 0, OUT),
    "path_readlink": (3, BUFFER, 1, 256, 100, OUT),
    "path_rename": (3, BUFFER, 1, 3, BUFFER, 1),
    "path_symlink": (BUFFER, 1, 3, BUFFER, 1),
    "path_create_directory": (3, BUFFER, 1),
    "path_remove_directory": (3, BUFFER, 1),
    "path_unlink_file": (3, BUFFER, 1),
    "fd_read": (1, IOVS, 1, OUT),
    "fd_write": (1, IOVS, 1, OUT),
    "fd_pread": (1, IOVS, 1, 0, OUT),
    "fd_pwrite": (1, IOVS, 1, 0, OUT),
    "fd_readdir": (3, 256, 200, 0, OUT),
    "fd_prestat_dir_name": (3, 256, 10),
    "fd_seek": (3, 0, 0, OUT),
    "poll_oneoff": (512, 1024, 1, OUT),
    "random_get": (256, 8),
    "sock_accept": (3, 0, OUT),
    "sock_recv": (3, IOVS, 1, 0, OUT, OUT + 8),
    "sock_send": (3, IOVS, 1, 0, OUT),
    "sock_shutdown": (3, 1),
    "clock_time_get": (1, 0, OUT),
    "clock_res_get": (1, OUT),
    "fd_fdstat_get": (3, 256),
    "fd_filestat_get": (3, 256),
    "fd_prestat_get": (3, 256),
    "fd_tell": (3, OUT),
}


def guest_of(backing: Any, **settings: Any) -> PlainGuest:
    guest = PlainGuest(backing=backing, **settings)
    guest.memory[BUFFER : BUFFER + 1] = b"p"
    guest.memory[IOVS : IOVS + 8] = b"\x80\0\0\0\x05\0\0\0"
    return guest


def make(guest: PlainGuest, name: str) -> Errno:
    return guest.call(name, *ARGUMENTS.get(name, (0,) * len(signature_of(name))))


def signature_of(name: str) -> str:
    return signature(calls().index(name))


def backing_with(base: type[Backing] = Backing, **methods: Any) -> type[Backing]:
    return type("Mine", (base,), methods)


# ---- what a method raises ----------------------------------------------------------


class Odd(BaseException):
    """Nothing that anybody expects."""


STOPPING = [KeyError("k"), ValueError("v"), KeyboardInterrupt(), SystemExit(3), Odd()]
ERRNOS = [
    (WasiError(Errno.NOTCAPABLE), Errno.NOTCAPABLE),
    (FileNotFoundError(2, "no"), Errno.NOENT),
    (FileNotFoundError("no"), Errno.NOENT),
    (PermissionError("no"), Errno.ACCES),
    (OSError(28, "full"), Errno.NOSPC),
    (OSError("what"), Errno.IO),
    (NotImplementedError(), Errno.NOSYS),
]


@pytest.mark.parametrize("name", [c for c in calls() if c != "proc_exit"])
def test_a_method_answers_with_an_errno_or_stops_the_guest(name: str) -> None:
    errors: list[BaseException] = []

    def method(self: Backing, *arguments: Any) -> Any:
        raise errors[0]

    # A name and sizes first, where a call asks for them.
    companions = {
        "fd_prestat_dir_name": {"fd_prestat_get": lambda self, fd: 1},
        "args_get": {"args_sizes_get": lambda self: (0, 0)},
        "environ_get": {"environ_sizes_get": lambda self: (0, 0)},
    }
    cls = backing_with(**{name: method}, **companions.get(name, {}))
    for error, errno in ERRNOS:
        errors[:] = [error]
        with guest_of(cls) as guest:
            assert make(guest, name) is errno
    for error in STOPPING:
        errors[:] = [error]
        with guest_of(cls) as guest:
            with pytest.raises(type(error)) as caught:
                make(guest, name)
            assert caught.value is error
            assert caught.traceback[-1].name == "method"


def test_what_is_not_overridden_is_nosys() -> None:
    exempt = {
        *("args_get", "args_sizes_get", "environ_get", "environ_sizes_get"),
        *("fd_prestat_get", "fd_prestat_dir_name", "proc_exit", "sched_yield"),
    }
    with guest_of(Backing) as guest:
        for name in calls():
            if name not in exempt:
                assert make(guest, name) is Errno.NOSYS, name
        assert make(guest, "fd_prestat_get") is Errno.BADF
        assert make(guest, "sched_yield") is Errno.SUCCESS


# ---- what a method returns -----------------------------------------------------------

WRONG = [
    ("clock_time_get", -1),
    ("clock_time_get", 1 << 64),
    ("clock_time_get", "now"),
    ("clock_time_get", None),
    ("fd_read", 6),
    ("fd_read", -1),
    ("fd_write", 6),
    ("fd_fdstat_get", SimpleNamespace(filetype=0)),
    ("fd_filestat_get", None),
    ("fd_readdir", ["a name"]),
    ("path_readlink", "a\0b"),
    ("path_readlink", "x" * 5000),
    ("path_readlink", b"bytes"),
    ("path_open", "3"),
    ("sock_recv", 1),
    ("args_get", ["a\0b"]),
    ("args_get", "not a list"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_result_names_class_method_and_value(name: str, value: Any) -> None:
    cls = backing_with(**{name: lambda self, *arguments: value})
    with guest_of(cls) as guest, pytest.raises((TypeError, ValueError)) as caught:
        make(guest, name)
    assert f"Mine.{name} returned " in str(caught.value)


def test_a_count_that_was_offered_is_told() -> None:
    def fd_read(self: Backing, fd: int, iovs: Any) -> int:
        iovs[0][:3] = b"abc"
        return 3

    with guest_of(backing_with(fd_read=fd_read)) as guest:
        assert make(guest, "fd_read") is Errno.SUCCESS
        assert bytes(guest.memory[128:133]) == b"abc\0\0"
        assert guest.memory[OUT] == 3


def test_sizes_follow_from_the_strings() -> None:
    cls = backing_with(args_get=lambda self: ["app", "ümlaut"])
    with guest_of(cls) as guest:
        assert make(guest, "args_sizes_get") is Errno.SUCCESS
        assert (guest.memory[OUT], guest.memory[OUT + 8]) == (2, 12)
        assert guest.call("args_get", OUT, 256) is Errno.SUCCESS
        assert bytes(guest.memory[256:268]) == "app\0ümlaut\0".encode()


def test_the_length_of_a_preopen_follows_from_its_name() -> None:
    cls = backing_with(fd_prestat_dir_name=lambda self, fd: "/données")
    with guest_of(cls) as guest:
        assert make(guest, "fd_prestat_get") is Errno.SUCCESS
        assert guest.memory[256 + 4] == 9
        assert guest.call("fd_prestat_dir_name", 3, 512, 9) is Errno.SUCCESS
        assert bytes(guest.memory[512:521]).decode() == "/données"


# ---- what is overridden --------------------------------------------------------------


def test_only_what_is_overridden_leaves_c() -> None:
    class Clock(MinimalBacking):
        def clock_time_get(self, id: Any, precision: int) -> int:
            return 7

    with guest_of(Clock) as guest, guest_of("minimal") as plain:
        pairs, originals = guest._guest.pairs, plain._guest.pairs
        for name in calls():
            same = getattr(pairs, name).call == getattr(originals, name).call
            assert same == (name != "clock_time_get"), name
        assert make(guest, "clock_time_get") is Errno.SUCCESS
        assert guest.memory[OUT] == 7


def test_a_method_on_an_object_overrides_too() -> None:
    backing = MinimalBacking()
    backing.clock_time_get = lambda id, precision: 9  # type: ignore[method-assign]
    with guest_of(backing) as guest:
        make(guest, "clock_time_get")
        assert guest.memory[OUT] == 9


def test_super_calls_c() -> None:
    class Loud(MinimalBacking):
        def fd_write(self, fd: Any, iovs: Any) -> int:
            return super().fd_write(fd, [bytes(view).upper() for view in iovs])

    with guest_of(Loud, stdout=CAPTURE) as guest:
        guest.memory[128:133] = b"quiet"
        assert make(guest, "fd_write") is Errno.SUCCESS
        assert (guest.stdout, guest.memory[OUT]) == (b"QUIET", 5)


def test_a_name_that_is_nearly_a_call_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Typo\.fd_raed .* did you mean fd_read\?"):
        type("Typo", (Backing,), {"fd_raed": lambda self, fd, iovs: 0})


def test_names_of_ones_own_are_not() -> None:
    backing_with(_fd_raed=None, fd_table={}, helper=lambda self: 0)


# ---- life ----------------------------------------------------------------------------


def test_a_guests_life_is_bracketed() -> None:
    events: list[str] = []

    class Bracket(Backing):
        def context_init(self, options: Any) -> None:
            events.append("init")

        def context_destroy(self) -> None:
            events.append("destroy")

        def sched_yield(self) -> None:
            events.append("yield")

    backing = Bracket()
    for _ in range(2):  # one after the other is fine
        with guest_of(backing) as guest:
            make(guest, "sched_yield")
    assert events == ["init", "yield", "destroy"] * 2


def test_an_object_serves_one_guest_at_a_time() -> None:
    backing = Backing()
    with guest_of(backing), pytest.raises(ConfigurationError, match="pass the class"):
        guest_of(backing)


def test_a_failing_context_init_is_raised_by_who_opens_the_guest() -> None:
    class Broken(Backing):
        def context_init(self, options: Any) -> None:
            raise LookupError("not today")

        def context_destroy(self) -> None:
            raise AssertionError("there is no context")

    with pytest.raises(LookupError, match="not today"):
        guest_of(Broken)


def test_contexts_and_calls_leave_nothing_behind() -> None:
    class Small(MinimalBacking):
        def fd_write(self, fd: Any, iovs: Any) -> int:
            return len(iovs[0])

    def use() -> None:
        with guest_of(Small) as guest:
            make(guest, "fd_write")

    use()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1000):
        use()
    gc.collect()
    assert len(gc.get_objects()) - before < 100


# ---- guest memory --------------------------------------------------------------------

KEEP = {
    "the view": lambda views: views[0],
    "a slice": lambda views: views[0][1:3],
    "a cast": lambda views: views[0].cast("B"),
    "the list": lambda views: views,
}


@pytest.mark.parametrize("what", KEEP)
@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_a_view_that_is_kept_cannot_be_used_or_ends_the_run(
    name: str, what: str
) -> None:
    kept: list[Any] = []

    def method(self: Backing, fd: Any, iovs: Any) -> int:
        kept.append(KEEP[what](iovs))
        return 1

    with guest_of(backing_with(**{name: method})) as guest:
        guest.memory[128:133] = b"bytes"
        if what in ("the view", "the list"):
            assert make(guest, name) is Errno.SUCCESS
            view = kept[0] if what == "the view" else kept[0][0]
            with pytest.raises(ValueError, match="released"):
                view[0]
        else:
            with pytest.raises(KeptViewError, match=rf"Mine\.{name} kept a view"):
                make(guest, name)
    del guest
    gc.collect()
    if what not in ("the view", "the list"):
        assert bytes(kept[0]) in (b"yt", b"bytes")  # still there to be read


def test_a_view_is_writable_only_where_bytes_are_expected() -> None:
    seen = {}

    class Look(Backing):
        def fd_read(self, fd: Any, iovs: Any) -> int:
            seen["read"] = iovs[0].readonly
            return 0

        def fd_write(self, fd: Any, iovs: Any) -> int:
            seen["write"] = iovs[0].readonly
            return 0

    with guest_of(Look) as guest:
        make(guest, "fd_read")
        make(guest, "fd_write")
    assert seen == {"read": False, "write": True}


def test_memory_may_grow_inside_a_method() -> None:
    class Grow(Backing):
        def fd_read(self, fd: Any, iovs: Any) -> int:
            memory.grow(store, 10)
            iovs[0][:] = b"grown"
            return 5

    store = wasmtime.Store()
    module = wasmtime.Module(
        store.engine,
        r"""(module
        (import "wasi_snapshot_preview1" "fd_read"
            (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\80\00\00\00\05\00\00\00")
        (func (export "go") (result i32)
            (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1)
                              (i32.const 32)))
            (i32.load (i32.const 32))))""",
    )
    wasi = WASI(backing=Grow)
    instance = wasi.instantiate(store, module)
    memory = instance.exports(store)["memory"]
    assert instance.exports(store)["go"](store) == 5
    assert bytes(memory.read(store, 128, 133)) == b"grown"


def test_guests_in_threads_have_their_own_failures() -> None:
    class Own(Backing):
        def sched_yield(self) -> None:
            raise KeyError(threading.get_ident())

    def work() -> None:
        for _ in range(200):
            with guest_of(Own) as guest, pytest.raises(KeyError) as caught:
                make(guest, "sched_yield")
            if caught.value.args != (threading.get_ident(),):
                wrong.append(caught.value)

    wrong: list[BaseException] = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sys.exc_info() == (None, None, None)
