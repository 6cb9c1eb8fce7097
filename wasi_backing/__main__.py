"""Make `python -m wasi_backing` the same as the command `wasi-backing`."""

import sys

from .cli import main

sys.exit(main())
