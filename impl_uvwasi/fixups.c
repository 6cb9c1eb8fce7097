/* Fix-ups that several calls share: what is said of a path before uvwasi gets it,
 * and what its answers are called.
 *
 * Paths. uvwasi joins a path to the directory's by their text, normalises the
 * whole, and compares prefixes. So `..` above a preopened "/" is clamped, `../ab`
 * from a directory `a` is taken for `a/b`, and (0.0.19) a relative link counts
 * from the descriptor and not from the link's directory. fix_path goes through the
 * text and refuses what leaves; only before a `..` does it look at what is there.
 * fix_links follows the links that the path ends in, one step at a time. Links on
 * the way are still followed by the host, wherever they lead, and nothing keeps
 * the tree from changing in between: this is no security boundary.
 *
 * System calls: lstat, and readlink for each link.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };

wb_errno fix_error(const struct uvw_context *context, uvwasi_errno_t error)
{
    /* The host's limit: to the guest it is one more table that is full. */
    if (context->fixups && error == UVWASI_EMFILE)
        return WB_ERRNO_NFILE;
    return error;
}

wb_filetype fix_type(mode_t mode)
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

/* ---- paths ---------------------------------------------------------------------- */

static wb_errno append(struct uvw_context *context, wb_fd fd,
                       struct uvw_path *fixed, const char *path,
                       size_t path_len);

static void take_last(struct uvw_path *fixed)
{
    while (fixed->len > 0 && fixed->text[--fixed->len] != '/')
        ;
    fixed->text[fixed->len] = '\0';
}

/* Replace the link that a path ends in by its target. */
static wb_errno follow(struct uvw_context *context, wb_fd fd,
                       struct uvw_path *fixed, const char *host)
{
    char target[WB_MAX_PATH + 1];
    int slash = fixed->slash;
    ssize_t len = readlink(host, target, sizeof target);
    if (len < 0)
        return wb_errno_of_host(errno);
    if ((size_t)len == sizeof target)
        return WB_ERRNO_NAMETOOLONG;
    if (len == 0)
        return WB_ERRNO_NOENT;
    if (target[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    take_last(fixed);
    wb_errno error = append(context, fd, fixed, target, (size_t)len);
    fixed->slash |= slash;
    return error;
}

/* Look at what `fixed` names, behind the links that it ends in. */
static wb_errno look(struct uvw_context *context, wb_fd fd, int how,
                     struct uvw_path *fixed)
{
    for (;;) {
        char *host;
        const char *text = fixed->len ? fixed->text : ".";
        wb_errno error =
            uvw_private_path(context, fd, text, strlen(text), &host);
        if (error)
            return error;
        fixed->looked = 1;
        fixed->error = lstat(host, &fixed->facts) ? wb_errno_of_host(errno)
                                                  : WB_ERRNO_SUCCESS;
        int link = !fixed->error && S_ISLNK(fixed->facts.st_mode) &&
                   (how == UVW_FOLLOW || (how == UVW_NOFOLLOW && fixed->slash));
        if (link)
            error = fixed->links++ < MAX_LINKS
                        ? follow(context, fd, fixed, host)
                        : WB_ERRNO_LOOP;
        uvw_release(context, host);
        if (!link || error)
            return error;
    }
}

/* Go up from what `fixed` names, which must be a directory for that. */
static wb_errno go_up(struct uvw_context *context, wb_fd fd,
                      struct uvw_path *fixed)
{
    if (fixed->len) {
        wb_errno error = look(context, fd, UVW_FOLLOW, fixed);
        if (error || fixed->error)
            return error ? error : fixed->error;
        if (!S_ISDIR(fixed->facts.st_mode))
            return WB_ERRNO_NOTDIR;
    }
    if (fixed->len == 0)
        return WB_ERRNO_NOTCAPABLE;
    take_last(fixed);
    return WB_ERRNO_SUCCESS;
}

/* Append the components of `path` to what `fixed` has. */
static wb_errno append(struct uvw_context *context, wb_fd fd,
                       struct uvw_path *fixed, const char *path,
                       size_t path_len)
{
    fixed->looked = 0;
    for (size_t at = 0, end; at < path_len; at = end + 1) {
        const char *name = path + at;
        for (end = at; end < path_len && path[end] != '/';)
            end++;
        size_t len = end - at;
        if (len == 0)
            continue;
        fixed->slash = 1;
        if (len == 1 && name[0] == '.')
            continue;
        if (len == 2 && name[0] == '.' && name[1] == '.') {
            wb_errno error = go_up(context, fd, fixed);
            fixed->looked = 0;
            if (error)
                return error;
            continue;
        }
        if (fixed->len + 1 + len >= sizeof fixed->text)
            return WB_ERRNO_NAMETOOLONG;
        if (fixed->len)
            fixed->text[fixed->len++] = '/';
        memcpy(fixed->text + fixed->len, name, len);
        fixed->len += len;
        fixed->text[fixed->len] = '\0';
        fixed->slash = end < path_len;
    }
    return WB_ERRNO_SUCCESS;
}

/* An empty text is the directory itself; uvwasi wants a word for it. */
static void name_root(struct uvw_path *fixed)
{
    if (fixed->len == 0) {
        strcpy(fixed->text, ".");
        fixed->len = 1;
    }
}

wb_errno fix_path(struct uvw_context *context, wb_fd fd, const char *path,
                  size_t path_len, struct uvw_path *fixed)
{
    fixed->text[0] = '\0';
    fixed->len = 0;
    fixed->slash = fixed->links = 0;
    if (path[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    wb_errno error = append(context, fd, fixed, path, path_len);
    name_root(fixed);
    return error;
}

wb_errno fix_links(struct uvw_context *context, wb_fd fd, int how,
                   struct uvw_path *fixed)
{
    wb_errno error = look(context, fd, how, fixed);
    name_root(fixed);
    return error;
}

wb_errno fix_slash(struct uvw_context *context, wb_fd fd, int how,
                   struct uvw_path *fixed)
{
    if (!fixed->slash)
        return WB_ERRNO_SUCCESS;
    wb_errno error = fixed->looked ? WB_ERRNO_SUCCESS
                                   : fix_links(context, fd, how, fixed);
    if (!error && !fixed->error && !S_ISDIR(fixed->facts.st_mode))
        error = WB_ERRNO_NOTDIR;
    return error;
}
