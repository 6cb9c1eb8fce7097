/* An allocator in the caller's memory: segregated fit with boundary tags.
 *
 * Every block begins with its size, whose lowest bits say whether it and the
 * block before it are in use. A free block repeats its size in its last word,
 * so that its neighbours find it and join with it at once: two free blocks
 * never touch. Free blocks are in lists by size, four to each power of 2; a
 * bit for each list says whether it has any. Allocating takes the first block
 * of the first list in which all are large enough, and only when there is none
 * looks through the one list in which some may be. Releasing takes constant
 * time.
 *
 *     in use   | size and bits | the caller's ...                            |
 *     free     | size and bits | next | previous | ...                | size |
 *
 * The word at the end of a free block is the caller's while it is in use, so an
 * allocation costs one word and its rounding up to 8 bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

typedef size_t word;

enum {
    IN_USE = 1,
    BEFORE_IN_USE = 2,
    BITS = 7, /* sizes are multiples of 8 */
    WORD = sizeof(word),
    SMALLEST = 4 * sizeof(word) < 16 ? 16 : 4 * sizeof(word),
    LISTS = 4 * (8 * sizeof(word) - 3)
};

struct block {
    word size;
    struct block *next, *previous; /* while it is free */
};

/* The head of an arena. Lists above those that its size can need are left out,
 * and their memory is given out. */
struct mem_arena {
    uint32_t full[(LISTS + 31) / 32]; /* a bit for each list that has a block */
    uint32_t lists;
    struct block *list[];
};

static word size_of(const struct block *block)
{
    return block->size & ~(word)BITS;
}

static struct block *at(struct block *block, word offset)
{
    return (struct block *)(void *)((unsigned char *)block + offset);
}

/* The list in which a free block of this size is. */
static uint32_t list_of(word size)
{
    uint32_t log = 0;
    for (word rest = size; rest > 7; rest >>= 1)
        log++;
    /* The two bits after the highest. size >> log is 4 to 7. */
    return 4 * log + (uint32_t)(size >> log & 3);
}

static void set_free(struct mem_arena *arena, struct block *block, word size)
{
    uint32_t n = list_of(size);
    block->size = size | BEFORE_IN_USE;
    *(word *)(void *)at(block, size - WORD) = size;
    at(block, size)->size &= ~(word)BEFORE_IN_USE;
    block->previous = NULL;
    block->next = arena->list[n];
    if (block->next)
        block->next->previous = block;
    arena->list[n] = block;
    arena->full[n / 32] |= (uint32_t)1 << n % 32;
}

static void take(struct mem_arena *arena, struct block *block)
{
    uint32_t n = list_of(size_of(block));
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else
        arena->list[n] = block->next;
    if (!arena->list[n])
        arena->full[n / 32] &= ~((uint32_t)1 << n % 32);
}

struct mem_arena *mem_arena_make(void *memory, size_t size)
{
    const size_t skip = -(uintptr_t)memory & BITS;
    const size_t most = ~(size_t)0 / 2;
    struct mem_arena *arena = (void *)((unsigned char *)memory + skip);
    if (size > most)
        size = most;
    if (size < skip + sizeof *arena)
        return NULL;
    size -= skip;
    uint32_t lists = list_of(size & ~(size_t)BITS) + 1;
    size_t head = sizeof *arena + lists * sizeof *arena->list;
    /* What the caller gets is aligned, so a block begins one word before that.
     * The last word is a block that is never free. */
    size_t first = ((head + WORD + BITS) & ~(size_t)BITS) - WORD;
    if (size < first + SMALLEST + WORD)
        return NULL;
    memset(arena, 0, head);
    arena->lists = lists;
    size = (size - first - WORD) & ~(size_t)BITS;
    struct block *block = (void *)((unsigned char *)arena + first);
    at(block, size)->size = IN_USE;
    set_free(arena, block, size);
    return arena;
}

/* A list from `n` on that has a block. */
static uint32_t next_full(const struct mem_arena *arena, uint32_t n)
{
    while (n < arena->lists) {
        uint32_t bits = arena->full[n / 32] >> n % 32;
        if (bits) {
            while (!(bits & 1)) {
                bits >>= 1;
                n++;
            }
            return n;
        }
        n = (n / 32 + 1) * 32;
    }
    return n;
}

static struct block *find(struct mem_arena *arena, word size)
{
    uint32_t n = list_of(size);
    if (n >= arena->lists)
        return NULL;
    uint32_t above = next_full(arena, n + 1);
    if (above < arena->lists)
        return arena->list[above];
    struct block *block = arena->list[n];
    while (block && size_of(block) < size)
        block = block->next;
    return block;
}

void *mem_arena_allocate(struct mem_arena *arena, size_t size)
{
    if (size > ~(size_t)0 / 4)
        return NULL;
    size = (size + WORD + BITS) & ~(size_t)BITS;
    if (size < SMALLEST)
        size = SMALLEST;
    struct block *block = find(arena, size);
    if (!block)
        return NULL;
    take(arena, block);
    word rest = size_of(block) - size;
    if (rest >= SMALLEST) {
        block->size = size | IN_USE | BEFORE_IN_USE;
        set_free(arena, at(block, size), rest);
    } else {
        block->size |= IN_USE;
        at(block, size_of(block))->size |= BEFORE_IN_USE;
    }
    return (unsigned char *)block + WORD;
}

void mem_arena_release(struct mem_arena *arena, void *pointer)
{
    struct block *block = (void *)((unsigned char *)pointer - WORD);
    word size = size_of(block);
    struct block *behind = at(block, size);
    if (!(block->size & BEFORE_IN_USE)) {
        word before = *(word *)(void *)((unsigned char *)block - WORD);
        block = (void *)((unsigned char *)block - before);
        size += before;
        take(arena, block);
    }
    if (!(behind->size & IN_USE)) {
        size += size_of(behind);
        take(arena, behind);
    }
    set_free(arena, block, size);
}
