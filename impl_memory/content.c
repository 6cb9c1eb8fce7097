/* The bytes of files: blocks of equal size, and over them index nodes, as many
 * levels as the size asks for.
 *
 * Appending allocates a block when the last one is full, and copies nothing; a
 * small file's only block doubles until it is as large as a block. What was
 * never written has no block. Cutting a file frees all blocks behind its end.
 *
 * A missing block reads as the image's bytes that the file was made with,
 * where it has any, and as zeros elsewhere; a block that is made begins as
 * these bytes.
 *
 * Recursion is at most MEM_LEVELS deep.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

enum { SMALLEST = 32 }; /* bytes of a first block */

/* An index node. */
struct index {
    void *child[MEM_FANOUT];
};

typedef uint64_t number; /* of a block in its file */

static size_t part(number n, unsigned level)
{
    return (size_t)(n >> level * MEM_FANOUT_BITS) & (MEM_FANOUT - 1);
}

/* How many levels of index nodes it takes to count to block `n`. */
static unsigned levels_for(number n)
{
    unsigned levels = 0;
    for (; n; n >>= MEM_FANOUT_BITS)
        levels++;
    return levels;
}

static int is_within(const struct mem_regular *file, number n)
{
    return !(n >> file->height * MEM_FANOUT_BITS);
}

/* The block, or NULL if it is missing. */
static unsigned char *find(const struct mem_regular *file, number n)
{
    void *at = file->top;
    if (!is_within(file, n))
        return NULL;
    for (unsigned level = file->height; level > 0 && at; level--)
        at = ((struct index *)at)->child[part(n, level - 1)];
    return at;
}

/* What a missing block reads as. */
static void read_missing(const struct mem_regular *file, wb_filesize offset,
                         unsigned char *to, size_t len)
{
    size_t shown = 0;
    if (offset < file->base_len) {
        shown = file->base_len - (size_t)offset;
        if (shown > len)
            shown = len;
        memcpy(to, file->base + offset, shown);
    }
    memset(to + shown, 0, len - shown);
}

void mem_content_read(const struct mem_regular *file, wb_filesize offset,
                      unsigned char *to, size_t len)
{
    while (len > 0) {
        const unsigned char *block = find(file, offset >> MEM_BLOCK_BITS);
        size_t skip = (size_t)offset & (MEM_BLOCK - 1);
        size_t take = MEM_BLOCK - skip < len ? MEM_BLOCK - skip : len;
        if (block && skip + take <= file->capacity) {
            memcpy(to, block + skip, take);
        } else if (block) { /* the only one, and small */
            size_t have = skip < file->capacity ? file->capacity - skip : 0;
            memcpy(to, block + (have ? skip : 0), have);
            memset(to + have, 0, take - have);
        } else {
            read_missing(file, offset, to, take);
        }
        offset += take;
        to += take;
        len -= take;
    }
}

/* ---- making blocks ------------------------------------------------------ */

/* Make the only block at least `len` bytes large. */
static wb_errno widen(struct mem_context *context, struct mem_regular *file,
                      size_t len)
{
    size_t capacity = SMALLEST;
    unsigned char *block;
    if (file->top && len <= file->capacity)
        return WB_ERRNO_SUCCESS;
    if (!file->top && len < file->base_len) /* all that shows must fit in it */
        len = file->base_len < MEM_BLOCK ? file->base_len : MEM_BLOCK;
    while (capacity < len)
        capacity *= 2;
    block = mem_allocate(&context->heap, capacity);
    if (!block && capacity > len && len > 0) { /* without doubling, then */
        capacity = len;
        block = mem_allocate(&context->heap, capacity);
    }
    if (!block)
        return WB_ERRNO_NOSPC;
    if (file->top) {
        memcpy(block, file->top, file->capacity);
        memset(block + file->capacity, 0, capacity - file->capacity);
        mem_release(&context->heap, file->top, file->capacity);
    } else {
        read_missing(file, 0, block, capacity);
    }
    file->top = block;
    file->capacity = (uint32_t)capacity;
    return WB_ERRNO_SUCCESS;
}

/* Let the index count to block `n`. */
static wb_errno heighten(struct mem_context *context, struct mem_regular *file,
                         number n)
{
    unsigned levels = levels_for(n);
    if (levels <= file->height)
        return WB_ERRNO_SUCCESS;
    if (file->top && file->height == 0) {
        wb_errno error = widen(context, file, MEM_BLOCK);
        if (error)
            return error;
    }
    while (file->top && file->height < levels) {
        struct index *above = mem_allocate(&context->heap, sizeof *above);
        if (!above)
            return WB_ERRNO_NOSPC; /* what is there is higher than need be */
        memset(above, 0, sizeof *above);
        above->child[0] = file->top;
        file->top = above;
        file->height++;
    }
    file->height = (uint8_t)levels;
    file->capacity = MEM_BLOCK;
    return WB_ERRNO_SUCCESS;
}

/* Release index nodes without children on the way down to block `n`. */
static void prune_below(struct mem_context *context, void **at, unsigned level,
                        number n)
{
    struct index *node = *at;
    if (!node || level == 0)
        return;
    prune_below(context, &node->child[part(n, level - 1)], level - 1, n);
    for (size_t i = 0; i < MEM_FANOUT; i++)
        if (node->child[i])
            return;
    mem_release(&context->heap, node, sizeof *node);
    *at = NULL;
}

static void prune(struct mem_context *context, struct mem_regular *file,
                  number n)
{
    prune_below(context, &file->top, file->height, n);
    if (!file->top)
        file->height = 0;
}

/* The place of block `n` in the lowest index node, which is made if need be. */
static void **make_place(struct mem_context *context, struct mem_regular *file,
                         number n)
{
    void **at = &file->top;
    if (heighten(context, file, n))
        return NULL;
    for (unsigned level = file->height; level > 0; level--) {
        struct index *node = *at;
        if (!node) {
            node = mem_allocate(&context->heap, sizeof *node);
            if (!node) {
                prune(context, file, n);
                return NULL;
            }
            memset(node, 0, sizeof *node);
            *at = node;
        }
        at = &node->child[part(n, level - 1)];
    }
    return at;
}

/* Make block `n`, which is missing, and leave its bytes as they come. NULL:
 * out of memory, and nothing has changed. The file has index nodes, or
 * will. */
static unsigned char *make_block(struct mem_context *context,
                                 struct mem_regular *file, number n)
{
    unsigned char *block = mem_allocate(&context->heap, MEM_BLOCK);
    void **place;
    if (!block)
        return NULL;
    place = make_place(context, file, n);
    if (!place) {
        mem_release(&context->heap, block, MEM_BLOCK);
        return NULL;
    }
    *place = block;
    return block;
}

/* The block to write [skip, skip + len) of, whole and ready; NULL: no
 * memory. */
static unsigned char *to_write(struct mem_context *context,
                               struct mem_regular *file, number n, size_t skip,
                               size_t len)
{
    unsigned char *block;
    if (n == 0 && file->height == 0)
        return widen(context, file, skip + len) ? NULL : file->top;
    block = find(file, n);
    if (block)
        return block;
    block = make_block(context, file, n);
    if (block && len < MEM_BLOCK)
        read_missing(file, n << MEM_BLOCK_BITS, block, MEM_BLOCK);
    return block;
}

size_t mem_content_write(struct mem_context *context, struct mem_regular *file,
                         wb_filesize offset, const unsigned char *from,
                         size_t len)
{
    size_t written = 0;
    while (written < len) {
        size_t skip = (size_t)offset & (MEM_BLOCK - 1);
        size_t take = MEM_BLOCK - skip < len - written ? MEM_BLOCK - skip
                                                       : len - written;
        unsigned char *block = to_write(context, file, offset >> MEM_BLOCK_BITS,
                                        skip, take);
        if (!block)
            break;
        memcpy(block + skip, from + written, take);
        offset += take;
        written += take;
    }
    if (written > 0 && offset > file->size)
        file->size = offset;
    return written;
}

/* ---- taking blocks away ------------------------------------------------- */

/* Release the blocks from `first` on of a node `level` levels above them, and
 * the node as well if none is left. */
static void cut(struct mem_context *context, void **at, unsigned level,
                number first)
{
    if (!*at)
        return;
    if (level == 0) {
        mem_release(&context->heap, *at, MEM_BLOCK);
        *at = NULL;
        return;
    }
    struct index *node = *at;
    unsigned below = level - 1;
    size_t i = part(first, below);
    cut(context, &node->child[i], below,
        first & (((number)1 << below * MEM_FANOUT_BITS) - 1));
    for (i++; i < MEM_FANOUT; i++)
        cut(context, &node->child[i], below, 0);
    for (i = 0; i < MEM_FANOUT; i++)
        if (node->child[i])
            return;
    mem_release(&context->heap, node, sizeof *node);
    *at = NULL;
}

void mem_content_resize(struct mem_context *context, struct mem_regular *file,
                        wb_filesize size)
{
    if (size < file->size && file->top) {
        number first = (size + MEM_BLOCK - 1) >> MEM_BLOCK_BITS;
        size_t skip = (size_t)size & (MEM_BLOCK - 1);
        if (skip > 0) {
            unsigned char *last = find(file, first - 1);
            if (last && skip < file->capacity)
                memset(last + skip, 0, file->capacity - skip);
        }
        if (file->height == 0 && first == 0) {
            mem_release(&context->heap, file->top, file->capacity);
            file->top = NULL;
        } else if (file->height > 0 && is_within(file, first)) {
            cut(context, &file->top, file->height, first);
        }
        if (!file->top) {
            file->height = 0;
            file->capacity = MEM_BLOCK;
        }
    }
    if (file->base_len > size)
        file->base_len = (size_t)size;
    file->size = size;
}

/* ---- blocks in advance -------------------------------------------------- */

/* What a block holds until the whole range has one. */
struct fresh {
    struct fresh *before;
    number n;
};

static void take_back(struct mem_context *context, struct mem_regular *file,
                      struct fresh *last)
{
    while (last) {
        struct fresh *before = last->before;
        number n = last->n;
        void **at = &file->top;
        for (unsigned level = file->height; level > 0; level--)
            at = &((struct index *)*at)->child[part(n, level - 1)];
        mem_release(&context->heap, *at, MEM_BLOCK);
        *at = NULL;
        prune(context, file, n);
        last = before;
    }
}

wb_errno mem_content_allocate(struct mem_context *context,
                              struct mem_regular *file, wb_filesize offset,
                              wb_filesize len)
{
    const wb_filesize end = offset + len;
    const number last = (end - 1) >> MEM_BLOCK_BITS;
    struct fresh *made = NULL;
    if (len > context->heap.limit)
        return WB_ERRNO_NOSPC; /* without trying for long */
    if (last == 0 && file->height == 0) {
        if (widen(context, file, (size_t)end))
            return WB_ERRNO_NOSPC;
    } else {
        if (file->height == 0 && file->top &&
            widen(context, file, MEM_BLOCK))
            return WB_ERRNO_NOSPC;
        for (number n = offset >> MEM_BLOCK_BITS; n <= last; n++) {
            if (find(file, n))
                continue;
            struct fresh *fresh = (void *)make_block(context, file, n);
            if (!fresh) {
                take_back(context, file, made);
                return WB_ERRNO_NOSPC;
            }
            *fresh = (struct fresh){made, n};
            made = fresh;
        }
    }
    while (made) {
        struct fresh *before = made->before;
        read_missing(file, made->n << MEM_BLOCK_BITS, (unsigned char *)made,
                     MEM_BLOCK);
        made = before;
    }
    if (end > file->size)
        file->size = end;
    return WB_ERRNO_SUCCESS;
}
