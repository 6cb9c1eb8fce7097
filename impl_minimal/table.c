/* The descriptor table: the guest's numbers, what they stand for, and which is
 * the lowest that is free.
 *
 * System calls: close. Numbers are never the host's. A tree of three levels of
 * bits finds the lowest free number by looking at three words, whatever is
 * open; it counts to 262,144. The table starts small and doubles up to max_fds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { START = 64 };

/* The files of a table and their used bits are one block of memory. */
static size_t table_size(uint32_t capacity)
{
    return capacity * sizeof(struct min_file) + capacity / 64 * 8;
}

static wb_errno grow(struct min_context *context)
{
    uint32_t before = context->capacity;
    uint32_t capacity = before ? before * 2 : START;
    struct min_file *files =
        min_allocate(&context->memory, table_size(capacity));
    if (!files)
        return WB_ERRNO_NOMEM;
    uint64_t *used = (uint64_t *)(files + capacity);
    if (before) {
        memcpy(files, context->files, before * sizeof *files);
        memcpy(used, context->used[0], before / 64 * 8);
        min_release(&context->memory, context->files, table_size(before));
    }
    context->files = files;
    context->used[0] = used;
    context->capacity = capacity;
    return WB_ERRNO_SUCCESS;
}

wb_errno min_table_init(struct min_context *context, uint32_t max_fds)
{
    context->max_fds = max_fds;
    context->used[1] = context->used_middle;
    context->used[2] = &context->used_top;
    return grow(context);
}

void min_table_destroy(struct min_context *context)
{
    for (wb_fd fd = 0; fd < context->capacity; fd++)
        if (context->files[fd].io != MIN_IO_CLOSED)
            min_close(context, fd);
    min_release(&context->memory, context->files,
                table_size(context->capacity));
    context->capacity = 0;
}

wb_errno min_reserve(struct min_context *context, wb_fd *fd)
{
    uint32_t n = 0;
    for (int level = 2; level >= 0; level--) {
        /* Below the top there is a free bit, or the word above would say so.
         * Words past the end of the table are free, and lead to growing. */
        uint64_t word = level == 0 && n >= context->capacity / 64
                            ? 0
                            : context->used[level][n];
        if (word == UINT64_MAX)
            return WB_ERRNO_NFILE;
        n = n * 64 + (uint32_t)__builtin_ctzll(~word);
    }
    if (n >= context->max_fds)
        return WB_ERRNO_NFILE;
    if (n >= context->capacity) {
        wb_errno error = grow(context);
        if (error)
            return error;
    }
    *fd = n;
    for (int level = 0; level < 3; level++) {
        uint64_t *word = &context->used[level][n / 64];
        *word |= (uint64_t)1 << n % 64;
        if (*word != UINT64_MAX)
            break;
        n /= 64;
    }
    return WB_ERRNO_SUCCESS;
}

void min_unreserve(struct min_context *context, wb_fd fd)
{
    context->files[fd].io = MIN_IO_CLOSED;
    if (fd < 3) /* stdio's, and not for files: see path_open in backing.h */
        return;
    for (int level = 0; level < 3; level++, fd /= 64)
        context->used[level][fd / 64] &= ~((uint64_t)1 << fd % 64);
}

/* Release what a file holds. */
static wb_errno release(struct min_context *context, struct min_file *file)
{
    min_directory_release(context, file);
    /* EINTR: the descriptor is gone all the same, and nothing was lost. */
    if (file->host >= 0 && !(file->flags & MIN_KEEP) && close(file->host) &&
        errno != EINTR)
        return wb_errno_of_host(errno);
    return WB_ERRNO_SUCCESS;
}

wb_errno min_close(struct min_context *context, wb_fd fd)
{
    wb_errno error = release(context, &context->files[fd]);
    min_unreserve(context, fd);
    return error;
}

void min_renumber(struct min_context *context, wb_fd fd, wb_fd to)
{
    /* As dup2 does, without telling of errors in closing what `to` was. */
    release(context, &context->files[to]);
    context->files[to] = context->files[fd];
    min_unreserve(context, fd);
}
