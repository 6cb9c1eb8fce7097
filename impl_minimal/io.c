/* Moving bytes, and waiting until that is possible.
 *
 * System calls: read, write, pread, pwrite and their vector forms, recvmsg,
 * sendmsg, ppoll, all through portability.c where they are Linux's alone. A
 * transfer on a file is one system call. On what may block, the transfer is
 * tried first, in a way that cannot block: O_NONBLOCK on descriptions of our
 * own, RWF_NOWAIT or MSG_DONTWAIT on lent ones, whose flags are not ours to
 * set. Only when it would have blocked do we wait, for the descriptor and for
 * interrupt's wake-up together. No signal is used to get out of a wait.
 *
 * Assumed of lent descriptors that know no RWF_NOWAIT and are no terminals that
 * can be opened anew (fd.c): that nobody else takes the input which poll
 * announced, and that PIPE_BUF bytes can be written when poll says that some
 * can.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

_Static_assert(sizeof(wb_iovec) == sizeof(struct iovec) &&
                   offsetof(wb_iovec, buf_len) ==
                       offsetof(struct iovec, iov_len),
               "a wb_iovec can be handed to readv");

/* ---- waiting ------------------------------------------------------------- */

int min_wake_descriptor(struct min_context *context)
{
    if (context->wake < 0) {
        int fd = min_host_wake_open();
        /* interrupt sets its flag and then looks for this descriptor; callers
         * look at the flag after this store. One of the two sees the other. */
        __atomic_store_n(&context->wake, fd, __ATOMIC_SEQ_CST);
    }
    return context->wake;
}

void min_interrupt(void *self)
{
    struct min_context *context = self;
    __atomic_store_n(&context->interrupted, 1, __ATOMIC_SEQ_CST);
    int wake = __atomic_load_n(&context->wake, __ATOMIC_SEQ_CST);
    if (wake >= 0)
        min_host_wake(wake);
}

uint16_t min_wait(struct min_context *context, int host, short events,
                  uint64_t timeout)
{
    int wake = min_wake_descriptor(context);
    if (wake < 0)
        return wb_errno_of_host(errno);
    uint64_t deadline = min_deadline(timeout);
    struct pollfd fds[2] = {{wake, POLLIN, 0}, {host, events, 0}};
    for (;;) {
        /* What is ready is not stopped, as it would not block. */
        int stop = min_interrupted(context);
        int ready = min_host_poll(fds, 2, stop ? 0 : timeout);
        if (ready < 0 && errno != EINTR)
            return wb_errno_of_host(errno);
        if (ready > 0 && fds[1].revents)
            return WB_ERRNO_SUCCESS;
        if (stop || (ready > 0 && fds[0].revents))
            return WB_STOP_GUEST;
        if (ready == 0)
            return WB_ERRNO_TIMEDOUT;
        timeout = min_time_left(deadline);
    }
}

/* Wait after a transfer that would have blocked, if the descriptor may. */
static uint16_t wait_for(struct min_context *context,
                         const struct min_file *file, short events)
{
    int nonblock = file->fdflags & WB_FDFLAGS_NONBLOCK;
    uint16_t error =
        nonblock && file->io != MIN_IO_POLL
            ? WB_ERRNO_TIMEDOUT
            : min_wait(context, file->host, events, nonblock ? 0 : UINT64_MAX);
    return error == WB_ERRNO_TIMEDOUT ? WB_ERRNO_AGAIN : error;
}

uint16_t min_after_failure(struct min_context *context,
                           const struct min_file *file, short events)
{
    if (errno == EINTR)
        return min_interrupted(context) ? WB_STOP_GUEST : WB_ERRNO_SUCCESS;
    if (errno == EAGAIN)
        return wait_for(context, file, events);
    return wb_errno_of_host(errno);
}

/* ---- host descriptors ---------------------------------------------------- */

/* Write to a pipe or a device, whose reader may be gone, without a SIGPIPE. */
static ssize_t write_quietly(struct min_context *context, int host,
                             const struct iovec *iovs, size_t iovs_len,
                             off_t offset, int how)
{
    ssize_t count;
    if (!context->no_nosignal) {
        count = min_host_transfer(host, iovs, iovs_len, offset,
                                  how | MIN_HOST_NOSIGNAL);
        if (count >= 0 || errno != EOPNOTSUPP)
            return count;
    }
    struct min_guard guard;
    min_guard_begin(&guard, SIGPIPE);
    count = min_host_transfer(host, iovs, iovs_len, offset, how);
    min_guard_end(&guard, count < 0 && errno == EPIPE);
    if (count >= 0 || errno != EOPNOTSUPP)
        context->no_nosignal = 1;
    return count;
}

/* One transfer on what may block, waiting as often as it takes. */
static uint16_t transfer_waiting(struct min_context *context,
                                 struct min_file *file,
                                 const struct iovec *iovs, size_t iovs_len,
                                 off_t offset, int how, size_t *count)
{
    int writing = how & MIN_HOST_WRITE;
    short events = writing ? POLLOUT : POLLIN;
    struct iovec part = {iovs->iov_base, iovs->iov_len};
    /* A FIFO without a writer would tell its end. Its reader waits for the
     * first writer instead, as it would have done in a blocking open. */
    int wait_first = file->flags & MIN_FIFO && !writing &&
                     !(file->fdflags & WB_FDFLAGS_NONBLOCK);
    for (;;) {
        uint16_t error = WB_ERRNO_SUCCESS;
        if (wait_first || file->io == MIN_IO_POLL)
            error = wait_for(context, file, events);
        if (error)
            return error;
        if (file->io == MIN_IO_POLL && writing) {
            if (part.iov_len > PIPE_BUF)
                part.iov_len = PIPE_BUF;
            iovs = &part;
            iovs_len = 1;
        }
        int now = how | (file->io == MIN_IO_NOWAIT ? MIN_HOST_NOWAIT : 0);
        ssize_t result =
            writing ? write_quietly(context, file->host, iovs, iovs_len,
                                    offset, now)
                    : min_host_transfer(file->host, iovs, iovs_len, offset,
                                        now);
        if (result >= 0) {
            *count = (size_t)result;
            return WB_ERRNO_SUCCESS;
        }
        if (errno == EOPNOTSUPP && file->io == MIN_IO_NOWAIT)
            file->io = MIN_IO_POLL;
        else
            error = min_after_failure(context, file, events);
        if (error)
            return error;
    }
}

static uint16_t transfer_plain(struct min_context *context, int host,
                               const struct iovec *iovs, size_t iovs_len,
                               off_t offset, int how, size_t *count)
{
    ssize_t result;
    do {
        if (how & MIN_HOST_WRITE)
            MIN_LIMITED(context, result,
                        min_host_transfer(host, iovs, iovs_len, offset, how));
        else
            result = min_host_transfer(host, iovs, iovs_len, offset, how);
    } while (result < 0 && errno == EINTR && !min_interrupted(context));
    if (result < 0)
        return errno == EINTR ? WB_STOP_GUEST : wb_errno_of_host(errno);
    *count = (size_t)result;
    return WB_ERRNO_SUCCESS;
}

/* ---- sockets ------------------------------------------------------------- */

uint16_t min_receive(struct min_context *context, struct min_file *file,
                     const wb_iovec *iovs, size_t iovs_len, int flags,
                     size_t *count, int *truncated)
{
    uint16_t error;
    do {
        struct msghdr message = {.msg_iov = (struct iovec *)iovs,
                                 .msg_iovlen = iovs_len};
        ssize_t result = recvmsg(file->host, &message, flags | MSG_DONTWAIT);
        if (result >= 0) {
            *count = (size_t)result;
            if (truncated)
                *truncated = message.msg_flags & MSG_TRUNC;
            return WB_ERRNO_SUCCESS;
        }
        error = min_after_failure(context, file, POLLIN);
    } while (!error);
    return error;
}

uint16_t min_send(struct min_context *context, struct min_file *file,
                  const wb_ciovec *iovs, size_t iovs_len, size_t *count)
{
    uint16_t error;
    do {
        struct msghdr message = {.msg_iov = (struct iovec *)iovs,
                                 .msg_iovlen = iovs_len};
        ssize_t result =
            sendmsg(file->host, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (result >= 0) {
            *count = (size_t)result;
            return WB_ERRNO_SUCCESS;
        }
        error = min_after_failure(context, file, POLLOUT);
    } while (!error);
    return error;
}

/* ---- streams of the embedder's ------------------------------------------- */

static uint16_t transfer_stream(const struct min_file *file,
                                const wb_iovec *iovs, size_t iovs_len,
                                int writing, size_t *count)
{
    const struct wb_stream *stream = file->stream;
    size_t total = 0;
    if (writing ? !stream->write : !stream->read)
        return WB_ERRNO_BADF;
    for (size_t i = 0; i < iovs_len; i++) {
        size_t moved = 0;
        /* What has been moved is told; only the first piece may block. */
        uint32_t nonblock =
            total > 0 || file->fdflags & WB_FDFLAGS_NONBLOCK ? 1 : 0;
        uint16_t error =
            writing ? stream->write(stream->self, iovs[i].buf, iovs[i].buf_len,
                                    nonblock, &moved)
                    : stream->read(stream->self, iovs[i].buf, iovs[i].buf_len,
                                   nonblock, &moved);
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

/* ---- the slots ----------------------------------------------------------- */

/* Read or write, at `offset` or (-1) at the position. */
static uint16_t transfer(struct min_context *context, struct min_file *file,
                         const wb_iovec *iovs, size_t iovs_len, off_t offset,
                         int how, size_t *count)
{
    int writing = how & MIN_HOST_WRITE;
    const struct iovec *host_iovs = (const struct iovec *)iovs;
    size_t total = 0;
    *count = 0;
    if (iovs_len == 0)
        return WB_ERRNO_SUCCESS;
    if (iovs_len > IOV_MAX)
        iovs_len = IOV_MAX;
    switch (file->io) {
    case MIN_IO_PLAIN:
        return transfer_plain(context, file->host, host_iovs, iovs_len, offset,
                              how, count);
    case MIN_IO_SOCKET:
        return writing ? min_send(context, file, (const wb_ciovec *)iovs,
                                  iovs_len, count)
                       : min_receive(context, file, iovs, iovs_len, 0, count,
                                     NULL);
    case MIN_IO_STREAM:
        return transfer_stream(file, iovs, iovs_len, writing, count);
    case MIN_IO_NONE:
        for (size_t i = 0; writing && i < iovs_len; i++)
            total += iovs[i].buf_len;
        *count = total;
        return WB_ERRNO_SUCCESS;
    default:
        return transfer_waiting(context, file, host_iovs, iovs_len, offset, how,
                                count);
    }
}

/* The transfer that matters most, of one span at an offset of a plain file,
 * with no function between the slot and the system call: on processors that
 * guard their returns, each one that is left after a system call costs as much
 * as the rest of our work. -1 for any other transfer, and if it fails: the
 * general way then begins it again, and finds out why. */
static inline ssize_t transfer_straight(const struct min_context *context,
                                        const struct min_file *file,
                                        const wb_iovec *iovs, size_t iovs_len,
                                        int64_t offset, int how)
{
    if (file->io != MIN_IO_PLAIN || iovs_len != 1)
        return -1;
    if (how == 0)
        return pread(file->host, iovs->buf, iovs->buf_len, (off_t)offset);
    if (how == MIN_HOST_WRITE && !context->limited_fsize)
        return pwrite(file->host, iovs->buf, iovs->buf_len, (off_t)offset);
    return -1;
}

/* Read or write at the position, and advance it. */
static uint16_t transfer_on(struct min_context *context, struct min_file *file,
                            const wb_iovec *iovs, size_t iovs_len, int how,
                            size_t *count)
{
    int kept = file->flags & MIN_POSITION && !(how & MIN_HOST_APPEND);
    uint16_t error = transfer(context, file, iovs, iovs_len,
                              kept ? (off_t)file->position : -1, how, count);
    if (error == WB_ERRNO_SPIPE && kept) {
        /* One of those files in /proc that are streams. */
        file->flags &= (uint8_t)~MIN_POSITION;
        return transfer(context, file, iovs, iovs_len, -1, how, count);
    }
    if (!error && kept)
        file->position += (int64_t)*count;
    else if (!error && *count > 0) /* appended: the kernel knows where */
        file->flags &= (uint8_t)~MIN_POSITION;
    return error;
}

/* How a file with these flags is written. They are never set on the description
 * but said anew for each write: so they work on lent ones, and pwrite can leave
 * APPEND out (on Linux O_APPEND overrules its offset). */
static int how_to_write(const struct min_file *file)
{
    wb_fdflags flags = file->fdflags;
    int how = MIN_HOST_WRITE;
    if (!flags || file->io != MIN_IO_PLAIN)
        return how;
    if (flags & WB_FDFLAGS_APPEND)
        how |= MIN_HOST_APPEND;
    if (flags & WB_FDFLAGS_DSYNC)
        how |= MIN_HOST_DSYNC;
    if (flags & (WB_FDFLAGS_SYNC | WB_FDFLAGS_RSYNC))
        how |= MIN_HOST_SYNC;
    return how;
}

uint16_t min_fd_read(void *self, wb_fd fd, const wb_iovec *iovs,
                     size_t iovs_len, size_t *nread)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_read, fd, &file);
    if (error)
        return error;
    if (file->flags & MIN_POSITION) {
        ssize_t count = transfer_straight(self, file, iovs, iovs_len,
                                          file->position, 0);
        if (count >= 0) {
            file->position += count;
            *nread = (size_t)count;
            return WB_ERRNO_SUCCESS;
        }
    }
    return transfer_on(self, file, iovs, iovs_len, 0, nread);
}

uint16_t min_fd_write(void *self, wb_fd fd, const wb_ciovec *iovs,
                      size_t iovs_len, size_t *nwritten)
{
    const wb_iovec *spans = (const wb_iovec *)iovs;
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_write, fd, &file);
    if (error)
        return error;
    int how = how_to_write(file);
    if (file->flags & MIN_POSITION) {
        ssize_t count = transfer_straight(self, file, spans, iovs_len,
                                          file->position, how);
        if (count >= 0) {
            file->position += count;
            *nwritten = (size_t)count;
            return WB_ERRNO_SUCCESS;
        }
    }
    return transfer_on(self, file, spans, iovs_len, how, nwritten);
}

uint16_t min_fd_pread(void *self, wb_fd fd, const wb_iovec *iovs,
                      size_t iovs_len, wb_filesize offset, size_t *nread)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_pread, fd, &file);
    if (error)
        return error;
    if (offset > INT64_MAX)
        return WB_ERRNO_INVAL;
    ssize_t count =
        transfer_straight(self, file, iovs, iovs_len, (int64_t)offset, 0);
    if (count >= 0) {
        *nread = (size_t)count;
        return WB_ERRNO_SUCCESS;
    }
    return transfer(self, file, iovs, iovs_len, (off_t)offset, 0, nread);
}

uint16_t min_fd_pwrite(void *self, wb_fd fd, const wb_ciovec *iovs,
                       size_t iovs_len, wb_filesize offset, size_t *nwritten)
{
    const wb_iovec *spans = (const wb_iovec *)iovs;
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_pwrite, fd, &file);
    if (error)
        return error;
    if (offset > INT64_MAX)
        return WB_ERRNO_INVAL;
    int how = how_to_write(file) & ~MIN_HOST_APPEND;
    ssize_t count = transfer_straight(self, file, spans, iovs_len,
                                      (int64_t)offset, how);
    if (count >= 0) {
        *nwritten = (size_t)count;
        return WB_ERRNO_SUCCESS;
    }
    return transfer(self, file, spans, iovs_len, (off_t)offset, how, nwritten);
}
