/* The minimal backing: what its files share.
 *
 * README.md in this folder is the map: which file does what, what is promised,
 * and how many system calls each call of the guest costs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINIMAL_H
#define MINIMAL_H

#include "portability.h"

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "host/errno_host.h"
#include "wasi_backing/backing.h"
#include "wasi_backing/config.h"
#include "wasi_backing/rights.h"

extern const struct wb_backing min_backing;

/* ---- the context --------------------------------------------------------- */

/* How the bytes of a descriptor move. */
enum {
    MIN_IO_CLOSED = 0, /* the number is free, or only reserved */
    MIN_IO_LENT,       /* lent by the host, and not looked at yet */
    MIN_IO_PLAIN,      /* never blocks: files, directories, block devices */
    MIN_IO_OWN,        /* may block; O_NONBLOCK is set on our own description */
    MIN_IO_NOWAIT,     /* may block; lent, so each transfer says RWF_NOWAIT */
    MIN_IO_POLL,       /* may block; lent, and does not know RWF_NOWAIT */
    MIN_IO_SOCKET,     /* may block; each transfer says MSG_DONTWAIT */
    MIN_IO_STREAM,     /* a struct wb_stream of the embedder's */
    MIN_IO_NONE        /* at its end, and swallows what is written */
};

enum {
    MIN_KEEP = 1,      /* lent: the host descriptor is not ours to close */
    MIN_READ_ONLY = 2, /* at or below a read-only preopen */
    MIN_FIFO = 4,      /* opened by path: "no writer yet" is not its end */
    MIN_POSITION = 8   /* `position` holds, and not that of the description */
};

/* An open descriptor of the guest's. */
struct min_file {
    wb_rights base, inheriting;
    const char *preopen;             /* the guest's name for it, or NULL */
    struct min_directory *directory; /* the state of fd_readdir, or NULL */
    const struct wb_stream *stream;  /* MIN_IO_STREAM */
    int64_t position;                /* MIN_POSITION; at least 0 */
    int host;                        /* -1 for MIN_IO_STREAM and _NONE */
    wb_fdflags fdflags;
    wb_filetype filetype;
    uint8_t io;    /* MIN_IO_* */
    uint8_t flags; /* MIN_KEEP and so on */
};

/* Memory: the embedder's allocator, else the arena, else malloc (memory.c). */
struct min_memory {
    const struct wb_allocator *allocator;
    unsigned char *arena; /* the part that is not yet given out */
    size_t arena_len;
    struct min_block *freed; /* parts of the arena that were given back */
};

/* Identity of a preopened directory: its `..` is not the guest's to see. */
struct min_root {
    dev_t dev;
    ino_t ino;
};

#define MIN_MAX_FDS (64u * 64 * 64) /* what three levels of bits can count */

struct min_context {
    const struct wb_options *options;
    struct min_memory memory;
    size_t argv_bytes, envp_bytes; /* of all strings, each with its NUL */
    int interrupted; /* set by interrupt, by any thread; never cleared */
    int wake;        /* readable once interrupted; -1 until a call must wait */
    uint8_t ignore_rights;
    uint8_t walk;          /* openat2 is missing or unwanted */
    uint8_t no_nosignal;   /* the kernel lacks RWF_NOSIGNAL */
    uint8_t limited_fsize; /* writing too far raises SIGXFSZ */
    struct min_root *roots; /* one for each preopen */

    /* The descriptor table (table.c). A bit of used[0] is a number in use, one
     * of used[1] or used[2] a full word of the level below. */
    struct min_file *files;
    uint32_t capacity, max_fds;
    uint64_t *used[3];
    uint64_t used_top, used_middle[64];
};

/* Memory of `size` bytes, all zero, or NULL; and back again with its size. */
void *min_allocate(struct min_memory *memory, size_t size);
void min_release(struct min_memory *memory, void *pointer, size_t size);

/* ---- the descriptor table (table.c) -------------------------------------- */

wb_errno min_table_init(struct min_context *context, uint32_t max_fds);
void min_table_destroy(struct min_context *context);

/* Take the lowest free number; 0 to 2 are taken once. It stays MIN_IO_CLOSED, and so unknown to every
 * call, until its file is filled in, or min_unreserve gives it back. */
wb_errno min_reserve(struct min_context *context, wb_fd *fd);
void min_unreserve(struct min_context *context, wb_fd fd);

/* Move a file to another open number, closing what that was. */
void min_renumber(struct min_context *context, wb_fd fd, wb_fd to);

/* Close an open descriptor and free its number. */
wb_errno min_close(struct min_context *context, wb_fd fd);

/* Look at a lent descriptor that is used for the first time. */
wb_errno min_describe_lent(struct min_file *file);

/* Find the open descriptor `fd` and check it: BADF, or wb_rights_check's error.
 * MIN_USE takes the call's name, as it stands in rights.def. */
static inline wb_errno min_use(struct min_context *context, wb_fd fd,
                               uint32_t kind, wb_rights need,
                               struct min_file **file)
{
    if (fd >= context->capacity || context->files[fd].io == MIN_IO_CLOSED)
        return WB_ERRNO_BADF;
    *file = &context->files[fd];
    if ((*file)->io == MIN_IO_LENT) {
        wb_errno error = min_describe_lent(*file);
        if (error)
            return error;
    }
    return wb_rights_check(kind, need, (*file)->filetype,
                           context->ignore_rights
                               ? (wb_rights)WB_RIGHTS_ALL
                               : wb_rights_implied((*file)->base));
}

#define MIN_USE(context, call, fd, file)                     \
    min_use((context), (fd), WB_NEEDS_KIND_##call, WB_NEEDS_##call, (file))

/* ---- waiting and moving bytes (io.c) ------------------------------------- */

static inline int min_interrupted(struct min_context *context)
{
    return __atomic_load_n(&context->interrupted, __ATOMIC_SEQ_CST);
}

/* The descriptor that turns readable when the context is interrupted; -1 and
 * errno if there can be none. */
int min_wake_descriptor(struct min_context *context);

/* Wait for poll(2) events of a host descriptor, or for a time in nanoseconds
 * (UINT64_MAX: no limit). SUCCESS, TIMEDOUT, or WB_STOP_GUEST. host -1 waits
 * for the time alone. */
uint16_t min_wait(struct min_context *context, int host, short events,
                  uint64_t timeout);

/* After a failed system call that did not block: wait for `events`, if that was
 * why, or hear of an interrupt. SUCCESS is to try again. */
uint16_t min_after_failure(struct min_context *context,
                           const struct min_file *file, short events);

/* Receive from and send to a socket, as MIN_IO_SOCKET does. `flags` are those
 * of recvmsg(2); *truncated may be NULL. */
uint16_t min_receive(struct min_context *context, struct min_file *file,
                     const wb_iovec *iovs, size_t iovs_len, int flags,
                     size_t *count, int *truncated);
uint16_t min_send(struct min_context *context, struct min_file *file,
                  const wb_ciovec *iovs, size_t iovs_len, size_t *count);

/* Run a call that may raise SIGXFSZ, without the signal reaching anyone. */
#define MIN_LIMITED(context, result, call)                              \
    do {                                                                \
        struct min_guard guard_;                                        \
        if (!(context)->limited_fsize) {                                \
            (result) = (call);                                          \
        } else {                                                        \
            min_guard_begin(&guard_, SIGXFSZ);                          \
            (result) = (call);                                          \
            min_guard_end(&guard_, (result) < 0 && errno == EFBIG);     \
        }                                                               \
    } while (0)

/* ---- paths (resolve.c) --------------------------------------------------- */

/* Open `path`, which must stay beneath the host directory `root`, with the
 * flags of open(2). Trailing slashes mean what they mean to open(2). */
uint16_t min_open_beneath(struct min_context *context, int root,
                          const char *path, size_t path_len, int flags,
                          mode_t mode, int *opened);

/* A directory entry: a host directory and a name in it that needs no further
 * resolution. min_place_close releases it, whatever happened. */
struct min_place {
    int directory;
    int owned; /* directory is to be closed */
    const char *name;
    char buffer[WB_MAX_PATH + 1];
};

/* How a call looks at the last component of its path. */
enum {
    MIN_ENTRY,   /* as a name to make or remove: no link is followed, and the
                    name keeps its trailing slashes for the kernel to judge */
    MIN_NOFOLLOW, /* as what is there, a link itself included */
    MIN_FOLLOW   /* as what is there, behind links */
};

uint16_t min_find_place(struct min_context *context, int root, const char *path,
                        size_t path_len, int how, struct min_place *place);
void min_place_close(struct min_place *place);

/* ---- small things -------------------------------------------------------- */

wb_timestamp min_nanoseconds(struct timespec time);
struct timespec min_timespec(wb_timestamp time);

/* A timeout from now on as a time of the monotonic clock, and back again. 0 (at
 * once) and UINT64_MAX (never) stay what they are, and no clock is read. */
uint64_t min_deadline(uint64_t timeout);
uint64_t min_time_left(uint64_t deadline);

wb_filetype min_filetype(mode_t mode);
void min_filestat(const struct stat *facts, wb_filestat *filestat);

/* Fill in what a host descriptor, opened with `flags`, is and can do. */
void min_describe(struct min_file *file, mode_t mode, int flags);

/* Where the next transfer on a host descriptor begins; -1 and errno if it has
 * no position. For regular files of our own it is kept here, since nobody else
 * moves it: a seek then is no system call, and a transfer is one that says
 * where. */
off_t min_position(const struct min_file *file);

/* The times of utimensat for a call that sets times. */
void min_times(wb_timestamp atim, wb_timestamp mtim, wb_fstflags flags,
               struct timespec times[2]);

/* Make the socket of a wb_listen, and store its port. INVAL for an address or a
 * port that is none. */
wb_errno min_listen(const struct wb_listen *request, int *host);

/* Free the state of fd_readdir (directory.c). */
void min_directory_release(struct min_context *context, struct min_file *file);

/* The slots: min_<call>. */
#define WB_CALL(name, signature, memory, fallback, unstable) \
    wb_##name##_fn min_##name;
#include "wasi_backing/calls.def"

uint16_t min_context_init(const struct wb_options *options, void **self);
void min_context_destroy(void *self);
void min_interrupt(void *self);

#endif
