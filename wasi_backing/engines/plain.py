"""A guest without an engine: the calls of WASI on a plain buffer.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import threading
from typing import Any

from wasi_backing import registry, sigint
from wasi_backing.errors import Exit, Interrupted, Trap
from wasi_backing.ffi import ffi, lib, text
from wasi_backing.options import Options, Prepared
from wasi_backing.types import Errno


class PlainGuest:
    """Calls of WASI on a buffer that plays the guest's memory.

    For tests, fuzzers and other engines. One call at a time; `interrupt` may come
    from any thread.

        with PlainGuest(preopens={"/": "."}, memory_size=65536) as guest:
            guest.memory[0:5] = b"a.txt"
            assert guest.call("path_unlink_file", 3, 0, 5) is Errno.NOENT
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        memory_size: int = 65536,
        fault: bool = False,
        aligned: bool = False,
        **settings: Any,
    ) -> None:
        """Make a guest.

        Args:
            options: Checked options; None to take those of `WASI` as keywords.
            memory_size: How many bytes of memory it has, up to 4 GiB.
            fault: Answer a pointer out of bounds with FAULT, instead of a trap.
            aligned: Trap where a pointer is not aligned.
            settings: As in `WASI`.

        Raises:
            ConfigurationError: Something given cannot be used.
        """
        if options is None:
            options = Options.check(**settings)
        elif settings:
            raise TypeError("give either options or keywords")
        self._lock = threading.Lock()
        self._calling = False
        self._open = False
        self._resize(memory_size)
        self._call = ffi.new("struct wb_call *")
        self._guest = ffi.new("struct wb_guest *")
        self._prepared = Prepared(options, b"guest.wasm")
        with self._prepared.opening():
            errno = lib.wb_guest_open(
                self._guest, self._prepared.options, *self._prepared.stack
            )
        if errno:
            self._prepared.streams.close()
            raise self._prepared.error(errno)
        self._guest.policy = (lib.WB_POLICY_FAULT if fault else 0) | (
            lib.WB_POLICY_ALIGNED if aligned else 0
        )
        self._open = True
        self._prepared.streams.begin()

    def _resize(self, size: int) -> None:
        if not 0 <= size <= 1 << 32:
            raise ValueError("memory is 0 bytes to 4 GiB large")
        self._memory = ffi.new("uint8_t[]", size)
        self._size = size

    @property
    def memory(self) -> memoryview:
        """The memory, to read and write. A view does not follow `grow`."""
        return memoryview(ffi.buffer(self._memory, self._size))

    @property
    def ports(self) -> list[int]:
        """The ports of the listening sockets, in the order of `listen`."""
        return self._prepared.ports()

    @property
    def stdout(self) -> bytes | None:
        """What the guest has written to stdout, if that is CAPTURE."""
        return self._prepared.streams.captured(1)

    @property
    def stderr(self) -> bytes | None:
        """What the guest has written to stderr, if that is CAPTURE."""
        return self._prepared.streams.captured(2)

    def grow(self, count: int) -> None:
        """Add `count` zero bytes to the end of memory, which moves."""
        if count < 0:
            raise ValueError("memory does not shrink")
        old, old_size = self._memory, self._size
        self._resize(old_size + count)
        ffi.memmove(self._memory, old, old_size)

    def call(self, name: str, *arguments: int, unstable: bool = False) -> Errno:
        """Make a call.

        The interpreter lock is released meanwhile.

        Args:
            name: The specification's name.
            arguments: The core parameters. Of an i32 the lower 32 bits are used, of
                an i64 the lower 64; negative numbers are two's complement.
            unstable: The call of that name in wasi_unstable.

        Returns:
            The call's result.

        Raises:
            LookupError: There is no such call.
            TypeError: It takes another number of arguments.
            Exit: The guest has ended by `proc_exit` or `proc_raise`.
            Trap: A pointer was out of bounds, or misaligned with `aligned`.
            Interrupted: The guest was interrupted.
            ValueError: The guest is closed, or a call is running.
        """
        number = registry.call_number(name)
        if unstable and not lib.wb_call_infos[number].unstable:
            raise LookupError(f"wasi_unstable has no call {name!r}")
        expected = len(registry.signature(number))
        if len(arguments) != expected:
            raise TypeError(f"{name} takes {expected} arguments, not {len(arguments)}")
        values = ffi.new(
            "uint64_t[]", [argument & 0xFFFF_FFFF_FFFF_FFFF for argument in arguments]
        )
        with self._lock:
            self._check_open()
            if self._calling:
                raise ValueError("another call of this guest is running")
            self._calling = True
        if self._prepared.context is not None:
            memory = self._memory
            self._prepared.context.owner = lambda: memory
        self._call.memory = self._memory
        self._call.memory_size = self._size
        try:
            with sigint.interrupts(self._guest):
                outcome = lib.wb_invoke(
                    self._guest,
                    self._call,
                    number | (lib.WB_UNSTABLE if unstable else 0),
                    values,
                )
        finally:
            self._calling = False
        return self._result(outcome)

    def _result(self, outcome: int) -> Errno:
        if outcome == lib.WB_EXIT:
            raise Exit(self._guest.exit_code)
        failure = self._prepared.failures.take()
        if failure:
            raise failure
        if outcome == lib.WB_STOP:
            raise Interrupted
        if outcome == lib.WB_TRAP:
            trap = self._guest.trap
            name = registry.calls()[trap.call]
            reason = f"{name}: {text(lib.wb_trap_reason(trap.reason))}"
            if trap.reason in (lib.WB_TRAP_OUT_OF_BOUNDS, lib.WB_TRAP_MISALIGNED):
                reason += f": {trap.length} bytes at {trap.offset}, of {self._size}"
            raise Trap(reason, name)
        return Errno(outcome)

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError("the guest is closed")

    def interrupt(self) -> None:
        """End the guest: a call that blocks, and every later one, is Interrupted.

        From any thread, more than once, also when the guest is closed.
        """
        with self._lock:
            if self._open:
                lib.wb_guest_interrupt(self._guest)

    def close(self) -> None:
        """Close what the guest has open. Harmless when repeated.

        Raises:
            ValueError: A call is running.
        """
        with self._lock:
            if not self._open:
                return
            if self._calling:
                raise ValueError("a call is running; interrupt it first")
            self._open = False
        lib.wb_guest_close(self._guest)
        self._prepared.streams.close()

    def __enter__(self) -> PlainGuest:
        """Return the guest itself; the `with` block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the guest."""
        self.close()

    def __del__(self) -> None:
        """Close the guest."""
        if getattr(self, "_open", False):
            self.close()
