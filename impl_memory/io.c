/* Moving bytes: fd_read, fd_write, fd_pread, fd_pwrite.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

/* ---- files -------------------------------------------------------------- */

static wb_filesize room(const wb_iovec *iovs, size_t iovs_len)
{
    wb_filesize total = 0;
    for (size_t i = 0; i < iovs_len; i++)
        total += iovs[i].buf_len;
    return total;
}

static uint16_t read_file(struct mem_context *context,
                          const struct mem_file *file, wb_filesize offset,
                          const wb_iovec *iovs, size_t iovs_len, size_t *count)
{
    struct mem_regular *regular = mem_regular_of(file);
    wb_filesize wanted = room(iovs, iovs_len);
    size_t total = 0;
    if (offset > INT64_MAX || wanted > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    for (size_t i = 0; i < iovs_len && offset < regular->size; i++) {
        size_t take = iovs[i].buf_len;
        if (take > regular->size - offset)
            take = (size_t)(regular->size - offset);
        mem_content_read(regular, offset, iovs[i].buf, take);
        offset += take;
        total += take;
    }
    if (wanted > 0)
        mem_node_was_read(context, &regular->node);
    *count = total;
    return WB_ERRNO_SUCCESS;
}

static uint16_t write_file(struct mem_context *context,
                           const struct mem_file *file, wb_filesize offset,
                           const wb_iovec *iovs, size_t iovs_len, size_t *count)
{
    struct mem_regular *regular = mem_regular_of(file);
    wb_filesize wanted = room(iovs, iovs_len);
    size_t total = 0;
    if (offset > INT64_MAX || wanted > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    for (size_t i = 0; i < iovs_len; i++) {
        size_t written = mem_content_write(context, regular, offset,
                                           iovs[i].buf, iovs[i].buf_len);
        offset += written;
        total += written;
        if (written < iovs[i].buf_len)
            break;
    }
    if (total == 0 && wanted > 0)
        return WB_ERRNO_NOSPC;
    if (total > 0)
        regular->node.mtim = regular->node.ctim = mem_now(context);
    *count = total;
    return WB_ERRNO_SUCCESS;
}

/* ---- streams of the embedder's, and descriptors of the host's ----------- */

static uint16_t move_host(const struct mem_file *file, int writing,
                          const wb_iovec *span, size_t *moved)
{
    return writing ? mem_platform.write(file->is.host, span->buf, span->buf_len,
                                        moved)
                   : mem_platform.read(file->is.host, span->buf, span->buf_len,
                                       moved);
}

static uint16_t move_stream(const struct mem_file *file, int writing,
                            const wb_iovec *span, uint32_t nonblock,
                            size_t *moved)
{
    const struct wb_stream *stream = file->is.stream;
    return writing ? stream->write(stream->self, span->buf, span->buf_len,
                                   nonblock, moved)
                   : stream->read(stream->self, span->buf, span->buf_len,
                                  nonblock, moved);
}

/* Only the first span may wait; what has been moved is told. */
static uint16_t transfer(struct mem_context *context,
                         const struct mem_file *file, int writing,
                         const wb_iovec *iovs, size_t iovs_len, size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < iovs_len; i++) {
        uint32_t nonblock =
            total > 0 || file->fdflags & WB_FDFLAGS_NONBLOCK ? 1 : 0;
        size_t moved = 0;
        uint16_t error;
        if (file->io == MEM_IO_STREAM) {
            error = move_stream(file, writing, &iovs[i], nonblock, &moved);
        } else {
            const struct mem_wait wait = {file->is.host, !writing,
                                          writing ? 1 : 0};
            error = move_host(file, writing, &iovs[i], &moved);
            while (error == WB_ERRNO_AGAIN && !nonblock) {
                error = mem_wait(context, &wait, 1, UINT64_MAX);
                if (!error)
                    error = move_host(file, writing, &iovs[i], &moved);
            }
        }
        if (error == WB_STOP_GUEST || (error && total == 0))
            return error;
        if (error)
            break;
        if (moved > iovs[i].buf_len)
            return WB_ERRNO_IO;
        total += moved;
        if (moved < iovs[i].buf_len)
            break;
    }
    *count = total;
    return WB_ERRNO_SUCCESS;
}

/* ---- the slots ---------------------------------------------------------- */

uint16_t mem_fd_read(void *self, wb_fd fd, const wb_iovec *iovs,
                     size_t iovs_len, size_t *nread)
{
    struct mem_file *file;
    uint16_t error = MEM_USE(self, fd_read, fd, &file);
    if (error)
        return error;
    if (!(file->base & WB_RIGHTS_FD_READ)) /* where rights are ignored */
        return WB_ERRNO_BADF;
    *nread = 0;
    if (file->io == MEM_IO_NODE) {
        error = read_file(self, file, file->position, iovs, iovs_len, nread);
        file->position += *nread;
        return error;
    }
    return file->io == MEM_IO_NONE
               ? WB_ERRNO_SUCCESS
               : transfer(self, file, 0, iovs, iovs_len, nread);
}

uint16_t mem_fd_write(void *self, wb_fd fd, const wb_ciovec *ciovs,
                      size_t iovs_len, size_t *nwritten)
{
    const wb_iovec *iovs = (const wb_iovec *)ciovs; /* of the same layout */
    struct mem_file *file;
    uint16_t error = MEM_USE(self, fd_write, fd, &file);
    if (error)
        return error;
    if (!(file->base & WB_RIGHTS_FD_WRITE))
        return WB_ERRNO_BADF;
    *nwritten = 0;
    if (file->io == MEM_IO_NODE) {
        wb_filesize offset = file->fdflags & WB_FDFLAGS_APPEND
                                 ? mem_regular_of(file)->size
                                 : file->position;
        error = write_file(self, file, offset, iovs, iovs_len, nwritten);
        if (*nwritten > 0)
            file->position = offset + *nwritten;
        return error;
    }
    if (file->io != MEM_IO_NONE)
        return transfer(self, file, 1, iovs, iovs_len, nwritten);
    *nwritten = (size_t)room(iovs, iovs_len);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_pread(void *self, wb_fd fd, const wb_iovec *iovs,
                      size_t iovs_len, wb_filesize offset, size_t *nread)
{
    struct mem_file *file;
    uint16_t error = MEM_USE(self, fd_pread, fd, &file);
    if (error)
        return error;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_SPIPE;
    if (!(file->base & WB_RIGHTS_FD_READ))
        return WB_ERRNO_BADF;
    return read_file(self, file, offset, iovs, iovs_len, nread);
}

uint16_t mem_fd_pwrite(void *self, wb_fd fd, const wb_ciovec *iovs,
                       size_t iovs_len, wb_filesize offset, size_t *nwritten)
{
    struct mem_file *file;
    uint16_t error = MEM_USE(self, fd_pwrite, fd, &file);
    if (error)
        return error;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_SPIPE;
    if (!(file->base & WB_RIGHTS_FD_WRITE))
        return WB_ERRNO_BADF;
    return write_file(self, file, offset, (const wb_iovec *)iovs, iovs_len,
                      nwritten);
}
