/* Sockets: those that the options make listen, what they accept, and lent ones.
 *
 * System calls: socket, setsockopt, bind, listen and getsockname when a context
 * is made; accept4, recvmsg, sendmsg, shutdown, ppoll. Ours are non-blocking;
 * waiting is io.c's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- listening ----------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Read a numeric address; its size, or 0 if it is none. */
static socklen_t parse_address(const struct wb_listen *listen,
                               union address *address)
{
    memset(address, 0, sizeof *address);
    if (listen->port > UINT16_MAX || !listen->address)
        return 0;
    if (inet_pton(AF_INET, listen->address, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)listen->port);
        return sizeof address->v4;
    }
    if (inet_pton(AF_INET6, listen->address, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)listen->port);
        return sizeof address->v6;
    }
    return 0;
}

wb_errno min_listen(const struct wb_listen *request, int *host)
{
    union address address;
    socklen_t size = parse_address(request, &address);
    const int on = 1;
    if (!size)
        return WB_ERRNO_INVAL;
    int fd = socket(address.any.sa_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return wb_errno_of_host(errno);
    /* REUSEADDR: not kept waiting by connections of an earlier run. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, &address.any, size) || listen(fd, SOMAXCONN) ||
        getsockname(fd, &address.any, &size)) {
        wb_errno error = wb_errno_of_host(errno);
        close(fd);
        return error;
    }
    if (request->bound_port)
        *request->bound_port = ntohs(address.any.sa_family == AF_INET
                                         ? address.v4.sin_port
                                         : address.v6.sin6_port);
    *host = fd;
    return WB_ERRNO_SUCCESS;
}

/* ---- the slots ----------------------------------------------------------- */

uint16_t min_sock_accept(void *self, wb_fd fd, wb_fdflags flags, wb_fd *new_fd)
{
    struct min_context *context = self;
    struct min_file *file;
    wb_fd number;
    uint16_t error = MIN_USE(context, sock_accept, fd, &file);
    if (error)
        return error;
    /* A number first: a connection taken without one would be lost. */
    error = min_reserve(context, &number);
    if (error)
        return error;
    file = &context->files[fd]; /* the table may have moved */
    for (;;) {
        int host = min_host_accept(file->host);
        if (host >= 0) {
            struct min_file accepted = {.host = host, .fdflags = flags};
            min_describe(&accepted, S_IFSOCK, O_RDWR);
            if (!context->ignore_rights)
                accepted.base &= file->inheriting;
            context->files[number] = accepted;
            *new_fd = number;
            return WB_ERRNO_SUCCESS;
        }
        error = min_after_failure(context, file, POLLIN);
        if (error) {
            min_unreserve(context, number);
            return error;
        }
    }
}

/* Peek at as much as fits, waiting for it: poll is asked for that many bytes.
 * On a lent socket this changes a setting of the host's until we return. */
static uint16_t peek_all(struct min_context *context, struct min_file *file,
                         const wb_iovec *iovs, size_t iovs_len, size_t room,
                         size_t *count, int *truncated)
{
    int low = room < INT32_MAX ? (int)room : INT32_MAX;
    const int one = 1;
    uint16_t error = WB_ERRNO_SUCCESS;
    if (!setsockopt(file->host, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low)) {
        if (!(file->fdflags & WB_FDFLAGS_NONBLOCK))
            error = min_wait(context, file->host, POLLIN, UINT64_MAX);
        setsockopt(file->host, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    }
    return error ? error
                 : min_receive(context, file, iovs, iovs_len, MSG_PEEK, count,
                               truncated);
}

/* Receive until all room is filled, or nothing more comes. */
static uint16_t receive_all(struct min_context *context, struct min_file *file,
                            const wb_iovec *iovs, size_t iovs_len,
                            size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < iovs_len; i++) {
        wb_iovec rest = iovs[i];
        while (rest.buf_len > 0) {
            size_t got;
            uint16_t error =
                min_receive(context, file, &rest, 1, 0, &got, NULL);
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

uint16_t min_sock_recv(void *self, wb_fd fd, const wb_iovec *ri_data,
                       size_t ri_data_len, wb_riflags ri_flags,
                       size_t *ro_datalen, wb_roflags *ro_flags)
{
    struct min_file *file;
    int peek = ri_flags & WB_RIFLAGS_RECV_PEEK, truncated = 0;
    size_t room = 0, count = 0;
    uint16_t error = MIN_USE(self, sock_recv, fd, &file);
    if (error)
        return error;
    for (size_t i = 0; i < ri_data_len; i++)
        room += ri_data[i].buf_len;
    if (!(ri_flags & WB_RIFLAGS_RECV_WAITALL) || room == 0 ||
        file->filetype != WB_FILETYPE_SOCKET_STREAM)
        error = min_receive(self, file, ri_data, ri_data_len,
                            peek ? MSG_PEEK : 0, &count, &truncated);
    else if (peek)
        error = peek_all(self, file, ri_data, ri_data_len, room, &count,
                         &truncated);
    else
        error = receive_all(self, file, ri_data, ri_data_len, &count);
    if (error)
        return error;
    *ro_datalen = count;
    *ro_flags = truncated ? WB_ROFLAGS_RECV_DATA_TRUNCATED : 0;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_sock_send(void *self, wb_fd fd, const wb_ciovec *si_data,
                       size_t si_data_len, size_t *so_datalen)
{
    struct min_file *file;
    uint16_t error = MIN_USE(self, sock_send, fd, &file);
    if (error)
        return error;
    return min_send(self, file, si_data, si_data_len, so_datalen);
}

uint16_t min_sock_shutdown(void *self, wb_fd fd, wb_sdflags how)
{
    struct min_file *file;
    uint16_t error = MIN_USE(self, sock_shutdown, fd, &file);
    if (error)
        return error;
    if (shutdown(file->host, how == WB_SDFLAGS_ALL ? SHUT_RDWR
                             : how == WB_SDFLAGS_RD ? SHUT_RD
                                                    : SHUT_WR))
        return wb_errno_of_host(errno);
    return WB_ERRNO_SUCCESS;
}
