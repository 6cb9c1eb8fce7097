/* The uvwasi backing's table, alone in its file: a static build calls the slots
 * by name and does not link it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#if UVWASI_VERSION_HEX < 0x000013
#error "uvwasi 0.0.19 or later is needed"
#endif

const struct wb_backing uvw_backing = {
    WB_BACKING_INIT,
    .name = "uvwasi",
    .summary = "the library behind Node.js's WASI (uvwasi " UVWASI_VERSION_STRING
               "), with fix-ups; its path handling is no security boundary",
    .facts = 0,
    .context_init = uvw_context_init,
    .context_destroy = uvw_context_destroy,
    .interrupt = uvw_interrupt,
#define WB_CALL(call, signature, memory, fallback, unstable) .call = uvw_##call,
#include "wasi_backing/calls.def"
};
