"""A short, repeatable run of the fuzz target finds nothing.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .toolchains import C_TESTS, INCLUDE, LAYER, ROOT, WARNINGS, need, run, supports

RUNS = 100_000


@pytest.mark.parametrize("options", [(), ("-DWB_MAX_IOVECS=2", "-DWB_MAX_PATH=5")])
def test_any_calls_on_any_memory_stay_inside(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    need("clang")
    if not supports("clang", "-fsanitize=address", tmp_path):
        pytest.skip("clang has no libFuzzer; Debian: apt-get install libclang-rt-dev")
    program = tmp_path / "fuzz_layer"
    sources = [
        ROOT / "tests" / "fuzz" / "fuzz_layer.c",
        C_TESTS / "probe.c",
        C_TESTS / "probe_note.c",
        *LAYER,
    ]
    run(
        [
            "clang",
            "-std=c11",
            "-g",
            "-O1",
            "-fsanitize=fuzzer,address,undefined",
            "-fno-sanitize-recover=all",
            *WARNINGS,
            INCLUDE,
            f"-I{C_TESTS}",
            *options,
            *map(str, sources),
            "-o",
            str(program),
        ]
    )
    # A limit of 20 s keeps a slow machine from failing, not from finding.
    output = run(
        [
            str(program),
            f"-runs={RUNS}",
            "-seed=1",
            "-max_len=2048",
            "-max_total_time=20",
            "-print_final_stats=1",
            f"-artifact_prefix={tmp_path}/",
        ]
    )
    assert "stat::number_of_executed_units" in output
