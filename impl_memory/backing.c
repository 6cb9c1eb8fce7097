/* The table of the memory backing, and nothing else: static builds, which call
 * the slots by name, leave this file out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

const struct wb_backing mem_backing = {
    WB_BACKING_INIT,
    .name = "memory",
    .summary = "all 46 calls on a file system in memory; no host files",
    .facts = WB_FACT_CONTAINED | WB_FACT_OWN_FILES,
    .context_init = mem_context_init,
    .context_destroy = mem_context_destroy,
    .interrupt = mem_interrupt,
#define WB_CALL(name, signature, memory, fallback, unstable) \
    .name = mem_##name,
#include "wasi_backing/calls.def"
};
