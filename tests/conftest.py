"""Fixtures that all tests share.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest depends on it there
    import tomli as tomllib

import itertools

from wasi_backing import backings

# A shell's background jobs ignore SIGINT, and so would every guest that a test starts
# and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
GUESTS = ROOT / "build" / "guests"


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark what tests/expectations says to fail: passing is then a failure.

    Raises:
        pytest.UsageError: A file there names a test that does not exist.
    """
    tests = {item.nodeid.removeprefix("tests/"): item for item in items}
    collected = {name.partition("::")[0] for name in tests}
    whole_files = not any("::" in argument for argument in config.args)
    for built_in in backings():
        path = ROOT / "tests" / "expectations" / f"{built_in.name}.toml"
        if not path.exists():
            continue
        for entry in tomllib.loads(path.read_text())["test"]:
            test = tests.get(entry["id"])
            if test is not None:
                # By its own judgement, and not by a tool that is missing.
                raises = (AssertionError, OSError)
                mark = pytest.mark.xfail(
                    reason=entry["reason"], raises=raises, strict=True
                )
                test.add_marker(mark)
            elif whole_files and entry["id"].partition("::")[0] in collected:
                raise pytest.UsageError(f"{path.name}: there is no {entry['id']}")


@pytest.fixture(params=[b.name for b in backings() if b.host_files and not b.wrapper])
def backing(request: pytest.FixtureRequest) -> str:
    """The name of each built-in backing on the host's files in turn."""
    return str(request.param)


@pytest.fixture
def guest_dir(tmp_path: Path) -> Path:
    """A fresh directory to give to a guest, with nothing in it."""
    path = tmp_path / "guest"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def compile_guest() -> Callable[..., Path]:
    """Compile C for wasm32-wasi, once for each source and set of flags.

    `compile_guest(source, *flags)`; the source is C code, or the Path of a file.
    """
    return _compile


def _compile(source: str | Path, *flags: str) -> Path:
    if isinstance(source, Path):
        code = source.read_text()
        flags = ("-I", str(source.parent), *flags)
    else:
        code = source
    flags = ("-O1", *flags)
    digest = hashlib.sha256(repr((code, flags)).encode())
    for folder in (Path(b) for a, b in itertools.pairwise(flags) if a == "-I"):
        for header in sorted(folder.rglob("*.h")) + sorted(folder.rglob("*.def")):
            digest.update(header.read_bytes())
    module = GUESTS / f"{digest.hexdigest()[:32]}.wasm"
    if module.exists():
        return module

    GUESTS.mkdir(parents=True, exist_ok=True)
    # Compiled beside its place and renamed, since tests run in several processes.
    with tempfile.TemporaryDirectory(dir=GUESTS) as scratch:
        (Path(scratch) / "guest.c").write_text(code)
        made = Path(scratch) / "guest.wasm"
        command = [
            *(sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"),
            *("-o", str(made), str(Path(scratch) / "guest.c"), *flags),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"the guest does not compile:\n{done.stderr}", pytrace=False)
        os.replace(made, module)
    return module
