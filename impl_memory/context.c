/* Making and destroying a context: options, stdio, preopens.
 *
 * A preopen's host_path names a directory in the tree, which begins empty and
 * is made with all that is above it. "/" is the root of the tree.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

enum { DEFAULT_MAX_FDS = 1024 };

/* What a context takes from the platform's heap at most, when nobody says. */
#define DEFAULT_MAX_BYTES ((size_t)1 << 30)

/* ---- options ------------------------------------------------------------ */

wb_errno mem_refuse(const struct wb_options *options, wb_errno error,
                    const char *words, const char *name)
{
    size_t used = 0;
    if (!options->error || options->error_len == 0)
        return error;
    while (*words && used + 1 < options->error_len)
        options->error[used++] = *words++;
    while (name && *name && used + 1 < options->error_len)
        options->error[used++] = *name++;
    options->error[used] = '\0';
    return error;
}

static int same(const char *one, const char *other)
{
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

static wb_errno set_max_bytes(const struct wb_options *options,
                              const char *value, size_t *bytes)
{
    const char *at = value;
    *bytes = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        size_t digit = (size_t)(*at - '0');
        if (*bytes > (SIZE_MAX - digit) / 10)
            break;
        *bytes = *bytes * 10 + digit;
    }
    if (*at || at == value || *bytes == 0)
        return mem_refuse(options, WB_ERRNO_INVAL,
                          "max_bytes is a number of bytes above 0, not ",
                          value);
    return WB_ERRNO_SUCCESS;
}

static wb_errno set_heap(const struct wb_options *options,
                         struct mem_heap *heap)
{
    *heap = (struct mem_heap){.limit = SIZE_MAX};
    if (options->allocator) {
        heap->allocator = options->allocator;
    } else if (options->arena) {
        heap->arena = mem_arena_make(options->arena, options->arena_len);
        if (!heap->arena)
            return mem_refuse(options, WB_ERRNO_NOMEM, "the arena is too small",
                              NULL);
        heap->limit = options->arena_len;
    } else if (!mem_platform.reallocate) {
        return mem_refuse(options, WB_ERRNO_NOMEM,
                          "the memory backing needs an allocator or an arena",
                          NULL);
    } else {
        heap->limit = DEFAULT_MAX_BYTES;
    }
    for (size_t i = 0; i < options->extras_len; i++) {
        const struct wb_extra *extra = &options->extras[i];
        wb_errno error =
            same(extra->key, "max_bytes")
                ? set_max_bytes(options, extra->value, &heap->limit)
                : mem_refuse(options, WB_ERRNO_INVAL,
                             "the memory backing knows only the option "
                             "max_bytes, not ",
                             extra->key);
        if (error)
            return error;
    }
    return WB_ERRNO_SUCCESS;
}

/* ---- the first descriptors ---------------------------------------------- */

static wb_errno append(struct mem_context *context, const struct mem_file *file)
{
    wb_fd fd;
    wb_errno error = mem_reserve(context, &fd);
    if (error)
        return mem_refuse(context->options, error,
                          error == WB_ERRNO_NFILE
                              ? "max_fds is too low for stdio and preopens"
                              : "not enough memory for descriptors",
                          NULL);
    context->files[fd] = *file;
    return WB_ERRNO_SUCCESS;
}

static wb_errno set_host(struct mem_context *context,
                         const struct wb_stdio *stdio, struct mem_file *file)
{
    int reads = 0, writes = 0;
    if (!mem_platform.describe)
        return mem_refuse(context->options, WB_ERRNO_NOTSUP,
                          "stdio: there are no descriptors here, use a stream",
                          NULL);
    file->io = MEM_IO_HOST;
    file->is.host = stdio->descriptor;
    /* One that is not open is found out when it is used. */
    if (mem_platform.describe(stdio->descriptor, &file->filetype, &reads,
                              &writes))
        return WB_ERRNO_SUCCESS;
    if (!reads)
        file->base &= ~(uint32_t)WB_RIGHTS_FD_READ;
    if (!writes)
        file->base &= ~(uint32_t)WB_RIGHTS_FD_WRITE;
    return WB_ERRNO_SUCCESS;
}

static wb_errno add_stdio(struct mem_context *context, int n)
{
    const struct wb_stdio *stdio = &context->options->stdio[n];
    struct mem_file file = {.io = MEM_IO_NONE, .base = WB_RIGHTS_OF_STREAM};
    wb_errno error;
    switch (stdio->kind) {
    case WB_STDIO_NONE:
        break;
    case WB_STDIO_DESCRIPTOR:
        error = set_host(context, stdio, &file);
        if (error)
            return error;
        break;
    case WB_STDIO_STREAM:
        if (!stdio->stream || stdio->stream->size < sizeof *stdio->stream)
            return mem_refuse(context->options, WB_ERRNO_INVAL,
                              "stdio: no stream, or one without its size",
                              NULL);
        file.io = MEM_IO_STREAM;
        file.is.stream = stdio->stream;
        if (!stdio->stream->read)
            file.base &= ~(uint32_t)WB_RIGHTS_FD_READ;
        if (!stdio->stream->write)
            file.base &= ~(uint32_t)WB_RIGHTS_FD_WRITE;
        break;
    default:
        return mem_refuse(context->options, WB_ERRNO_INVAL,
                          "stdio: unknown kind", NULL);
    }
    return append(context, &file);
}

static wb_errno add_preopen(struct mem_context *context, size_t n)
{
    const struct wb_options *options = context->options;
    const struct wb_preopen *preopen = &options->preopens[n];
    struct mem_directory *directory;
    for (size_t i = 0; i < n; i++)
        if (same(options->preopens[i].guest_name, preopen->guest_name))
            return mem_refuse(options, WB_ERRNO_INVAL,
                              "two preopens have the guest name ",
                              preopen->guest_name);
    wb_errno error = mem_make_directories(context, preopen->host_path,
                                          &directory);
    if (error)
        return mem_refuse(options, error,
                          error == WB_ERRNO_NOSPC
                              ? "not enough memory for preopen "
                              : "not a path in the tree: ",
                          preopen->host_path);
    directory->node.is_root = 1;
    struct mem_file file = {
        .io = MEM_IO_NODE,
        .is.node = &directory->node,
        .preopen = preopen->guest_name,
        .base = WB_RIGHTS_OF_DIRECTORY,
        .inheriting = WB_RIGHTS_ALL,
        .filetype = WB_FILETYPE_DIRECTORY,
        .read_only = preopen->flags & WB_PREOPEN_READ_ONLY ? 1 : 0,
    };
    error = append(context, &file);
    if (!error)
        directory->node.opens++;
    return error;
}

/* ---- the context -------------------------------------------------------- */

static wb_errno fill(struct mem_context *context)
{
    const struct wb_options *options = context->options;
    wb_errno error = WB_ERRNO_SUCCESS;
    context->ignore_rights = options->flags & WB_OPTIONS_IGNORE_RIGHTS ? 1 : 0;
    context->max_fds = options->max_fds ? options->max_fds : DEFAULT_MAX_FDS;
    if (options->listens_len)
        return mem_refuse(options, WB_ERRNO_NOTSUP,
                          "the memory backing has no sockets", NULL);
    context->root = (struct mem_directory *)mem_node_make(
        context, WB_FILETYPE_DIRECTORY, NULL, 0);
    if (!context->root || mem_table_grow(context))
        return mem_refuse(options, WB_ERRNO_NOMEM,
                          "not enough memory for the tree and descriptors",
                          NULL);
    context->root->node.links = 1;
    context->root->parent = context->root;
    for (int n = 0; !error && n < 3; n++)
        error = add_stdio(context, n);
    for (size_t n = 0; !error && n < options->preopens_len; n++)
        error = add_preopen(context, n);
    return error;
}

uint16_t mem_context_init(const struct wb_options *options, void **self)
{
    struct mem_context *context;
    struct mem_heap heap;
    wb_errno error;
    *self = NULL;
    if (options->size < sizeof *options)
        return WB_ERRNO_INVAL; /* where `error` is cannot be known */
    error = set_heap(options, &heap);
    if (error)
        return error;
    context = mem_allocate(&heap, sizeof *context);
    if (!context)
        return mem_refuse(options, WB_ERRNO_NOMEM,
                          "not enough memory for the context", NULL);
    memset(context, 0, sizeof *context);
    context->options = options;
    context->heap = heap;
    context->wake.read = context->wake.write = -1;
    error = fill(context);
    if (error)
        mem_context_destroy(context);
    else
        *self = context;
    return error;
}

/* Remove everything below the root, from the deepest directories up. */
static void remove_all(struct mem_context *context)
{
    struct mem_directory *directory = context->root;
    for (;;) {
        struct mem_entry *last = mem_directory_last(directory);
        if (last && last->node->filetype == WB_FILETYPE_DIRECTORY &&
            mem_directory_last((struct mem_directory *)last->node)) {
            directory = (struct mem_directory *)last->node;
        } else if (last) {
            mem_directory_drop(context, directory);
        } else if (directory == context->root) {
            return;
        } else {
            directory = directory->parent;
        }
    }
}

void mem_context_destroy(void *self)
{
    struct mem_context *context = self;
    struct mem_heap heap;
    if (!context)
        return;
    mem_table_destroy(context);
    if (context->root) {
        remove_all(context);
        context->root->node.links = 0;
        mem_node_settle(context, &context->root->node);
    }
    if (mem_platform.wake_close)
        mem_platform.wake_close(&context->wake);
    heap = context->heap;
    mem_release(&heap, context, sizeof *context);
}

void mem_interrupt(void *self)
{
    struct mem_context *context = self;
    __atomic_store_n(&context->interrupted, 1, __ATOMIC_SEQ_CST);
    if (mem_platform.wake_end)
        mem_platform.wake_end(&context->wake);
}
