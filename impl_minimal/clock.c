/* Clocks.
 *
 * System calls: clock_gettime, clock_getres; for REALTIME and MONOTONIC the C
 * library answers without entering the kernel. The CPU-time clocks are the host
 * process's and the calling thread's: a guest has no process of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>

wb_timestamp min_nanoseconds(struct timespec time)
{
    return (wb_timestamp)time.tv_sec * 1000000000 + (wb_timestamp)time.tv_nsec;
}

struct timespec min_timespec(wb_timestamp time)
{
    return (struct timespec){(time_t)(time / 1000000000),
                             (long)(time % 1000000000)};
}

uint64_t min_deadline(uint64_t timeout)
{
    struct timespec now;
    if (timeout == 0 || timeout == UINT64_MAX)
        return timeout;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return timeout > UINT64_MAX - min_nanoseconds(now)
               ? UINT64_MAX
               : timeout + min_nanoseconds(now);
}

uint64_t min_time_left(uint64_t deadline)
{
    struct timespec now;
    if (deadline == 0 || deadline == UINT64_MAX)
        return deadline;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return deadline > min_nanoseconds(now) ? deadline - min_nanoseconds(now)
                                           : 0;
}

static clockid_t host_clock(wb_clockid id)
{
    static const clockid_t clocks[WB_CLOCKID_COUNT] = {
        [WB_CLOCKID_REALTIME] = CLOCK_REALTIME,
        [WB_CLOCKID_MONOTONIC] = CLOCK_MONOTONIC,
        [WB_CLOCKID_PROCESS_CPUTIME_ID] = CLOCK_PROCESS_CPUTIME_ID,
        [WB_CLOCKID_THREAD_CPUTIME_ID] = CLOCK_THREAD_CPUTIME_ID,
    };
    return clocks[id];
}

uint16_t min_clock_res_get(void *self, wb_clockid id, wb_timestamp *resolution)
{
    const struct wb_options *options = ((struct min_context *)self)->options;
    struct timespec time;
    if (id >= WB_CLOCKID_COUNT)
        return WB_ERRNO_INVAL;
    if (options->clock)
        return options->clock(options->clock_self, id, 1, resolution);
    if (clock_getres(host_clock(id), &time))
        return wb_errno_of_host(errno);
    *resolution = min_nanoseconds(time) ? min_nanoseconds(time) : 1;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_clock_time_get(void *self, wb_clockid id, wb_timestamp precision,
                            wb_timestamp *time)
{
    const struct wb_options *options = ((struct min_context *)self)->options;
    struct timespec now;
    (void)precision;
    if (id >= WB_CLOCKID_COUNT)
        return WB_ERRNO_INVAL;
    if (options->clock)
        return options->clock(options->clock_self, id, 0, time);
    if (clock_gettime(host_clock(id), &now))
        return wb_errno_of_host(errno);
    if (now.tv_sec < 0) /* before 1970 */
        return WB_ERRNO_OVERFLOW;
    *time = min_nanoseconds(now);
    return WB_ERRNO_SUCCESS;
}
