/* random_get.
 *
 * System calls: getrandom, in chunks, so that interrupt is heard in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>

uint16_t min_random_get(void *self, uint8_t *buf, size_t buf_len)
{
    struct min_context *context = self;
    const struct wb_options *options = context->options;
    const size_t chunk = 1 << 20;
    if (options->random)
        return options->random(options->random_self, buf, buf_len);
    while (buf_len > 0) {
        ssize_t got = min_host_random(buf, buf_len < chunk ? buf_len : chunk);
        if (got < 0 && errno != EINTR)
            return wb_errno_of_host(errno);
        if (got > 0) {
            buf += got;
            buf_len -= (size_t)got;
        }
        if (buf_len > 0 && min_interrupted(context))
            return WB_STOP_GUEST;
    }
    return WB_ERRNO_SUCCESS;
}
