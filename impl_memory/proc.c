/* Arguments, environment and the process. The end of a guest and its signals
 * are the layer's to carry out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

static size_t length(const char *text)
{
    size_t len = 0;
    while (text[len])
        len++;
    return len;
}

static size_t total(const char *const *strings, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += length(strings[i]) + 1;
    return bytes;
}

static uint16_t add_all(const char *const *strings, size_t count,
                        struct wb_string_sink *sink)
{
    for (size_t i = 0; i < count; i++)
        if (sink->add(sink, strings[i], length(strings[i])))
            break;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_args_sizes_get(void *self, size_t *argc, size_t *argv_buf_size)
{
    const struct wb_options *options = ((struct mem_context *)self)->options;
    *argc = options->argc;
    *argv_buf_size = total(options->argv, options->argc);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_args_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct mem_context *)self)->options;
    return add_all(options->argv, options->argc, sink);
}

uint16_t mem_environ_sizes_get(void *self, size_t *environ_count,
                               size_t *environ_buf_size)
{
    const struct wb_options *options = ((struct mem_context *)self)->options;
    *environ_count = options->envc;
    *environ_buf_size = total(options->envp, options->envc);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_environ_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct mem_context *)self)->options;
    return add_all(options->envp, options->envc, sink);
}

uint16_t mem_proc_exit(void *self, wb_exitcode rval)
{
    (void)self, (void)rval;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_proc_raise(void *self, wb_signal sig)
{
    (void)self, (void)sig;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_sched_yield(void *self)
{
    (void)self;
    if (mem_platform.yield)
        mem_platform.yield();
    return WB_ERRNO_SUCCESS;
}
