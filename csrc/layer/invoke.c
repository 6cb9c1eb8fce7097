/* wb_invoke: calls by number, and what is known of each.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

#define ARGUMENT_I32(n) (uint32_t)args[n]
#define ARGUMENT_I64(n) args[n]
#define INVOKE(entry, signature) \
    entry(guest, call WB_SIGNATURE_##signature(ARGUMENT_I32, ARGUMENT_I64))

#define UNSTABLE_SAME(name, signature) INVOKE(wb_##name, signature)
#define UNSTABLE_OWN(name, signature) INVOKE(wb_unstable_##name, signature)
#define UNSTABLE_NONE(name, signature) WB_ERRNO_NOSYS

uint32_t wb_invoke(struct wb_guest *guest, struct wb_call *call, uint32_t id,
                   const uint64_t *args)
{
    switch (id) {
#define WB_CALL(name, signature, memory, fallback, unstable) \
    case WB_CALL_##name:                                     \
        return INVOKE(wb_##name, signature);                 \
    case WB_CALL_##name | WB_UNSTABLE:                       \
        return UNSTABLE_##unstable(name, signature);
#include "wasi_backing/calls.def"
    default:
        return WB_ERRNO_NOSYS;
    }
}

enum { IN_UNSTABLE_SAME = 1, IN_UNSTABLE_OWN = 1, IN_UNSTABLE_NONE = 0 };

const struct wb_call_info wb_call_infos[WB_CALL_COUNT] = {
#define WB_CALL(name, signature, memory, fallback, unstable) \
    {#name, #signature, memory, IN_UNSTABLE_##unstable},
#include "wasi_backing/calls.def"
};
