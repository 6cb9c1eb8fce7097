/* clock_res_get, clock_time_get.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_clock_res_get(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t id, uint32_t resolution)
{
    wb_timestamp value = 0;

    WB_TRY(wb__check(guest, call, resolution, 8, 8));
    WB_TRY(wb__enum(id, WB_CLOCKID_COUNT));
    WB_TRY(WB_DISPATCH(guest, call, clock_res_get, id, &value));
    return wb__store64(call, resolution, value ? value : 1);
}
WB_ENTRY(clock_res_get, ii)

static uint32_t do_clock_time_get(struct wb_guest *guest, struct wb_call *call,
                                  uint32_t id, uint64_t precision,
                                  uint32_t time)
{
    wb_timestamp value = 0;

    WB_TRY(wb__check(guest, call, time, 8, 8));
    WB_TRY(wb__enum(id, WB_CLOCKID_COUNT));
    WB_TRY(WB_DISPATCH(guest, call, clock_time_get, id, precision, &value));
    return wb__store64(call, time, value);
}
WB_ENTRY(clock_time_get, iIi)
