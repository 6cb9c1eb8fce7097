/* Making and destroying a context: options, stdio, preopens, listening sockets.
 *
 * System calls: open and fstat for a preopen, getrlimit; those of sock.c for a
 * listening socket. Lent descriptors are first looked at when they are first
 * used (fd.c), and the wake-up for interrupt is made when a call first waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum { DEFAULT_MAX_FDS = 1024 };

/* Say in options->error what is wrong, and return `error`. */
__attribute__((format(printf, 3, 4))) static wb_errno
refuse(const struct wb_options *options, wb_errno error, const char *format,
       ...)
{
    va_list arguments;
    if (options->error && options->error_len) {
        va_start(arguments, format);
        vsnprintf(options->error, options->error_len, format, arguments);
        va_end(arguments);
    }
    return error;
}

static const char *reason(wb_errno error)
{
    return strerror(wb_errno_to_host(error));
}

/* ---- options ------------------------------------------------------------- */

static size_t bytes_of(const char *const *strings, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(strings[i]) + 1;
    return bytes;
}

static wb_errno set_path_resolution(struct min_context *context,
                                    const char *value)
{
    if (!strcmp(value, "walk")) {
        context->walk = 1;
        return WB_ERRNO_SUCCESS;
    }
    if (strcmp(value, "openat2"))
        return refuse(context->options, WB_ERRNO_INVAL,
                      "path_resolution is \"openat2\" or \"walk\", not \"%s\"",
                      value);
    int probe = min_host_open_beneath(AT_FDCWD, ".", O_PATH | O_CLOEXEC, 0);
    if (probe < 0)
        return refuse(context->options, WB_ERRNO_NOTSUP,
                      "path_resolution=openat2: the system has no openat2");
    close(probe);
    return WB_ERRNO_SUCCESS;
}

static wb_errno set_extras(struct min_context *context)
{
    const struct wb_options *options = context->options;
    for (size_t i = 0; i < options->extras_len; i++) {
        const struct wb_extra *extra = &options->extras[i];
        if (strcmp(extra->key, "path_resolution"))
            return refuse(options, WB_ERRNO_INVAL,
                          "the minimal backing has no option \"%s\" (it has: "
                          "path_resolution)",
                          extra->key);
        wb_errno error = set_path_resolution(context, extra->value);
        if (error)
            return error;
    }
    return WB_ERRNO_SUCCESS;
}

/* ---- the first descriptors ----------------------------------------------- */

/* Give a file the lowest free number. */
static wb_errno append(struct min_context *context, const struct min_file *file)
{
    wb_fd fd;
    wb_errno error = min_reserve(context, &fd);
    if (error)
        return refuse(context->options, error,
                      "max_fds %u is too low for stdio, preopens and sockets",
                      (unsigned)context->max_fds);
    context->files[fd] = *file;
    return WB_ERRNO_SUCCESS;
}

static wb_errno add_stdio(struct min_context *context, int n)
{
    const struct wb_stdio *stdio = &context->options->stdio[n];
    struct min_file file = {.host = -1, .io = MIN_IO_NONE, .flags = MIN_KEEP};
    file.filetype = WB_FILETYPE_UNKNOWN;
    file.base = WB_RIGHTS_OF_STREAM;
    switch (stdio->kind) {
    case WB_STDIO_NONE:
        break;
    case WB_STDIO_DESCRIPTOR:
        file.io = MIN_IO_LENT;
        file.host = stdio->descriptor;
        break;
    case WB_STDIO_STREAM:
        if (!stdio->stream || stdio->stream->size < sizeof *stdio->stream)
            return refuse(context->options, WB_ERRNO_INVAL,
                          "stdio %d: no stream, or one without its size", n);
        file.io = MIN_IO_STREAM;
        file.stream = stdio->stream;
        if (!stdio->stream->read)
            file.base &= ~(wb_rights)WB_RIGHTS_FD_READ;
        if (!stdio->stream->write)
            file.base &= ~(wb_rights)WB_RIGHTS_FD_WRITE;
        break;
    default:
        return refuse(context->options, WB_ERRNO_INVAL,
                      "stdio %d: unknown kind %u", n, (unsigned)stdio->kind);
    }
    return append(context, &file);
}

static wb_errno add_preopen(struct min_context *context, size_t n)
{
    const struct wb_preopen *preopen = &context->options->preopens[n];
    const int flags = O_DIRECTORY | O_CLOEXEC | O_NOCTTY;
    struct min_file file = {.preopen = preopen->guest_name};
    struct stat facts;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(context->options->preopens[i].guest_name,
                    preopen->guest_name))
            return refuse(context->options, WB_ERRNO_INVAL,
                          "two preopens have the guest name \"%s\"",
                          preopen->guest_name);
    file.host = open(preopen->host_path, O_RDONLY | flags);
    if (file.host < 0 && errno == EACCES) /* may still be searched */
        file.host = open(preopen->host_path, O_PATH | flags);
    if (file.host < 0 || fstat(file.host, &facts)) {
        wb_errno error = wb_errno_of_host(errno);
        if (file.host >= 0)
            close(file.host);
        return refuse(context->options, error,
                      "preopen \"%s\": \"%s\": %s", preopen->guest_name,
                      preopen->host_path, reason(error));
    }
    context->roots[n] = (struct min_root){facts.st_dev, facts.st_ino};
    min_describe(&file, facts.st_mode, O_RDONLY);
    file.base |= WB_RIGHTS_OF_DIRECTORY;
    if (preopen->flags & WB_PREOPEN_READ_ONLY)
        file.flags |= MIN_READ_ONLY;
    wb_errno error = append(context, &file);
    if (error)
        close(file.host);
    return error;
}

static wb_errno add_listen(struct min_context *context, size_t n)
{
    const struct wb_listen *listen = &context->options->listens[n];
    struct min_file file = {.io = MIN_IO_CLOSED};
    wb_errno error = min_listen(listen, &file.host);
    if (error)
        return refuse(context->options, error, "listen on %s port %u: %s",
                      listen->address ? listen->address : "(no address)",
                      (unsigned)listen->port,
                      error == WB_ERRNO_INVAL
                          ? "not a numeric address and a port below 65536"
                          : reason(error));
    min_describe(&file, S_IFSOCK, O_RDWR);
    file.inheriting = file.base;
    error = append(context, &file);
    if (error)
        close(file.host);
    return error;
}

/* ---- the context --------------------------------------------------------- */

static wb_errno fill(struct min_context *context)
{
    const struct wb_options *options = context->options;
    uint32_t max_fds = options->max_fds ? options->max_fds : DEFAULT_MAX_FDS;
    struct rlimit limit;
    wb_errno error;
    if (max_fds > MIN_MAX_FDS)
        return refuse(options, WB_ERRNO_INVAL, "max_fds is %u at most",
                      MIN_MAX_FDS);
    context->argv_bytes = bytes_of(options->argv, options->argc);
    context->envp_bytes = bytes_of(options->envp, options->envc);
    context->ignore_rights = options->flags & WB_OPTIONS_IGNORE_RIGHTS ? 1 : 0;
    context->limited_fsize = !getrlimit(RLIMIT_FSIZE, &limit) &&
                             limit.rlim_cur != RLIM_INFINITY;
    error = set_extras(context);
    if (error)
        return error;
    if (options->preopens_len)
        context->roots = min_allocate(
            &context->memory, options->preopens_len * sizeof *context->roots);
    if (min_table_init(context, max_fds) ||
        (options->preopens_len && !context->roots))
        return refuse(options, WB_ERRNO_NOMEM,
                      "not enough memory for the descriptor table");
    for (int n = 0; !error && n < 3; n++)
        error = add_stdio(context, n);
    for (size_t n = 0; !error && n < options->preopens_len; n++)
        error = add_preopen(context, n);
    for (size_t n = 0; !error && n < options->listens_len; n++)
        error = add_listen(context, n);
    return error;
}

uint16_t min_context_init(const struct wb_options *options, void **self)
{
    struct min_memory memory = {options->allocator, options->arena,
                                options->arena_len, NULL};
    *self = NULL;
    if (options->size < sizeof *options)
        return WB_ERRNO_INVAL; /* where `error` is cannot be known */
    struct min_context *context = min_allocate(&memory, sizeof *context);
    if (!context)
        return refuse(options, WB_ERRNO_NOMEM,
                      "not enough memory for the context");
    context->memory = memory;
    context->options = options;
    context->wake = -1;
    wb_errno error = fill(context);
    if (error)
        min_context_destroy(context);
    else
        *self = context;
    return error;
}

void min_context_destroy(void *self)
{
    struct min_context *context = self;
    if (!context)
        return;
    if (context->capacity)
        min_table_destroy(context);
    if (context->wake >= 0)
        close(context->wake);
    struct min_memory memory = context->memory;
    min_release(&memory, context->roots,
                context->options->preopens_len * sizeof *context->roots);
    min_release(&memory, context, sizeof *context);
}
