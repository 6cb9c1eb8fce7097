"""Short, repeatable runs of the fuzz targets find nothing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .toolchains import C_TESTS, INCLUDE, LAYER, ROOT, WARNINGS, need, run, supports

FUZZ = ROOT / "tests" / "fuzz"
FUZZER = ("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")
MINIMAL = [
    *sorted((ROOT / "impl_minimal").glob("*.c")),
    *sorted((ROOT / "csrc" / "host").glob("errno*.c")),
]


def fuzz(
    directory: Path, sources: list[Path], options: tuple[str, ...], runs: int
) -> None:
    """Build a target and run it for a while."""
    need("clang")
    if not supports("clang", "-fsanitize=address", directory):
        pytest.skip("clang has no libFuzzer; Debian: apt-get install libclang-rt-dev")
    program = directory / "fuzz"
    run(
        [
            "clang",
            "-std=c11",
            "-g",
            "-O1",
            *FUZZER,
            *WARNINGS,
            INCLUDE,
            f"-I{ROOT / 'csrc'}",
            f"-I{C_TESTS}",
            *options,
            *map(str, [*sources, *LAYER]),
            "-lpthread",
            "-o",
            str(program),
        ]
    )
    # The time limit keeps a slow machine from failing, not from finding.
    output = run(
        [
            str(program),
            f"-runs={runs}",
            "-seed=1",
            "-max_len=1024",
            "-max_total_time=20",
            "-print_final_stats=1",
            f"-artifact_prefix={directory}/",
        ]
    )
    assert "stat::number_of_executed_units" in output


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="default limits"),
        pytest.param(("-DWB_MAX_IOVECS=2", "-DWB_MAX_PATH=5"), id="small limits"),
    ],
)
def test_any_calls_on_any_memory_stay_inside(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    probe = [C_TESTS / "probe.c", C_TESTS / "probe_note.c"]
    fuzz(tmp_path, [FUZZ / "fuzz_layer.c", *probe], options, 100_000)


def test_any_calls_on_the_minimal_backing_stay_beneath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TMPDIR", str(tmp_path))
    fuzz(tmp_path, [FUZZ / "fuzz_minimal.c", *MINIMAL], (), 4_000)
