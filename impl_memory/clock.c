/* Clocks: the embedder's if there are any, else the platform's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

static uint16_t ask(const struct wb_options *options, wb_clockid id,
                    uint32_t resolution, wb_timestamp *time)
{
    if (id >= WB_CLOCKID_COUNT)
        return WB_ERRNO_INVAL;
    if (options->clock)
        return options->clock(options->clock_self, id, resolution, time);
    return mem_platform.clock ? mem_platform.clock(id, resolution, time)
                              : WB_ERRNO_NOTSUP;
}

uint16_t mem_clock_res_get(void *self, wb_clockid id, wb_timestamp *resolution)
{
    return ask(((struct mem_context *)self)->options, id, 1, resolution);
}

uint16_t mem_clock_time_get(void *self, wb_clockid id, wb_timestamp precision,
                            wb_timestamp *time)
{
    (void)precision;
    return ask(((struct mem_context *)self)->options, id, 0, time);
}
