/* Where the minimal backing gets its memory: the embedder's allocator if there
 * is one, else the arena if there is one, else malloc.
 *
 * System calls: those of malloc. What is given out of the arena and comes back
 * is kept in a list and used again for requests of about its size; nothing is
 * joined, since there are few sizes: the table, as it doubles, and the state of
 * fd_readdir.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <stdlib.h>
#include <string.h>

struct min_block {
    struct min_block *next;
    size_t size;
};

enum { ALIGNMENT = _Alignof(max_align_t) };

static void *from_arena(struct min_memory *memory, size_t size)
{
    for (struct min_block **at = &memory->freed; *at; at = &(*at)->next) {
        struct min_block *block = *at;
        if (block->size >= size && block->size / 2 <= size) {
            *at = block->next;
            return block;
        }
    }
    size_t skip = -(uintptr_t)memory->arena % ALIGNMENT;
    if (memory->arena_len < skip || memory->arena_len - skip < size)
        return NULL;
    void *pointer = memory->arena + skip;
    memory->arena += skip + size;
    memory->arena_len -= skip + size;
    return pointer;
}

void *min_allocate(struct min_memory *memory, size_t size)
{
    const struct wb_allocator *allocator = memory->allocator;
    void *pointer;
    if (!allocator && !memory->arena)
        return calloc(1, size);
    pointer = allocator ? allocator->reallocate(allocator->self, NULL, size)
                        : from_arena(memory, size);
    return pointer ? memset(pointer, 0, size) : NULL;
}

void min_release(struct min_memory *memory, void *pointer, size_t size)
{
    const struct wb_allocator *allocator = memory->allocator;
    if (!pointer)
        return;
    if (allocator) {
        allocator->reallocate(allocator->self, pointer, 0);
    } else if (memory->arena) {
        struct min_block *block = pointer;
        *block = (struct min_block){memory->freed, size};
        memory->freed = block;
    } else {
        free(pointer);
    }
}
