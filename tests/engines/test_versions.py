"""Which versions of wasmtime are accepted, and what is said of others."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest
import wasmtime

from wasi_backing import WASI, EngineVersionError
from wasi_backing.engines import wasmtime_api

from .modules import program

ROOT = Path(__file__).resolve().parents[2]
OLDEST, NEWEST = wasmtime_api.TESTED.start, wasmtime_api.TESTED.stop - 1


@pytest.fixture
def installed(monkeypatch):
    """Let the package find another version of wasmtime than there is."""
    monkeypatch.delenv(wasmtime_api.ANY_VERSION, raising=False)
    wasmtime_api.library.cache_clear()
    real = importlib.metadata.version

    def install(version):
        def pretended(name):
            return version if name == "wasmtime" else real(name)

        monkeypatch.setattr(importlib.metadata, "version", pretended)

    yield install
    wasmtime_api.library.cache_clear()


@pytest.mark.parametrize("version", [f"{OLDEST}.0.0", f"{NEWEST}.1.2"])
def test_tested_versions_pass(installed, version):
    installed(version)
    assert WASI(cache=False).run(program("")).exit_code == 0


@pytest.mark.parametrize(
    "version", [f"{OLDEST - 1}.0.0", f"{NEWEST + 1}.0.0", "0.40.0", "dev"]
)
def test_others_are_refused_in_one_line(installed, version):
    installed(version)
    store = wasmtime.Store(wasmtime.Engine())
    ways = [
        lambda: WASI(cache=False).run(program("")),
        lambda: WASI().add_to_linker(wasmtime.Linker(store.engine)),
        lambda: WASI().instantiate(store, wasmtime.Module(store.engine, program(""))),
    ]
    for way in ways:
        with pytest.raises(EngineVersionError) as caught:
            way()
        text = str(caught.value)
        assert f"wasmtime {version} was not tested" in text
        assert f"versions {OLDEST} to {NEWEST}" in text
        assert f"{wasmtime_api.ANY_VERSION}=1" in text
        assert "\n" not in text


def test_the_variable_lets_others_pass(installed, monkeypatch):
    installed(f"{NEWEST + 1}.0.0")
    monkeypatch.setenv(wasmtime_api.ANY_VERSION, "1")
    assert WASI(cache=False).run(program("")).exit_code == 0


@pytest.mark.parametrize("missing", ["wasmtime_trap_new", "wasmtime_val_raw"])
def test_a_library_that_lacks_something_is_refused(installed, monkeypatch, missing):
    installed(f"{NEWEST}.0.0")

    class Without:
        def __init__(self, real):
            self._real = real

        def __getattr__(self, name):
            if name == missing:
                raise AttributeError(f"no {name}")
            return getattr(self._real, name)

    from wasmtime import _ffi

    bindings = Without(_ffi)
    bindings.dll = Without(_ffi.dll)
    monkeypatch.setattr(wasmtime, "_ffi", bindings)
    with pytest.raises(EngineVersionError, match=f"lacks .*{missing}"):
        wasmtime_api.library()


def test_the_package_asks_for_the_tested_versions():
    text = (ROOT / "pyproject.toml").read_text()
    (bounds,) = re.findall(r'"wasmtime>=(\d+),<(\d+)"', text)
    assert range(*map(int, bounds)) == wasmtime_api.TESTED
