/* Nodes: making, describing and releasing what has names, and its times.
 *
 * A node goes when no name and no descriptor has it any more, so a file that is
 * removed while it is open lasts until its last close.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

wb_timestamp mem_now(struct mem_context *context)
{
    const struct wb_options *options = context->options;
    wb_timestamp now = 0;
    if (options->clock)
        return options->clock(options->clock_self, WB_CLOCKID_REALTIME, 0, &now)
                   ? 0
                   : now;
    return mem_platform.stamp ? mem_platform.stamp() : 0;
}

static size_t node_size(wb_filetype filetype, size_t len)
{
    switch (filetype) {
    case WB_FILETYPE_DIRECTORY:
        return sizeof(struct mem_directory);
    case WB_FILETYPE_SYMBOLIC_LINK:
        return sizeof(struct mem_link) + len;
    default:
        return sizeof(struct mem_regular);
    }
}

struct mem_node *mem_node_make(struct mem_context *context,
                               wb_filetype filetype, const char *text,
                               size_t len)
{
    size_t size = node_size(filetype, len);
    struct mem_node *node = mem_allocate(&context->heap, size);
    if (!node)
        return NULL;
    memset(node, 0, size);
    node->filetype = filetype;
    node->ino = ++context->last_ino;
    node->atim = node->mtim = node->ctim = mem_now(context);
    if (filetype == WB_FILETYPE_DIRECTORY) {
        struct mem_directory *directory = (struct mem_directory *)node;
        directory->next_cookie = 3; /* after those of `.` and `..` */
    } else if (filetype == WB_FILETYPE_SYMBOLIC_LINK) {
        struct mem_link *link = (struct mem_link *)node;
        link->len = len;
        memcpy(link->text, text, len);
    } else {
        ((struct mem_regular *)node)->capacity = MEM_BLOCK;
    }
    return node;
}

wb_errno mem_make_directories(struct mem_context *context, const char *path,
                              struct mem_directory **directory)
{
    *directory = context->root;
    for (;;) {
        struct mem_name name = {NULL, 0, MEM_HASH_START};
        while (*path == '/')
            path++;
        if (!*path)
            return WB_ERRNO_SUCCESS;
        for (name.text = path; *path && *path != '/'; path++)
            name.hash = mem_hash_next(name.hash, *path);
        name.len = (size_t)(path - name.text);
        if (name.len == 1 && name.text[0] == '.')
            continue;
        if (name.len == 2 && name.text[0] == '.' && name.text[1] == '.') {
            *directory = (*directory)->parent;
            continue;
        }
        if (name.len > MEM_MAX_NAME)
            return WB_ERRNO_NAMETOOLONG;
        struct mem_entry *entry = mem_directory_find(*directory, &name);
        struct mem_node *node = entry ? entry->node : NULL;
        if (!node) {
            wb_errno error;
            node = mem_node_make(context, WB_FILETYPE_DIRECTORY, NULL, 0);
            if (!node)
                return WB_ERRNO_NOSPC;
            error = mem_directory_add(context, *directory, &name, node);
            if (error) {
                mem_node_settle(context, node);
                return error;
            }
        }
        if (node->filetype != WB_FILETYPE_DIRECTORY)
            return WB_ERRNO_INVAL;
        *directory = (struct mem_directory *)node;
    }
}

void mem_node_settle(struct mem_context *context, struct mem_node *node)
{
    size_t len = 0;
    if (node->links > 0 || node->opens > 0)
        return;
    if (node->filetype == WB_FILETYPE_DIRECTORY)
        mem_directory_clear(context, (struct mem_directory *)node);
    else if (node->filetype == WB_FILETYPE_SYMBOLIC_LINK)
        len = ((struct mem_link *)node)->len;
    else
        mem_content_resize(context, (struct mem_regular *)node, 0);
    mem_release(&context->heap, node, node_size(node->filetype, len));
}

void mem_node_describe(const struct mem_node *node, wb_filestat *filestat)
{
    *filestat = (wb_filestat){
        .dev = 1,
        .ino = node->ino,
        .nlink = node->links,
        .atim = node->atim,
        .mtim = node->mtim,
        .ctim = node->ctim,
        .filetype = node->filetype,
    };
    const struct mem_directory *directory = (const struct mem_directory *)node;
    if (node->filetype == WB_FILETYPE_DIRECTORY && node->links > 0)
        filestat->nlink = 2 + (wb_linkcount)directory->subdirectories;
    else if (node->filetype == WB_FILETYPE_SYMBOLIC_LINK)
        filestat->size = ((const struct mem_link *)node)->len;
    else if (node->filetype == WB_FILETYPE_REGULAR_FILE)
        filestat->size = ((const struct mem_regular *)node)->size;
}

void mem_node_set_times(struct mem_context *context, struct mem_node *node,
                        wb_timestamp atim, wb_timestamp mtim, wb_fstflags flags)
{
    wb_timestamp now;
    if (!flags)
        return;
    now = mem_now(context);
    if (flags & WB_FSTFLAGS_ATIM_NOW)
        node->atim = now;
    else if (flags & WB_FSTFLAGS_ATIM)
        node->atim = atim;
    if (flags & WB_FSTFLAGS_MTIM_NOW)
        node->mtim = now;
    else if (flags & WB_FSTFLAGS_MTIM)
        node->mtim = mtim;
    node->ctim = now;
}
