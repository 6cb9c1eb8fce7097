"""Run a program in a directory, and keep what it prints.

usage: run_program.py APP.WASM DIR [ARGS]...

SPDX-License-Identifier: MIT
"""

import sys

from wasi_backing import CAPTURE, WASI

module, folder, *args = sys.argv[1:]
wasi = WASI(args=["app", *args], preopens={"/": folder}, stdout=CAPTURE)
result = wasi.run(module)
lines = (result.stdout or b"").decode().splitlines()
print(f"exit code {result.exit_code}, {len(lines)} lines, the last one:")
print(lines[-1])
