/* sock_accept, sock_recv, sock_send, sock_shutdown.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_sock_accept(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd, uint32_t flags, uint32_t new_fd)
{
    wb_fd opened = 0;

    WB_TRY(wb__check(guest, call, new_fd, 4, 4));
    WB_TRY(wb__flags(flags, WB_FDFLAGS_ALL));
    WB_TRY(WB_DISPATCH(guest, call, sock_accept, fd, (wb_fdflags)flags,
                       &opened));
    return wb__store32(call, new_fd, opened);
}
WB_ENTRY(sock_accept, iii)

static uint32_t do_sock_recv(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t ri_data,
                             uint32_t ri_data_len, uint32_t ri_flags,
                             uint32_t ro_datalen, uint32_t ro_flags)
{
    struct wb__iovecs list;
    size_t count = 0;
    wb_roflags flags = 0;

    WB_TRY(wb__check(guest, call, ro_datalen, 4, 4));
    WB_TRY(wb__check(guest, call, ro_flags, 2, 2));
    WB_TRY(wb__iovecs(guest, call, ri_data, ri_data_len, &list));
    WB_TRY(wb__flags(ri_flags, WB_RIFLAGS_ALL));
    WB_TRY(WB_DISPATCH(guest, call, sock_recv, fd, call->scratch.iovecs,
                       list.count, (wb_riflags)ri_flags, &count, &flags));
    WB_TRY(wb__store_count(call, ro_datalen, count, list.room));
    return wb__store16(call, ro_flags, flags & WB_ROFLAGS_ALL);
}
WB_ENTRY(sock_recv, iiiiii)

static uint32_t do_sock_send(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t si_data,
                             uint32_t si_data_len, uint32_t si_flags,
                             uint32_t so_datalen)
{
    struct wb__iovecs list;
    size_t count = 0;

    WB_TRY(wb__check(guest, call, so_datalen, 4, 4));
    WB_TRY(wb__iovecs(guest, call, si_data, si_data_len, &list));
    WB_TRY(wb__flags(si_flags, 0));
    WB_TRY(WB_DISPATCH(guest, call, sock_send, fd, call->scratch.ciovecs,
                       list.count, &count));
    return wb__store_count(call, so_datalen, count, list.room);
}
WB_ENTRY(sock_send, iiiii)

static uint32_t do_sock_shutdown(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t fd, uint32_t how)
{
    if (how == 0)
        return WB_ERRNO_INVAL;
    WB_TRY(wb__flags(how, WB_SDFLAGS_ALL));
    return WB_DISPATCH(guest, call, sock_shutdown, fd, (wb_sdflags)how);
}
WB_ENTRY(sock_shutdown, ii)
