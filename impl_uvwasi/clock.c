/* Clocks.
 *
 * uvwasi's: the monotonic and the two CPU-time clocks. Fix-ups: the real time,
 * which uvwasi tells in whole microseconds; resolutions, for which uvwasi tells 1
 * ns or (0.0.19, of the thread's CPU time) the time itself; the embedder's clock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>

wb_timestamp uvw_nanoseconds(struct timespec time)
{
    return (wb_timestamp)time.tv_sec * 1000000000 + (wb_timestamp)time.tv_nsec;
}

static clockid_t host_clock(wb_clockid id)
{
    switch (id) {
    case WB_CLOCKID_REALTIME:
        return CLOCK_REALTIME;
    case WB_CLOCKID_MONOTONIC:
        return CLOCK_MONOTONIC;
    case WB_CLOCKID_PROCESS_CPUTIME_ID:
        return CLOCK_PROCESS_CPUTIME_ID;
    default:
        return CLOCK_THREAD_CPUTIME_ID;
    }
}

wb_errno uvw_clock(struct uvw_context *context, wb_clockid id, int resolution,
                   wb_timestamp *time)
{
    const struct wb_options *options = context->options;
    struct timespec spec;
    if (options->clock)
        return options->clock(options->clock_self, id, resolution ? 1 : 0,
                              time);
    if (resolution ? clock_getres(host_clock(id), &spec)
                   : clock_gettime(host_clock(id), &spec))
        return wb_errno_of_host(errno);
    *time = uvw_nanoseconds(spec);
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_clock_res_get(void *self, wb_clockid id, wb_timestamp *resolution)
{
    struct uvw_context *context = self;
    return context->fixups
               ? uvw_clock(context, id, 1, resolution)
               : uvwasi_clock_res_get(&context->uvwasi, id, resolution);
}

uint16_t uvw_clock_time_get(void *self, wb_clockid id, wb_timestamp precision,
                            wb_timestamp *time)
{
    struct uvw_context *context = self;
    int ours = context->options->clock ||
               (context->fixups && id == WB_CLOCKID_REALTIME);
    return ours ? uvw_clock(context, id, 0, time)
                : uvwasi_clock_time_get(&context->uvwasi, id, precision, time);
}
