/* The path_* calls. A path arrives at a backing as a checked copy in scratch.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_path_create_directory(struct wb_guest *guest,
                                         struct wb_call *call, uint32_t fd,
                                         uint32_t path, uint32_t path_len)
{
    const char *name;

    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    return WB_DISPATCH(guest, call, path_create_directory, fd, name, path_len);
}
WB_ENTRY(path_create_directory, iii)

uint32_t wb__path_filestat_get(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd, uint32_t flags, uint32_t path,
                               uint32_t path_len, uint32_t filestat,
                               int version)
{
    const char *name;
    wb_filestat value = {0};

    WB_TRY(wb__check(guest, call, filestat, wb__filestat_size(version), 8));
    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    WB_TRY(wb__flags(flags, WB_LOOKUPFLAGS_ALL));
    WB_TRY(WB_DISPATCH(guest, call, path_filestat_get, fd, flags, name,
                       path_len, &value));
    wb__put_filestat(wb__at(call, filestat), &value, version);
    return WB_ERRNO_SUCCESS;
}

static uint32_t do_path_filestat_get(struct wb_guest *guest,
                                     struct wb_call *call, uint32_t fd,
                                     uint32_t flags, uint32_t path,
                                     uint32_t path_len, uint32_t filestat)
{
    return wb__path_filestat_get(guest, call, fd, flags, path, path_len,
                                 filestat, WB__PREVIEW1);
}
WB_ENTRY(path_filestat_get, iiiii)

static uint32_t do_path_filestat_set_times(struct wb_guest *guest,
                                           struct wb_call *call, uint32_t fd,
                                           uint32_t flags, uint32_t path,
                                           uint32_t path_len, uint64_t atim,
                                           uint64_t mtim, uint32_t fst_flags)
{
    const char *name;

    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    WB_TRY(wb__flags(flags, WB_LOOKUPFLAGS_ALL));
    WB_TRY(wb__fst_flags(fst_flags));
    return WB_DISPATCH(guest, call, path_filestat_set_times, fd, flags, name,
                       path_len, atim, mtim, (wb_fstflags)fst_flags);
}
WB_ENTRY(path_filestat_set_times, iiiiIIi)

static uint32_t do_path_link(struct wb_guest *guest, struct wb_call *call,
                             uint32_t old_fd, uint32_t old_flags,
                             uint32_t old_path, uint32_t old_path_len,
                             uint32_t new_fd, uint32_t new_path,
                             uint32_t new_path_len)
{
    const char *old_name, *new_name;

    WB_TRY(wb__check(guest, call, new_path, new_path_len, 1));
    WB_TRY(wb__path(guest, call, 0, old_path, old_path_len, &old_name));
    WB_TRY(wb__path(guest, call, 1, new_path, new_path_len, &new_name));
    WB_TRY(wb__flags(old_flags, WB_LOOKUPFLAGS_ALL));
    return WB_DISPATCH(guest, call, path_link, old_fd, old_flags, old_name,
                       old_path_len, new_fd, new_name, new_path_len);
}
WB_ENTRY(path_link, iiiiiii)

static uint32_t do_path_open(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t dirflags, uint32_t path,
                             uint32_t path_len, uint32_t oflags,
                             uint64_t fs_rights_base,
                             uint64_t fs_rights_inheriting, uint32_t fdflags,
                             uint32_t opened_fd)
{
    const char *name;
    wb_fd opened = 0;

    WB_TRY(wb__check(guest, call, opened_fd, 4, 4));
    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    WB_TRY(wb__flags(dirflags, WB_LOOKUPFLAGS_ALL));
    WB_TRY(wb__flags(oflags, WB_OFLAGS_ALL));
    WB_TRY(wb__flags(fs_rights_base | fs_rights_inheriting, WB_RIGHTS_ALL));
    WB_TRY(wb__flags(fdflags, WB_FDFLAGS_ALL));
    WB_TRY(WB_DISPATCH(guest, call, path_open, fd, dirflags, name, path_len,
                       (wb_oflags)oflags, fs_rights_base, fs_rights_inheriting,
                       (wb_fdflags)fdflags, &opened));
    return wb__store32(call, opened_fd, opened);
}
WB_ENTRY(path_open, iiiiiIIii)

static uint32_t do_path_readlink(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t fd, uint32_t path, uint32_t path_len,
                                 uint32_t buf, uint32_t buf_len,
                                 uint32_t bufused)
{
    const char *name;
    char *target = call->scratch.paths[1];
    size_t length = 0;

    WB_TRY(wb__check(guest, call, buf, buf_len, 1));
    WB_TRY(wb__check(guest, call, bufused, 4, 4));
    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    WB_TRY(WB_DISPATCH(guest, call, path_readlink, fd, name, path_len, target,
                       WB_MAX_PATH, &length));
    if (length > WB_MAX_PATH)
        return WB_ERRNO_IO;
    WB_TRY(wb__text(target, length));
    if (length > buf_len)
        length = buf_len;
    if (length > 0)
        WB_MEMCPY(wb__at(call, buf), target, length);
    return wb__store32(call, bufused, (uint32_t)length);
}
WB_ENTRY(path_readlink, iiiiii)

static uint32_t do_path_remove_directory(struct wb_guest *guest,
                                         struct wb_call *call, uint32_t fd,
                                         uint32_t path, uint32_t path_len)
{
    const char *name;

    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    return WB_DISPATCH(guest, call, path_remove_directory, fd, name, path_len);
}
WB_ENTRY(path_remove_directory, iii)

static uint32_t do_path_rename(struct wb_guest *guest, struct wb_call *call,
                               uint32_t old_fd, uint32_t old_path,
                               uint32_t old_path_len, uint32_t new_fd,
                               uint32_t new_path, uint32_t new_path_len)
{
    const char *old_name, *new_name;

    WB_TRY(wb__check(guest, call, new_path, new_path_len, 1));
    WB_TRY(wb__path(guest, call, 0, old_path, old_path_len, &old_name));
    WB_TRY(wb__path(guest, call, 1, new_path, new_path_len, &new_name));
    return WB_DISPATCH(guest, call, path_rename, old_fd, old_name,
                       old_path_len, new_fd, new_name, new_path_len);
}
WB_ENTRY(path_rename, iiiiii)

static uint32_t do_path_symlink(struct wb_guest *guest, struct wb_call *call,
                                uint32_t old_path, uint32_t old_path_len,
                                uint32_t fd, uint32_t new_path,
                                uint32_t new_path_len)
{
    const char *old_name, *new_name;

    WB_TRY(wb__check(guest, call, new_path, new_path_len, 1));
    WB_TRY(wb__path(guest, call, 0, old_path, old_path_len, &old_name));
    WB_TRY(wb__path(guest, call, 1, new_path, new_path_len, &new_name));
    if (old_name[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    return WB_DISPATCH(guest, call, path_symlink, old_name, old_path_len, fd,
                       new_name, new_path_len);
}
WB_ENTRY(path_symlink, iiiii)

static uint32_t do_path_unlink_file(struct wb_guest *guest,
                                    struct wb_call *call, uint32_t fd,
                                    uint32_t path, uint32_t path_len)
{
    const char *name;

    WB_TRY(wb__path(guest, call, 0, path, path_len, &name));
    return WB_DISPATCH(guest, call, path_unlink_file, fd, name, path_len);
}
WB_ENTRY(path_unlink_file, iii)
