"""A coroutine as a call: the guest waits for its input, and nothing else does.

SPDX-License-Identifier: MIT
"""

import asyncio
import sys

from wasi_backing import WASI, MinimalBacking


class Typist(MinimalBacking):
    text = iter("slow\n")

    async def fd_read(self, fd, iovs):
        await asyncio.sleep(0.01)
        letter = next(self.text, "").encode()
        iovs[0][: len(letter)] = letter
        return len(letter)


asyncio.run(WASI(backing=Typist).run_async(sys.argv[1]))
