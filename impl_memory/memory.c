/* Where memory comes from: the embedder's allocator if there is one, else the
 * arena if there is one, else the platform's heap. Each way is counted and
 * limited alike.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

void *mem_allocate(struct mem_heap *heap, size_t size)
{
    const struct wb_allocator *allocator = heap->allocator;
    void *pointer = NULL;
    if (size > heap->limit - heap->used)
        return NULL;
    if (allocator)
        pointer = allocator->reallocate(allocator->self, NULL, size);
    else if (heap->arena)
        pointer = mem_arena_allocate(heap->arena, size);
    else if (mem_platform.reallocate)
        pointer = mem_platform.reallocate(NULL, size);
    if (pointer)
        heap->used += size;
    return pointer;
}

void mem_release(struct mem_heap *heap, void *pointer, size_t size)
{
    const struct wb_allocator *allocator = heap->allocator;
    if (!pointer)
        return;
    heap->used -= size;
    if (allocator)
        allocator->reallocate(allocator->self, pointer, 0);
    else if (heap->arena)
        mem_arena_release(heap->arena, pointer);
    else
        mem_platform.reallocate(pointer, 0);
}
