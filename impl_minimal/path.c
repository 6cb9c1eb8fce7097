/* Calls on paths.
 *
 * System calls: openat, fstatat, fstat, mkdirat, utimensat, linkat, readlinkat,
 * unlinkat, renameat, symlinkat; and those of resolve.c. A call on one
 * component is one system call; deeper ones open and close the directory around
 * it.
 *
 * Files are made with mode 0666 and directories with 0777, less the umask.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* Find the place of an entry that is about to change. A read-only preopen
 * refuses only now: what is wrong with the path is told first, as by a file
 * system that is mounted read-only. */
static uint16_t find_to_change(struct min_context *context,
                               const struct min_file *root, const char *path,
                               size_t path_len, int how,
                               struct min_place *place)
{
    uint16_t error =
        min_find_place(context, root->host, path, path_len, how, place);
    if (!error && root->flags & MIN_READ_ONLY) {
        min_place_close(place);
        return WB_ERRNO_ROFS;
    }
    return error;
}

/* End a call on a place with the result of its system call. */
static uint16_t finish(struct min_place *place, int result)
{
    wb_errno error = result < 0 ? wb_errno_of_host(errno) : WB_ERRNO_SUCCESS;
    min_place_close(place);
    return error;
}

static int how_to_look(wb_lookupflags flags)
{
    return flags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW ? MIN_FOLLOW : MIN_NOFOLLOW;
}

/* ---- open ---------------------------------------------------------------- */

/* The flags of open(2) for a call of path_open. O_NONBLOCK keeps the opening of
 * a FIFO or a device from waiting, and our reads from it; files do not care. */
static int open_flags(wb_lookupflags dirflags, wb_oflags oflags, wb_rights base)
{
    int flags = O_NONBLOCK;
    if (!wb_rights_ask_to_write(base))
        flags |= O_RDONLY;
    else
        flags |= wb_rights_ask_to_read(base) ? O_RDWR : O_WRONLY;
    if (!(dirflags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW))
        flags |= O_NOFOLLOW;
    if (oflags & WB_OFLAGS_CREAT)
        flags |= O_CREAT;
    if (oflags & WB_OFLAGS_DIRECTORY)
        flags |= O_DIRECTORY;
    if (oflags & WB_OFLAGS_EXCL)
        flags |= O_EXCL;
    if (oflags & WB_OFLAGS_TRUNC)
        flags |= O_TRUNC;
    return flags;
}

/* Open below a read-only preopen: as on a file system mounted read-only, what
 * exists can be opened for reading, with O_CREAT as well. */
static uint16_t open_read_only(struct min_context *context, int root,
                               const char *path, size_t path_len, int flags,
                               int *host)
{
    int exclusive = flags & O_CREAT && flags & O_EXCL;
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    int look = exclusive || changes
                   ? O_PATH | (flags & (O_NOFOLLOW | O_DIRECTORY))
                   : flags & ~(O_CREAT | O_EXCL);
    uint16_t error =
        min_open_beneath(context, root, path, path_len, look, 0, host);
    if (error == WB_ERRNO_NOENT && flags & O_CREAT)
        return WB_ERRNO_ROFS;
    if (error || !(exclusive || changes))
        return error;
    close(*host);
    return exclusive ? WB_ERRNO_EXIST : WB_ERRNO_ROFS;
}

/* Whether `path` names something of this type; O_NOFOLLOW: a link itself. */
static int is_type(struct min_context *context, int root, const char *path,
                   size_t path_len, int flags, mode_t type)
{
    struct stat facts;
    int host;
    if (min_open_beneath(context, root, path, path_len,
                         O_PATH | (flags & O_NOFOLLOW), 0, &host))
        return 0;
    int is = !fstat(host, &facts) && (facts.st_mode & S_IFMT) == type;
    close(host);
    return is;
}

/* Open, and if that is a FIFO without a reader, to be written to, look for one
 * again and again: that is the one thing that no descriptor announces. */
static uint16_t open_waiting(struct min_context *context, int root,
                             const char *path, size_t path_len, int flags,
                             wb_fdflags fdflags, int *host)
{
    const uint64_t longest = 50 * 1000 * 1000;
    for (uint64_t pause = 1000 * 1000;;) {
        uint16_t error = min_open_beneath(context, root, path, path_len, flags,
                                          0666, host);
        if (error != WB_ERRNO_NXIO || fdflags & WB_FDFLAGS_NONBLOCK ||
            !is_type(context, root, path, path_len, flags, S_IFIFO))
            return error;
        error = min_wait(context, -1, 0, pause);
        if (error != WB_ERRNO_TIMEDOUT)
            return error;
        if (pause < longest)
            pause *= 2;
    }
}

uint16_t min_path_open(void *self, wb_fd fd, wb_lookupflags dirflags,
                       const char *path, size_t path_len, wb_oflags oflags,
                       wb_rights fs_rights_base, wb_rights fs_rights_inheriting,
                       wb_fdflags fdflags, wb_fd *opened_fd)
{
    struct min_context *context = self;
    struct min_file *root;
    struct min_file opened = {.host = -1, .fdflags = fdflags};
    struct stat facts = {.st_mode = S_IFDIR};
    int flags = open_flags(dirflags, oflags, fs_rights_base);
    wb_fd number;
    uint16_t error = min_use(context, fd, WB_NEEDS_KIND_path_open,
                             wb_rights_path_open(oflags), &root);
    if (error)
        return error;
    if (!context->ignore_rights &&
        wb_rights_path_open_inheriting(fs_rights_base, fs_rights_inheriting,
                                       fdflags) &
            ~root->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    if (oflags & WB_OFLAGS_DIRECTORY && oflags & ~WB_OFLAGS_DIRECTORY)
        return WB_ERRNO_INVAL;
    opened.flags = root->flags & MIN_READ_ONLY;
    int host = root->host;
    error = min_reserve(context, &number); /* `root` may have moved */
    if (error)
        return error;

    error = opened.flags & MIN_READ_ONLY
                ? open_read_only(context, host, path, path_len, flags,
                                 &opened.host)
                : open_waiting(context, host, path, path_len, flags, fdflags,
                               &opened.host);
    /* To the kernel a link is no directory; WASI has one answer for links. */
    if (error == WB_ERRNO_NOTDIR && flags & O_DIRECTORY && flags & O_NOFOLLOW &&
        is_type(context, host, path, path_len, flags, S_IFLNK))
        error = WB_ERRNO_LOOP;
    if (error)
        goto out;
    if (!(oflags & WB_OFLAGS_DIRECTORY) && fstat(opened.host, &facts)) {
        error = wb_errno_of_host(errno);
        close(opened.host);
        goto out;
    }
    min_describe(&opened, facts.st_mode, flags);
    if (S_ISREG(facts.st_mode))
        opened.flags |= MIN_POSITION;
    if (!context->ignore_rights) {
        opened.base &= fs_rights_base;
        opened.inheriting = fs_rights_inheriting;
    }
    context->files[number] = opened;
    *opened_fd = number;
out:
    if (error)
        min_unreserve(context, number);
    return error;
}

/* ---- describing ---------------------------------------------------------- */

uint16_t min_path_filestat_get(void *self, wb_fd fd, wb_lookupflags flags,
                               const char *path, size_t path_len,
                               wb_filestat *filestat)
{
    struct min_file *root;
    struct stat facts;
    int follow = flags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW, host;
    uint16_t error = MIN_USE(self, path_filestat_get, fd, &root);
    if (error)
        return error;
    /* One component that is not `..` and turns out to be no link. */
    if (!memchr(path, '/', path_len) && strcmp(path, "..")) {
        if (fstatat(root->host, path, &facts, AT_SYMLINK_NOFOLLOW))
            return wb_errno_of_host(errno);
        if (!follow || !S_ISLNK(facts.st_mode)) {
            min_filestat(&facts, filestat);
            return WB_ERRNO_SUCCESS;
        }
    }
    error = min_open_beneath(self, root->host, path, path_len,
                             O_PATH | (follow ? 0 : O_NOFOLLOW), 0, &host);
    if (error)
        return error;
    if (fstat(host, &facts))
        error = wb_errno_of_host(errno);
    else
        min_filestat(&facts, filestat);
    close(host);
    return error;
}

uint16_t min_path_readlink(void *self, wb_fd fd, const char *path,
                           size_t path_len, char *buf, size_t buf_len,
                           size_t *bufused)
{
    struct min_file *root;
    struct min_place place;
    uint16_t error = MIN_USE(self, path_readlink, fd, &root);
    if (!error)
        error = min_find_place(self, root->host, path, path_len, MIN_NOFOLLOW,
                               &place);
    if (error)
        return error;
    ssize_t len = readlinkat(place.directory, place.name, buf, buf_len);
    error = finish(&place, len < 0 ? -1 : 0);
    if (!error && (size_t)len == buf_len) /* perhaps cut */
        error = WB_ERRNO_NAMETOOLONG;
    if (!error)
        *bufused = (size_t)len;
    return error;
}

/* ---- changing ------------------------------------------------------------ */

uint16_t min_path_create_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct min_file *root;
    struct min_place place;
    uint16_t error = MIN_USE(self, path_create_directory, fd, &root);
    if (!error)
        error = find_to_change(self, root, path, path_len, MIN_ENTRY, &place);
    if (error)
        return error;
    return finish(&place, mkdirat(place.directory, place.name, 0777));
}

uint16_t min_path_filestat_set_times(void *self, wb_fd fd, wb_lookupflags flags,
                                     const char *path, size_t path_len,
                                     wb_timestamp atim, wb_timestamp mtim,
                                     wb_fstflags fst_flags)
{
    struct min_file *root;
    struct min_place place;
    struct timespec times[2];
    uint16_t error = MIN_USE(self, path_filestat_set_times, fd, &root);
    if (!error)
        error = find_to_change(self, root, path, path_len, how_to_look(flags),
                               &place);
    if (error)
        return error;
    min_times(atim, mtim, fst_flags, times);
    return finish(&place, utimensat(place.directory, place.name, times,
                                    AT_SYMLINK_NOFOLLOW));
}

uint16_t min_path_link(void *self, wb_fd old_fd, wb_lookupflags old_flags,
                       const char *old_path, size_t old_path_len, wb_fd new_fd,
                       const char *new_path, size_t new_path_len)
{
    struct min_file *old_root, *new_root;
    struct min_place old_place, new_place;
    uint16_t error = MIN_USE(self, path_link_source, old_fd, &old_root);
    if (!error)
        error = MIN_USE(self, path_link_target, new_fd, &new_root);
    if (!error)
        error = find_to_change(self, old_root, old_path, old_path_len,
                               how_to_look(old_flags), &old_place);
    if (error)
        return error;
    error = find_to_change(self, new_root, new_path, new_path_len, MIN_ENTRY,
                           &new_place);
    if (!error)
        error = finish(&new_place,
                       linkat(old_place.directory, old_place.name,
                              new_place.directory, new_place.name, 0));
    min_place_close(&old_place);
    return error;
}

uint16_t min_path_rename(void *self, wb_fd fd, const char *old_path,
                         size_t old_path_len, wb_fd new_fd,
                         const char *new_path, size_t new_path_len)
{
    struct min_file *old_root, *new_root;
    struct min_place old_place, new_place;
    uint16_t error = MIN_USE(self, path_rename_source, fd, &old_root);
    if (!error)
        error = MIN_USE(self, path_rename_target, new_fd, &new_root);
    if (!error)
        error = find_to_change(self, old_root, old_path, old_path_len,
                               MIN_ENTRY, &old_place);
    if (error)
        return error;
    error = find_to_change(self, new_root, new_path, new_path_len, MIN_ENTRY,
                           &new_place);
    if (!error)
        error = finish(&new_place,
                       renameat(old_place.directory, old_place.name,
                                new_place.directory, new_place.name));
    min_place_close(&old_place);
    return error;
}

uint16_t min_path_symlink(void *self, const char *old_path, size_t old_path_len,
                          wb_fd fd, const char *new_path, size_t new_path_len)
{
    struct min_file *root;
    struct min_place place;
    uint16_t error = MIN_USE(self, path_symlink, fd, &root);
    (void)old_path_len;
    if (!error)
        error = find_to_change(self, root, new_path, new_path_len, MIN_ENTRY,
                               &place);
    if (error)
        return error;
    return finish(&place, symlinkat(old_path, place.directory, place.name));
}

static uint16_t unlink_entry(struct min_context *context,
                             const struct min_file *root, const char *path,
                             size_t path_len, int flags)
{
    struct min_place place;
    uint16_t error =
        find_to_change(context, root, path, path_len, MIN_ENTRY, &place);
    if (error)
        return error;
    return finish(&place, unlinkat(place.directory, place.name, flags));
}

uint16_t min_path_remove_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct min_file *root;
    uint16_t error = MIN_USE(self, path_remove_directory, fd, &root);
    if (error)
        return error;
    return unlink_entry(self, root, path, path_len, AT_REMOVEDIR);
}

uint16_t min_path_unlink_file(void *self, wb_fd fd, const char *path,
                              size_t path_len)
{
    struct min_file *root;
    uint16_t error = MIN_USE(self, path_unlink_file, fd, &root);
    if (error)
        return error;
    return unlink_entry(self, root, path, path_len, 0);
}
