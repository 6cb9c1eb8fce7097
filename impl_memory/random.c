/* random_get: the embedder's random bytes if there are any, else the
 * platform's, in chunks, so that interrupt is heard in between. There are no
 * others: bytes that somebody can guess are worse than none.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

uint16_t mem_random_get(void *self, uint8_t *buf, size_t buf_len)
{
    struct mem_context *context = self;
    const struct wb_options *options = context->options;
    const size_t chunk = (size_t)1 << 20;
    if (!options->random && !mem_platform.random)
        return WB_ERRNO_NOTSUP;
    while (buf_len > 0) {
        size_t take = buf_len < chunk ? buf_len : chunk;
        uint16_t error =
            options->random
                ? options->random(options->random_self, buf, take)
                : mem_platform.random(buf, take);
        if (error)
            return error;
        buf += take;
        buf_len -= take;
        if (buf_len > 0 && mem_interrupted(context))
            return WB_STOP_GUEST;
    }
    return WB_ERRNO_SUCCESS;
}
