/* Moving bytes, and waiting until that is possible.
 *
 * uvwasi's: uvwasi_fd_read, _write, _pread, _pwrite do each transfer on a host
 * descriptor. Fix-ups: a transfer that may block never does, because uvwasi holds
 * on to it until it ends and interrupt could not reach it; so pipes and terminals
 * have a description of our own with O_NONBLOCK, and what must be shared is
 * polled first. Sockets are received from and sent to with MSG_DONTWAIT.
 * Streams of the embedder's never reach uvwasi.
 *
 * Assumed of lent descriptors that are polled first: that nobody else takes the
 * input which poll announced, and that PIPE_BUF bytes can be written when poll
 * says that some can.
 *
 * Always: no SIGPIPE and no SIGXFSZ of a transfer reaches the host.
 *
 * System calls: those of uvwasi; ppoll, recvmsg, sendmsg; pthread_sigmask and
 * sigpending around a write that may raise a signal.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "portability.h"

enum { MAX_IOVECS = 1024 };

_Static_assert(sizeof(wb_iovec) == sizeof(struct iovec) &&
                   offsetof(wb_iovec, buf_len) ==
                       offsetof(struct iovec, iov_len),
               "a wb_iovec can be handed to recvmsg");

/* ---- waiting ------------------------------------------------------------------ */

int uvw_wake_descriptor(struct uvw_context *context)
{
    if (context->wake < 0) {
        int fd = uvw_host_wake_open();
        /* interrupt sets its flag and then looks for this descriptor; callers
         * look at the flag after this store. One of the two sees the other. */
        __atomic_store_n(&context->wake, fd, __ATOMIC_SEQ_CST);
    }
    return context->wake;
}

void uvw_interrupt(void *self)
{
    struct uvw_context *context = self;
    __atomic_store_n(&context->interrupted, 1, __ATOMIC_SEQ_CST);
    int wake = __atomic_load_n(&context->wake, __ATOMIC_SEQ_CST);
    if (wake >= 0)
        uvw_host_wake(wake);
}

/* Wait for a host descriptor (-1: none) until the time has passed, then AGAIN. A
 * signal may make the time start anew. */
static uint16_t wait_host(struct uvw_context *context, int host, short events,
                          uint64_t timeout)
{
    int wake = uvw_wake_descriptor(context);
    if (wake < 0)
        return wb_errno_of_host(errno);
    struct pollfd fds[2] = {{wake, POLLIN, 0}, {host, events, 0}};
    for (;;) {
        /* The interrupt may have come before there was a descriptor to wake. */
        int stop = uvw_interrupted(context);
        int ready = uvw_host_poll(fds, 2, stop ? 0 : timeout);
        if (ready < 0 && errno != EINTR)
            return wb_errno_of_host(errno);
        if (ready > 0 && fds[1].revents)
            return WB_ERRNO_SUCCESS; /* what is ready does not wait */
        if (stop || ready > 0)
            return WB_STOP_GUEST;
        if (ready == 0)
            return WB_ERRNO_AGAIN;
    }
}

uint16_t uvw_wait(struct uvw_context *context, const struct uvw_file *file,
                  short events)
{
    return wait_host(context, file->host, events,
                     file->fdflags & WB_FDFLAGS_NONBLOCK ? 0 : UINT64_MAX);
}

uint16_t uvw_pause(struct uvw_context *context, uint64_t time)
{
    uint16_t error = wait_host(context, -1, 0, time);
    return error == WB_ERRNO_AGAIN ? WB_ERRNO_SUCCESS : error;
}

/* After a transfer that moved nothing: SUCCESS to try again. */
static uint16_t after_failure(struct uvw_context *context,
                              const struct uvw_file *file, wb_errno error,
                              short events)
{
    if (error == WB_ERRNO_INTR)
        return uvw_interrupted(context) ? WB_STOP_GUEST : WB_ERRNO_SUCCESS;
    if (error == WB_ERRNO_AGAIN && file->io == UVW_IO_PLAIN)
        return error;
    return error == WB_ERRNO_AGAIN ? uvw_wait(context, file, events) : error;
}

/* ---- uvwasi's transfers ------------------------------------------------------------ */

/* What is to be moved. `offset` counts when `at` is not 0. */
struct transfer {
    const wb_iovec *iovs;
    size_t iovs_len;
    uint64_t offset;
    int at, writing;
    size_t limit; /* bytes at most */
};

static wb_errno move(struct uvw_context *context, wb_fd fd,
                     const struct transfer *what, uvwasi_size_t *count)
{
    union {
        uvwasi_iovec_t in[MAX_IOVECS];
        uvwasi_ciovec_t out[MAX_IOVECS];
    } iovs;
    uvwasi_size_t n = 0;
    size_t left = what->limit;
    for (; n < what->iovs_len && n < MAX_IOVECS && left > 0; n++) {
        const wb_iovec *from = &what->iovs[n];
        size_t len = from->buf_len < left ? from->buf_len : left;
        left -= len;
        if (what->writing)
            iovs.out[n] = (uvwasi_ciovec_t){from->buf, (uvwasi_size_t)len};
        else
            iovs.in[n] = (uvwasi_iovec_t){from->buf, (uvwasi_size_t)len};
    }
    uvwasi_t *uvwasi = &context->uvwasi;
    if (what->writing)
        return what->at ? uvwasi_fd_pwrite(uvwasi, fd, iovs.out, n,
                                           what->offset, count)
                        : uvwasi_fd_write(uvwasi, fd, iovs.out, n, count);
    return what->at
               ? uvwasi_fd_pread(uvwasi, fd, iovs.in, n, what->offset, count)
               : uvwasi_fd_read(uvwasi, fd, iovs.in, n, count);
}

/* Move, and keep a signal that doing so raises from the host. */
static wb_errno move_quietly(struct uvw_context *context, wb_fd fd,
                             const struct uvw_file *file,
                             const struct transfer *what, size_t *count)
{
    uvwasi_size_t moved = 0;
    int signal = file->io != UVW_IO_PLAIN   ? SIGPIPE
                 : context->limited_fsize ? SIGXFSZ
                                            : 0;
    wb_errno error;
    if (!what->writing || !signal) {
        error = move(context, fd, what, &moved);
    } else {
        struct uvw_guard guard;
        uvw_guard_begin(&guard, signal);
        error = move(context, fd, what, &moved);
        uvw_guard_end(&guard);
    }
    *count = moved;
    return fix_error(context, error);
}

/* ---- sockets ------------------------------------------------------------------------ */

uint16_t uvw_receive(struct uvw_context *context, const struct uvw_file *file,
                     const wb_iovec *iovs, size_t iovs_len, int flags,
                     size_t *count, int *truncated)
{
    for (;;) {
        struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iovs,
                                 .msg_iovlen = iovs_len};
        ssize_t result = recvmsg(file->host, &message, flags | MSG_DONTWAIT);
        if (result >= 0) {
            *count = (size_t)result;
            if (truncated)
                *truncated = message.msg_flags & MSG_TRUNC;
            return WB_ERRNO_SUCCESS;
        }
        uint16_t error =
            after_failure(context, file, wb_errno_of_host(errno), POLLIN);
        if (error)
            return error;
    }
}

uint16_t uvw_send(struct uvw_context *context, const struct uvw_file *file,
                  const wb_ciovec *iovs, size_t iovs_len, size_t *count)
{
    for (;;) {
        struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iovs,
                                 .msg_iovlen = iovs_len};
        ssize_t result =
            sendmsg(file->host, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (result >= 0) {
            *count = (size_t)result;
            return WB_ERRNO_SUCCESS;
        }
        uint16_t error =
            after_failure(context, file, wb_errno_of_host(errno), POLLOUT);
        if (error)
            return error;
    }
}

/* ---- streams of the embedder's --------------------------------------------------------- */

static uint16_t move_stream(const struct uvw_file *file,
                            const struct transfer *what, size_t *count)
{
    const struct wb_stream *stream = file->stream;
    size_t total = 0;
    if (what->at)
        return WB_ERRNO_SPIPE;
    if (what->writing ? !stream->write : !stream->read)
        return WB_ERRNO_BADF;
    for (size_t i = 0; i < what->iovs_len; i++) {
        const wb_iovec *iov = &what->iovs[i];
        size_t moved = 0;
        /* What has been moved is told; only the first piece may block. */
        uint32_t nonblock =
            total > 0 || file->fdflags & WB_FDFLAGS_NONBLOCK ? 1 : 0;
        uint16_t error =
            what->writing
                ? stream->write(stream->self, iov->buf, iov->buf_len, nonblock,
                                &moved)
                : stream->read(stream->self, iov->buf, iov->buf_len, nonblock,
                               &moved);
        if (error == WB_STOP_GUEST || (error && total == 0))
            return error;
        if (error)
            break;
        if (moved > iov->buf_len)
            return WB_ERRNO_IO;
        total += moved;
        if (moved < iov->buf_len)
            break;
    }
    *count = total;
    return WB_ERRNO_SUCCESS;
}

/* ---- the slots -------------------------------------------------------------------------- */

/* fix_waiting: move bytes of what may block, waiting as often as it takes. */
static uint16_t fix_waiting(struct uvw_context *context, wb_fd fd,
                            const struct uvw_file *file,
                            struct transfer *what, size_t *count)
{
    short events = what->writing ? POLLOUT : POLLIN;
    /* A FIFO without a writer would tell its end. Its reader waits for the first
     * writer instead, as it would have done in a blocking open. A terminal that is
     * all but full takes a few bytes, where a blocking write waits. */
    int poll_first = file->io == UVW_IO_POLL ||
                     file->filetype == WB_FILETYPE_CHARACTER_DEVICE ||
                     (file->flags & UVW_FIFO && !what->writing &&
                      !(file->fdflags & WB_FDFLAGS_NONBLOCK));
    if (file->io == UVW_IO_POLL && what->writing)
        what->limit = PIPE_BUF;
    for (;;) {
        uint16_t error = poll_first ? uvw_wait(context, file, events)
                                    : WB_ERRNO_SUCCESS;
        if (error)
            return error;
        error = move_quietly(context, fd, file, what, count);
        if (!error)
            return error;
        error = after_failure(context, file, error, events);
        if (error)
            return error;
    }
}

/* fix_flags: what fdflags ask for that the host's description does not do; and
 * what it does where it should not: Linux appends whatever the offset. */
static uint16_t fix_flags_before(struct uvw_context *context, wb_fd fd,
                                 const struct uvw_file *file,
                                 const struct transfer *what)
{
    wb_filesize end;
    if (what->at && file->host_fdflags & WB_FDFLAGS_APPEND)
        return file->flags & UVW_LENT
                   ? WB_ERRNO_SUCCESS
                   : uvwasi_fd_fdstat_set_flags(&context->uvwasi, fd, 0);
    if (what->at || !(file->fdflags & ~file->host_fdflags & WB_FDFLAGS_APPEND))
        return WB_ERRNO_SUCCESS;
    return fix_error(context, uvwasi_fd_seek(&context->uvwasi, fd, 0,
                                             UVWASI_WHENCE_END, &end));
}

static uint16_t fix_flags_after(struct uvw_context *context, wb_fd fd,
                                const struct uvw_file *file,
                                const struct transfer *what)
{
    wb_fdflags missing = file->fdflags & ~file->host_fdflags;
    if (what->at && file->host_fdflags & WB_FDFLAGS_APPEND &&
        !(file->flags & UVW_LENT))
        uvwasi_fd_fdstat_set_flags(&context->uvwasi, fd, UVWASI_FDFLAG_APPEND);
    if (missing & WB_FDFLAGS_SYNC)
        return fix_error(context, uvwasi_fd_sync(&context->uvwasi, fd));
    if (missing & WB_FDFLAGS_DSYNC)
        return fix_error(context, uvwasi_fd_datasync(&context->uvwasi, fd));
    return WB_ERRNO_SUCCESS;
}

static uint16_t transfer(struct uvw_context *context, wb_fd fd,
                         const struct uvw_file *file, struct transfer *what,
                         size_t *count)
{
    uint16_t error;
    what->limit = SIZE_MAX;
    if (!context->fixups)
        return move_quietly(context, fd, file, what, count);
    *count = 0;
    if (what->iovs_len == 0)
        return WB_ERRNO_SUCCESS;
    switch (file->io) {
    case UVW_IO_STREAM:
        return move_stream(file, what, count);
    case UVW_IO_SOCKET:
        if (what->at)
            return WB_ERRNO_SPIPE;
        return what->writing
                   ? uvw_send(context, file, (const wb_ciovec *)what->iovs,
                              what->iovs_len, count)
                   : uvw_receive(context, file, what->iovs, what->iovs_len, 0,
                                 count, NULL);
    case UVW_IO_PLAIN:
        break;
    default:
        return fix_waiting(context, fd, file, what, count);
    }
    error = what->writing ? fix_flags_before(context, fd, file, what)
                          : WB_ERRNO_SUCCESS;
    if (error)
        return fix_error(context, error);
    do
        error = move_quietly(context, fd, file, what, count);
    while (error == WB_ERRNO_INTR && !uvw_interrupted(context));
    if (what->writing) {
        wb_errno after = fix_flags_after(context, fd, file, what);
        error = error ? error : after;
    }
    return error == WB_ERRNO_INTR ? WB_STOP_GUEST : error;
}

uint16_t uvw_fd_read(void *self, wb_fd fd, const wb_iovec *iovs,
                     size_t iovs_len, size_t *nread)
{
    struct uvw_file *file;
    struct transfer what = {.iovs = iovs, .iovs_len = iovs_len};
    wb_errno error = UVW_USE(self, fd_read, fd, &file);
    return error ? error : transfer(self, fd, file, &what, nread);
}

uint16_t uvw_fd_pread(void *self, wb_fd fd, const wb_iovec *iovs,
                      size_t iovs_len, wb_filesize offset, size_t *nread)
{
    struct uvw_file *file;
    struct transfer what = {
        .iovs = iovs, .iovs_len = iovs_len, .offset = offset, .at = 1};
    wb_errno error = UVW_USE(self, fd_pread, fd, &file);
    if (!error && offset > INT64_MAX)
        error = WB_ERRNO_INVAL; /* libuv takes it for "the position" */
    return error ? error : transfer(self, fd, file, &what, nread);
}

uint16_t uvw_fd_write(void *self, wb_fd fd, const wb_ciovec *iovs,
                      size_t iovs_len, size_t *nwritten)
{
    struct uvw_file *file;
    struct transfer what = {
        .iovs = (const wb_iovec *)iovs, .iovs_len = iovs_len, .writing = 1};
    wb_errno error = UVW_USE(self, fd_write, fd, &file);
    return error ? error : transfer(self, fd, file, &what, nwritten);
}

uint16_t uvw_fd_pwrite(void *self, wb_fd fd, const wb_ciovec *iovs,
                       size_t iovs_len, wb_filesize offset, size_t *nwritten)
{
    struct uvw_file *file;
    struct transfer what = {.iovs = (const wb_iovec *)iovs,
                            .iovs_len = iovs_len,
                            .offset = offset,
                            .at = 1,
                            .writing = 1};
    wb_errno error = UVW_USE(self, fd_pwrite, fd, &file);
    if (!error && offset > INT64_MAX)
        error = WB_ERRNO_INVAL; /* libuv takes it for "the position" */
    return error ? error : transfer(self, fd, file, &what, nwritten);
}
