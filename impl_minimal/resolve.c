/* Paths: opening what a path names, beneath a directory and never above it.
 *
 * System calls: openat; openat2 (through portability.c); readlinkat, fstat and
 * close in the walk.
 *
 * Three ways, and the same answer from each:
 *   - A single component needs no resolution. It is opened as it is, following
 *     no link, and that is all unless it turns out to be a link.
 *   - The kernel resolves the path with openat2 and RESOLVE_BENEATH.
 *   - The walk opens one component after the other as a place (O_PATH), each in
 *     the directory that the one before led to, following no link; a link's
 *     text is put in front of what remains. `..` starts again at the root with
 *     the path that has been walked, less one component: there is never a step
 *     upward, so a directory that somebody moves out of the tree meanwhile
 *     cannot lead outside, and no more than two descriptors are held. The walk
 *     serves kernels and sandboxes without openat2, and settles what the kernel
 *     leaves open: whether ELOOP is a loop or a link of procfs.
 *
 * Left out: nothing. Assumed: that a directory's own permissions are all that
 * stands between a guest and what is beneath a preopen, mounts included.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_PATH /* elsewhere: for search only, or else for reading */
#ifdef O_SEARCH
#define O_PATH O_SEARCH
#else
#define O_PATH O_RDONLY
#endif
#endif

enum { MAX_LINKS = 40 }; /* as Linux has it */

static int is_name(const char *name, size_t len, const char *other)
{
    return len == strlen(other) && !memcmp(name, other, len);
}

/* ---- the walk ------------------------------------------------------------ */

struct walk {
    struct min_context *context;
    int root, current; /* current is root, or ours */
    int links;
    size_t done_len; /* of done: the components walked, without links */
    size_t at;       /* in rest: where what remains begins, up to its end */
    char name[NAME_MAX + 1];
    char done[WB_MAX_PATH + 1];
    char rest[2 * WB_MAX_PATH + 1];
};

static void move_to(struct walk *walk, int directory)
{
    if (walk->current != walk->root)
        close(walk->current);
    walk->current = directory;
}

/* Put text in front of what remains. */
static wb_errno prepend(struct walk *walk, const char *text, size_t len)
{
    if (len > walk->at)
        return WB_ERRNO_NAMETOOLONG;
    walk->at -= len;
    memcpy(walk->rest + walk->at, text, len);
    return WB_ERRNO_SUCCESS;
}

/* Read a link for its text; `error` if it is none. The text is checked: it may
 * not lead out by being absolute or magic. */
static wb_errno read_link(int directory, const char *name, wb_errno error,
                          char text[WB_MAX_PATH + 1], size_t *len)
{
    ssize_t n = readlinkat(directory, name, text, WB_MAX_PATH + 1);
    if (n < 0)
        return errno == EINVAL ? error : wb_errno_of_host(errno);
    if (n == 0)
        return WB_ERRNO_NOENT;
    if (n > WB_MAX_PATH)
        return WB_ERRNO_NAMETOOLONG;
    text[n] = '\0';
    if (text[0] == '/' || min_host_magic_link(directory, text))
        return WB_ERRNO_NOTCAPABLE;
    *len = (size_t)n;
    return WB_ERRNO_SUCCESS;
}

/* walk->name is not what was expected. If it is a link, put its text in place
 * of it, what remains beginning at `after`; otherwise that is an `error`. */
static wb_errno expand(struct walk *walk, size_t after, wb_errno error)
{
    char text[WB_MAX_PATH + 1];
    size_t len;
    error = read_link(walk->current, walk->name, error, text, &len);
    if (error)
        return error;
    if (++walk->links > MAX_LINKS)
        return WB_ERRNO_LOOP;
    walk->at = after;
    return prepend(walk, text, len);
}

/* Go to the parent, by walking the known way to it again. */
static wb_errno step_up(struct walk *walk, size_t after)
{
    wb_errno error;
    if (walk->done_len == 0)
        return WB_ERRNO_NOTCAPABLE;
    while (walk->done_len > 0 && walk->done[--walk->done_len] != '/')
        ;
    walk->at = after;
    if (walk->done_len > 0) {
        walk->done[walk->done_len++] = '/';
        error = prepend(walk, walk->done, walk->done_len);
        if (error)
            return error;
    }
    walk->done_len = 0;
    move_to(walk, walk->root);
    return WB_ERRNO_SUCCESS;
}

/* Go down into walk->name. */
static wb_errno step_down(struct walk *walk, size_t len, size_t after)
{
    int fd = openat(walk->current, walk->name,
                    O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        wb_errno error = wb_errno_of_host(errno);
        return errno == ENOTDIR || errno == ELOOP ? expand(walk, after, error)
                                                  : error;
    }
    move_to(walk, fd);
    if (walk->done_len + 1 + len > WB_MAX_PATH)
        return WB_ERRNO_NAMETOOLONG;
    if (walk->done_len)
        walk->done[walk->done_len++] = '/';
    memcpy(walk->done + walk->done_len, walk->name, len);
    walk->done_len += len;
    walk->at = after;
    return WB_ERRNO_SUCCESS;
}

/* Open walk->name, the last component. *opened stays -1 when it was a link,
 * which has then been put in place of it. */
static wb_errno open_last(struct walk *walk, size_t after, int flags,
                          mode_t mode, int *opened)
{
    int slash = walk->rest[after] == '/';
    int follow = slash || !(flags & O_NOFOLLOW);
    if (slash && flags & O_CREAT)
        return WB_ERRNO_ISDIR;
    if (slash)
        flags |= O_DIRECTORY;
    int fd = openat(walk->current, walk->name, flags | O_NOFOLLOW, mode);
    if (fd >= 0 && follow && (flags & (O_PATH | O_DIRECTORY)) == O_PATH) {
        /* Only a place can be that of a link. */
        struct stat facts;
        int failed = fstat(fd, &facts);
        if (failed || S_ISLNK(facts.st_mode)) {
            wb_errno error = failed ? wb_errno_of_host(errno) : WB_ERRNO_LOOP;
            close(fd);
            return failed ? error : expand(walk, after, error);
        }
    }
    if (fd < 0) {
        wb_errno error = wb_errno_of_host(errno);
        return follow && (errno == ENOTDIR || errno == ELOOP)
                   ? expand(walk, after, error)
                   : error;
    }
    *opened = fd;
    return WB_ERRNO_SUCCESS;
}

/* One step. *opened is no longer -1 when it was the last. */
static uint16_t step(struct walk *walk, int flags, mode_t mode, int *opened)
{
    while (walk->rest[walk->at] == '/')
        walk->at++;
    const char *name = walk->rest + walk->at;
    size_t len = strcspn(name, "/");
    size_t after = walk->at + len;
    int last = name[len + strspn(name + len, "/")] == '\0';
    if (len > NAME_MAX)
        return WB_ERRNO_NAMETOOLONG;
    if (is_name(name, len, "..")) {
        const int exclusive = O_CREAT | O_EXCL;
        if (min_interrupted(walk->context)) /* may take long */
            return WB_STOP_GUEST;
        wb_errno error = step_up(walk, after);
        return !error && last && (flags & exclusive) == exclusive
                   ? WB_ERRNO_EXIST
                   : error;
    }
    if (len == 0 || is_name(name, len, ".")) {
        walk->at = after;
        if (!last)
            return WB_ERRNO_SUCCESS;
        *opened = openat(walk->current, ".", flags, mode);
        return *opened < 0 ? wb_errno_of_host(errno) : WB_ERRNO_SUCCESS;
    }
    memcpy(walk->name, name, len);
    walk->name[len] = '\0';
    return last ? open_last(walk, after, flags, mode, opened)
                : step_down(walk, len, after);
}

static uint16_t open_by_walk(struct min_context *context, int root,
                             const char *path, size_t path_len, int flags,
                             mode_t mode, int *opened)
{
    struct walk walk;
    uint16_t error;
    walk.context = context;
    walk.root = walk.current = root;
    walk.links = 0;
    walk.done_len = 0;
    walk.at = sizeof walk.rest - 1;
    walk.rest[walk.at] = '\0';
    *opened = -1;
    error = prepend(&walk, path, path_len);
    while (!error && *opened < 0)
        error = step(&walk, flags, mode, opened);
    move_to(&walk, root);
    return error;
}

/* ---- opening ------------------------------------------------------------- */

/* Open with openat2. *walk is set when the walk has to answer instead. */
static uint16_t open_by_kernel(struct min_context *context, int root,
                               const char *path, int flags, mode_t mode,
                               int *opened, int *walk)
{
    *walk = 0;
    for (int tries = 0; tries < 4;) {
        *opened = min_host_open_beneath(root, path, flags, mode);
        if (*opened >= 0)
            return WB_ERRNO_SUCCESS;
        int error = errno;
        if (error == EINTR) {
            if (min_interrupted(context))
                return WB_STOP_GUEST;
            continue;
        }
        if (error == EAGAIN) {
            tries++;
            continue;
        }
        if (error == EXDEV)
            return WB_ERRNO_NOTCAPABLE;
        if (error == ENOSYS || error == EPERM) {
            /* EPERM is also how sandboxes refuse a system call. */
            int probe = error == ENOSYS
                            ? -1
                            : min_host_open_beneath(root, ".",
                                                    O_PATH | O_CLOEXEC, 0);
            if (probe < 0)
                context->walk = 1;
            else
                close(probe);
            if (!context->walk)
                return WB_ERRNO_PERM;
        } else if (error != ELOOP) {
            return wb_errno_of_host(error);
        }
        break;
    }
    *walk = 1;
    return WB_ERRNO_SUCCESS;
}

uint16_t min_open_beneath(struct min_context *context, int root,
                          const char *path, size_t path_len, int flags,
                          mode_t mode, int *opened)
{
    /* openat2 refuses what means nothing to a place. */
    flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY);
    if (path[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    /* One component that is not `..`. As a place it may be a link, and we would
     * have to look. */
    int as_place = (flags & (O_PATH | O_NOFOLLOW | O_DIRECTORY)) == O_PATH;
    if (!as_place && !memchr(path, '/', path_len) &&
        !is_name(path, path_len, "..")) {
        *opened = openat(root, path, flags | O_NOFOLLOW, mode);
        if (*opened >= 0)
            return WB_ERRNO_SUCCESS;
        if (flags & O_NOFOLLOW || (errno != ELOOP && errno != ENOTDIR))
            return wb_errno_of_host(errno);
    }
    if (!context->walk) {
        int walk;
        uint16_t error = open_by_kernel(context, root, path, flags, mode,
                                        opened, &walk);
        if (!walk)
            return error;
    }
    return open_by_walk(context, root, path, path_len, flags, mode, opened);
}

/* ---- places -------------------------------------------------------------- */

void min_place_close(struct min_place *place)
{
    if (place->owned)
        close(place->directory);
    place->owned = 0;
}

/* Find the place of `path`, which stands in place->buffer if it has a slash.
 * *start is where its last component begins. */
static uint16_t find(struct min_context *context, int root, const char *path,
                     size_t path_len, int how, struct min_place *place,
                     size_t *start)
{
    size_t end = path_len;
    while (end > 1 && path[end - 1] == '/')
        end--;
    *start = end;
    while (*start > 0 && path[*start - 1] != '/')
        --*start;
    size_t len = end - *start;
    const char *parent = path;
    size_t parent_len = *start;

    int up = is_name(path + *start, len, "..");
    place->name = path + *start;
    if (up || (how != MIN_ENTRY &&
               (end < path_len || is_name(path + *start, len, ".")))) {
        /* What is named is a directory, and has to be beneath the root before
         * anything is said about it. */
        place->name = up && how == MIN_ENTRY ? ".." : ".";
        parent_len = path_len;
    } else if (parent_len == 0) {
        place->directory = root;
        return WB_ERRNO_SUCCESS;
    } else {
        place->buffer[parent_len - 1] = '\0';
        parent_len--;
    }
    uint16_t error =
        min_open_beneath(context, root, parent, parent_len,
                         O_PATH | O_DIRECTORY, 0, &place->directory);
    place->owned = !error;
    return error;
}

uint16_t min_find_place(struct min_context *context, int root, const char *path,
                        size_t path_len, int how, struct min_place *place)
{
    place->owned = 0;
    if (path[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    if (how == MIN_FOLLOW || memchr(path, '/', path_len)) {
        memcpy(place->buffer, path, path_len + 1);
        path = place->buffer;
    }
    for (int links = 0;; links++) {
        char text[WB_MAX_PATH + 1];
        size_t start, len = 0;
        uint16_t error =
            find(context, root, path, path_len, how, place, &start);
        if (error || how != MIN_FOLLOW)
            return error;
        error = read_link(place->directory, place->name, WB_ERRNO_SUCCESS,
                          text, &len);
        if (!error && len == 0)
            return WB_ERRNO_SUCCESS;
        min_place_close(place);
        if (error)
            return error;
        if (links == MAX_LINKS)
            return WB_ERRNO_LOOP;
        if (start + len > WB_MAX_PATH)
            return WB_ERRNO_NAMETOOLONG;
        if (start > 0)
            place->buffer[start - 1] = '/';
        memcpy(place->buffer + start, text, len + 1);
        path_len = start + len;
    }
}
