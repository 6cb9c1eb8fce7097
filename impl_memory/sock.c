/* Sockets: there are none. Every descriptor that is open is something else.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

uint16_t mem_sock_accept(void *self, wb_fd fd, wb_fdflags flags, wb_fd *new_fd)
{
    struct mem_file *file;
    (void)flags, (void)new_fd;
    return MEM_USE(self, sock_accept, fd, &file);
}

uint16_t mem_sock_recv(void *self, wb_fd fd, const wb_iovec *ri_data,
                       size_t ri_data_len, wb_riflags ri_flags,
                       size_t *ro_datalen, wb_roflags *ro_flags)
{
    struct mem_file *file;
    (void)ri_data, (void)ri_data_len, (void)ri_flags;
    (void)ro_datalen, (void)ro_flags;
    return MEM_USE(self, sock_recv, fd, &file);
}

uint16_t mem_sock_send(void *self, wb_fd fd, const wb_ciovec *si_data,
                       size_t si_data_len, size_t *so_datalen)
{
    struct mem_file *file;
    (void)si_data, (void)si_data_len, (void)so_datalen;
    return MEM_USE(self, sock_send, fd, &file);
}

uint16_t mem_sock_shutdown(void *self, wb_fd fd, wb_sdflags how)
{
    struct mem_file *file;
    (void)how;
    return MEM_USE(self, sock_shutdown, fd, &file);
}
