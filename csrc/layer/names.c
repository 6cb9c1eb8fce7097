/* Names of numbers, for traces and messages.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wasi_backing/layer.h"

const char *wb_errno_name(wb_errno error)
{
    switch (error) {
#define NAME(NAME, number, meaning) \
    case number:                    \
        return #NAME;
        WB_ERRNO_LIST(NAME)
#undef NAME
    default:
        return NULL;
    }
}

const char *wb_trap_reason(uint32_t reason)
{
    switch (reason) {
    case WB_TRAP_OUT_OF_BOUNDS:
        return "pointer out of bounds of memory";
    case WB_TRAP_MISALIGNED:
        return "misaligned pointer";
    case WB_TRAP_REENTERED:
        return "call made while another one is running";
    case WB_TRAP_NO_MEMORY:
        return "no exported memory";
    default:
        return "no trap";
    }
}
