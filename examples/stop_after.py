"""Run a program, but not longer than some seconds.

usage: stop_after.py SECONDS APP.WASM [ARGS]...

SPDX-License-Identifier: MIT
"""

import sys
import threading

from wasi_backing import WASI, Interrupted

seconds, module, *args = sys.argv[1:]
wasi = WASI(args=["app", *args])
timer = threading.Timer(float(seconds), wasi.interrupt)
timer.start()
try:
    print("exit code", wasi.run(module).exit_code)
except Interrupted:
    print(f"stopped after {seconds} seconds")
finally:
    timer.cancel()
