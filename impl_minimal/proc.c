/* Arguments, environment and the process.
 *
 * System calls: sched_yield. Arguments and environment are the options'. The
 * end of a guest and its signals are the layer's to carry out: here nothing is
 * ended and nobody is signalled.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <sched.h>
#include <string.h>

static uint16_t add_all(const char *const *strings, size_t count,
                        struct wb_string_sink *sink)
{
    for (size_t i = 0; i < count; i++)
        if (sink->add(sink, strings[i], strlen(strings[i])))
            break;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_args_sizes_get(void *self, size_t *argc, size_t *argv_buf_size)
{
    const struct min_context *context = self;
    *argc = context->options->argc;
    *argv_buf_size = context->argv_bytes;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_args_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct min_context *)self)->options;
    return add_all(options->argv, options->argc, sink);
}

uint16_t min_environ_sizes_get(void *self, size_t *environ_count,
                               size_t *environ_buf_size)
{
    const struct min_context *context = self;
    *environ_count = context->options->envc;
    *environ_buf_size = context->envp_bytes;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_environ_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct min_context *)self)->options;
    return add_all(options->envp, options->envc, sink);
}

uint16_t min_proc_exit(void *self, wb_exitcode rval)
{
    (void)self;
    (void)rval;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_proc_raise(void *self, wb_signal sig)
{
    (void)self;
    (void)sig;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_sched_yield(void *self)
{
    (void)self;
    sched_yield();
    return WB_ERRNO_SUCCESS;
}
