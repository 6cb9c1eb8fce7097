"""The layer needs no system: no library but four functions, and no writable data.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .toolchains import HEADERS, INCLUDE, LAYER, WARNINGS, need, run

# What a compiler may call on its own, and what it calls its support routines.
ALLOWED = re.compile(r"^(mem(cpy|set|move|cmp)|__aeabi_\w+|__gnu_\w+)$")
CORES = ["cortex-m0", "cortex-m4"]
CONFIGURATIONS = {
    "default": ("-Os",),
    "fast": ("-O2",),
    "small": (
        "-Os",
        "-DWB_MAX_IOVECS=4",
        "-DWB_MAX_SUBSCRIPTIONS=3",
        "-DWB_MAX_PATH=16",
    ),
}


def compile_for(core: str, options: tuple[str, ...], directory: Path) -> list[str]:
    """Compile the layer for a microcontroller; return the object files."""
    need("arm-none-eabi-gcc")
    need("arm-none-eabi-nm")
    objects = []
    for source in LAYER:
        objects.append(str(directory / f"{source.stem}.o"))
        run(
            [
                "arm-none-eabi-gcc",
                "-std=c11",
                "-ffreestanding",
                f"-mcpu={core}",
                "-mthumb",
                *WARNINGS,
                INCLUDE,
                *options,
                "-c",
                str(source),
                "-o",
                objects[-1],
            ]
        )
    return objects


def symbols(nm: str, objects: list[str]) -> list[tuple[str, str]]:
    """Return kind and name of each symbol."""
    rows = re.findall(r"^(?:[0-9a-f]+)? +(\w) (\S+)$", run([nm, *objects]), re.M)
    assert rows
    return rows


def undefined(rows: list[tuple[str, str]]) -> set[str]:
    defined = {name for kind, name in rows if kind != "U"}
    return {name for kind, name in rows if kind == "U"} - defined


def writable(rows: list[tuple[str, str]]) -> set[str]:
    return {name for kind, name in rows if kind in "bBdDC"}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("core", CORES)
def test_the_layer_compiles_for_a_microcontroller_and_calls_nothing_else(
    core: str, configuration: str, tmp_path: Path
) -> None:
    objects = compile_for(core, CONFIGURATIONS[configuration], tmp_path)
    rows = symbols("arm-none-eabi-nm", objects)
    assert not {name for name in undefined(rows) if not ALLOWED.match(name)}
    assert not writable(rows)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_the_layer_on_this_machine_holds_no_data_and_calls_nothing_else(
    compiler: str, level: str, tmp_path: Path
) -> None:
    need(compiler)
    objects = []
    for source in LAYER:
        objects.append(str(tmp_path / f"{source.stem}.o"))
        run(
            [
                compiler,
                "-std=c11",
                "-ffreestanding",
                "-fno-pic",
                "-fno-stack-protector",
                level,
                *WARNINGS,
                INCLUDE,
                "-c",
                str(source),
                "-o",
                objects[-1],
            ]
        )
    rows = symbols("nm", objects)
    assert not {name for name in undefined(rows) if not ALLOWED.match(name)}
    assert not writable(rows)


def test_the_layers_public_symbols_begin_with_wb(tmp_path: Path) -> None:
    objects = compile_for("cortex-m0", ("-Os",), tmp_path)
    rows = symbols("arm-none-eabi-nm", objects)
    names = {name for kind, name in rows if kind.isupper() and kind != "U"}
    assert {name for name in names if not name.startswith("wb_")} == set()
    assert len([name for name in names if not name.startswith("wb__")]) == 46 + 4 + 7


DIALECTS = {
    "gcc, C11": ("gcc", "c", "-std=c11"),
    "gcc, C++17": ("g++", "c++", "-std=c++17"),
    "clang, C11": ("clang", "c", "-std=c11"),
    "clang, C++17": ("clang++", "c++", "-std=c++17"),
}
# What C++ compilers say of C's prototypes is not about these headers.
CXX_WARNINGS = tuple(w for w in WARNINGS if w != "-Wmissing-prototypes")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("header", [path.name for path in HEADERS])
def test_each_public_header_compiles_alone(
    dialect: str, header: str, tmp_path: Path
) -> None:
    compiler, language, standard = DIALECTS[dialect]
    need(compiler)
    source = tmp_path / "alone.c"
    source.write_text(f'#include "wasi_backing/{header}"\nextern int nothing;\n')
    warnings = WARNINGS if language == "c" else CXX_WARNINGS
    run(
        [
            compiler,
            standard,
            "-x",
            language,
            *warnings,
            "-fsyntax-only",
            INCLUDE,
            str(source),
        ]
    )


def test_the_headers_can_all_be_included_twice_and_in_any_order(
    tmp_path: Path,
) -> None:
    need("gcc")
    names = [path.name for path in HEADERS]
    source = tmp_path / "twice.c"
    lines = [f'#include "wasi_backing/{name}"\n' for name in names + names[::-1]]
    source.write_text("".join(lines))
    run(["gcc", "-std=c11", *WARNINGS, "-fsyntax-only", INCLUDE, str(source)])
