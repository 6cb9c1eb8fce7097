/* The memory backing: what its files share.
 *
 * README.md in this folder is the map: which file does what, what is promised,
 * and how many bytes each file, directory and descriptor costs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <string.h> /* memcpy, memmove, memset and memcmp, and no more of it */

#include "image.h"
#include "portability.h"
#include "wasi_backing/backing.h"
#include "wasi_backing/config.h"
#include "wasi_backing/rights.h"

/* ---- compile-time sizes ------------------------------------------------- */

/* A file's bytes are kept in blocks of this many bytes, as a power of 2: from 6
 * (64 bytes) to 16. The last block of a file of one block may be smaller. */
#ifndef MEM_BLOCK_BITS
#define MEM_BLOCK_BITS 12
#endif

/* How many blocks hang from one index node, as a power of 2, from 2 on. An
 * index node costs that many pointers; a file of one block has none. */
#ifndef MEM_FANOUT_BITS
#define MEM_FANOUT_BITS 6
#endif

enum {
    MEM_BLOCK = 1 << MEM_BLOCK_BITS,
    MEM_FANOUT = 1 << MEM_FANOUT_BITS,
    MEM_LEVELS = (63 - MEM_BLOCK_BITS + MEM_FANOUT_BITS - 1) / MEM_FANOUT_BITS,
    MEM_MAX_NAME = 255, /* bytes of a name in a directory */
    MEM_MAX_LINKS = 40  /* symbolic links in one path, as Linux has it */
};

/* ---- memory (memory.c, arena.c) ----------------------------------------- */

struct mem_heap {
    const struct wb_allocator *allocator;
    struct mem_arena *arena; /* if there is no allocator */
    size_t used;             /* bytes given out, as they were asked for */
    size_t limit;            /* and how many that may be */
};

/* Memory of `size` bytes, aligned for a uint64_t and not cleared, or NULL; and
 * back again with its size. */
void *mem_allocate(struct mem_heap *heap, size_t size);
void mem_release(struct mem_heap *heap, void *pointer, size_t size);

/* An arena out of the caller's memory; NULL if that is too small to be one. */
struct mem_arena *mem_arena_make(void *memory, size_t size);
void *mem_arena_allocate(struct mem_arena *arena, size_t size);
void mem_arena_release(struct mem_arena *arena, void *pointer);

/* ---- what there is in the tree ------------------------------------------ */

/* Anything that has a name. It lives as long as a name or a descriptor has
 * it. */
struct mem_node {
    wb_inode ino;
    wb_timestamp atim, mtim, ctim;
    uint32_t links; /* names; of a directory 1, or 0 once removed */
    uint32_t opens; /* descriptors */
    wb_filetype filetype;
    uint8_t is_root; /* a preopen: its `..` is not the guest's to see */
};

/* A file: blocks, or a tree of index nodes over them, `height` levels of them.
 * A block that is missing reads as what `base` has there, and as zeros behind
 * its end. All bytes of blocks from `size` on are zero. */
struct mem_regular {
    struct mem_node node;
    wb_filesize size;
    void *top; /* the only block if height is 0, else an index node; or NULL */
    const unsigned char *base; /* bytes of an image; never written to */
    size_t base_len;           /* how many of them still show; at most `size` */
    uint32_t capacity; /* bytes of a block; of the only one, perhaps less */
    uint8_t height;
};

/* A name in a directory. */
struct mem_entry {
    struct mem_node *node;
    uint32_t hash;
    uint8_t len;
    char name[];
};

/* A place in a directory's order. */
struct mem_slot {
    uint64_t cookie;         /* rises from slot to slot */
    struct mem_entry *entry; /* NULL: removed */
};

/* A directory: slots in the order of their making, and for more than a few of
 * them a hash table of slot numbers behind them, in the same memory. */
struct mem_directory {
    struct mem_node node;
    struct mem_directory *parent; /* the root: itself; NULL: removed */
    struct mem_slot *slots;
    uint64_t next_cookie;
    uint32_t capacity, used, live; /* slots; made use of; with an entry */
    uint32_t subdirectories;
};

struct mem_link {
    struct mem_node node;
    size_t len;
    char text[];
};

/* ---- the context -------------------------------------------------------- */

/* What a descriptor stands for. */
enum {
    MEM_IO_CLOSED = 0, /* the number is free, or only reserved */
    MEM_IO_NODE,       /* a file or directory of the tree */
    MEM_IO_STREAM,     /* a struct wb_stream of the embedder's */
    MEM_IO_HOST,       /* a descriptor that the host lends, by the platform */
    MEM_IO_NONE        /* at its end, and swallows what is written */
};

/* An open descriptor of the guest's. */
struct mem_file {
    wb_filesize position;
    union {
        struct mem_node *node;          /* MEM_IO_NODE */
        const struct wb_stream *stream; /* MEM_IO_STREAM */
        int host;                       /* MEM_IO_HOST */
    } is;
    const char *preopen;       /* the guest's name for it, or NULL */
    uint32_t base, inheriting; /* rights: they have 30 bits */
    wb_fdflags fdflags;
    wb_filetype filetype;
    uint8_t io;        /* MEM_IO_* */
    uint8_t read_only; /* at or below a read-only preopen */
};

struct mem_context {
    const struct wb_options *options;
    struct mem_heap heap;
    struct mem_directory *root;
    wb_inode last_ino;
    struct mem_wake wake; /* how interrupt ends a wait of the platform's */
    int interrupted;      /* set by interrupt, by any thread; never cleared */
    uint8_t ignore_rights;

    /* The descriptor table (table.c): files, and behind them a bit for each
     * that is in use. No number below `lowest` is free. */
    struct mem_file *files;
    uint32_t capacity, max_fds, lowest;
};

static inline int mem_interrupted(struct mem_context *context)
{
    return __atomic_load_n(&context->interrupted, __ATOMIC_SEQ_CST);
}

/* Say in options->error what is wrong, some words and a name (NULL: none) after
 * each other, and return `error`. */
wb_errno mem_refuse(const struct wb_options *options, wb_errno error,
                    const char *words, const char *name);

/* ---- nodes (node.c) ----------------------------------------------------- */

/* The time for atim, mtim and ctim. */
wb_timestamp mem_now(struct mem_context *context);

/* Make a node without a name; NULL when memory is out. `text` is a link's. */
struct mem_node *mem_node_make(struct mem_context *context,
                               wb_filetype filetype, const char *text,
                               size_t len);

/* Find or make the directory at a path from the tree's root, whose slashes may
 * be as they like; the parent of the root is the root. INVAL for a name that
 * is no directory; NAMETOOLONG; NOSPC. */
wb_errno mem_make_directories(struct mem_context *context, const char *path,
                              struct mem_directory **directory);

/* Release a node if no name and no descriptor has it. */
void mem_node_settle(struct mem_context *context, struct mem_node *node);

void mem_node_describe(const struct mem_node *node, wb_filestat *filestat);

/* Note a reading: atim advances with the first one after a change, so that
 * reading costs no look at a clock. */
static inline void mem_node_was_read(struct mem_context *context,
                                     struct mem_node *node)
{
    if (node->atim <= node->mtim || node->atim <= node->ctim) {
        wb_timestamp now = mem_now(context);
        /* With a clock that stands still, once is enough. */
        if (node->atim < now)
            node->atim = now;
    }
}

void mem_node_set_times(struct mem_context *context, struct mem_node *node,
                        wb_timestamp atim, wb_timestamp mtim,
                        wb_fstflags flags);

/* ---- directories (directory.c) ------------------------------------------ */

struct mem_name {
    const char *text;
    size_t len;
    uint32_t hash;
};

#define MEM_HASH_START 0x811c9dc5u
static inline uint32_t mem_hash_next(uint32_t hash, char c)
{
    return (hash ^ (unsigned char)c) * 0x01000193u; /* FNV-1a */
}

struct mem_entry *mem_directory_find(const struct mem_directory *directory,
                                     const struct mem_name *name);

/* Give a node a name, all or nothing: SUCCESS, NOSPC, NOENT if the directory
 * has been removed. The name must not be there yet. */
wb_errno mem_directory_add(struct mem_context *context,
                           struct mem_directory *directory,
                           const struct mem_name *name, struct mem_node *node);

/* Take a name away from its node, and release the node if that was all. */
void mem_directory_remove(struct mem_context *context,
                          struct mem_directory *directory,
                          struct mem_entry *entry);

/* Let a name stand for another node. The slot, and so its cookie, stays. */
void mem_directory_replace(struct mem_context *context,
                           struct mem_directory *directory,
                           struct mem_entry *entry, struct mem_node *node);

/* The last name, or NULL; and giving it up. For the end of the context alone:
 * the directory cannot be used otherwise any more. */
struct mem_entry *mem_directory_last(struct mem_directory *directory);
void mem_directory_drop(struct mem_context *context,
                        struct mem_directory *directory);

/* Release the slots of a directory that has no entry. */
void mem_directory_clear(struct mem_context *context,
                         struct mem_directory *directory);

/* ---- contents (content.c) ----------------------------------------------- */

/* Copy out `len` bytes from `offset` on, all of them below file->size. */
void mem_content_read(const struct mem_regular *file, wb_filesize offset,
                      unsigned char *to, size_t len);

/* Copy in up to `len` bytes, and how many that were: fewer when memory is out.
 * The end must be below INT64_MAX. */
size_t mem_content_write(struct mem_context *context, struct mem_regular *file,
                         wb_filesize offset, const unsigned char *from,
                         size_t len);

/* Change the size; this cannot fail. */
void mem_content_resize(struct mem_context *context, struct mem_regular *file,
                        wb_filesize size);

/* Give [offset, offset + len) blocks, all or nothing. */
wb_errno mem_content_allocate(struct mem_context *context,
                              struct mem_regular *file, wb_filesize offset,
                              wb_filesize len);

/* ---- paths (resolve.c) -------------------------------------------------- */

/* Where a path leads to. */
struct mem_place {
    struct mem_directory *directory; /* in which the last component is */
    struct mem_name name;            /* the last component */
    struct mem_entry *entry;         /* its entry; NULL: there is none */
    struct mem_node *node;           /* what it names; NULL: nothing */
    uint8_t dots;  /* 1 or 2: it is `.` or `..`, and has no entry */
    uint8_t slash; /* slashes come behind it */
};

/* How a call looks at the last component of its path. */
enum {
    MEM_ENTRY,    /* as a name to make or remove: no link is followed, and the
                     caller judges slashes behind it */
    MEM_NOFOLLOW, /* as what is there, a link itself included */
    MEM_FOLLOW,   /* as what is there, behind links */
    MEM_CREATE    /* as MEM_FOLLOW, to make a file there if need be */
};

/* Find a path beneath `root`. What is missing at its end is no error. */
wb_errno mem_find_place(struct mem_directory *root, const char *path,
                        size_t path_len, int how, struct mem_place *place);

/* ---- the descriptor table (table.c) ------------------------------------- */

wb_errno mem_table_grow(struct mem_context *context);
void mem_table_destroy(struct mem_context *context);

/* Take the lowest free number; 0 to 2 are taken once. It stays MEM_IO_CLOSED, and so unknown to every
 * call, until its file is filled in, or mem_unreserve gives it back. */
wb_errno mem_reserve(struct mem_context *context, wb_fd *fd);
void mem_unreserve(struct mem_context *context, wb_fd fd);

/* Close an open descriptor and free its number. */
void mem_close(struct mem_context *context, wb_fd fd);

/* Move a file to another open number, closing what that was. */
void mem_renumber(struct mem_context *context, wb_fd fd, wb_fd to);

/* Find the open descriptor `fd` and check it: BADF, or wb_rights_check's error.
 * MEM_USE takes the call's name, as it stands in rights.def. */
static inline wb_errno mem_use(struct mem_context *context, wb_fd fd,
                               uint32_t kind, wb_rights need,
                               struct mem_file **file)
{
    if (fd >= context->capacity || context->files[fd].io == MEM_IO_CLOSED)
        return WB_ERRNO_BADF;
    *file = &context->files[fd];
    return wb_rights_check(kind, need, (*file)->filetype,
                           context->ignore_rights
                               ? (wb_rights)WB_RIGHTS_ALL
                               : wb_rights_implied((*file)->base));
}

#define MEM_USE(context, call, fd, file) \
    mem_use((context), (fd), WB_NEEDS_KIND_##call, WB_NEEDS_##call, (file))

/* A descriptor's directory, and its file; it must be one. */
static inline struct mem_directory *
mem_directory_of(const struct mem_file *file)
{
    return (struct mem_directory *)file->is.node;
}

static inline struct mem_regular *mem_regular_of(const struct mem_file *file)
{
    return (struct mem_regular *)file->is.node;
}

/* ---- waiting (poll.c) --------------------------------------------------- */

/* Wait as the platform can: until one of the host's descriptors may be ready, a
 * time in nanoseconds is over, or the context is interrupted; perhaps for less.
 * SUCCESS, or WB_STOP_GUEST. */
uint16_t mem_wait(struct mem_context *context, const struct mem_wait *waits,
                  size_t count, uint64_t timeout);

/* ---- the slots ---------------------------------------------------------- */

#define WB_CALL(name, signature, memory, fallback, unstable) \
    wb_##name##_fn mem_##name;
#include "wasi_backing/calls.def"

uint16_t mem_context_init(const struct wb_options *options, void **self);
void mem_context_destroy(void *self);
void mem_interrupt(void *self);

extern const struct wb_backing mem_backing;

#endif
