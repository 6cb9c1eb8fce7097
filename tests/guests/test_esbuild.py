"""esbuild, a large Go program from npm, bundles JavaScript on every backing."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wasi_backing import CAPTURE, WASI, Result

PACKAGE = "@esbuild/wasi-preview1"
VERSION = "0.27.2"
SHA512 = (
    "AdYaq02NJnaXw6MlXmxB1z6Dkry+RYgoD2lIMlEJ5k/FTiYna/lHLcJ4qcMJNHUQ"
    "6lSn2f4jhsGjZbnL9kcQug=="
)
FOLDER = Path(__file__).resolve().parents[2] / "vendor" / f"esbuild-{VERSION}"

SOURCES = {
    "main.js": """
        import { area } from "./shapes.js";
        import greet from "./greet";
        import settings from "./settings.json";

        console.log(greet(settings.name), area({ width: 6, height: 7 }));
    """,
    "shapes.js": """
        export const area = ({ width, height }) => width * height;
        export const unused = () => "dropped";
    """,
    "greet/index.js": "export default (name) => `Hello, ${name}!`;",
    "settings.json": '{ "name": "größe" }',
    "broken.js": 'import "./nothing.js"',
}

BUNDLE = """\
(() => {
  // shapes.js
  var area = ({ width, height }) => width * height;

  // greet/index.js
  var greet_default = (name) => `Hello, ${name}!`;

  // settings.json
  var settings_default = { name: "größe" };

  // main.js
  console.log(greet_default(settings_default.name), area({ width: 6, height: 7 }));
})();
"""


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Keep other processes of the test run out meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def esbuild() -> Path:
    """The program, fetched with npm once and checked."""
    program = FOLDER / "esbuild.wasm"
    with only_one(FOLDER / "lock"):
        if not program.exists():
            if shutil.which("npm") is None:
                pytest.skip(f"{PACKAGE} is fetched with npm, which is not here")
            fetch(program)
    return program


def fetch(program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"npm cannot fetch {PACKAGE}: {done.stderr}"
        (package,) = Path(scratch).glob("*.tgz")
        digest = hashlib.sha512(package.read_bytes()).digest()
        assert base64.b64encode(digest).decode() == SHA512
        with tarfile.open(package) as archive:
            member = archive.extractfile("package/esbuild.wasm")
            assert member is not None
            new = Path(scratch) / "esbuild.wasm"
            new.write_bytes(member.read())
        os.replace(new, program)


@pytest.fixture
def site(guest_dir: Path) -> Path:
    for name, code in SOURCES.items():
        (guest_dir / name).parent.mkdir(exist_ok=True)
        (guest_dir / name).write_text(code, encoding="utf-8")
    return guest_dir


def run(esbuild: Path, backing: str, site: Path, *arguments: str) -> Result:
    wasi = WASI(
        args=["esbuild", *arguments, "--charset=utf8", "--color=false"],
        env={"PWD": "/"},
        preopens={"/": site},
        stdin=b"",
        stdout=CAPTURE,
        stderr=CAPTURE,
        backing=backing,
    )
    with only_one(FOLDER / "lock"):  # compiled once, then found in the cache
        return wasi.run(esbuild)


def test_files_become_one_bundle(esbuild: Path, backing: str, site: Path) -> None:
    result = run(esbuild, backing, site, "main.js", "--bundle", "--outfile=out/all.js")
    assert (result.exit_code, result.stdout) == (0, b"")
    assert (site / "out/all.js").read_text(encoding="utf-8") == BUNDLE


def test_a_bundle_can_be_small_and_on_stdout(
    esbuild: Path, backing: str, site: Path
) -> None:
    result = run(esbuild, backing, site, "main.js", "--bundle", "--minify")
    assert result.exit_code == 0
    assert result.stdout is not None
    assert result.stdout.decode() == (
        "(()=>{var o=({width:e,height:m})=>e*m;var r=e=>`Hello, ${e}!`;"
        'var t={name:"größe"};'
        "console.log(r(t.name),o({width:6,height:7}));})();\n"
    )


def test_a_source_map_lies_beside_it(esbuild: Path, backing: str, site: Path) -> None:
    run(esbuild, backing, site, "main.js", "--bundle", "--sourcemap", "--outdir=/out")
    found = json.loads((site / "out/main.js.map").read_text(encoding="utf-8"))
    assert found["sources"] == [
        *("../shapes.js", "../greet/index.js", "../settings.json", "../main.js")
    ]


def test_a_missing_file_is_reported(esbuild: Path, backing: str, site: Path) -> None:
    result = run(esbuild, backing, site, "broken.js", "--bundle")
    assert (result.exit_code, result.stdout) == (1, b"")
    assert result.stderr is not None
    assert 'Could not resolve "./nothing.js"' in result.stderr.decode()
    assert "broken.js:1:7" in result.stderr.decode()
