/* Calls on descriptors, other than moving bytes (io.c) and fd_readdir
 * (directory.c).
 *
 * System calls: lseek, fstat, ftruncate, futimens, posix_fadvise, fsync,
 * fdatasync, fallocate; fcntl and fstat once for a lent descriptor, and an open
 * if it is a terminal. fdstat, prestat and fd_renumber make none of their own;
 * nor do fd_tell and fd_seek in a file that the guest has opened, unless they
 * go by its end.
 *
 * fdflags are kept here and said anew with each transfer (io.c); nothing is set
 * on a description. That a lent description appends is told, and cannot be
 * undone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a descriptor is ------------------------------------------------ */

wb_filetype min_filetype(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFBLK:
        return WB_FILETYPE_BLOCK_DEVICE;
    case S_IFCHR:
        return WB_FILETYPE_CHARACTER_DEVICE;
    case S_IFDIR:
        return WB_FILETYPE_DIRECTORY;
    case S_IFREG:
        return WB_FILETYPE_REGULAR_FILE;
    case S_IFLNK:
        return WB_FILETYPE_SYMBOLIC_LINK;
    case S_IFSOCK:
        return WB_FILETYPE_SOCKET_STREAM;
    default:
        return WB_FILETYPE_UNKNOWN; /* a pipe: WASI has no type for it */
    }
}

void min_describe(struct min_file *file, mode_t mode, int flags)
{
    int access = flags & O_ACCMODE, type;
    socklen_t size = sizeof type;
    file->filetype = min_filetype(mode);
    if (S_ISSOCK(mode) &&
        !getsockopt(file->host, SOL_SOCKET, SO_TYPE, &type, &size) &&
        type != SOCK_STREAM)
        file->filetype = WB_FILETYPE_SOCKET_DGRAM;
    if (S_ISFIFO(mode))
        file->flags |= MIN_FIFO;

    if (S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode))
        file->io = MIN_IO_PLAIN;
    else if (S_ISSOCK(mode))
        file->io = MIN_IO_SOCKET;
    else
        file->io = file->flags & MIN_KEEP ? MIN_IO_NOWAIT : MIN_IO_OWN;

    file->base = wb_rights_of(file->filetype);
    if (S_ISCHR(mode) && isatty(file->host))
        file->base &= ~(wb_rights)(WB_RIGHTS_FD_SEEK | WB_RIGHTS_FD_TELL);
    if (access == O_RDONLY)
        file->base &= ~(wb_rights)(WB_RIGHTS_FD_WRITE | WB_RIGHTS_FD_ALLOCATE |
                                   WB_RIGHTS_FD_FILESTAT_SET_SIZE);
    if (access == O_WRONLY)
        file->base &= ~(wb_rights)WB_RIGHTS_FD_READ;
    file->inheriting = S_ISDIR(mode) ? WB_RIGHTS_ALL : 0;
}

/* Replace a lent terminal by a description of our own, if it can be had: only
 * then can it be non-blocking, as terminals know no RWF_NOWAIT. The master of a
 * pseudo-terminal has a name, too, but opening that makes another one. */
static void open_terminal_anew(struct min_file *file, int flags)
{
    char name[64];
    struct stat before, after;
    if (!ptsname_r(file->host, name, sizeof name) ||
        ttyname_r(file->host, name, sizeof name))
        return;
    int host = open(name, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY |
                              O_CLOEXEC);
    if (host < 0)
        return;
    if (fstat(file->host, &before) || fstat(host, &after) ||
        before.st_rdev != after.st_rdev) {
        close(host);
        return;
    }
    file->host = host;
    file->io = MIN_IO_OWN;
    file->flags &= (uint8_t)~MIN_KEEP;
}

wb_errno min_describe_lent(struct min_file *file)
{
    struct stat facts;
    int flags = fcntl(file->host, F_GETFL);
    if (flags < 0 || fstat(file->host, &facts))
        return wb_errno_of_host(errno);
    min_describe(file, facts.st_mode, flags);
    file->flags &= (uint8_t)~MIN_FIFO; /* its opening is long over */
    if (flags & O_APPEND)
        file->fdflags |= WB_FDFLAGS_APPEND;
    if (S_ISCHR(facts.st_mode) && isatty(file->host))
        open_terminal_anew(file, flags);
    return WB_ERRNO_SUCCESS;
}

void min_filestat(const struct stat *facts, wb_filestat *filestat)
{
    *filestat = (wb_filestat){
        .dev = facts->st_dev,
        .ino = facts->st_ino,
        .nlink = facts->st_nlink,
        .size = (wb_filesize)facts->st_size,
        .atim = min_nanoseconds(facts->st_atim),
        .mtim = min_nanoseconds(facts->st_mtim),
        .ctim = min_nanoseconds(facts->st_ctim),
        .filetype = min_filetype(facts->st_mode),
    };
}

uint16_t min_fd_fdstat_get(void *self, wb_fd fd, wb_fdstat *fdstat)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_fdstat_get, fd, &file);
    if (error)
        return error;
    *fdstat = (wb_fdstat){file->base, file->inheriting, file->fdflags,
                          file->filetype};
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_filestat_get(void *self, wb_fd fd, wb_filestat *filestat)
{
    struct min_file *file;
    struct stat facts;
    wb_errno error = MIN_USE(self, fd_filestat_get, fd, &file);
    if (error)
        return error;
    if (file->host < 0) {
        *filestat = (wb_filestat){.nlink = 1, .filetype = file->filetype};
        return WB_ERRNO_SUCCESS;
    }
    if (fstat(file->host, &facts))
        return wb_errno_of_host(errno);
    min_filestat(&facts, filestat);
    filestat->filetype = file->filetype;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_prestat_get(void *self, wb_fd fd, wb_prestat *prestat)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_prestat_get, fd, &file);
    if (error)
        return error;
    if (!file->preopen)
        return WB_ERRNO_BADF;
    prestat->pr_name_len = (uint32_t)strlen(file->preopen);
    prestat->tag = WB_PREOPENTYPE_DIR;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_prestat_dir_name(void *self, wb_fd fd, char *path,
                                 size_t path_len)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_prestat_dir_name, fd, &file);
    if (error)
        return error;
    if (!file->preopen)
        return WB_ERRNO_BADF;
    size_t len = strlen(file->preopen);
    if (path_len < len)
        return WB_ERRNO_NAMETOOLONG;
    memcpy(path, file->preopen, len);
    return WB_ERRNO_SUCCESS;
}

/* ---- how a descriptor behaves -------------------------------------------- */

uint16_t min_fd_fdstat_set_flags(void *self, wb_fd fd, wb_fdflags flags)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_fdstat_set_flags, fd, &file);
    if (error)
        return error;
    if (file->flags & MIN_KEEP && !(flags & WB_FDFLAGS_APPEND) &&
        file->fdflags & WB_FDFLAGS_APPEND) {
        int host_flags = fcntl(file->host, F_GETFL);
        if (host_flags < 0 || host_flags & O_APPEND)
            return WB_ERRNO_NOTSUP;
    }
    file->fdflags = flags;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_fdstat_set_rights(void *self, wb_fd fd,
                                  wb_rights fs_rights_base,
                                  wb_rights fs_rights_inheriting)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_fdstat_set_rights, fd, &file);
    if (error)
        return error;
    if (((struct min_context *)self)->ignore_rights)
        return WB_ERRNO_NOTSUP;
    if (fs_rights_base & ~file->base ||
        fs_rights_inheriting & ~file->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    file->base = fs_rights_base;
    file->inheriting = fs_rights_inheriting;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_close(void *self, wb_fd fd)
{
    struct min_context *context = self;
    if (fd >= context->capacity || context->files[fd].io == MIN_IO_CLOSED)
        return WB_ERRNO_BADF;
    return min_close(context, fd);
}

uint16_t min_fd_renumber(void *self, wb_fd fd, wb_fd to)
{
    struct min_context *context = self;
    struct min_file *from_file, *to_file;
    wb_errno error = MIN_USE(self, fd_renumber, fd, &from_file);
    if (!error)
        error = MIN_USE(self, fd_renumber, to, &to_file);
    if (error || fd == to)
        return error;
    min_renumber(context, fd, to);
    return WB_ERRNO_SUCCESS;
}

/* ---- positions and contents ---------------------------------------------- */

off_t min_position(const struct min_file *file)
{
    return file->flags & MIN_POSITION ? (off_t)file->position
                                      : lseek(file->host, 0, SEEK_CUR);
}

/* Seek in what is known here. */
static wb_errno seek_kept(struct min_file *file, wb_filedelta offset,
                          wb_whence whence)
{
    int64_t from = whence == WB_WHENCE_SET ? 0 : file->position;
    if (offset < -from || offset > INT64_MAX - from)
        return WB_ERRNO_INVAL;
    file->position = from + offset;
    return WB_ERRNO_SUCCESS;
}

static wb_errno seek_host(struct min_file *file, wb_filedelta offset,
                          wb_whence whence)
{
    static const int whences[WB_WHENCE_COUNT] = {SEEK_SET, SEEK_CUR, SEEK_END};
    off_t position = lseek(file->host, (off_t)offset, whences[whence]);
    if (position < 0)
        return wb_errno_of_host(errno);
    file->position = position;
    if (file->filetype == WB_FILETYPE_REGULAR_FILE && !(file->flags & MIN_KEEP))
        file->flags |= MIN_POSITION;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_seek(void *self, wb_fd fd, wb_filedelta offset,
                     wb_whence whence, wb_filesize *newoffset)
{
    struct min_file *file;
    wb_errno error = min_use(self, fd, WB_NEEDS_KIND_fd_seek,
                             wb_rights_fd_seek(offset, whence), &file);
    if (error)
        return error;
    error = file->flags & MIN_POSITION && whence != WB_WHENCE_END
                ? seek_kept(file, offset, whence)
                : seek_host(file, offset, whence);
    if (!error)
        *newoffset = (wb_filesize)file->position;
    return error;
}

uint16_t min_fd_tell(void *self, wb_fd fd, wb_filesize *offset)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_tell, fd, &file);
    if (error)
        return error;
    off_t position = min_position(file);
    if (position < 0)
        return wb_errno_of_host(errno);
    *offset = (wb_filesize)position;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_fd_advise(void *self, wb_fd fd, wb_filesize offset,
                       wb_filesize len, wb_advice advice)
{
    static const int advices[WB_ADVICE_COUNT] = {
        [WB_ADVICE_NORMAL] = POSIX_FADV_NORMAL,
        [WB_ADVICE_SEQUENTIAL] = POSIX_FADV_SEQUENTIAL,
        [WB_ADVICE_RANDOM] = POSIX_FADV_RANDOM,
        [WB_ADVICE_WILLNEED] = POSIX_FADV_WILLNEED,
        [WB_ADVICE_DONTNEED] = POSIX_FADV_DONTNEED,
        [WB_ADVICE_NOREUSE] = POSIX_FADV_NOREUSE,
    };
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_advise, fd, &file);
    if (error)
        return error;
    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    if (file->host < 0)
        return WB_ERRNO_SPIPE;
    return wb_errno_of_host(posix_fadvise(file->host, (off_t)offset, (off_t)len,
                                          advices[advice]));
}

/* End a call with the result of its system call; a change is not for read-only
 * preopens. */
static uint16_t answer(int result)
{
    return result < 0 ? wb_errno_of_host(errno) : WB_ERRNO_SUCCESS;
}

uint16_t min_fd_allocate(void *self, wb_fd fd, wb_filesize offset,
                         wb_filesize len)
{
    struct min_context *context = self;
    struct min_file *file;
    int result;
    wb_errno error = MIN_USE(self, fd_allocate, fd, &file);
    if (error)
        return error;
    if (len == 0 || offset > INT64_MAX || len > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    if (file->flags & MIN_READ_ONLY)
        return WB_ERRNO_ROFS;
    do
        MIN_LIMITED(context, result,
                    min_host_allocate(file->host, (off_t)offset, (off_t)len));
    while (result < 0 && errno == EINTR && !min_interrupted(context));
    if (result < 0 && errno == EINTR)
        return WB_STOP_GUEST;
    return answer(result);
}

uint16_t min_fd_filestat_set_size(void *self, wb_fd fd, wb_filesize size)
{
    struct min_context *context = self;
    struct min_file *file;
    int result;
    wb_errno error = MIN_USE(self, fd_filestat_set_size, fd, &file);
    if (error)
        return error;
    if (size > INT64_MAX)
        return WB_ERRNO_INVAL;
    if (file->flags & MIN_READ_ONLY)
        return WB_ERRNO_ROFS;
    MIN_LIMITED(context, result, ftruncate(file->host, (off_t)size));
    return answer(result);
}

void min_times(wb_timestamp atim, wb_timestamp mtim, wb_fstflags flags,
               struct timespec times[2])
{
    static const struct timespec now = {0, UTIME_NOW}, omit = {0, UTIME_OMIT};
    times[0] = flags & WB_FSTFLAGS_ATIM_NOW ? now
               : flags & WB_FSTFLAGS_ATIM   ? min_timespec(atim)
                                            : omit;
    times[1] = flags & WB_FSTFLAGS_MTIM_NOW ? now
               : flags & WB_FSTFLAGS_MTIM   ? min_timespec(mtim)
                                            : omit;
}

uint16_t min_fd_filestat_set_times(void *self, wb_fd fd, wb_timestamp atim,
                                   wb_timestamp mtim, wb_fstflags fst_flags)
{
    struct min_file *file;
    struct timespec times[2];
    wb_errno error = MIN_USE(self, fd_filestat_set_times, fd, &file);
    if (error)
        return error;
    if (file->flags & MIN_READ_ONLY)
        return WB_ERRNO_ROFS;
    if (file->host < 0)
        return WB_ERRNO_NOTSUP;
    min_times(atim, mtim, fst_flags, times);
    return answer(futimens(file->host, times));
}

/* Streams and what cannot be brought to storage (EINVAL of fsync) are done. */
static uint16_t bring_to_storage(struct min_context *context,
                                 const struct min_file *file,
                                 int (*host_sync)(int))
{
    int result;
    if (file->host < 0)
        return WB_ERRNO_SUCCESS;
    do
        result = host_sync(file->host);
    while (result < 0 && errno == EINTR && !min_interrupted(context));
    if (result < 0 && errno == EINTR)
        return WB_STOP_GUEST;
    return answer(result);
}

uint16_t min_fd_sync(void *self, wb_fd fd)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_sync, fd, &file);
    if (error)
        return error;
    return bring_to_storage(self, file, fsync);
}

uint16_t min_fd_datasync(void *self, wb_fd fd)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_datasync, fd, &file);
    if (error)
        return error;
    return bring_to_storage(self, file, fdatasync);
}
