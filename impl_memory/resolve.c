/* Paths: from a directory and a path to a place beneath it.
 *
 * `..` goes to a directory's parent and never above the directory that the
 * path began at; a link's text is read in place of its name, and what comes
 * behind it waits its turn. Nothing is copied, since the text of paths and
 * links stays put during a call. After MEM_MAX_LINKS links that is a loop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

struct walk {
    struct mem_directory *root, *directory;
    unsigned depth, links;
    int slash; /* slashes come behind the component that was read last, */
    int must;  /* or behind a link at the path's end: a directory is meant */
    struct {
        const char *at, *end;
    } texts[MEM_MAX_LINKS + 1]; /* what is still to read, the last one first */
};

/* Go to the next component. 0: there is none, and texts[0] may be used
 * again. */
static int advance(struct walk *walk)
{
    for (;; walk->depth--) {
        const char *at = walk->texts[walk->depth].at;
        const char *end = walk->texts[walk->depth].end;
        while (at < end && *at == '/') {
            walk->slash = 1;
            at++;
        }
        walk->texts[walk->depth].at = at;
        if (at < end)
            return 1;
        if (walk->depth == 0)
            return 0;
    }
}

/* Read the component that comes next. */
static void read_name(struct walk *walk, struct mem_name *name)
{
    const char *at = walk->texts[walk->depth].at;
    const char *end = walk->texts[walk->depth].end;
    name->text = at;
    name->hash = MEM_HASH_START;
    for (; at < end && *at != '/'; at++)
        name->hash = mem_hash_next(name->hash, *at);
    name->len = (size_t)(at - name->text);
    walk->texts[walk->depth].at = at;
}

/* Read a link's text next. */
static wb_errno follow(struct walk *walk, const struct mem_node *node, int last)
{
    const struct mem_link *link = (const struct mem_link *)node;
    if (++walk->links > MEM_MAX_LINKS)
        return WB_ERRNO_LOOP;
    if (link->text[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    if (!last)
        walk->depth++;
    walk->texts[walk->depth].at = link->text;
    walk->texts[walk->depth].end = link->text + link->len;
    return WB_ERRNO_SUCCESS;
}

/* The number of dots, if a name is `.` or `..`. */
static uint8_t dots(const struct mem_name *name)
{
    if (name->text[0] != '.' || name->len > 2)
        return 0;
    return name->len == 1 ? 1 : name->text[1] == '.' ? 2 : 0;
}

/* The last component has been read, and is not `.` or `..`. 0 in *done: it was
 * a link, and its text comes next. */
static wb_errno finish(struct walk *walk, int how, struct mem_place *place,
                       int *done)
{
    struct mem_node *node = place->node;
    *done = 1;
    if (how == MEM_ENTRY || !node)
        return WB_ERRNO_SUCCESS;
    if (node->filetype == WB_FILETYPE_SYMBOLIC_LINK &&
        (how != MEM_NOFOLLOW || walk->slash)) {
        *done = 0;
        walk->must = walk->slash;
        return follow(walk, node, 1);
    }
    return walk->slash && node->filetype != WB_FILETYPE_DIRECTORY
               ? WB_ERRNO_NOTDIR
               : WB_ERRNO_SUCCESS;
}

wb_errno mem_find_place(struct mem_directory *root, const char *path,
                        size_t path_len, int how, struct mem_place *place)
{
    struct walk walk;
    int done = 0;
    wb_errno error = WB_ERRNO_SUCCESS;
    if (path[0] == '/')
        return WB_ERRNO_NOTCAPABLE;
    walk.root = walk.directory = root;
    walk.depth = walk.links = 0;
    walk.slash = walk.must = 0;
    walk.texts[0].at = path;
    walk.texts[0].end = path + path_len;
    while (!error && !done) {
        int last;
        read_name(&walk, &place->name);
        walk.slash = 0;
        last = !advance(&walk);
        walk.slash = last && (walk.slash || walk.must);
        place->slash = (uint8_t)walk.slash;
        place->dots = dots(&place->name);
        place->entry = NULL;
        if (place->dots) {
            if (place->dots == 2 && walk.directory == walk.root)
                return WB_ERRNO_NOTCAPABLE;
            if (place->dots == 2)
                walk.directory = walk.directory->parent;
            place->directory = walk.directory;
            place->node = &walk.directory->node;
            done = last;
            continue;
        }
        if (last && place->slash && how == MEM_CREATE)
            return WB_ERRNO_ISDIR;
        if (place->name.len > MEM_MAX_NAME)
            return WB_ERRNO_NAMETOOLONG;
        place->directory = walk.directory;
        place->entry = mem_directory_find(walk.directory, &place->name);
        place->node = place->entry ? place->entry->node : NULL;
        if (last)
            error = finish(&walk, how, place, &done);
        else if (!place->node)
            error = WB_ERRNO_NOENT;
        else if (place->node->filetype == WB_FILETYPE_SYMBOLIC_LINK)
            error = follow(&walk, place->node, 0);
        else if (place->node->filetype != WB_FILETYPE_DIRECTORY)
            error = WB_ERRNO_NOTDIR;
        else
            walk.directory = (struct mem_directory *)place->node;
    }
    return error;
}
