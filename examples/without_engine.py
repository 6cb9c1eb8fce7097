"""Make WASI calls on a plain buffer: no engine, no program, one directory.

SPDX-License-Identifier: MIT
"""

import tempfile

from wasi_backing import Errno, PlainGuest

PREOPEN = 3  # preopened directories are numbered from 3
FILESTAT = 0  # where the guest wants the result, and
PATH = 64  # where it has the path

with (
    tempfile.TemporaryDirectory() as folder,
    PlainGuest(preopens={"/": folder}) as guest,
):
    guest.memory[PATH : PATH + 3] = b"sub"
    made = guest.call("path_create_directory", PREOPEN, PATH, 3)
    print("create sub:", made.name)
    found = guest.call("path_filestat_get", PREOPEN, 0, PATH, 3, FILESTAT)
    filetype = guest.memory[FILESTAT + 16]
    print("stat sub:", found.name, "file type", filetype)
    guest.memory[PATH : PATH + 2] = b".."
    left = guest.call("path_filestat_get", PREOPEN, 0, PATH, 2, FILESTAT)
    print("stat ..:", left.name)
    assert left is Errno.NOTCAPABLE
