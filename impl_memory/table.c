/* The descriptor table: the guest's numbers, what they stand for, and which is
 * the lowest that is free. It starts small and doubles up to max_fds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

enum { START = 8 };

/* The bits of a table are behind its files, 32 to a word. */
static size_t words(uint32_t capacity)
{
    return (capacity + 31) / 32;
}

static size_t table_size(uint32_t capacity)
{
    return capacity * sizeof(struct mem_file) +
           words(capacity) * sizeof(uint32_t);
}

static uint32_t *bits_of(const struct mem_context *context)
{
    return (uint32_t *)(context->files + context->capacity);
}

wb_errno mem_table_grow(struct mem_context *context)
{
    uint32_t before = context->capacity;
    uint32_t capacity = before ? before * 2 : START;
    struct mem_file *files;
    if (capacity > context->max_fds)
        capacity = context->max_fds;
    files = mem_allocate(&context->heap, table_size(capacity));
    if (!files)
        return WB_ERRNO_NOMEM;
    memset(files, 0, table_size(capacity));
    if (before) {
        memcpy(files, context->files, before * sizeof *files);
        memcpy(files + capacity, bits_of(context),
               words(before) * sizeof(uint32_t));
        mem_release(&context->heap, context->files, table_size(before));
    }
    context->files = files;
    context->capacity = capacity;
    return WB_ERRNO_SUCCESS;
}

void mem_table_destroy(struct mem_context *context)
{
    for (wb_fd fd = 0; fd < context->capacity; fd++)
        if (context->files[fd].io != MEM_IO_CLOSED)
            mem_close(context, fd);
    if (context->capacity)
        mem_release(&context->heap, context->files,
                    table_size(context->capacity));
    context->capacity = 0;
}

wb_errno mem_reserve(struct mem_context *context, wb_fd *fd)
{
    uint32_t n = context->lowest;
    if (n < context->capacity) {
        const uint32_t *bits = bits_of(context);
        while (n < context->capacity && bits[n / 32] >> n % 32 & 1)
            n = bits[n / 32] == UINT32_MAX ? (n / 32 + 1) * 32 : n + 1;
    }
    if (n >= context->max_fds)
        return WB_ERRNO_NFILE;
    if (n >= context->capacity) {
        wb_errno error;
        n = context->capacity;
        error = mem_table_grow(context);
        if (error)
            return error;
    }
    bits_of(context)[n / 32] |= (uint32_t)1 << n % 32;
    context->lowest = n + 1;
    *fd = n;
    return WB_ERRNO_SUCCESS;
}

void mem_unreserve(struct mem_context *context, wb_fd fd)
{
    context->files[fd].io = MEM_IO_CLOSED;
    if (fd < 3) /* stdio's, and not for files: see path_open in backing.h */
        return;
    bits_of(context)[fd / 32] &= ~((uint32_t)1 << fd % 32);
    if (fd < context->lowest)
        context->lowest = fd;
}

static void release(struct mem_context *context, struct mem_file *file)
{
    if (file->io == MEM_IO_NODE) {
        file->is.node->opens--;
        mem_node_settle(context, file->is.node);
    }
}

void mem_close(struct mem_context *context, wb_fd fd)
{
    release(context, &context->files[fd]);
    mem_unreserve(context, fd);
}

void mem_renumber(struct mem_context *context, wb_fd fd, wb_fd to)
{
    release(context, &context->files[to]);
    context->files[to] = context->files[fd];
    mem_unreserve(context, fd);
}
