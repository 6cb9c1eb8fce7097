/* Sockets: those that the options make listen, what they accept, and lent ones.
 *
 * uvwasi's sockets are libuv streams, which its own fd_read, fd_write, poll and
 * fdstat know nothing of; its sock_recv uses the first buffer only, tells NOSYS at
 * the end of the stream, knows no flag and cannot be interrupted; its sock_send
 * answers AGAIN where it should wait; its sock_shutdown never comes back when the
 * stream is not connected. So the fix-ups keep a socket in uvwasi's table as the
 * plain descriptor that it is, as uvwasi itself does with one that it finds as
 * stdin: all fd_ calls are then uvwasi's again, and the four sock_ calls are
 * here, on the host's descriptor.
 *
 * With fix-ups off uvwasi's four are called, but not on what is no libuv stream,
 * which crashes them, nor where they would wait for ever.
 *
 * System calls: socket, setsockopt, bind, listen and getsockname when a context
 * is made; accept4, recvmsg, sendmsg, shutdown, ppoll.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portability.h"

/* ---- listening ------------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Read a numeric address; its size, or 0 if it is none. */
static socklen_t parse_address(const struct wb_listen *where,
                               union address *address)
{
    memset(address, 0, sizeof *address);
    if (where->port > UINT16_MAX || !where->address)
        return 0;
    if (!uv_ip4_addr(where->address, (int)where->port, &address->v4))
        return sizeof address->v4;
    if (!uv_ip6_addr(where->address, (int)where->port, &address->v6))
        return sizeof address->v6;
    return 0;
}

wb_errno fix_listen(struct uvw_context *context, const struct wb_listen *where)
{
    union address address;
    socklen_t size = parse_address(where, &address);
    struct uvw_file file = {.io = UVW_IO_CLOSED};
    const int on = 1;
    wb_errno error = WB_ERRNO_SUCCESS;
    wb_fd fd;
    if (!size)
        return WB_ERRNO_INVAL;
    int host = socket(address.any.sa_family,
                      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (host < 0)
        return wb_errno_of_host(errno);
    /* REUSEADDR: not kept waiting by connections of an earlier run. */
    if (setsockopt(host, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(host, &address.any, size) || listen(host, SOMAXCONN) ||
        getsockname(host, &address.any, &size))
        error = wb_errno_of_host(errno);
    if (!error)
        error = uvw_describe(&file, host);
    if (!error)
        error = uvw_private_insert(context, host, file.filetype, &fd);
    if (error) {
        close(host);
        return error;
    }
    if (where->bound_port)
        *where->bound_port = ntohs(address.any.sa_family == AF_INET
                                       ? address.v4.sin_port
                                       : address.v6.sin6_port);
    file.inheriting = file.base;
    error = uvw_keep(context, fd, &file);
    if (error)
        uvwasi_fd_close(&context->uvwasi, fd);
    return error;
}

/* ---- the fix-ups ------------------------------------------------------------------- */

static uint16_t fix_accept(struct uvw_context *context, wb_fd fd,
                           wb_fdflags flags, wb_fd *new_fd)
{
    struct uvw_file file = {.fdflags = flags};
    wb_errno failed;
    int host;
    /* Room first: a connection taken without it would be lost. */
    uint16_t error = uvw_may_open(context);
    if (error)
        return error;
    for (;;) {
        const struct uvw_file *listening = uvw_file(context, fd);
        host = uvw_host_accept(listening->host);
        failed = host < 0 ? wb_errno_of_host(errno) : WB_ERRNO_SUCCESS;
        if (host >= 0)
            break;
        if (failed == WB_ERRNO_INTR && !uvw_interrupted(context))
            continue;
        error = failed == WB_ERRNO_INTR    ? WB_STOP_GUEST
                : failed == WB_ERRNO_AGAIN ? uvw_wait(context, listening, POLLIN)
                                           : failed;
        if (error)
            return error;
    }
    error = uvw_describe(&file, host);
    if (!error)
        error = uvw_private_insert(context, host, file.filetype, new_fd);
    if (error) {
        close(host);
        return error;
    }
    if (!context->ignore_rights)
        file.base &= uvw_file(context, fd)->inheriting;
    error = uvw_keep(context, *new_fd, &file);
    if (error)
        uvwasi_fd_close(&context->uvwasi, *new_fd);
    return error;
}

/* Peek at as much as fits, waiting for it: poll is asked for that many bytes. On
 * a lent socket this changes a setting of the host's until we return. */
static uint16_t peek_all(struct uvw_context *context,
                         const struct uvw_file *file, const wb_iovec *iovs,
                         size_t iovs_len, size_t room, size_t *count,
                         int *truncated)
{
    int low = room < INT32_MAX ? (int)room : INT32_MAX;
    const int one = 1;
    uint16_t error = WB_ERRNO_SUCCESS;
    if (!setsockopt(file->host, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low)) {
        if (!(file->fdflags & WB_FDFLAGS_NONBLOCK))
            error = uvw_wait(context, file, POLLIN);
        setsockopt(file->host, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    }
    return error ? error
                 : uvw_receive(context, file, iovs, iovs_len, MSG_PEEK, count,
                               truncated);
}

/* Receive until all room is filled, or nothing more comes. */
static uint16_t receive_all(struct uvw_context *context,
                            const struct uvw_file *file, const wb_iovec *iovs,
                            size_t iovs_len, size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < iovs_len; i++) {
        wb_iovec rest = iovs[i];
        while (rest.buf_len > 0) {
            size_t got;
            uint16_t error =
                uvw_receive(context, file, &rest, 1, 0, &got, NULL);
            if (error && (total == 0 || error == WB_STOP_GUEST))
                return error;
            if (error || got == 0) {
                *count = total;
                return WB_ERRNO_SUCCESS;
            }
            total += got;
            rest.buf = (char *)rest.buf + got;
            rest.buf_len -= got;
        }
    }
    *count = total;
    return WB_ERRNO_SUCCESS;
}

static uint16_t fix_recv(struct uvw_context *context,
                         const struct uvw_file *file, const wb_iovec *iovs,
                         size_t iovs_len, wb_riflags flags, size_t *count,
                         wb_roflags *ro_flags)
{
    int peek = flags & WB_RIFLAGS_RECV_PEEK, truncated = 0;
    size_t room = 0;
    uint16_t error;
    *count = 0;
    for (size_t i = 0; i < iovs_len; i++)
        room += iovs[i].buf_len;
    if (!(flags & WB_RIFLAGS_RECV_WAITALL) || room == 0 ||
        file->filetype != WB_FILETYPE_SOCKET_STREAM)
        error = uvw_receive(context, file, iovs, iovs_len, peek ? MSG_PEEK : 0,
                            count, &truncated);
    else if (peek)
        error = peek_all(context, file, iovs, iovs_len, room, count,
                         &truncated);
    else
        error = receive_all(context, file, iovs, iovs_len, count);
    *ro_flags = truncated ? WB_ROFLAGS_RECV_DATA_TRUNCATED : 0;
    return error;
}

static uint16_t fix_shutdown(const struct uvw_file *file, wb_sdflags how)
{
    int host_how = how == WB_SDFLAGS_ALL ? SHUT_RDWR
                   : how == WB_SDFLAGS_RD ? SHUT_RD
                                          : SHUT_WR;
    return shutdown(file->host, host_how) ? wb_errno_of_host(errno)
                                          : WB_ERRNO_SUCCESS;
}

/* ---- the slots --------------------------------------------------------------------- */

/* What uvwasi's own calls would crash on or hang in. */
static wb_errno guard(struct uvw_context *context, wb_fd fd, int wants)
{
    int kind = uvw_private_stream(context, fd);
    if (kind == UVW_NO_STREAM)
        return WB_ERRNO_NOTSOCK;
    if (wants == UVW_LISTENING)
        return kind == UVW_LISTENING ? WB_ERRNO_SUCCESS : WB_ERRNO_INVAL;
    if (kind == UVW_LISTENING)
        return WB_ERRNO_NOTCONN;
    return kind == UVW_SHUT && wants == UVW_SHUT ? WB_ERRNO_NOTCONN
                                                 : WB_ERRNO_SUCCESS;
}

uint16_t uvw_sock_accept(void *self, wb_fd fd, wb_fdflags flags, wb_fd *new_fd)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    struct uvw_file accepted = {.io = UVW_IO_LIBUV, .host = -1};
    wb_fd number;
    wb_errno error = UVW_USE(context, sock_accept, fd, &file);
    if (error)
        return error;
    if (context->fixups)
        return fix_accept(context, fd, flags, new_fd);
    error = uvw_may_open(context);
    if (!error)
        error = guard(context, fd, UVW_LISTENING);
    if (!error)
        error = uvwasi_sock_accept(&context->uvwasi, fd, flags, &number);
    if (error)
        return error;
    error = uvw_keep(context, number, &accepted);
    if (error)
        uvwasi_fd_close(&context->uvwasi, number);
    else
        *new_fd = number;
    return error;
}

uint16_t uvw_sock_recv(void *self, wb_fd fd, const wb_iovec *ri_data,
                       size_t ri_data_len, wb_riflags ri_flags,
                       size_t *ro_datalen, wb_roflags *ro_flags)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, sock_recv, fd, &file);
    if (error)
        return error;
    if (context->fixups)
        return fix_recv(context, file, ri_data, ri_data_len, ri_flags,
                        ro_datalen, ro_flags);
    error = guard(context, fd, UVW_CONNECTED);
    if (error || ri_data_len == 0)
        return error ? error : WB_ERRNO_INVAL;
    uvwasi_iovec_t first = {ri_data[0].buf, (uvwasi_size_t)ri_data[0].buf_len};
    uvwasi_size_t count = 0;
    *ro_flags = 0;
    error = uvwasi_sock_recv(&context->uvwasi, fd, &first, 1, ri_flags, &count,
                             ro_flags);
    *ro_datalen = count;
    return error;
}

uint16_t uvw_sock_send(void *self, wb_fd fd, const wb_ciovec *si_data,
                       size_t si_data_len, size_t *so_datalen)
{
    enum { MOST = 64 };
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, sock_send, fd, &file);
    if (error)
        return error;
    if (context->fixups)
        return uvw_send(context, file, si_data, si_data_len, so_datalen);
    error = guard(context, fd, UVW_CONNECTED);
    if (error)
        return error;
    uvwasi_ciovec_t iovs[MOST];
    uvwasi_size_t n = 0, count = 0;
    for (; n < si_data_len && n < MOST; n++)
        iovs[n] = (uvwasi_ciovec_t){si_data[n].buf,
                                    (uvwasi_size_t)si_data[n].buf_len};
    struct uvw_guard signal;
    uvw_guard_begin(&signal, SIGPIPE);
    error = uvwasi_sock_send(&context->uvwasi, fd, iovs, n, 0, &count);
    uvw_guard_end(&signal);
    *so_datalen = count;
    return error;
}

uint16_t uvw_sock_shutdown(void *self, wb_fd fd, wb_sdflags how)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, sock_shutdown, fd, &file);
    if (error)
        return error;
    if (context->fixups)
        return fix_shutdown(file, how);
    error = guard(context, fd, UVW_SHUT);
    return error ? error
                 : uvwasi_sock_shutdown(&context->uvwasi, fd, how);
}
