/* The fallbacks: see fallback.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fallback.h"

/* ---- arguments and environment, from the options --------------------------- */

static size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

static void measure(const char *const *strings, size_t count, size_t *number,
                    size_t *bytes)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += text_length(strings[i]) + 1;
    *number = count;
    *bytes = total;
}

static void add_all(const char *const *strings, size_t count,
                    struct wb_string_sink *sink)
{
    for (size_t i = 0; i < count; i++)
        if (sink->add(sink, strings[i], text_length(strings[i])))
            return;
}

static uint16_t fallback_args_sizes_get(void *self, size_t *argc,
                                        size_t *argv_buf_size)
{
    const struct wb_options *options = ((struct wb_guest *)self)->options;

    measure(options->argv, options->argc, argc, argv_buf_size);
    return WB_ERRNO_SUCCESS;
}

static uint16_t fallback_args_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct wb_guest *)self)->options;

    add_all(options->argv, options->argc, sink);
    return WB_ERRNO_SUCCESS;
}

static uint16_t fallback_environ_sizes_get(void *self, size_t *environ_count,
                                           size_t *environ_buf_size)
{
    const struct wb_options *options = ((struct wb_guest *)self)->options;

    measure(options->envp, options->envc, environ_count, environ_buf_size);
    return WB_ERRNO_SUCCESS;
}

static uint16_t fallback_environ_get(void *self, struct wb_string_sink *sink)
{
    const struct wb_options *options = ((struct wb_guest *)self)->options;

    add_all(options->envp, options->envc, sink);
    return WB_ERRNO_SUCCESS;
}

/* ---- the others ------------------------------------------------------------- */

static uint16_t fallback_fd_prestat_get(void *self, wb_fd fd,
                                        wb_prestat *prestat)
{
    (void)self, (void)fd, (void)prestat;
    return WB_ERRNO_BADF;
}

static uint16_t fallback_fd_prestat_dir_name(void *self, wb_fd fd, char *path,
                                             size_t path_len)
{
    (void)self, (void)fd, (void)path, (void)path_len;
    return WB_ERRNO_BADF;
}

static uint16_t fallback_proc_exit(void *self, wb_exitcode rval)
{
    (void)self, (void)rval;
    return WB_ERRNO_SUCCESS;
}

static uint16_t fallback_sched_yield(void *self)
{
    (void)self;
    return WB_ERRNO_SUCCESS;
}

void wb__fallback_fill(struct wb_guest *guest)
{
#define FILL_NOSYS(name)
#define FILL_OWN(name)                          \
    guest->pairs.name.call = fallback_##name;   \
    guest->pairs.name.self = guest;
#define WB_CALL(name, signature, memory, fallback, unstable) \
    FILL_##fallback(name)
#include "wasi_backing/calls.def"
}
