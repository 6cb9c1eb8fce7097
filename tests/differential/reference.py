"""Run a guest on wasmtime's own WASI, the reference of the differential test."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import wasmtime


@dataclass(frozen=True)
class Outcome:
    """How a guest ended, and what it wrote."""

    end: str  # "exit N", "no exit" or "trap"
    stdout: bytes
    stderr: bytes


class Reference:
    """One module, compiled once, for many runs."""

    def __init__(self, wasm: Path) -> None:
        self._engine = wasmtime.Engine()
        self._module = wasmtime.Module.from_file(self._engine, str(wasm))

    def run(self, arguments: Sequence[str], preopens: Mapping[str, Path]) -> Outcome:
        """Run a guest with an empty environment and standard input at its end."""
        config = wasmtime.WasiConfig()
        config.argv = ["guest", *arguments]
        for guest_name, path in preopens.items():
            config.preopen_dir(str(path), guest_name)
        with tempfile.TemporaryDirectory() as directory:
            stdout, stderr = Path(directory, "out"), Path(directory, "err")
            config.stdout_file = str(stdout)
            config.stderr_file = str(stderr)
            end = self._start(config)
            return Outcome(end, stdout.read_bytes(), stderr.read_bytes())

    def _start(self, config: wasmtime.WasiConfig) -> str:
        store = wasmtime.Store(self._engine)
        store.set_wasi(config)
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        instance = linker.instantiate(store, self._module)
        start = instance.exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        try:
            start(store)
        except wasmtime.ExitTrap as exit_trap:
            return f"exit {exit_trap.code}"
        except wasmtime.Trap:
            return "trap"
        except wasmtime.WasmtimeError as error:
            # Traps by a host function arrive as errors, and so does an exit code
            # above 125, which wasmtime refuses.
            return "no exit" if "invalid exit status" in str(error) else "trap"
        finally:
            store.close()
        return "exit 0"
