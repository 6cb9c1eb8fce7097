/* What ends, signals or yields. uvwasi_proc_exit calls exit(3) and
 * uvwasi_proc_raise signals the host's process: neither is ever called. The layer
 * ends the guest.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

uint16_t uvw_proc_exit(void *self, wb_exitcode rval)
{
    (void)self;
    (void)rval;
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_proc_raise(void *self, wb_signal sig)
{
    (void)self;
    (void)sig;
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_sched_yield(void *self)
{
    struct uvw_context *context = self;
    return uvwasi_sched_yield(&context->uvwasi);
}
