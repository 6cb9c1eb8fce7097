/* Adding an image's tree to a context: see image.h. Names and nodes are made in
 * memory, bytes stay where they are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

/* Find the directory that an entry is in, and its name there. */
static wb_errno find_parent(struct mem_directory **directory, const char *path,
                            struct mem_name *name)
{
    for (;;) {
        struct mem_entry *entry;
        name->text = path;
        name->hash = MEM_HASH_START;
        for (; *path && *path != '/'; path++)
            name->hash = mem_hash_next(name->hash, *path);
        name->len = (size_t)(path - name->text);
        if (name->len == 0 || name->len > MEM_MAX_NAME ||
            (name->text[0] == '.' &&
             (name->len == 1 || (name->len == 2 && name->text[1] == '.'))))
            return WB_ERRNO_INVAL;
        if (!*path++)
            return WB_ERRNO_SUCCESS;
        entry = mem_directory_find(*directory, name);
        if (!entry || entry->node->filetype != WB_FILETYPE_DIRECTORY)
            return WB_ERRNO_INVAL;
        *directory = (struct mem_directory *)entry->node;
    }
}

static wb_errno add(struct mem_context *context,
                    struct mem_directory *directory,
                    const struct mem_image_entry *image)
{
    static const wb_filetype types[] = {
        [MEM_IMAGE_FILE] = WB_FILETYPE_REGULAR_FILE,
        [MEM_IMAGE_DIRECTORY] = WB_FILETYPE_DIRECTORY,
        [MEM_IMAGE_LINK] = WB_FILETYPE_SYMBOLIC_LINK,
    };
    struct mem_name name;
    struct mem_node *node;
    wb_errno error = find_parent(&directory, image->path, &name);
    if (error || image->kind > MEM_IMAGE_LINK ||
        (image->kind == MEM_IMAGE_LINK && image->len == 0))
        return WB_ERRNO_INVAL;
    struct mem_entry *entry = mem_directory_find(directory, &name);
    if (entry)
        return image->kind == MEM_IMAGE_DIRECTORY &&
                       entry->node->filetype == WB_FILETYPE_DIRECTORY
                   ? WB_ERRNO_SUCCESS
                   : WB_ERRNO_EXIST;
    node = mem_node_make(context, types[image->kind], image->data, image->len);
    if (!node)
        return WB_ERRNO_NOSPC;
    if (image->kind == MEM_IMAGE_FILE) {
        struct mem_regular *file = (struct mem_regular *)node;
        file->base = image->data;
        file->base_len = image->len;
        file->size = image->len;
    }
    node->atim = node->mtim = node->ctim = image->mtim;
    error = mem_directory_add(context, directory, &name, node);
    if (error)
        mem_node_settle(context, node);
    return error;
}

wb_errno mem_image_load(void *self, const struct mem_image *image,
                        const char *where)
{
    struct mem_context *context = self;
    struct mem_directory *directory;
    if (image->size < sizeof *image)
        return WB_ERRNO_INVAL;
    wb_errno error = mem_make_directories(context, where, &directory);
    for (size_t i = 0; !error && i < image->entries_len; i++)
        error = add(context, directory, &image->entries[i]);
    return error;
}
