/* A context: one uvwasi_t, and what we keep of its descriptors beside it.
 *
 * uvwasi gets duplicates of the lent descriptors, since it closes 0, 1 and 2 when
 * the guest does, and sockets of our making, since it cannot tell a port that the
 * system chose and knows no IPv6. What is left open in the end is closed here;
 * uvwasi_destroy would leak it.
 *
 * System calls: those of uvwasi_init; fcntl, fstat, open and close for stdio;
 * socket, setsockopt, bind, listen, getsockname for listening sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portability.h"

enum {
    DEFAULT_MAX_FDS = 1024,
    /* uvwasi looks for a free number from 0 on, one after the other. */
    MOST_MAX_FDS = 65536
};

/* ---- memory ----------------------------------------------------------------- */

static void *hook_realloc(void *pointer, size_t size, void *self)
{
    const struct wb_allocator *allocator = self;
    return allocator->reallocate(allocator->self, pointer, size);
}

static void *hook_malloc(size_t size, void *self)
{
    return hook_realloc(NULL, size, self);
}

static void hook_free(void *pointer, void *self)
{
    if (pointer)
        hook_realloc(pointer, 0, self);
}

static void *hook_calloc(size_t count, size_t size, void *self)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *pointer = hook_malloc(count * size, self);
    if (pointer)
        memset(pointer, 0, count * size);
    return pointer;
}

static void *allocate(const struct wb_allocator *allocator, size_t size)
{
    return allocator ? hook_calloc(1, size, (void *)(uintptr_t)allocator)
                     : calloc(1, size);
}

static void release(const struct wb_allocator *allocator, void *pointer)
{
    if (allocator)
        hook_free(pointer, (void *)(uintptr_t)allocator);
    else
        free(pointer);
}

void *uvw_allocate(struct uvw_context *context, size_t size)
{
    return allocate(context->options->allocator, size);
}

void uvw_release(struct uvw_context *context, void *pointer)
{
    release(context->options->allocator, pointer);
}

/* ---- our own table ------------------------------------------------------------ */

wb_errno uvw_may_open(const struct uvw_context *context)
{
    return context->open < context->max_fds ? WB_ERRNO_SUCCESS
                                            : WB_ERRNO_NFILE;
}

wb_errno uvw_keep(struct uvw_context *context, wb_fd fd,
                  const struct uvw_file *file)
{
    if (fd >= context->capacity) {
        uint32_t capacity = context->capacity ? context->capacity * 2 : 16;
        while (capacity <= fd)
            capacity *= 2;
        struct uvw_file *files =
            uvw_allocate(context, capacity * sizeof *files);
        if (!files)
            return WB_ERRNO_NOMEM;
        if (context->capacity)
            memcpy(files, context->files, context->capacity * sizeof *files);
        uvw_release(context, context->files);
        context->files = files;
        context->capacity = capacity;
    }
    context->files[fd] = *file;
    context->open++;
    if (context->fixups)
        uvw_private_allow(context, fd);
    return WB_ERRNO_SUCCESS;
}

wb_errno uvw_close(struct uvw_context *context, wb_fd fd)
{
    struct uvw_file *file = &context->files[fd];
    wb_errno error = uvwasi_fd_close(&context->uvwasi, fd);
    if (error) {
        /* The host has closed its descriptor, as it does when it reports an
         * error, but uvwasi keeps its entry, and would close the number again
         * after somebody else got it. Give the entry something to close. */
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (uvwasi_embedder_remap_fd(&context->uvwasi, fd, null) && null >= 0)
            close(null);
        uvwasi_fd_close(&context->uvwasi, fd);
    }
    uvw_directory_release(context, file);
    uvw_forget(context, fd);
    return fix_error(context, error);
}

void uvw_forget(struct uvw_context *context, wb_fd fd)
{
    context->files[fd] = (struct uvw_file){.io = UVW_IO_CLOSED};
    context->open--;
    if (fd >= 3 || !context->fixups)
        return;
    /* fix_stdio_numbers: uvwasi would give the number to the next file that is
     * opened. Something stands there that no call of the guest's gets to. */
    wb_fd number;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0 && uvw_private_insert(context, null, WB_FILETYPE_UNKNOWN,
                                        &number))
        close(null);
}

void uvw_describe_as(struct uvw_file *file, int host, mode_t mode, int flags)
{
    int type;
    socklen_t size = sizeof type;
    file->host = host;
    file->filetype = fix_type(mode);
    if (S_ISSOCK(mode) &&
        !getsockopt(host, SOL_SOCKET, SO_TYPE, &type, &size) &&
        type != SOCK_STREAM)
        file->filetype = WB_FILETYPE_SOCKET_DGRAM;
    if (S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode))
        file->io = UVW_IO_PLAIN;
    else if (S_ISSOCK(mode))
        file->io = UVW_IO_SOCKET;
    else
        file->io = flags & O_NONBLOCK ? UVW_IO_OWN : UVW_IO_POLL;

    if (flags & O_APPEND)
        file->host_fdflags |= WB_FDFLAGS_APPEND;
    file->fdflags |= file->host_fdflags;
    file->base = wb_rights_of(file->filetype);
    if (S_ISCHR(mode) && isatty(host))
        file->base &= ~(wb_rights)(WB_RIGHTS_FD_SEEK | WB_RIGHTS_FD_TELL);
    if ((flags & O_ACCMODE) == O_RDONLY)
        file->base &= ~(wb_rights)(WB_RIGHTS_FD_WRITE | WB_RIGHTS_FD_ALLOCATE |
                                   WB_RIGHTS_FD_FILESTAT_SET_SIZE);
    if ((flags & O_ACCMODE) == O_WRONLY)
        file->base &= ~(wb_rights)WB_RIGHTS_FD_READ;
    file->inheriting = S_ISDIR(mode) ? WB_RIGHTS_ALL : 0;
}

wb_errno uvw_describe(struct uvw_file *file, int host)
{
    struct stat facts;
    int flags = fcntl(host, F_GETFL);
    if (flags < 0 || fstat(host, &facts))
        return wb_errno_of_host(errno);
    uvw_describe_as(file, host, facts.st_mode, flags);
    return WB_ERRNO_SUCCESS;
}

/* ---- telling what is wrong ------------------------------------------------------- */

static wb_errno refuse(const struct wb_options *options, wb_errno error,
                       const char *format, ...)
{
    if (options->error && options->error_len) {
        va_list arguments;
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

/* What uvwasi alone cannot do is refused, not silently missing. */
static wb_errno needs_fixups(const struct wb_options *options, const char *what)
{
    return refuse(options, WB_ERRNO_NOTSUP,
                  "uvwasi has no %s: it needs the fix-ups", what);
}

static wb_errno check_options(struct uvw_context *context)
{
    const struct wb_options *options = context->options;
    context->fixups = 1;
    for (size_t i = 0; i < options->extras_len; i++) {
        const struct wb_extra *extra = &options->extras[i];
        if (strcmp(extra->key, "fixups"))
            return refuse(options, WB_ERRNO_INVAL,
                          "the uvwasi backing has no extra \"%s\", only "
                          "fixups (on or off)",
                          extra->key);
        if (strcmp(extra->value, "on") && strcmp(extra->value, "off"))
            return refuse(options, WB_ERRNO_INVAL,
                          "the extra fixups is on or off, not \"%s\"",
                          extra->value);
        context->fixups = !strcmp(extra->value, "on");
    }
    if (options->max_fds > MOST_MAX_FDS)
        return refuse(options, WB_ERRNO_INVAL, "max_fds is %d at most",
                      MOST_MAX_FDS);
    if (options->arena && !options->allocator)
        return refuse(options, WB_ERRNO_NOTSUP,
                      "the uvwasi backing cannot live in an arena: libuv uses "
                      "the C library's memory");
    for (size_t i = 0; i < options->preopens_len; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(options->preopens[i].guest_name,
                        options->preopens[j].guest_name))
                return refuse(options, WB_ERRNO_INVAL,
                              "two preopens have the guest name \"%s\"",
                              options->preopens[i].guest_name);
    if (context->fixups)
        return WB_ERRNO_SUCCESS;

    if (options->clock || options->random)
        return needs_fixups(options, "clock and random hooks");
    if (options->flags & WB_OPTIONS_IGNORE_RIGHTS)
        return needs_fixups(options, "way to ignore rights");
    if (options->allocator && options->listens_len)
        return refuse(options, WB_ERRNO_NOTSUP,
                      "uvwasi's own sockets do not use the allocator: they "
                      "need the fix-ups");
    for (size_t i = 0; i < 3; i++)
        if (options->stdio[i].kind == WB_STDIO_STREAM)
            return needs_fixups(options, "streams");
    for (size_t i = 0; i < options->preopens_len; i++)
        if (options->preopens[i].flags & WB_PREOPEN_READ_ONLY)
            return needs_fixups(options, "read-only preopens");
    for (size_t i = 0; i < options->listens_len; i++)
        if (options->listens[i].bound_port && !options->listens[i].port)
            return needs_fixups(options, "way to tell a free port's number");
    return WB_ERRNO_SUCCESS;
}

/* ---- stdio ------------------------------------------------------------------------ */

/* Prepare descriptor n: what uvwasi is to have for it, and what we keep. It is
 * `missing` when the host has not got it open; uvwasi gets a stand-in. */
static wb_errno prepare_stdio(struct uvw_context *context, int n, int *host,
                              int *missing, struct uvw_file *file)
{
    const struct wb_stdio *stdio = &context->options->stdio[n];
    struct stat facts;
    int flags = -1;
    *host = -1;
    *file = (struct uvw_file){.io = UVW_IO_CLOSED};
    *missing = 0;
    if (stdio->kind == WB_STDIO_DESCRIPTOR) {
        flags = fcntl(stdio->descriptor, F_GETFL);
        *missing = flags < 0 && errno == EBADF;
        if (flags >= 0 && fstat(stdio->descriptor, &facts))
            flags = -1;
        if (flags < 0 && !*missing)
            return refuse(context->options, wb_errno_of_host(errno),
                          "descriptor %d: %s", n, strerror(errno));
    }
    if (stdio->kind == WB_STDIO_DESCRIPTOR && !*missing) {
        /* A pipe and a terminal can be had with a description of our own, on
         * which O_NONBLOCK is ours to set. */
        if (context->fixups &&
            (S_ISFIFO(facts.st_mode) || isatty(stdio->descriptor)))
            *host = uvw_host_reopen(stdio->descriptor,
                                    (flags & O_ACCMODE) | O_NONBLOCK);
        if (*host < 0) {
            *host = fcntl(stdio->descriptor, F_DUPFD_CLOEXEC, 3);
            file->flags = UVW_LENT;
        }
    } else {
        *host = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    wb_errno error =
        *host < 0 ? wb_errno_of_host(errno) : uvw_describe(file, *host);
    if (error)
        return refuse(context->options, error, "descriptor %d: %s", n,
                      reason(error));
    if (file->flags & UVW_LENT && file->io == UVW_IO_OWN)
        file->io = UVW_IO_POLL;
    if (stdio->kind == WB_STDIO_STREAM) {
        file->io = UVW_IO_STREAM;
        file->stream = stdio->stream;
        file->filetype = WB_FILETYPE_UNKNOWN;
        file->base = WB_RIGHTS_OF_STREAM;
        if (!file->stream->read)
            file->base &= ~(wb_rights)WB_RIGHTS_FD_READ;
        if (!file->stream->write)
            file->base &= ~(wb_rights)WB_RIGHTS_FD_WRITE;
    } else if (stdio->kind == WB_STDIO_NONE) {
        file->io = UVW_IO_PLAIN; /* /dev/null never blocks */
        file->filetype = WB_FILETYPE_UNKNOWN;
        file->base = WB_RIGHTS_OF_STREAM;
    }
    return WB_ERRNO_SUCCESS;
}

/* ---- the context --------------------------------------------------------------------- */

/* Open preopen n and make it the next descriptor. uvwasi_init would do that as
 * well, but tells not which one it cannot open, and leaks it when memory is short.
 */
static wb_errno add_preopen(struct uvw_context *context, size_t n, wb_fd fd)
{
    const struct wb_preopen *preopen = &context->options->preopens[n];
    struct uvw_file file = {.flags = UVW_PREOPEN,
                            .preopen = preopen->guest_name};
    struct stat facts;
    uv_fs_t real = {.ptr = NULL};
    wb_errno error = WB_ERRNO_SUCCESS;
    int host = open(preopen->host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (preopen->flags & WB_PREOPEN_READ_ONLY)
        file.flags |= UVW_READ_ONLY;
    if (host < 0 || fstat(host, &facts))
        error = wb_errno_of_host(errno);
    else
        context->roots[n] = (struct uvw_root){facts.st_dev, facts.st_ino};
    if (!error && uv_fs_realpath(NULL, &real, preopen->host_path, NULL))
        error = wb_errno_of_host(-(int)real.result);
    if (!error)
        error = uvw_describe(&file, host);
    if (!error)
        error = uvw_private_preopen(context, host, preopen->guest_name,
                                    real.ptr);
    if (error && host >= 0)
        close(host);
    uv_fs_req_cleanup(&real);
    if (!error) {
        error = uvw_keep(context, fd, &file);
        if (error)
            uvwasi_fd_close(&context->uvwasi, fd);
    }
    if (error)
        return refuse(context->options, error, "preopen \"%s\": \"%s\": %s",
                      preopen->guest_name, preopen->host_path, reason(error));
    return error;
}

/* Keep a preopen that uvwasi_init has made. */
static wb_errno keep_preopen(struct uvw_context *context, wb_fd fd)
{
    struct uvw_file file = {.flags = UVW_PREOPEN};
    wb_errno error = uvw_describe(&file, uvw_private_host(context, fd));
    return error ? error : uvw_keep(context, fd, &file);
}

/* Make the uvwasi_t. `lists` is memory for the arrays that uvwasi wants. */
static wb_errno start(struct uvw_context *context, const int host[3],
                      void *lists)
{
    const struct wb_options *options = context->options;
    uvwasi_preopen_t *preopens = lists;
    uvwasi_preopen_socket_t *sockets = (void *)(preopens + options->preopens_len);
    const char **envp = (const char **)(sockets + options->listens_len);
    uvwasi_options_t start;
    for (size_t i = 0; i < options->preopens_len; i++)
        preopens[i] = (uvwasi_preopen_t){options->preopens[i].guest_name,
                                         options->preopens[i].host_path};
    for (size_t i = 0; i < options->listens_len; i++)
        sockets[i] = (uvwasi_preopen_socket_t){
            options->listens[i].address, (int)options->listens[i].port};
    for (size_t i = 0; i < options->envc; i++)
        envp[i] = options->envp[i];

    uvwasi_options_init(&start);
    start.in = (uvwasi_fd_t)host[0];
    start.out = (uvwasi_fd_t)host[1];
    start.err = (uvwasi_fd_t)host[2];
    start.fd_table_size = (uvwasi_size_t)(options->preopens_len + 8);
    start.argc = (uvwasi_size_t)options->argc;
    start.argv = (const char **)(uintptr_t)options->argv;
    start.envp = envp;
    if (!context->fixups) {
        start.preopenc = (uvwasi_size_t)options->preopens_len;
        start.preopens = preopens;
        start.preopen_socketc = (uvwasi_size_t)options->listens_len;
        start.preopen_sockets = sockets;
    }
    if (options->allocator) {
        context->memory = (uvwasi_mem_t){(void *)(uintptr_t)options->allocator,
                                         hook_malloc, hook_free, hook_calloc,
                                         hook_realloc};
        start.allocator = &context->memory;
    }
    wb_errno error = uvwasi_init(&context->uvwasi, &start);
    if (error) {
        context->uvwasi.fds = NULL;
        return refuse(options, error, "uvwasi cannot start: %s", reason(error));
    }
    return error;
}

/* Keep files for what uvwasi_init has opened, and open the rest. */
static wb_errno open_all(struct uvw_context *context,
                         const struct uvw_file stdio[3])
{
    const struct wb_options *options = context->options;
    wb_fd fd = 0;
    wb_errno error = WB_ERRNO_SUCCESS;
    for (; !error && fd < 3; fd++)
        error = uvw_keep(context, fd, &stdio[fd]);
    if (error)
        return refuse(options, error, "not enough memory");
    for (size_t i = 0; !error && i < options->preopens_len; i++, fd++)
        error = context->fixups ? add_preopen(context, i, fd)
                                : keep_preopen(context, fd);
    if (error)
        return error;
    for (size_t i = 0; !error && i < options->listens_len; i++) {
        struct uvw_file file = {.io = UVW_IO_LIBUV, .host = -1};
        if (context->fixups)
            error = fix_listen(context, &options->listens[i]);
        else
            error = uvw_keep(context, fd++, &file);
        if (error)
            return refuse(options, error, "listen on %s port %u: %s",
                          options->listens[i].address
                              ? options->listens[i].address
                              : "(no address)",
                          (unsigned)options->listens[i].port,
                          error == WB_ERRNO_INVAL
                              ? "not a numeric address and a port below 65536"
                              : reason(error));
    }
    return error;
}

static wb_errno fill(struct uvw_context *context)
{
    const struct wb_options *options = context->options;
    struct rlimit limit;
    int host[3] = {-1, -1, -1}, missing[3];
    struct uvw_file stdio[3];
    void *lists = NULL;
    context->max_fds = options->max_fds ? options->max_fds : DEFAULT_MAX_FDS;
    context->ignore_rights = options->flags & WB_OPTIONS_IGNORE_RIGHTS ? 1 : 0;
    context->limited_fsize = !getrlimit(RLIMIT_FSIZE, &limit) &&
                             limit.rlim_cur != RLIM_INFINITY;
    wb_errno error = check_options(context);
    if (!error && options->preopens_len + options->listens_len + 3 >
                      context->max_fds)
        error = refuse(options, WB_ERRNO_NFILE,
                       "max_fds %u is too few for the preopens",
                       context->max_fds);
    for (int n = 0; !error && n < 3; n++)
        error = prepare_stdio(context, n, &host[n], &missing[n], &stdio[n]);
    if (!error) {
        lists = uvw_allocate(
            context, options->preopens_len * sizeof(uvwasi_preopen_t) +
                         options->listens_len * sizeof(uvwasi_preopen_socket_t) +
                         (options->envc + 1) * sizeof(char *));
        context->roots = uvw_allocate(
            context, (options->preopens_len + 1) * sizeof *context->roots);
        if (!lists || !context->roots)
            error = refuse(options, WB_ERRNO_NOMEM, "not enough memory");
    }
    if (!error)
        error = start(context, host, lists);
    uvw_release(context, lists);
    if (error) {
        for (int n = 0; n < 3; n++)
            if (host[n] >= 0)
                close(host[n]);
        return error;
    }
    error = open_all(context, stdio);
    for (wb_fd fd = 0; !error && fd < 3; fd++)
        if (missing[fd])
            uvw_close(context, fd);
    return error;
}

uint16_t uvw_context_init(const struct wb_options *options, void **self)
{
    *self = NULL;
    if (options->size < sizeof *options)
        return WB_ERRNO_INVAL; /* where `error` is cannot be known */
    struct uvw_context *context =
        allocate(options->allocator, sizeof *context);
    if (!context)
        return refuse(options, WB_ERRNO_NOMEM,
                      "not enough memory for the context");
    context->options = options;
    context->wake = -1;
    wb_errno error = fill(context);
    if (error)
        uvw_context_destroy(context);
    else
        *self = context;
    return error;
}

void uvw_context_destroy(void *self)
{
    struct uvw_context *context = self;
    if (!context)
        return;
    /* Before a failure, uvwasi has entries that we do not know yet. */
    if (context->uvwasi.fds) {
        for (wb_fd fd = 0; fd < context->capacity; fd++)
            if (uvw_file(context, fd))
                uvw_close(context, fd);
        size_t started = 3 + context->options->preopens_len +
                         context->options->listens_len;
        for (wb_fd fd = 0; fd < started; fd++)
            uvwasi_fd_close(&context->uvwasi, fd);
        uvwasi_destroy(&context->uvwasi);
    }
    if (context->wake >= 0)
        close(context->wake);
    uvw_release(context, context->roots);
    uvw_release(context, context->files);
    release(context->options->allocator, context);
}

/* ---- arguments and environment ---------------------------------------------------------- */

static uint16_t add_strings(char *const *strings, size_t count,
                            struct wb_string_sink *sink)
{
    uint16_t full = 0;
    for (size_t i = 0; !full && i < count; i++)
        full = sink->add(sink, strings[i], strlen(strings[i]));
    return full == WB_SINK_FULL ? WB_ERRNO_SUCCESS : full;
}

uint16_t uvw_args_sizes_get(void *self, size_t *argc, size_t *argv_buf_size)
{
    struct uvw_context *context = self;
    uvwasi_size_t count, size;
    wb_errno error = uvwasi_args_sizes_get(&context->uvwasi, &count, &size);
    *argc = count;
    *argv_buf_size = size;
    return error;
}

/* uvwasi_args_get would copy twice: uvwasi_t shows the strings. */
uint16_t uvw_args_get(void *self, struct wb_string_sink *sink)
{
    struct uvw_context *context = self;
    return add_strings(context->uvwasi.argv, context->uvwasi.argc, sink);
}

uint16_t uvw_environ_sizes_get(void *self, size_t *environ_count,
                               size_t *environ_buf_size)
{
    struct uvw_context *context = self;
    uvwasi_size_t count, size;
    wb_errno error = uvwasi_environ_sizes_get(&context->uvwasi, &count, &size);
    *environ_count = count;
    *environ_buf_size = size;
    return error;
}

uint16_t uvw_environ_get(void *self, struct wb_string_sink *sink)
{
    struct uvw_context *context = self;
    return add_strings(context->uvwasi.env, context->uvwasi.envc, sink);
}
