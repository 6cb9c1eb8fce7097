/* Rights: the one check that every backing makes, so that they all agree.
 *
 * A backing that keeps descriptors stores, for each, its file type and two masks:
 * what may be done through it, and what descriptors opened from it may get at
 * most. Before an operation it asks, for the call fd_read:
 *
 *     error = WB_RIGHTS_CHECK(fd_read, filetype, rights_base);
 *
 * With WB_OPTIONS_IGNORE_RIGHTS a backing keeps WB_RIGHTS_ALL in each mask; the
 * check then still refuses a call that the kind of file cannot have.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_RIGHTS_H
#define WASI_BACKING_RIGHTS_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds: sets of file types, one bit for each WB_FILETYPE_*. */
enum {
    WB_KIND_ANY = 0xff,
    WB_KIND_DIRECTORY = 1 << WB_FILETYPE_DIRECTORY,
    WB_KIND_FILE = WB_KIND_ANY & ~WB_KIND_DIRECTORY,
    WB_KIND_SOCKET =
        1 << WB_FILETYPE_SOCKET_DGRAM | 1 << WB_FILETYPE_SOCKET_STREAM,
    WB_KIND_SEEKABLE = 1 << WB_FILETYPE_REGULAR_FILE |
                       1 << WB_FILETYPE_BLOCK_DEVICE |
                       1 << WB_FILETYPE_CHARACTER_DEVICE
};

/* WB_NEEDS_<call>, a mask of rights, and WB_NEEDS_KIND_<call>. */
enum {
#define WB_CALL_RIGHTS(name, kind, rights) \
    WB_NEEDS_##name = rights, WB_NEEDS_KIND_##name = WB_KIND_##kind,
#include "rights.def"
    WB_NEEDS_END
};

/* What a descriptor of a file type can ever hold: rights that are asked for
 * beyond it make no sense and are left out silently by path_open. A character
 * device that is a terminal must also lack FD_SEEK and FD_TELL, which is how
 * wasi-libc's isatty knows one. */
enum {
    WB_RIGHTS_OF_STREAM = WB_RIGHTS_FD_READ | WB_RIGHTS_FD_FDSTAT_SET_FLAGS |
                          WB_RIGHTS_FD_WRITE | WB_RIGHTS_FD_SYNC |
                          WB_RIGHTS_FD_DATASYNC | WB_RIGHTS_FD_FILESTAT_GET |
                          WB_RIGHTS_POLL_FD_READWRITE,
    WB_RIGHTS_OF_FILE = WB_RIGHTS_OF_STREAM | WB_RIGHTS_FD_SEEK |
                        WB_RIGHTS_FD_TELL | WB_RIGHTS_FD_ADVISE |
                        WB_RIGHTS_FD_ALLOCATE |
                        WB_RIGHTS_FD_FILESTAT_SET_SIZE |
                        WB_RIGHTS_FD_FILESTAT_SET_TIMES,
    WB_RIGHTS_OF_SOCKET = WB_RIGHTS_OF_STREAM | WB_RIGHTS_SOCK_SHUTDOWN |
                          WB_RIGHTS_SOCK_ACCEPT,
    WB_RIGHTS_OF_DIRECTORY =
        WB_RIGHTS_FD_FDSTAT_SET_FLAGS | WB_RIGHTS_FD_SYNC |
        WB_RIGHTS_FD_DATASYNC | WB_RIGHTS_PATH_CREATE_DIRECTORY |
        WB_RIGHTS_PATH_CREATE_FILE | WB_RIGHTS_PATH_LINK_SOURCE |
        WB_RIGHTS_PATH_LINK_TARGET | WB_RIGHTS_PATH_OPEN |
        WB_RIGHTS_FD_READDIR | WB_RIGHTS_PATH_READLINK |
        WB_RIGHTS_PATH_RENAME_SOURCE | WB_RIGHTS_PATH_RENAME_TARGET |
        WB_RIGHTS_PATH_FILESTAT_GET | WB_RIGHTS_PATH_FILESTAT_SET_SIZE |
        WB_RIGHTS_PATH_FILESTAT_SET_TIMES | WB_RIGHTS_FD_FILESTAT_GET |
        WB_RIGHTS_FD_FILESTAT_SET_TIMES | WB_RIGHTS_PATH_SYMLINK |
        WB_RIGHTS_PATH_REMOVE_DIRECTORY | WB_RIGHTS_PATH_UNLINK_FILE
};

/* The mask above for a file type. */
static inline wb_rights wb_rights_of(wb_filetype filetype)
{
    switch (filetype) {
    case WB_FILETYPE_DIRECTORY:
        return WB_RIGHTS_OF_DIRECTORY;
    case WB_FILETYPE_REGULAR_FILE:
    case WB_FILETYPE_BLOCK_DEVICE:
    case WB_FILETYPE_CHARACTER_DEVICE:
        return WB_RIGHTS_OF_FILE;
    case WB_FILETYPE_SOCKET_DGRAM:
    case WB_FILETYPE_SOCKET_STREAM:
        return WB_RIGHTS_OF_SOCKET;
    default:
        return WB_RIGHTS_OF_STREAM;
    }
}

/* The error of a call on a kind of file that can never have it. */
static inline wb_errno wb_kind_error(uint32_t kind, wb_filetype filetype)
{
    if (kind == WB_KIND_DIRECTORY)
        return WB_ERRNO_NOTDIR;
    if (kind == WB_KIND_SOCKET)
        return WB_ERRNO_NOTSOCK;
    return filetype == WB_FILETYPE_DIRECTORY ? WB_ERRNO_BADF : WB_ERRNO_SPIPE;
}

/* SUCCESS when a descriptor of type `filetype`, holding `have`, serves a call
 * that is about `kind` and needs `need`; otherwise the call's error. */
static inline wb_errno wb_rights_check(uint32_t kind, wb_rights need,
                                       wb_filetype filetype, wb_rights have)
{
    if (!(kind >> filetype & 1))
        return wb_kind_error(kind, filetype);
    if (need & ~have) {
        /* A stream is not refused a right, it has no position. */
        int stream = !(wb_rights_of(filetype) & WB_RIGHTS_FD_SEEK) ||
                     filetype == WB_FILETYPE_CHARACTER_DEVICE;
        if (stream && need & ~have & (WB_RIGHTS_FD_SEEK | WB_RIGHTS_FD_TELL))
            return WB_ERRNO_SPIPE;
        return WB_ERRNO_NOTCAPABLE;
    }
    return WB_ERRNO_SUCCESS;
}

#define WB_RIGHTS_CHECK(call, filetype, have) \
    wb_rights_check(WB_NEEDS_KIND_##call, WB_NEEDS_##call, (filetype), (have))

/* fd_seek: a seek that only asks for the position needs no more than fd_tell. */
static inline wb_rights wb_rights_fd_seek(wb_filedelta offset, wb_whence whence)
{
    return offset == 0 && whence == WB_WHENCE_CUR ? WB_RIGHTS_FD_TELL
                                                  : WB_RIGHTS_FD_SEEK;
}

/* Rights to check against: FD_SEEK includes FD_TELL. */
static inline wb_rights wb_rights_implied(wb_rights have)
{
    return have & WB_RIGHTS_FD_SEEK ? have | WB_RIGHTS_FD_TELL : have;
}

/* path_open: what the directory must hold for these flags. */
static inline wb_rights wb_rights_path_open(wb_oflags oflags)
{
    wb_rights need = WB_NEEDS_path_open;
    if (oflags & WB_OFLAGS_CREAT)
        need |= WB_RIGHTS_PATH_CREATE_FILE;
    if (oflags & WB_OFLAGS_TRUNC)
        need |= WB_RIGHTS_PATH_FILESTAT_SET_SIZE;
    return need;
}

/* path_open: what the directory must be able to pass on for these flags. */
static inline wb_rights wb_rights_path_open_inheriting(wb_rights base,
                                                       wb_rights inheriting,
                                                       wb_fdflags fdflags)
{
    wb_rights need = base | inheriting;
    if (fdflags & WB_FDFLAGS_DSYNC)
        need |= WB_RIGHTS_FD_DATASYNC;
    if (fdflags & (WB_FDFLAGS_RSYNC | WB_FDFLAGS_SYNC))
        need |= WB_RIGHTS_FD_SYNC;
    return need;
}

/* path_open has no access mode: the rights that are asked for carry it. */
static inline int wb_rights_ask_to_read(wb_rights base)
{
    return (base & (WB_RIGHTS_FD_READ | WB_RIGHTS_FD_READDIR)) != 0;
}

static inline int wb_rights_ask_to_write(wb_rights base)
{
    return (base & (WB_RIGHTS_FD_WRITE | WB_RIGHTS_FD_ALLOCATE |
                    WB_RIGHTS_FD_FILESTAT_SET_SIZE)) != 0;
}

#ifdef __cplusplus
}
#endif
#endif
