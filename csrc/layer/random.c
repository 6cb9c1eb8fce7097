/* random_get.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_random_get(struct wb_guest *guest, struct wb_call *call,
                              uint32_t buf, uint32_t buf_len)
{
    WB_TRY(wb__check(guest, call, buf, buf_len, 1));
    return WB_DISPATCH(guest, call, random_get, wb__at(call, buf), buf_len);
}
WB_ENTRY(random_get, ii)
