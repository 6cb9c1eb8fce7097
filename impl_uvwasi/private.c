/* The one file that reaches into what uvwasi does not publish: its descriptor
 * table (fd_table.h) and its path resolver (path_resolver.h), of the versions
 * that tools/uvwasi_source.py knows.
 *
 * The fix-ups need from there the host descriptor behind a guest's, the host path
 * behind a guest's, and a way to put a descriptor of ours into the table. uvwasi
 * locks an entry for whoever gets it; every function here unlocks it again, since
 * a context serves one thread at a time anyway.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <string.h>

#include "fd_table.h"
#include "path_resolver.h"
#include "uvwasi_alloc.h"

static struct uvwasi_fd_wrap_t *take(struct uvw_context *context, wb_fd fd)
{
    struct uvwasi_fd_wrap_t *entry;
    return uvwasi_fd_table_get(context->uvwasi.fds, fd, &entry, 0, 0)
               ? NULL
               : entry;
}

static void give(struct uvwasi_fd_wrap_t *entry)
{
    uv_mutex_unlock(&entry->mutex);
}

int uvw_private_host(struct uvw_context *context, wb_fd fd)
{
    struct uvwasi_fd_wrap_t *entry = take(context, fd);
    if (!entry)
        return -1;
    int host = entry->sock ? -1 : entry->fd;
    give(entry);
    return host;
}

wb_filetype uvw_private_type(struct uvw_context *context, wb_fd fd, int *host)
{
    struct uvwasi_fd_wrap_t *entry = take(context, fd);
    *host = -1;
    if (!entry)
        return WB_FILETYPE_UNKNOWN;
    wb_filetype type = entry->type;
    *host = entry->sock ? -1 : entry->fd;
    give(entry);
    return type;
}

void uvw_private_allow(struct uvw_context *context, wb_fd fd)
{
    struct uvwasi_fd_wrap_t *entry = take(context, fd);
    if (!entry)
        return;
    entry->rights_base = WB_RIGHTS_ALL;
    entry->rights_inheriting = WB_RIGHTS_ALL;
    give(entry);
}

wb_errno uvw_private_insert(struct uvw_context *context, int host,
                            wb_filetype filetype, wb_fd *fd)
{
    struct uvwasi_fd_wrap_t *entry;
    uvwasi_errno_t error = uvwasi_fd_table_insert(
        &context->uvwasi, context->uvwasi.fds, host, NULL, "<socket>",
        "<socket>", filetype, WB_RIGHTS_ALL, WB_RIGHTS_ALL, 0, &entry);
    if (error)
        return error;
    *fd = entry->id;
    give(entry);
    return WB_ERRNO_SUCCESS;
}

wb_errno uvw_private_preopen(struct uvw_context *context, int host,
                             const char *guest_name, const char *host_path)
{
    return uvwasi_fd_table_insert_preopen(&context->uvwasi,
                                          context->uvwasi.fds, host,
                                          guest_name, host_path);
}

wb_errno uvw_private_path(struct uvw_context *context, wb_fd fd,
                          const char *path, size_t path_len, char **host_path)
{
    struct uvwasi_fd_wrap_t *entry = take(context, fd);
    if (!entry)
        return WB_ERRNO_BADF;
    uvwasi_errno_t error = WB_ERRNO_NOTDIR;
    if (entry->real_path) /* a socket has none */
        error = uvwasi__resolve_path(&context->uvwasi, entry, path,
                                     (uvwasi_size_t)path_len, host_path, 0);
    give(entry);
    return error;
}

int uvw_private_stream(struct uvw_context *context, wb_fd fd)
{
    struct uvwasi_fd_wrap_t *entry = take(context, fd);
    int kind = UVW_NO_STREAM;
    if (!entry)
        return kind;
    if (entry->sock) {
        const uv_stream_t *stream = (const uv_stream_t *)entry->sock;
        kind = stream->connection_cb       ? UVW_LISTENING
               : uv_is_writable(stream) ? UVW_CONNECTED
                                           : UVW_SHUT;
    }
    give(entry);
    return kind;
}
