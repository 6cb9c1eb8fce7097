/* Directories: names in the order of their making, found by hash; fd_readdir.
 *
 * A cookie is a number that rises with each name that is made and is never
 * used again in its directory. fd_readdir goes on behind a cookie whether or
 * not the name that it came with is still there, and finds its place by
 * halving, so that reading all of n names takes n steps however small the
 * guest's buffer is.
 *
 * A removed name leaves an empty slot. Slots are moved together when there is
 * no room, or few names are left; cookies move along.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

/* Up to so many slots are looked at one by one, and have no table behind
 * them. */
enum { FEW = 8, FIRST = 4 };

/* ---- the slots ---------------------------------------------------------- */

static size_t slots_size(uint32_t capacity)
{
    return capacity * (sizeof(struct mem_slot) +
                       (capacity > FEW ? 2 * sizeof(uint32_t) : 0));
}

/* The hash table: twice as many places as slots; a slot's number plus 1, or 0.
 * A slot that is empty by now keeps its place until the next tidying. */
static uint32_t *table_of(const struct mem_directory *directory)
{
    return (uint32_t *)(directory->slots + directory->capacity);
}

static void enter(struct mem_directory *directory, uint32_t slot)
{
    uint32_t mask = 2 * directory->capacity - 1, *table = table_of(directory);
    uint32_t place = directory->slots[slot].entry->hash & mask;
    if (directory->capacity <= FEW)
        return;
    while (table[place])
        place = (place + 1) & mask;
    table[place] = slot + 1;
}

/* Move names to `to`, which has room for all of them, and may be where they
 * are; enter them anew. */
static void tidy(struct mem_directory *directory, struct mem_slot *to,
                 uint32_t capacity)
{
    const struct mem_slot *from = directory->slots;
    uint32_t used = 0;
    for (uint32_t i = 0; i < directory->used; i++)
        if (from[i].entry)
            to[used++] = from[i];
    directory->slots = to;
    directory->capacity = capacity;
    directory->used = used;
    if (capacity > FEW)
        memset(table_of(directory), 0, 2 * capacity * sizeof(uint32_t));
    for (uint32_t i = 0; i < used; i++)
        enter(directory, i);
}

static wb_errno set_capacity(struct mem_context *context,
                             struct mem_directory *directory, uint32_t capacity)
{
    struct mem_slot *before = directory->slots, *to;
    size_t size = slots_size(directory->capacity);
    if (capacity > UINT32_MAX / 64) /* so that no size wraps */
        return WB_ERRNO_NOSPC;
    to = mem_allocate(&context->heap, slots_size(capacity));
    if (!to)
        return WB_ERRNO_NOSPC;
    tidy(directory, to, capacity);
    mem_release(&context->heap, before, size);
    return WB_ERRNO_SUCCESS;
}

/* Make sure of an unused slot. */
static wb_errno make_room(struct mem_context *context,
                          struct mem_directory *directory)
{
    uint32_t capacity = directory->capacity;
    wb_errno error;
    if (directory->used < capacity)
        return WB_ERRNO_SUCCESS;
    if (directory->live > capacity / 2 || capacity == 0) {
        error = set_capacity(context, directory,
                             capacity ? 2 * capacity : FIRST);
        if (!error || directory->live == capacity)
            return error;
    }
    tidy(directory, directory->slots, capacity);
    return WB_ERRNO_SUCCESS;
}

void mem_directory_clear(struct mem_context *context,
                         struct mem_directory *directory)
{
    mem_release(&context->heap, directory->slots,
                slots_size(directory->capacity));
    directory->slots = NULL;
    directory->capacity = directory->used = 0;
}

/* ---- names -------------------------------------------------------------- */

static int is_called(const struct mem_entry *entry, const struct mem_name *name)
{
    return entry && entry->hash == name->hash && entry->len == name->len &&
           !memcmp(entry->name, name->text, name->len);
}

struct mem_entry *mem_directory_find(const struct mem_directory *directory,
                                     const struct mem_name *name)
{
    const struct mem_slot *slots = directory->slots;
    if (directory->capacity <= FEW) {
        for (uint32_t i = 0; i < directory->used; i++)
            if (is_called(slots[i].entry, name))
                return slots[i].entry;
        return NULL;
    }
    const uint32_t mask = 2 * directory->capacity - 1,
                   *table = table_of(directory);
    for (uint32_t place = name->hash & mask; table[place];
         place = (place + 1) & mask) {
        struct mem_entry *entry = slots[table[place] - 1].entry;
        if (is_called(entry, name))
            return entry;
    }
    return NULL;
}

static uint32_t slot_of(const struct mem_directory *directory,
                        const struct mem_entry *entry)
{
    const struct mem_slot *slots = directory->slots;
    uint32_t slot = 0;
    if (directory->capacity <= FEW) {
        while (slots[slot].entry != entry)
            slot++;
        return slot;
    }
    const uint32_t mask = 2 * directory->capacity - 1,
                   *table = table_of(directory);
    uint32_t place = entry->hash & mask;
    while (slots[table[place] - 1].entry != entry)
        place = (place + 1) & mask;
    return table[place] - 1;
}

static size_t entry_size(size_t len)
{
    return sizeof(struct mem_entry) + len;
}

/* A node begins or ceases to be in a directory. */
static void join(struct mem_directory *directory, struct mem_node *node)
{
    node->links++;
    if (node->filetype == WB_FILETYPE_DIRECTORY) {
        ((struct mem_directory *)node)->parent = directory;
        directory->subdirectories++;
    }
}

static void leave(struct mem_context *context, struct mem_directory *directory,
                  struct mem_node *node)
{
    node->links--;
    node->ctim = mem_now(context);
    if (node->filetype == WB_FILETYPE_DIRECTORY) {
        struct mem_directory *leaver = (struct mem_directory *)node;
        /* Unless it has moved elsewhere. */
        if (node->links == 0)
            leaver->parent = NULL;
        directory->subdirectories--;
    }
    mem_node_settle(context, node);
}

static void touch(struct mem_context *context, struct mem_directory *directory)
{
    directory->node.mtim = directory->node.ctim = mem_now(context);
}

wb_errno mem_directory_add(struct mem_context *context,
                           struct mem_directory *directory,
                           const struct mem_name *name, struct mem_node *node)
{
    struct mem_entry *entry;
    wb_errno error;
    if (directory->node.links == 0)
        return WB_ERRNO_NOENT;
    error = make_room(context, directory);
    if (error)
        return error;
    entry = mem_allocate(&context->heap, entry_size(name->len));
    if (!entry) {
        if (directory->live == 0)
            mem_directory_clear(context, directory);
        return WB_ERRNO_NOSPC;
    }
    entry->node = node;
    entry->hash = name->hash;
    entry->len = (uint8_t)name->len;
    memcpy(entry->name, name->text, name->len);
    directory->slots[directory->used] =
        (struct mem_slot){directory->next_cookie++, entry};
    enter(directory, directory->used++);
    directory->live++;
    join(directory, node);
    touch(context, directory);
    return WB_ERRNO_SUCCESS;
}

void mem_directory_remove(struct mem_context *context,
                          struct mem_directory *directory,
                          struct mem_entry *entry)
{
    struct mem_node *node = entry->node;
    directory->slots[slot_of(directory, entry)].entry = NULL;
    directory->live--;
    mem_release(&context->heap, entry, entry_size(entry->len));
    if (directory->live == 0)
        mem_directory_clear(context, directory);
    else if (directory->live < directory->capacity / 4 &&
             directory->capacity > FIRST)
        set_capacity(context, directory, directory->capacity / 2); /* or not */
    touch(context, directory);
    leave(context, directory, node);
}

void mem_directory_replace(struct mem_context *context,
                           struct mem_directory *directory,
                           struct mem_entry *entry, struct mem_node *node)
{
    struct mem_node *before = entry->node;
    entry->node = node;
    join(directory, node);
    touch(context, directory);
    leave(context, directory, before);
}

/* ---- the end of everything ---------------------------------------------- */

struct mem_entry *mem_directory_last(struct mem_directory *directory)
{
    const struct mem_slot *slots = directory->slots;
    while (directory->used > 0 && !slots[directory->used - 1].entry)
        directory->used--;
    return directory->used > 0 ? slots[directory->used - 1].entry : NULL;
}

void mem_directory_drop(struct mem_context *context,
                        struct mem_directory *directory)
{
    struct mem_entry *entry = directory->slots[--directory->used].entry;
    struct mem_node *node = entry->node;
    mem_release(&context->heap, entry, entry_size(entry->len));
    node->links--;
    mem_node_settle(context, node);
}

/* ---- fd_readdir --------------------------------------------------------- */

/* The first slot behind a cookie. */
static uint32_t behind(const struct mem_directory *directory, uint64_t cookie)
{
    uint32_t from = 0, to = directory->used;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (directory->slots[middle].cookie > cookie)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

static uint16_t tell(struct wb_dirent_sink *sink, uint64_t cookie,
                     const struct mem_node *node, const char *name, size_t len)
{
    wb_dirent entry = {
        .d_next = cookie,
        .d_ino = node->ino,
        .d_namlen = (uint32_t)len,
        .d_type = node->filetype,
    };
    return sink->add(sink, &entry, name);
}

uint16_t mem_fd_readdir(void *self, wb_fd fd, wb_dircookie cookie,
                        struct wb_dirent_sink *sink)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_readdir, fd, &file);
    if (error)
        return error;
    if (cookie > INT64_MAX)
        return WB_ERRNO_INVAL;
    struct mem_directory *directory = mem_directory_of(file);
    const struct mem_directory *parent =
        directory->parent && !directory->node.is_root ? directory->parent
                                                      : directory;
    mem_node_was_read(self, &directory->node);
    if (cookie < 1 && tell(sink, 1, &directory->node, ".", 1))
        return WB_ERRNO_SUCCESS;
    if (cookie < 2 && tell(sink, 2, &parent->node, "..", 2))
        return WB_ERRNO_SUCCESS;
    for (uint32_t i = behind(directory, cookie); i < directory->used; i++) {
        const struct mem_slot *slot = &directory->slots[i];
        if (slot->entry && tell(sink, slot->cookie, slot->entry->node,
                                slot->entry->name, slot->entry->len))
            break;
    }
    return WB_ERRNO_SUCCESS;
}
