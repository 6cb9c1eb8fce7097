"""Override two calls: a file that is in no directory. All others stay in C.

SPDX-License-Identifier: MIT
"""

import io
import sys

from wasi_backing import WASI, MinimalBacking

FILES = {"hello.txt": b"hello from a dict\n"}
NUMBER = 100  # a descriptor that the backing in C does not use


class FromDict(MinimalBacking):
    def path_open(self, fd, dirflags, path, *flags_and_rights):
        if path not in FILES:
            return super().path_open(fd, dirflags, path, *flags_and_rights)
        self.file = io.BytesIO(FILES[path])
        return NUMBER

    def fd_read(self, fd, iovs):
        if fd != NUMBER:
            return super().fd_read(fd, iovs)
        return self.file.readinto(iovs[0])


module, *args = sys.argv[1:]
WASI([module, *args], preopens={"/": "."}, backing=FromDict).run(module)
