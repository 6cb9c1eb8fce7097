/* Random bytes.
 *
 * uvwasi's: uv_random, which is getrandom(2); it fills 2^31-1 bytes at most.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

enum { CHUNK = 1 << 20 };

uint16_t uvw_random_get(void *self, uint8_t *buf, size_t buf_len)
{
    struct uvw_context *context = self;
    const struct wb_options *options = context->options;
    if (options->random)
        return options->random(options->random_self, buf, buf_len);
    while (buf_len > 0) {
        size_t len = buf_len < CHUNK ? buf_len : CHUNK;
        uvwasi_errno_t error =
            uvwasi_random_get(&context->uvwasi, buf, (uvwasi_size_t)len);
        if (error)
            return fix_error(context, error);
        buf += len;
        buf_len -= len;
        if (buf_len > 0 && context->fixups && uvw_interrupted(context))
            return WB_STOP_GUEST;
    }
    return WB_ERRNO_SUCCESS;
}
