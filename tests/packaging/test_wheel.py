"""What is built from a checkout is complete: sdist, wheel, installed package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wasi_backing import backings

ROOT = Path(__file__).resolve().parents[2]


def python(*words: object, **options: object) -> str:
    """Run this Python; return what it printed, or fail with it."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    """Build what pip would build, with the setuptools that is installed here."""
    code = f"from setuptools import build_meta as b; b.build_{kind}({str(target)!r})"
    python("-c", code, cwd=source)
    [result] = target.iterdir()
    return result


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)
    [root] = folder.iterdir()
    return root


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that was built from the sdist, away from the checkout."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-index", "--no-deps", "--target", str(folder)]
    python("-m", "pip", "install", *options, wheel)
    return folder


def run_installed(installed: Path, *words: object) -> str:
    """Run Python where only the installed package is found, not the checkout."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return python(*words, cwd=installed.parent, env=environment)


def test_the_sdist_has_every_file_of_the_project(unpacked: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the project is not known")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    wanted = {name for name in listed if not name.startswith((".ci/", ".gitignore"))}
    assert wanted - {".clang-format"} <= {
        path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")
    }


def test_the_wheel_has_what_uvwasi_is_made_of(wheel: Path) -> None:
    if "uvwasi" not in [backing.name for backing in backings()]:
        pytest.skip("the uvwasi backing is not built in: make vendor")
    with zipfile.ZipFile(wheel) as archive:
        for name in ("uvwasi", "libuv"):
            place = f"wasi_backing/_source/vendor/{name}/LICENSE"
            text = archive.read(place).decode()
            assert "Permission is hereby granted, free of charge" in text
        assert "wasi_backing/_source/vendor/uvwasi/src/uvwasi.c" in archive.namelist()
        assert "wasi_backing/_source/impl_uvwasi/README.md" in archive.namelist()
    # Ours is where it belongs, and is not one of those.
    [info] = [
        n for n in zipfile.ZipFile(wheel).namelist() if n.endswith("info/LICENSE")
    ]
    assert zipfile.ZipFile(wheel).read(info) == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_serves_every_later_python(wheel: Path) -> None:
    assert "-cp310-abi3-" in wheel.name


def test_the_wheel_has_licences_and_types(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("LICENSE") for name in names)
    assert "wasi_backing/py.typed" in names


def test_the_installed_package_is_not_the_checkout(installed: Path) -> None:
    code = "import wasi_backing; print(wasi_backing.__file__)"
    assert str(installed) in run_installed(installed, "-c", code)


def test_the_installed_package_has_the_same_backings(installed: Path) -> None:
    code = "import wasi_backing as w; print(*(b.name for b in w.backings()))"
    printed = run_installed(installed, "-c", code)
    assert printed.split() == [backing.name for backing in backings()]


def test_the_installed_package_runs_a_guest(
    installed: Path, backing: str, compile_guest: Callable[..., Path]
) -> None:
    module = compile_guest(
        '#include <stdio.h>\nint main(void) { puts("hello from a wheel"); }'
    )
    words = ["-m", "wasi_backing", "run", "--backing", backing, module]
    assert run_installed(installed, *words) == "hello from a wheel\n"


def test_the_compiled_module_needs_only_the_c_library(installed: Path) -> None:
    [module] = (installed / "wasi_backing").glob("_native*.so")
    needed = subprocess.run(
        ["readelf", "--dynamic", module], capture_output=True, text=True, check=True
    ).stdout
    libraries = re.findall(r"\(NEEDED\).*\[(.*?)[-.]", needed)
    assert set(libraries) <= {"libc", "libm", "libpthread", "ld"}


def test_headers_and_sources_compile_from_the_package(
    installed: Path, tmp_path: Path
) -> None:
    """As the author of a backing does, who has the package and no checkout."""
    code = "import wasi_backing as w; print(w.get_include()); print(w.get_source())"
    include, source = run_installed(installed, "-c", code).splitlines()
    assert str(installed) in include
    program = tmp_path / "console"
    layer = sorted(Path(source, "csrc", "layer").glob("*.c"))
    example = ROOT / "examples" / "backing.c"
    subprocess.run(["cc", f"-I{include}", example, *layer, "-o", program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("hello, world\n")
