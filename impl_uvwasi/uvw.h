/* The uvwasi backing: what its files share.
 *
 * README.md in this folder is the map: what is uvwasi's, what is ours, and what
 * each fix-up is for. Everything named fix_ is in fixups.c or the file of its
 * calls, and is left alone when the context was made with fixups off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef UVW_H
#define UVW_H

#include <sys/stat.h>
#include <time.h>

#include "host/errno_host.h"
#include "uvwasi.h"
#include "wasi_backing/backing.h"
#include "wasi_backing/config.h"
#include "wasi_backing/rights.h"

extern const struct wb_backing uvw_backing;

/* ---- the context ----------------------------------------------------------- */

/* How the bytes of a descriptor move. */
enum {
    UVW_IO_CLOSED = 0, /* the number is free */
    UVW_IO_PLAIN,      /* never blocks: files, directories, block devices */
    UVW_IO_OWN,        /* may block; O_NONBLOCK is set on our own description */
    UVW_IO_POLL,       /* may block; lent, so it is polled before each transfer */
    UVW_IO_SOCKET,     /* may block; each transfer says MSG_DONTWAIT */
    UVW_IO_STREAM,     /* a struct wb_stream of the embedder's */
    UVW_IO_LIBUV       /* a libuv stream: uvwasi's own sockets, fixups off */
};

enum {
    UVW_LENT = 1,      /* shares its description with the host's descriptor */
    UVW_READ_ONLY = 2, /* at or below a read-only preopen */
    UVW_PREOPEN = 4,
    UVW_FIFO = 8 /* opened by path: "no writer yet" is not its end */
};

/* What we keep of a guest's descriptor beside uvwasi's own entry for it. */
struct uvw_file {
    wb_rights base, inheriting;
    struct uvw_directory *directory; /* the state of fd_readdir, or NULL */
    const struct wb_stream *stream;  /* UVW_IO_STREAM */
    const char *preopen;             /* the guest's name for it, or NULL */
    int host;                        /* what uvwasi's entry holds; -1: none */
    wb_fdflags fdflags;              /* as the guest sees them */
    wb_fdflags host_fdflags;         /* those that the description has */
    wb_filetype filetype;
    uint8_t io;    /* UVW_IO_* */
    uint8_t flags; /* UVW_LENT and so on */
};

/* Identity of a preopened directory: its `..` is not the guest's to see. */
struct uvw_root {
    dev_t dev;
    ino_t ino;
};

struct uvw_context {
    uvwasi_t uvwasi;
    uvwasi_mem_t memory; /* how uvwasi reaches options->allocator */
    const struct wb_options *options;
    int interrupted; /* set by interrupt, by any thread; never cleared */
    int wake;        /* readable once interrupted; -1 until a call must wait */
    uint8_t fixups;  /* 0: uvwasi as it is */
    uint8_t ignore_rights;
    uint8_t limited_fsize; /* writing too far raises SIGXFSZ */

    struct uvw_root *roots; /* one for each preopen */
    struct uvw_file *files; /* by guest number, capacity of them */
    uint32_t capacity, open, max_fds;
};

/* Memory from the embedder's allocator, or the C library's. */
void *uvw_allocate(struct uvw_context *context, size_t size); /* all zero */
void uvw_release(struct uvw_context *context, void *pointer);

/* ---- descriptors (context.c, fd.c) ------------------------------------------- */

/* SUCCESS while another descriptor may be opened. */
wb_errno uvw_may_open(const struct uvw_context *context);

/* Keep a file for a number that uvwasi has just given out. */
wb_errno uvw_keep(struct uvw_context *context, wb_fd fd,
                  const struct uvw_file *file);

/* Close a descriptor in uvwasi's table and ours. */
wb_errno uvw_close(struct uvw_context *context, wb_fd fd);

/* A number has been closed in uvwasi's table: close it in ours. */
void uvw_forget(struct uvw_context *context, wb_fd fd);

/* Say what a host descriptor is: all of *file that follows from it. The second
 * function is told the file's mode and the flags of open(2), and asks nothing. */
wb_errno uvw_describe(struct uvw_file *file, int host);
void uvw_describe_as(struct uvw_file *file, int host, mode_t mode, int flags);

static inline struct uvw_file *uvw_file(struct uvw_context *context, wb_fd fd)
{
    return fd < context->capacity &&
                   context->files[fd].io != UVW_IO_CLOSED
               ? &context->files[fd]
               : NULL;
}

/* Find the open descriptor `fd`, and with fix-ups check it as every backing
 * does: BADF, or wb_rights_check's error. Without, uvwasi does its own checks,
 * except that of a directory: it keeps "<stderr>" as the path of descriptor 2, and
 * would work in a folder of that name wherever the host happens to be.
 * UVW_USE takes the call's name, as it stands in rights.def. */
static inline wb_errno uvw_use(struct uvw_context *context, wb_fd fd,
                               uint32_t kind, wb_rights need,
                               struct uvw_file **file)
{
    *file = uvw_file(context, fd);
    if (!*file)
        return WB_ERRNO_BADF;
    if (!context->fixups)
        return kind == WB_KIND_DIRECTORY &&
                       (*file)->filetype != WB_FILETYPE_DIRECTORY
                   ? WB_ERRNO_NOTDIR
                   : WB_ERRNO_SUCCESS;
    return wb_rights_check(kind, need, (*file)->filetype,
                           context->ignore_rights
                               ? (wb_rights)WB_RIGHTS_ALL
                               : wb_rights_implied((*file)->base));
}

#define UVW_USE(context, call, fd, file)                     \
    uvw_use((context), (fd), WB_NEEDS_KIND_##call, WB_NEEDS_##call, (file))

/* ---- uvwasi's private table and paths (private.c) ------------------------------ */

/* The host descriptor of an entry, -1 for a libuv stream or a free number. */
int uvw_private_host(struct uvw_context *context, wb_fd fd);

/* The same, and the type that uvwasi has found it to be. */
wb_filetype uvw_private_type(struct uvw_context *context, wb_fd fd, int *host);

/* Let uvwasi allow everything on an entry: our rights decide. */
void uvw_private_allow(struct uvw_context *context, wb_fd fd);

/* Put a host descriptor into the table, at the lowest free number. */
wb_errno uvw_private_insert(struct uvw_context *context, int host,
                            wb_filetype filetype, wb_fd *fd);

/* Put a host directory into the table as a preopened one, as uvwasi_init does. */
wb_errno uvw_private_preopen(struct uvw_context *context, int host,
                             const char *guest_name, const char *host_path);

/* Make the host path that uvwasi makes of a guest's path, no link followed; give
 * it back with uvw_release. */
wb_errno uvw_private_path(struct uvw_context *context, wb_fd fd,
                          const char *path, size_t path_len, char **host_path);

/* What kind of libuv stream an entry is. */
enum { UVW_NO_STREAM, UVW_LISTENING, UVW_CONNECTED, UVW_SHUT };
int uvw_private_stream(struct uvw_context *context, wb_fd fd);

/* ---- waiting and moving bytes (io.c) ---------------------------------------------- */

static inline int uvw_interrupted(const struct uvw_context *context)
{
    return __atomic_load_n(&context->interrupted, __ATOMIC_SEQ_CST);
}

/* The descriptor that turns readable when the context is interrupted; -1 and
 * errno when there can be none. */
int uvw_wake_descriptor(struct uvw_context *context);

/* Wait for poll(2) events of a descriptor, unless it is NONBLOCK. SUCCESS, AGAIN
 * or WB_STOP_GUEST. */
uint16_t uvw_wait(struct uvw_context *context, const struct uvw_file *file,
                  short events);

/* Wait for so many nanoseconds: SUCCESS or WB_STOP_GUEST. */
uint16_t uvw_pause(struct uvw_context *context, uint64_t time);

/* Receive from and send to a host socket; `flags` are those of recvmsg(2), and
 * *truncated may be NULL. */
uint16_t uvw_receive(struct uvw_context *context, const struct uvw_file *file,
                     const wb_iovec *iovs, size_t iovs_len, int flags,
                     size_t *count, int *truncated);
uint16_t uvw_send(struct uvw_context *context, const struct uvw_file *file,
                  const wb_ciovec *iovs, size_t iovs_len, size_t *count);

/* ---- fix-ups (fixups.c) -------------------------------------------------------------- */

/* A guest's path as a fix-up hands it on. */
struct uvw_path {
    char text[WB_MAX_PATH + 1]; /* no `.` or `..`, no slash at either end */
    size_t len;
    int slash;      /* the guest's ended in a slash, or in `.` or `..` */
    int links;      /* how many were followed */
    int looked;     /* `error` and `facts` are known */
    wb_errno error; /* why lstat(2) told nothing */
    struct stat facts;
};

/* fix_path: refuse what leaves the descriptor's root, by its text. */
wb_errno fix_path(struct uvw_context *context, wb_fd fd, const char *path,
                  size_t path_len, struct uvw_path *fixed);

/* How a call looks at the last component of its path. */
enum {
    UVW_ENTRY,    /* as a name: no link is followed, slash or not */
    UVW_NOFOLLOW, /* as what is there; behind a link if a slash asks for it */
    UVW_FOLLOW    /* as what is there, behind links */
};

/* fix_links: look at what a path names. A link's target counts from the link's
 * own directory. NOTCAPABLE when it leads out; LOOP. */
wb_errno fix_links(struct uvw_context *context, wb_fd fd, int how,
                   struct uvw_path *fixed);

/* fix_error: what uvwasi's errno is called everywhere else. */
wb_errno fix_error(const struct uvw_context *context, uvwasi_errno_t error);

/* fix_slash: NOTDIR for a path with a slash behind what is no directory. */
wb_errno fix_slash(struct uvw_context *context, wb_fd fd, int how,
                   struct uvw_path *fixed);

/* fix_listen: listen on a socket of the host's, not of libuv's (sock.c). */
wb_errno fix_listen(struct uvw_context *context, const struct wb_listen *where);

/* fix_type: UNKNOWN for a pipe, which uvwasi calls a socket. */
wb_filetype fix_type(mode_t mode);

/* ---- small things ----------------------------------------------------------------------- */

wb_timestamp uvw_nanoseconds(struct timespec time);
void uvw_times(wb_timestamp atim, wb_timestamp mtim, wb_fstflags flags,
               struct timespec times[2]);
void uvw_filestat(const struct uvwasi_filestat_s *from, wb_filestat *filestat);
wb_errno uvw_clock(struct uvw_context *context, wb_clockid id, int resolution,
                   wb_timestamp *time);

/* Free the state of fd_readdir (directory.c). */
void uvw_directory_release(struct uvw_context *context, struct uvw_file *file);

/* The slots: uvw_<call>. */
#define WB_CALL(name, signature, memory, fallback, unstable) \
    wb_##name##_fn uvw_##name;
#include "wasi_backing/calls.def"

uint16_t uvw_context_init(const struct wb_options *options, void **self);
void uvw_context_destroy(void *self);
void uvw_interrupt(void *self);

#endif
