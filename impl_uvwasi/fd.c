/* Calls on descriptors, other than moving bytes (io.c) and fd_readdir
 * (directory.c).
 *
 * uvwasi's: closing, renumbering, seeking, syncing, sizes, advice, what fstat
 * tells. Fix-ups, each a fix_ function or named where it stands: rights by
 * rights.def; prestat's errors; fs_flags as WASI bits, and never set on a lent
 * description; allocation that allocates; times in nanoseconds; descriptors
 * without a file.
 *
 * System calls: those of uvwasi; fallocate and futimens.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "portability.h"

/* ---- what a descriptor is --------------------------------------------------------- */

uint16_t uvw_fd_fdstat_get(void *self, wb_fd fd, wb_fdstat *fdstat)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    uvwasi_fdstat_t raw;
    wb_errno error = UVW_USE(context, fd_fdstat_get, fd, &file);
    if (error)
        return error;
    if (context->fixups) { /* uvwasi hands out the host's flags */
        *fdstat = (wb_fdstat){file->base, file->inheriting, file->fdflags,
                              file->filetype};
        return WB_ERRNO_SUCCESS;
    }
    error = uvwasi_fd_fdstat_get(&context->uvwasi, fd, &raw);
    if (!error)
        *fdstat = (wb_fdstat){raw.fs_rights_base, raw.fs_rights_inheriting,
                              raw.fs_flags, raw.fs_filetype};
    return error;
}

void uvw_filestat(const struct uvwasi_filestat_s *from, wb_filestat *filestat)
{
    *filestat = (wb_filestat){
        .dev = from->st_dev,
        .ino = from->st_ino,
        .nlink = from->st_nlink,
        .size = from->st_size,
        .atim = from->st_atim,
        .mtim = from->st_mtim,
        .ctim = from->st_ctim,
        .filetype = from->st_filetype,
    };
}

uint16_t uvw_fd_filestat_get(void *self, wb_fd fd, wb_filestat *filestat)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    uvwasi_filestat_t raw;
    wb_errno error = UVW_USE(context, fd_filestat_get, fd, &file);
    if (error)
        return error;
    if (file->io == UVW_IO_STREAM) {
        *filestat = (wb_filestat){.nlink = 1, .filetype = file->filetype};
        return WB_ERRNO_SUCCESS;
    }
    error = uvwasi_fd_filestat_get(&context->uvwasi, fd, &raw);
    if (error)
        return fix_error(context, error);
    uvw_filestat(&raw, filestat);
    if (context->fixups)
        filestat->filetype = file->filetype;
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_fd_prestat_get(void *self, wb_fd fd, wb_prestat *prestat)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    uvwasi_prestat_t raw;
    wb_errno error = UVW_USE(context, fd_prestat_get, fd, &file);
    if (error)
        return error;
    /* uvwasi: INVAL, at which wasi-libc gives up the whole program; and for its
     * own sockets, the length of a NULL. */
    if (!(file->flags & UVW_PREOPEN) &&
        (context->fixups || file->io == UVW_IO_LIBUV))
        return WB_ERRNO_BADF;
    if (context->fixups) { /* the same, without its locks */
        *prestat = (wb_prestat){(uint32_t)strlen(file->preopen),
                                WB_PREOPENTYPE_DIR};
        return WB_ERRNO_SUCCESS;
    }
    error = uvwasi_fd_prestat_get(&context->uvwasi, fd, &raw);
    if (!error)
        *prestat = (wb_prestat){raw.u.dir.pr_name_len, raw.pr_type};
    return error;
}

uint16_t uvw_fd_prestat_dir_name(void *self, wb_fd fd, char *path,
                                 size_t path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_prestat_dir_name, fd, &file);
    if (error)
        return error;
    if (!(file->flags & UVW_PREOPEN))
        return WB_ERRNO_BADF;
    if (!context->fixups)
        return uvwasi_fd_prestat_dir_name(&context->uvwasi, fd, path,
                                          (uvwasi_size_t)path_len);
    size_t len = strlen(file->preopen);
    if (path_len < len)
        return WB_ERRNO_NAMETOOLONG;
    memcpy(path, file->preopen, len);
    return WB_ERRNO_SUCCESS;
}

/* ---- how a descriptor behaves --------------------------------------------------------- */

/* fix_set_flags: uvwasi hands them to fcntl, which drops what it cannot change
 * and, on a lent descriptor, changes the host's. APPEND goes to uvwasi where the
 * description is the guest's; everything else is kept here and done by io.c. */
static uint16_t fix_set_flags(struct uvw_context *context, wb_fd fd,
                              struct uvw_file *file, wb_fdflags flags)
{
    wb_fdflags append = flags & WB_FDFLAGS_APPEND;
    if (append != (file->host_fdflags & WB_FDFLAGS_APPEND)) {
        if (file->flags & UVW_LENT) {
            if (!append)
                return WB_ERRNO_NOTSUP;
        } else if (file->io == UVW_IO_PLAIN &&
                   file->filetype != WB_FILETYPE_DIRECTORY) {
            wb_errno error = fix_error(
                context,
                uvwasi_fd_fdstat_set_flags(&context->uvwasi, fd, append));
            if (error)
                return error;
            file->host_fdflags =
                (file->host_fdflags & ~WB_FDFLAGS_APPEND) | append;
        }
    }
    file->fdflags = flags;
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_fd_fdstat_set_flags(void *self, wb_fd fd, wb_fdflags flags)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_fdstat_set_flags, fd, &file);
    if (error)
        return error;
    return context->fixups
               ? fix_set_flags(context, fd, file, flags)
               : uvwasi_fd_fdstat_set_flags(&context->uvwasi, fd, flags);
}

uint16_t uvw_fd_fdstat_set_rights(void *self, wb_fd fd,
                                  wb_rights fs_rights_base,
                                  wb_rights fs_rights_inheriting)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_fdstat_set_rights, fd, &file);
    if (error)
        return error;
    if (!context->fixups)
        return uvwasi_fd_fdstat_set_rights(
            &context->uvwasi, fd, fs_rights_base, fs_rights_inheriting);
    if (context->ignore_rights)
        return WB_ERRNO_NOTSUP;
    if (fs_rights_base & ~file->base || fs_rights_inheriting & ~file->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    file->base = fs_rights_base;
    file->inheriting = fs_rights_inheriting;
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_fd_close(void *self, wb_fd fd)
{
    struct uvw_context *context = self;
    return uvw_file(context, fd) ? uvw_close(context, fd) : WB_ERRNO_BADF;
}

uint16_t uvw_fd_renumber(void *self, wb_fd fd, wb_fd to)
{
    struct uvw_context *context = self;
    struct uvw_file *from = uvw_file(context, fd);
    struct uvw_file *onto = uvw_file(context, to);
    if (!from || !onto)
        return WB_ERRNO_BADF;
    if (fd == to)
        return WB_ERRNO_SUCCESS;
    wb_errno error = uvwasi_fd_renumber(&context->uvwasi, fd, to);
    if (error)
        return fix_error(context, error);
    uvw_directory_release(context, onto);
    *onto = *from;
    uvw_forget(context, fd);
    return WB_ERRNO_SUCCESS;
}

/* ---- positions and contents -------------------------------------------------------------- */

uint16_t uvw_fd_seek(void *self, wb_fd fd, wb_filedelta offset,
                     wb_whence whence, wb_filesize *newoffset)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = uvw_use(context, fd, WB_NEEDS_KIND_fd_seek,
                             wb_rights_fd_seek(offset, whence), &file);
    return error ? error
                 : fix_error(context, uvwasi_fd_seek(&context->uvwasi, fd,
                                                     offset, whence, newoffset));
}

uint16_t uvw_fd_tell(void *self, wb_fd fd, wb_filesize *offset)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_tell, fd, &file);
    return error ? error
                 : fix_error(context,
                             uvwasi_fd_tell(&context->uvwasi, fd, offset));
}

uint16_t uvw_fd_advise(void *self, wb_fd fd, wb_filesize offset,
                       wb_filesize len, wb_advice advice)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_advise, fd, &file);
    if (error)
        return error;
    if (context->fixups && (offset > INT64_MAX || len > INT64_MAX - offset))
        return WB_ERRNO_INVAL;
    if (file->io == UVW_IO_STREAM)
        return WB_ERRNO_SPIPE;
    return fix_error(context, uvwasi_fd_advise(&context->uvwasi, fd, offset,
                                               len, advice));
}

/* Truncate or allocate without SIGXFSZ. */
static wb_errno quietly(struct uvw_context *context, wb_fd fd,
                        const struct uvw_file *file, wb_filesize offset,
                        wb_filesize len, int allocate)
{
    struct uvw_guard guard;
    wb_errno error;
    if (context->limited_fsize)
        uvw_guard_begin(&guard, SIGXFSZ);
    if (!allocate)
        error = uvwasi_fd_filestat_set_size(&context->uvwasi, fd, len);
    else if (!context->fixups)
        error = uvwasi_fd_allocate(&context->uvwasi, fd, offset, len);
    else
        error = uvw_host_allocate(file->host, (off_t)offset, (off_t)len)
                    ? wb_errno_of_host(errno)
                    : WB_ERRNO_SUCCESS;
    if (context->limited_fsize)
        uvw_guard_end(&guard);
    return fix_error(context, error);
}

/* uvwasi makes the file longer, but the storage is not there when it is needed. */
uint16_t uvw_fd_allocate(void *self, wb_fd fd, wb_filesize offset,
                         wb_filesize len)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_allocate, fd, &file);
    if (error)
        return error;
    if (len == 0 || offset > INT64_MAX || len > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    if (file->flags & UVW_READ_ONLY)
        return WB_ERRNO_ROFS;
    do
        error = quietly(context, fd, file, offset, len, 1);
    while (error == WB_ERRNO_INTR && !uvw_interrupted(context));
    return error == WB_ERRNO_INTR ? WB_STOP_GUEST : error;
}

uint16_t uvw_fd_filestat_set_size(void *self, wb_fd fd, wb_filesize size)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_filestat_set_size, fd, &file);
    if (error)
        return error;
    if (size > INT64_MAX)
        return WB_ERRNO_INVAL;
    if (file->flags & UVW_READ_ONLY)
        return WB_ERRNO_ROFS;
    return quietly(context, fd, file, 0, size, 0);
}

static struct timespec timespec_of(wb_timestamp time)
{
    return (struct timespec){(time_t)(time / 1000000000),
                             (long)(time % 1000000000)};
}

void uvw_times(wb_timestamp atim, wb_timestamp mtim, wb_fstflags flags,
               struct timespec times[2])
{
    static const struct timespec now = {0, UTIME_NOW}, omit = {0, UTIME_OMIT};
    times[0] = flags & WB_FSTFLAGS_ATIM_NOW ? now
               : flags & WB_FSTFLAGS_ATIM   ? timespec_of(atim)
                                            : omit;
    times[1] = flags & WB_FSTFLAGS_MTIM_NOW ? now
               : flags & WB_FSTFLAGS_MTIM   ? timespec_of(mtim)
                                            : omit;
}

/* uvwasi sets whole seconds, also of the time that was to be left alone. */
uint16_t uvw_fd_filestat_set_times(void *self, wb_fd fd, wb_timestamp atim,
                                   wb_timestamp mtim, wb_fstflags fst_flags)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    struct timespec times[2];
    wb_errno error = UVW_USE(context, fd_filestat_set_times, fd, &file);
    if (error)
        return error;
    if (file->flags & UVW_READ_ONLY)
        return WB_ERRNO_ROFS;
    if (!context->fixups)
        return uvwasi_fd_filestat_set_times(&context->uvwasi, fd, atim, mtim,
                                            fst_flags);
    uvw_times(atim, mtim, fst_flags, times);
    return futimens(file->host, times) ? wb_errno_of_host(errno)
                                       : WB_ERRNO_SUCCESS;
}

uint16_t uvw_fd_sync(void *self, wb_fd fd)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_sync, fd, &file);
    return error ? error
                 : fix_error(context, uvwasi_fd_sync(&context->uvwasi, fd));
}

uint16_t uvw_fd_datasync(void *self, wb_fd fd)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_datasync, fd, &file);
    return error ? error
                 : fix_error(context, uvwasi_fd_datasync(&context->uvwasi, fd));
}
