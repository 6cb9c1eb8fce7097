/* The fd_* calls, except fd_readdir (readdir.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_fd_advise(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint64_t offset, uint64_t len,
                             uint32_t advice)
{
    WB_TRY(wb__enum(advice, WB_ADVICE_COUNT));
    return WB_DISPATCH(guest, call, fd_advise, fd, offset, len,
                       (wb_advice)advice);
}
WB_ENTRY(fd_advise, iIIi)

static uint32_t do_fd_allocate(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd, uint64_t offset, uint64_t len)
{
    return WB_DISPATCH(guest, call, fd_allocate, fd, offset, len);
}
WB_ENTRY(fd_allocate, iII)

static uint32_t do_fd_close(struct wb_guest *guest, struct wb_call *call,
                            uint32_t fd)
{
    return WB_DISPATCH(guest, call, fd_close, fd);
}
WB_ENTRY(fd_close, i)

static uint32_t do_fd_datasync(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd)
{
    return WB_DISPATCH(guest, call, fd_datasync, fd);
}
WB_ENTRY(fd_datasync, i)

static uint32_t do_fd_fdstat_get(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t fd, uint32_t fdstat)
{
    wb_fdstat value = {0};
    uint8_t *to;

    WB_TRY(wb__check(guest, call, fdstat, 24, 8));
    WB_TRY(WB_DISPATCH(guest, call, fd_fdstat_get, fd, &value));
    to = wb__at(call, fdstat);
    to[0] = wb__filetype(value.fs_filetype);
    to[1] = 0;
    wb__put16(to + 2, value.fs_flags & WB_FDFLAGS_ALL);
    wb__put32(to + 4, 0);
    wb__put64(to + 8, value.fs_rights_base);
    wb__put64(to + 16, value.fs_rights_inheriting);
    return WB_ERRNO_SUCCESS;
}
WB_ENTRY(fd_fdstat_get, ii)

static uint32_t do_fd_fdstat_set_flags(struct wb_guest *guest,
                                       struct wb_call *call, uint32_t fd,
                                       uint32_t flags)
{
    WB_TRY(wb__flags(flags, WB_FDFLAGS_ALL));
    return WB_DISPATCH(guest, call, fd_fdstat_set_flags, fd,
                       (wb_fdflags)flags);
}
WB_ENTRY(fd_fdstat_set_flags, ii)

static uint32_t do_fd_fdstat_set_rights(struct wb_guest *guest,
                                        struct wb_call *call, uint32_t fd,
                                        uint64_t base, uint64_t inheriting)
{
    WB_TRY(wb__flags(base | inheriting, WB_RIGHTS_ALL));
    return WB_DISPATCH(guest, call, fd_fdstat_set_rights, fd, base, inheriting);
}
WB_ENTRY(fd_fdstat_set_rights, iII)

/* ---- filestat --------------------------------------------------------------- */

uint32_t wb__filestat_size(int version)
{
    return version == WB__UNSTABLE ? 56 : 64;
}

void wb__put_filestat(uint8_t *to, const wb_filestat *filestat, int version)
{
    WB_MEMSET(to, 0, wb__filestat_size(version));
    wb__put64(to, filestat->dev);
    wb__put64(to + 8, filestat->ino);
    to[16] = wb__filetype(filestat->filetype);
    if (version == WB__UNSTABLE) {
        wb__put32(to + 20, filestat->nlink > UINT32_MAX
                               ? UINT32_MAX
                               : (uint32_t)filestat->nlink);
        to += 24;
    } else {
        wb__put64(to + 24, filestat->nlink);
        to += 32;
    }
    wb__put64(to, filestat->size);
    wb__put64(to + 8, filestat->atim);
    wb__put64(to + 16, filestat->mtim);
    wb__put64(to + 24, filestat->ctim);
}

uint32_t wb__fd_filestat_get(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t filestat, int version)
{
    wb_filestat value = {0};

    WB_TRY(wb__check(guest, call, filestat, wb__filestat_size(version), 8));
    WB_TRY(WB_DISPATCH(guest, call, fd_filestat_get, fd, &value));
    wb__put_filestat(wb__at(call, filestat), &value, version);
    return WB_ERRNO_SUCCESS;
}

static uint32_t do_fd_filestat_get(struct wb_guest *guest,
                                   struct wb_call *call, uint32_t fd,
                                   uint32_t filestat)
{
    return wb__fd_filestat_get(guest, call, fd, filestat, WB__PREVIEW1);
}
WB_ENTRY(fd_filestat_get, ii)

static uint32_t do_fd_filestat_set_size(struct wb_guest *guest,
                                        struct wb_call *call, uint32_t fd,
                                        uint64_t size)
{
    return WB_DISPATCH(guest, call, fd_filestat_set_size, fd, size);
}
WB_ENTRY(fd_filestat_set_size, iI)

static uint32_t do_fd_filestat_set_times(struct wb_guest *guest,
                                         struct wb_call *call, uint32_t fd,
                                         uint64_t atim, uint64_t mtim,
                                         uint32_t fst_flags)
{
    WB_TRY(wb__fst_flags(fst_flags));
    return WB_DISPATCH(guest, call, fd_filestat_set_times, fd, atim, mtim,
                       (wb_fstflags)fst_flags);
}
WB_ENTRY(fd_filestat_set_times, iIIi)

/* ---- reading and writing ---------------------------------------------------- */

static uint32_t do_fd_pread(struct wb_guest *guest, struct wb_call *call,
                            uint32_t fd, uint32_t iovs, uint32_t iovs_len,
                            uint64_t offset, uint32_t nread)
{
    struct wb__iovecs list;
    size_t count = 0;

    WB_TRY(wb__check(guest, call, nread, 4, 4));
    WB_TRY(wb__iovecs(guest, call, iovs, iovs_len, &list));
    WB_TRY(WB_DISPATCH(guest, call, fd_pread, fd, call->scratch.iovecs,
                       list.count, offset, &count));
    return wb__store_count(call, nread, count, list.room);
}
WB_ENTRY(fd_pread, iiiIi)

static uint32_t do_fd_pwrite(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t iovs, uint32_t iovs_len,
                             uint64_t offset, uint32_t nwritten)
{
    struct wb__iovecs list;
    size_t count = 0;

    WB_TRY(wb__check(guest, call, nwritten, 4, 4));
    WB_TRY(wb__iovecs(guest, call, iovs, iovs_len, &list));
    WB_TRY(WB_DISPATCH(guest, call, fd_pwrite, fd, call->scratch.ciovecs,
                       list.count, offset, &count));
    return wb__store_count(call, nwritten, count, list.room);
}
WB_ENTRY(fd_pwrite, iiiIi)

static uint32_t do_fd_read(struct wb_guest *guest, struct wb_call *call,
                           uint32_t fd, uint32_t iovs, uint32_t iovs_len,
                           uint32_t nread)
{
    struct wb__iovecs list;
    size_t count = 0;

    WB_TRY(wb__check(guest, call, nread, 4, 4));
    WB_TRY(wb__iovecs(guest, call, iovs, iovs_len, &list));
    WB_TRY(WB_DISPATCH(guest, call, fd_read, fd, call->scratch.iovecs,
                       list.count, &count));
    return wb__store_count(call, nread, count, list.room);
}
WB_ENTRY(fd_read, iiii)

static uint32_t do_fd_write(struct wb_guest *guest, struct wb_call *call,
                            uint32_t fd, uint32_t iovs, uint32_t iovs_len,
                            uint32_t nwritten)
{
    struct wb__iovecs list;
    size_t count = 0;

    WB_TRY(wb__check(guest, call, nwritten, 4, 4));
    WB_TRY(wb__iovecs(guest, call, iovs, iovs_len, &list));
    WB_TRY(WB_DISPATCH(guest, call, fd_write, fd, call->scratch.ciovecs,
                       list.count, &count));
    return wb__store_count(call, nwritten, count, list.room);
}
WB_ENTRY(fd_write, iiii)

/* ---- preopens --------------------------------------------------------------- */

static uint32_t do_fd_prestat_get(struct wb_guest *guest, struct wb_call *call,
                                  uint32_t fd, uint32_t prestat)
{
    wb_prestat value = {0};
    uint8_t *to;

    WB_TRY(wb__check(guest, call, prestat, 8, 4));
    WB_TRY(WB_DISPATCH(guest, call, fd_prestat_get, fd, &value));
    to = wb__at(call, prestat);
    wb__put32(to, 0);
    to[0] = value.tag;
    wb__put32(to + 4, value.pr_name_len);
    return WB_ERRNO_SUCCESS;
}
WB_ENTRY(fd_prestat_get, ii)

static uint32_t do_fd_prestat_dir_name(struct wb_guest *guest,
                                       struct wb_call *call, uint32_t fd,
                                       uint32_t path, uint32_t path_len)
{
    wb_prestat prestat = {0};

    WB_TRY(wb__check(guest, call, path, path_len, 1));
    WB_TRY(WB_DISPATCH(guest, call, fd_prestat_get, fd, &prestat));
    if (path_len < prestat.pr_name_len)
        return WB_ERRNO_NAMETOOLONG;
    return WB_DISPATCH(guest, call, fd_prestat_dir_name, fd,
                       (char *)wb__at(call, path), prestat.pr_name_len);
}
WB_ENTRY(fd_prestat_dir_name, iii)

/* ---- numbers and positions -------------------------------------------------- */

static uint32_t do_fd_renumber(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd, uint32_t to)
{
    return WB_DISPATCH(guest, call, fd_renumber, fd, to);
}
WB_ENTRY(fd_renumber, ii)

uint32_t wb__fd_seek(struct wb_guest *guest, struct wb_call *call, uint32_t fd,
                     uint64_t offset, uint32_t whence, uint32_t newoffset)
{
    wb_filesize position = 0;

    WB_TRY(wb__check(guest, call, newoffset, 8, 8));
    WB_TRY(wb__enum(whence, WB_WHENCE_COUNT));
    WB_TRY(WB_DISPATCH(guest, call, fd_seek, fd, (wb_filedelta)offset,
                       (wb_whence)whence, &position));
    return wb__store64(call, newoffset, position);
}

static uint32_t do_fd_seek(struct wb_guest *guest, struct wb_call *call,
                           uint32_t fd, uint64_t offset, uint32_t whence,
                           uint32_t newoffset)
{
    return wb__fd_seek(guest, call, fd, offset, whence, newoffset);
}
WB_ENTRY(fd_seek, iIii)

static uint32_t do_fd_sync(struct wb_guest *guest, struct wb_call *call,
                           uint32_t fd)
{
    return WB_DISPATCH(guest, call, fd_sync, fd);
}
WB_ENTRY(fd_sync, i)

static uint32_t do_fd_tell(struct wb_guest *guest, struct wb_call *call,
                           uint32_t fd, uint32_t offset)
{
    wb_filesize position = 0;

    WB_TRY(wb__check(guest, call, offset, 8, 8));
    WB_TRY(WB_DISPATCH(guest, call, fd_tell, fd, &position));
    return wb__store64(call, offset, position);
}
WB_ENTRY(fd_tell, ii)
