/* The table of the minimal backing, and nothing else: static builds, which call
 * the slots by name, leave this file out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

const struct wb_backing min_backing = {
    WB_BACKING_INIT,
    .name = "minimal",
    .summary = "all 46 calls on POSIX; paths stay beneath their directory",
    .facts = WB_FACT_CONTAINED,
    .context_init = min_context_init,
    .context_destroy = min_context_destroy,
    .interrupt = min_interrupt,
#define WB_CALL(name, signature, memory, fallback, unstable) \
    .name = min_##name,
#include "wasi_backing/calls.def"
};
