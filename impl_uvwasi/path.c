/* Calls on paths.
 *
 * uvwasi's: each call itself, on a path that the fix-ups have gone through. Fix-ups
 * of this file: opening without following (uvwasi always follows), opening what
 * must not wait (a FIFO), slashes at the end (uvwasi drops them), links' times in
 * nanoseconds, read-only preopens, path_readlink's added NUL. With fix-ups off a
 * path goes to uvwasi as it is.
 *
 * Files are made with mode 0666 and directories with 0777, less the umask.
 *
 * System calls: those of uvwasi and of fixups.c; utimensat.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* ---- preparing paths --------------------------------------------------------------- */

/* Take a guest's path as it is. */
static void take(const char *path, size_t path_len, struct uvw_path *fixed)
{
    memcpy(fixed->text, path, path_len + 1);
    fixed->len = path_len;
    fixed->looked = fixed->slash = 0;
    fixed->error = WB_ERRNO_SUCCESS;
}

/* Prepare the path of a name that is to be made or removed. */
static wb_errno prepare_entry(struct uvw_context *context, wb_fd fd,
                              const struct uvw_file *root, const char *path,
                              size_t path_len, struct uvw_path *fixed)
{
    wb_errno error;
    if (!context->fixups) {
        take(path, path_len, fixed);
        return WB_ERRNO_SUCCESS;
    }
    error = fix_path(context, fd, path, path_len, fixed);
    if (!error && root->flags & UVW_READ_ONLY)
        error = WB_ERRNO_ROFS;
    return error;
}

/* Prepare the path of what is there, behind links if `flags` say so. */
static wb_errno prepare_existing(struct uvw_context *context, wb_fd fd,
                                 wb_lookupflags flags, const char *path,
                                 size_t path_len, struct uvw_path *fixed)
{
    if (!context->fixups) {
        take(path, path_len, fixed);
        return WB_ERRNO_SUCCESS;
    }
    wb_errno error = fix_path(context, fd, path, path_len, fixed);
    if (!error && flags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW)
        error = fix_links(context, fd, UVW_FOLLOW, fixed);
    return error ? error : fix_slash(context, fd, UVW_NOFOLLOW, fixed);
}

/* Whether a path names the very directory that it starts from. */
static int is_root(const struct uvw_path *fixed)
{
    return fixed->len == 1 && fixed->text[0] == '.';
}

/* What uvwasi is told about links: nothing is left to follow after a fix-up. */
static uvwasi_lookupflags_t lookup(const struct uvw_context *context,
                                   wb_lookupflags flags)
{
    return context->fixups ? 0 : flags;
}

/* ---- open ---------------------------------------------------------------------- */

/* fix_open: what the rights and flags of an open come to. */
static wb_errno fix_open_rights(const struct uvw_context *context,
                                const struct uvw_file *root, wb_oflags oflags,
                                wb_rights base, wb_rights inheriting,
                                wb_fdflags fdflags)
{
    if (!context->ignore_rights &&
        wb_rights_path_open_inheriting(base, inheriting, fdflags) &
            ~root->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    if (oflags & WB_OFLAGS_DIRECTORY && oflags & ~WB_OFLAGS_DIRECTORY)
        return WB_ERRNO_INVAL;
    return uvw_may_open(context);
}

/* Look at what is to be opened: its path, and whether that can be. */
static wb_errno fix_open_path(struct uvw_context *context, wb_fd fd,
                              const struct uvw_file *root,
                              wb_lookupflags dirflags, const char *path,
                              size_t path_len, wb_oflags oflags, int writing,
                              struct uvw_path *fixed)
{
    int create = oflags & WB_OFLAGS_CREAT, exclusive = oflags & WB_OFLAGS_EXCL;
    wb_errno error = fix_path(context, fd, path, path_len, fixed);
    if (!error)
        error = fix_links(context, fd,
                          create && exclusive ? UVW_ENTRY
                          : dirflags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW
                              ? UVW_FOLLOW
                              : UVW_NOFOLLOW,
                          fixed);
    if (error)
        return error;
    if (fixed->error && !(fixed->error == WB_ERRNO_NOENT && create))
        return fixed->error;
    if (fixed->error)
        return fixed->slash                    ? WB_ERRNO_ISDIR
               : root->flags & UVW_READ_ONLY ? WB_ERRNO_ROFS
                                               : WB_ERRNO_SUCCESS;
    mode_t mode = fixed->facts.st_mode;
    if (create && exclusive)
        return WB_ERRNO_EXIST;
    if (fixed->slash && !S_ISDIR(mode))
        return WB_ERRNO_NOTDIR;
    if (S_ISLNK(mode))
        return WB_ERRNO_LOOP;
    if (S_ISDIR(mode) && (writing || create))
        return WB_ERRNO_ISDIR;
    if (root->flags & UVW_READ_ONLY && (writing || oflags & WB_OFLAGS_TRUNC))
        return WB_ERRNO_ROFS;
    return WB_ERRNO_SUCCESS;
}

/* uvwasi takes the access mode from these alone, and would open for writing when
 * asked for FD_DATASYNC. */
static wb_rights access_rights(wb_rights base)
{
    return (wb_rights_ask_to_read(base) ? WB_RIGHTS_FD_READ : 0) |
           (wb_rights_ask_to_write(base) ? WB_RIGHTS_FD_WRITE : 0);
}

/* fix_fifo: open, and if that is a FIFO without a reader, to be written to, look
 * for one again and again: that is the one thing that no descriptor announces. */
static uint16_t fix_fifo(struct uvw_context *context, wb_fd fd,
                         const struct uvw_path *fixed, wb_oflags oflags,
                         wb_rights base, wb_fdflags flags, int waits,
                         wb_fd *opened)
{
    const uint64_t longest = 50 * 1000 * 1000;
    uint16_t error;
    for (uint64_t pause = 1000 * 1000;; pause *= 2) {
        error = uvwasi_path_open(&context->uvwasi, fd, 0, fixed->text,
                                 (uvwasi_size_t)fixed->len, oflags, base, 0,
                                 flags, opened);
        if (error != WB_ERRNO_NXIO || !waits || fixed->error ||
            !S_ISFIFO(fixed->facts.st_mode))
            return fix_error(context, error);
        error = uvw_pause(context, pause < longest ? pause : longest);
        if (error)
            return error;
    }
}

/* Describe what was opened. uvwasi has looked at it, which is enough for a file
 * or a directory. */
static wb_errno describe_opened(struct uvw_context *context, wb_fd fd,
                                wb_rights base, wb_fdflags flags,
                                struct uvw_file *file)
{
    int host;
    wb_filetype type = uvw_private_type(context, fd, &host);
    if (!context->fixups || (type != WB_FILETYPE_REGULAR_FILE &&
                             type != WB_FILETYPE_DIRECTORY))
        return uvw_describe(file, host);
    int access = !wb_rights_ask_to_write(base)  ? O_RDONLY
                 : wb_rights_ask_to_read(base) ? O_RDWR
                                                : O_WRONLY;
    uvw_describe_as(file, host,
                    type == WB_FILETYPE_DIRECTORY ? S_IFDIR : S_IFREG,
                    access | (flags & WB_FDFLAGS_APPEND ? O_APPEND : 0));
    return WB_ERRNO_SUCCESS;
}

uint16_t uvw_path_open(void *self, wb_fd fd, wb_lookupflags dirflags,
                       const char *path, size_t path_len, wb_oflags oflags,
                       wb_rights fs_rights_base, wb_rights fs_rights_inheriting,
                       wb_fdflags fdflags, wb_fd *opened_fd)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_fdflags flags = fdflags;
    wb_fd opened;
    uint16_t error = uvw_use(context, fd, WB_NEEDS_KIND_path_open,
                             wb_rights_path_open(oflags), &root);
    if (error)
        return error;
    if (!context->fixups) {
        take(path, path_len, &fixed);
        error = uvw_may_open(context);
        if (!error)
            error = uvwasi_path_open(
                &context->uvwasi, fd, dirflags, fixed.text,
                (uvwasi_size_t)fixed.len, oflags, fs_rights_base,
                fs_rights_inheriting, fdflags, &opened);
    } else {
        error = fix_open_rights(context, root, oflags, fs_rights_base,
                                fs_rights_inheriting, fdflags);
        if (!error)
            error = fix_open_path(context, fd, root, dirflags, path, path_len,
                                  oflags, wb_rights_ask_to_write(fs_rights_base),
                                  &fixed);
        /* The opening of a FIFO or a device must not wait, nor a transfer. */
        flags = (wb_fdflags)(flags & ~WB_FDFLAGS_NONBLOCK);
        if (!error && !fixed.error && !S_ISREG(fixed.facts.st_mode) &&
            !S_ISDIR(fixed.facts.st_mode))
            flags |= WB_FDFLAGS_NONBLOCK;
        if (!error)
            error = fix_fifo(context, fd, &fixed, oflags,
                             access_rights(fs_rights_base), flags,
                             !(fdflags & WB_FDFLAGS_NONBLOCK), &opened);
    }
    if (error)
        return error;

    struct uvw_file file = {.fdflags = fdflags};
    file.host_fdflags = (wb_fdflags)(flags & ~WB_FDFLAGS_NONBLOCK);
    file.flags = root->flags & UVW_READ_ONLY;
    error = describe_opened(context, opened, fs_rights_base, flags, &file);
    if (file.filetype == WB_FILETYPE_UNKNOWN)
        file.flags |= UVW_FIFO;
    if (!context->ignore_rights) {
        file.base &= fs_rights_base;
        file.inheriting = fs_rights_inheriting;
    }
    if (!error)
        error = uvw_keep(context, opened, &file);
    if (error) {
        uvwasi_fd_close(&context->uvwasi, opened);
        return error;
    }
    *opened_fd = opened;
    return WB_ERRNO_SUCCESS;
}

/* ---- describing ------------------------------------------------------------------ */

static void fix_filestat(const struct stat *facts, wb_filestat *filestat)
{
    *filestat = (wb_filestat){
        .dev = facts->st_dev,
        .ino = facts->st_ino,
        .nlink = facts->st_nlink,
        .size = (wb_filesize)facts->st_size,
        .atim = uvw_nanoseconds(facts->st_atim),
        .mtim = uvw_nanoseconds(facts->st_mtim),
        .ctim = uvw_nanoseconds(facts->st_ctim),
        .filetype = fix_type(facts->st_mode),
    };
}

uint16_t uvw_path_filestat_get(void *self, wb_fd fd, wb_lookupflags flags,
                               const char *path, size_t path_len,
                               wb_filestat *filestat)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    uvwasi_filestat_t raw;
    wb_errno error = UVW_USE(context, path_filestat_get, fd, &root);
    if (!error)
        error = prepare_existing(context, fd, flags, path, path_len, &fixed);
    if (error)
        return error;
    if (context->fixups) { /* fix_links has looked, and tells pipes apart */
        if (!fixed.looked)
            error = fix_links(context, fd, UVW_NOFOLLOW, &fixed);
        if (!error && !fixed.error)
            fix_filestat(&fixed.facts, filestat);
        return error ? error : fixed.error;
    }
    error = uvwasi_path_filestat_get(&context->uvwasi, fd, flags, fixed.text,
                                     (uvwasi_size_t)fixed.len, &raw);
    if (!error)
        uvw_filestat(&raw, filestat);
    return error;
}

uint16_t uvw_path_readlink(void *self, wb_fd fd, const char *path,
                           size_t path_len, char *buf, size_t buf_len,
                           size_t *bufused)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    uvwasi_size_t used = 0;
    wb_errno error = UVW_USE(context, path_readlink, fd, &root);
    if (!error)
        error = prepare_existing(context, fd, 0, path, path_len, &fixed);
    if (!error)
        error = fix_error(context,
                          uvwasi_path_readlink(&context->uvwasi, fd, fixed.text,
                                               (uvwasi_size_t)fixed.len, buf,
                                               (uvwasi_size_t)buf_len, &used));
    if (context->fixups && error == WB_ERRNO_NOBUFS)
        return WB_ERRNO_NAMETOOLONG;
    if (error)
        return error;
    /* 0.0.19 counts the NUL that it adds. */
    *bufused = context->fixups ? strnlen(buf, buf_len) : used;
    return WB_ERRNO_SUCCESS;
}

/* ---- changing ------------------------------------------------------------------------ */

uint16_t uvw_path_create_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_errno error = UVW_USE(context, path_create_directory, fd, &root);
    if (!error)
        error = prepare_entry(context, fd, root, path, path_len, &fixed);
    return error ? error
                 : fix_error(context, uvwasi_path_create_directory(
                                          &context->uvwasi, fd, fixed.text,
                                          (uvwasi_size_t)fixed.len));
}

/* fix_times: uvwasi sets whole seconds, also of the time to be left alone. */
static wb_errno fix_times(struct uvw_context *context, wb_fd fd,
                          const struct uvw_path *fixed, wb_timestamp atim,
                          wb_timestamp mtim, wb_fstflags fst_flags)
{
    struct timespec times[2];
    char *host;
    wb_errno error =
        uvw_private_path(context, fd, fixed->text, fixed->len, &host);
    if (error)
        return error;
    uvw_times(atim, mtim, fst_flags, times);
    if (utimensat(AT_FDCWD, host, times, AT_SYMLINK_NOFOLLOW))
        error = wb_errno_of_host(errno);
    uvw_release(context, host);
    return error;
}

uint16_t uvw_path_filestat_set_times(void *self, wb_fd fd, wb_lookupflags flags,
                                     const char *path, size_t path_len,
                                     wb_timestamp atim, wb_timestamp mtim,
                                     wb_fstflags fst_flags)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_errno error = UVW_USE(context, path_filestat_set_times, fd, &root);
    if (!error)
        error = prepare_existing(context, fd, flags, path, path_len, &fixed);
    if (!error && root->flags & UVW_READ_ONLY)
        error = WB_ERRNO_ROFS;
    if (error)
        return error;
    if (context->fixups)
        return fix_times(context, fd, &fixed, atim, mtim, fst_flags);
    return uvwasi_path_filestat_set_times(&context->uvwasi, fd, flags,
                                          fixed.text, (uvwasi_size_t)fixed.len,
                                          atim, mtim, fst_flags);
}

uint16_t uvw_path_link(void *self, wb_fd old_fd, wb_lookupflags old_flags,
                       const char *old_path, size_t old_path_len, wb_fd new_fd,
                       const char *new_path, size_t new_path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *old_root, *new_root;
    struct uvw_path from, to;
    wb_errno error = UVW_USE(context, path_link_source, old_fd, &old_root);
    if (!error)
        error = UVW_USE(context, path_link_target, new_fd, &new_root);
    if (!error)
        error = prepare_existing(context, old_fd, old_flags, old_path,
                                 old_path_len, &from);
    if (!error && old_root->flags & UVW_READ_ONLY)
        error = WB_ERRNO_ROFS;
    if (!error)
        error = prepare_entry(context, new_fd, new_root, new_path,
                              new_path_len, &to);
    if (!error && context->fixups && to.slash) /* no file is made with one */
        error = fix_links(context, new_fd, UVW_ENTRY, &to);
    if (!error && context->fixups && to.slash)
        error = to.error ? to.error : WB_ERRNO_EXIST;
    if (error)
        return error;
    return fix_error(context,
                     uvwasi_path_link(&context->uvwasi, old_fd,
                                      lookup(context, old_flags), from.text,
                                      (uvwasi_size_t)from.len, new_fd, to.text,
                                      (uvwasi_size_t)to.len));
}

uint16_t uvw_path_rename(void *self, wb_fd fd, const char *old_path,
                         size_t old_path_len, wb_fd new_fd,
                         const char *new_path, size_t new_path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *old_root, *new_root;
    struct uvw_path from, to;
    wb_errno error = UVW_USE(context, path_rename_source, fd, &old_root);
    if (!error)
        error = UVW_USE(context, path_rename_target, new_fd, &new_root);
    if (!error)
        error =
            prepare_entry(context, fd, old_root, old_path, old_path_len, &from);
    if (!error)
        error = prepare_entry(context, new_fd, new_root, new_path,
                              new_path_len, &to);
    if (!error && context->fixups && (is_root(&from) || is_root(&to)))
        error = WB_ERRNO_BUSY;
    /* A slash on either side: both are directories. */
    if (!error && context->fixups && (from.slash || to.slash)) {
        from.slash = 1;
        error = fix_slash(context, fd, UVW_ENTRY, &from);
        if (!error)
            error = fix_slash(context, new_fd, UVW_ENTRY, &to);
    }
    if (error)
        return error;
    return fix_error(
        context, uvwasi_path_rename(&context->uvwasi, fd, from.text,
                                    (uvwasi_size_t)from.len, new_fd, to.text,
                                    (uvwasi_size_t)to.len));
}

uint16_t uvw_path_symlink(void *self, const char *old_path, size_t old_path_len,
                          wb_fd fd, const char *new_path, size_t new_path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_errno error = UVW_USE(context, path_symlink, fd, &root);
    if (!error)
        error =
            prepare_entry(context, fd, root, new_path, new_path_len, &fixed);
    if (!error && context->fixups && fixed.slash) {
        error = fix_links(context, fd, UVW_ENTRY, &fixed);
        if (!error)
            error = fixed.error ? fixed.error : WB_ERRNO_EXIST;
    }
    if (error)
        return error;
    return fix_error(context,
                     uvwasi_path_symlink(&context->uvwasi, old_path,
                                         (uvwasi_size_t)old_path_len, fd,
                                         fixed.text, (uvwasi_size_t)fixed.len));
}

uint16_t uvw_path_remove_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_errno error = UVW_USE(context, path_remove_directory, fd, &root);
    if (!error)
        error = prepare_entry(context, fd, root, path, path_len, &fixed);
    /* uvwasi would remove `dir` for `dir/.`. */
    if (!error && context->fixups && path[path_len - 1] == '.' &&
        (path_len == 1 || path[path_len - 2] == '/'))
        error = WB_ERRNO_INVAL;
    if (!error && context->fixups && fixed.slash)
        error = fix_slash(context, fd, UVW_ENTRY, &fixed);
    if (error)
        return error;
    return fix_error(context, uvwasi_path_remove_directory(
                                  &context->uvwasi, fd, fixed.text,
                                  (uvwasi_size_t)fixed.len));
}

uint16_t uvw_path_unlink_file(void *self, wb_fd fd, const char *path,
                              size_t path_len)
{
    struct uvw_context *context = self;
    struct uvw_file *root;
    struct uvw_path fixed;
    wb_errno error = UVW_USE(context, path_unlink_file, fd, &root);
    if (!error)
        error = prepare_entry(context, fd, root, path, path_len, &fixed);
    if (!error && context->fixups && fixed.slash) {
        error = fix_links(context, fd, UVW_ENTRY, &fixed);
        if (!error)
            error = fixed.error                      ? fixed.error
                    : S_ISDIR(fixed.facts.st_mode) ? WB_ERRNO_ISDIR
                                                     : WB_ERRNO_NOTDIR;
    }
    if (error)
        return error;
    return fix_error(context, uvwasi_path_unlink_file(
                                  &context->uvwasi, fd, fixed.text,
                                  (uvwasi_size_t)fixed.len));
}
