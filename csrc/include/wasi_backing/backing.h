/* What a backing is: the manual for people who write one.
 *
 * A backing is a table of functions, one for each call of WASI preview 1, plus a
 * context that its functions get as `self`. The layer in front of it has read the
 * guest's memory, checked every offset and turned it into a native pointer or
 * struct; a backing never sees linear memory, byte order or wasm.
 *
 *     static uint16_t my_fd_write(void *self, wb_fd fd, const wb_ciovec *iovs,
 *                                 size_t iovs_len, size_t *nwritten);
 *     ...
 *     static const struct wb_backing my_backing = {
 *         WB_BACKING_INIT,
 *         .name = "my",
 *         .context_init = my_context_init,
 *         .context_destroy = my_context_destroy,
 *         .fd_write = my_fd_write,
 *     };
 *
 * Fill what you support and leave the rest NULL: the guest then sees NOSYS, or
 * the fallback that is named at the slot.
 *
 * For every slot
 *
 *   Promised to you   Pointers are not NULL unless a length of 0 goes with them,
 *                     point to memory of the stated size, and are valid until
 *                     you return and no longer. Buffers of a guest may overlap
 *                     each other. Enums and flags have defined values only.
 *                     Descriptors are whatever number the guest said. Paths are
 *                     valid UTF-8 of 1 to WB_MAX_PATH bytes, hold no NUL, and
 *                     have one behind them that path_len does not count. A path
 *                     may be absolute, hold `..`, or end in slashes.
 *   Expected of you   Return a WB_ERRNO_* number, or WB_STOP_GUEST to end the
 *                     guest; anything else reaches the guest as IO. Store
 *                     results only on success. Never end or signal the process,
 *                     never longjmp past the layer, keep no pointer.
 *   Threads           Calls of one context never overlap (unless your facts say
 *                     that they may); different contexts are independent, so
 *                     keep no state outside of them.
 *
 * "Errors" at a slot lists those that guests look for; others may be returned.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_BACKING_H
#define WASI_BACKING_BACKING_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of everything in this header. A backing and a layer with equal
 * numbers understand each other: later members are appended, and `size` says how
 * many of them a table has. It changes only when that is not enough. */
#define WB_ABI 1

/* Returned by a slot instead of an errno: end this guest now, because it was
 * interrupted or because something happened that the embedder must hear of. */
#define WB_STOP_GUEST 0xFFFF

/* ---- options: what a context is made of --------------------------------- */

/* A directory of the host that the guest finds open. Preopens are numbered from
 * descriptor 3 in order. */
struct wb_preopen {
    const char *guest_name; /* what the guest calls it, such as "/" */
    const char *host_path;  /* meaning is the backing's; a path on hosted ones */
    uint32_t flags;         /* WB_PREOPEN_* */
    uint32_t reserved;      /* 0 */
};

/* Refuse every change below this directory with ROFS: opening for writing,
 * creating, truncating, removing, setting times, renaming or linking from or to
 * it. It is a flag and not a mask of rights, because wasi-libc would drop rights
 * silently and open for reading only. */
#define WB_PREOPEN_READ_ONLY 1u

/* A stream that the embedder implements, in place of a host descriptor. The
 * functions run on the guest's thread, inside the guest's call, and must not call
 * the guest. */
struct wb_stream {
    uint32_t size; /* sizeof(struct wb_stream) */
    uint32_t flags; /* 0 */
    void *self;

    /* Store up to `len` bytes at `buf`; *count 0 is the end. Blocks when there
     * is nothing yet; AGAIN instead, when `nonblock` is not 0. Returns an errno
     * or WB_STOP_GUEST. NULL: not open for reading. */
    uint16_t (*read)(void *self, void *buf, size_t len, uint32_t nonblock,
                     size_t *count);

    /* Take up to `len` bytes from `buf`, at least one when `len` is not 0.
     * NULL: not open for writing. */
    uint16_t (*write)(void *self, const void *buf, size_t len,
                      uint32_t nonblock, size_t *count);

    /* Say in *count how many bytes can be read (`write` 0) or written (1) at
     * once, waiting for at most `timeout` nanoseconds (0: not at all,
     * UINT64_MAX: as long as it takes) until that is at least one or the stream
     * has ended; an ended stream is ready with 0 bytes. AGAIN when the time has
     * passed. NULL: always ready. */
    uint16_t (*ready)(void *self, uint32_t write, wb_timestamp timeout,
                      wb_filesize *count);
};

/* One of the guest's descriptors 0, 1 and 2. */
struct wb_stdio {
    uint32_t kind;      /* WB_STDIO_* */
    int32_t descriptor; /* WB_STDIO_DESCRIPTOR: of the host, lent, not closed */
    const struct wb_stream *stream; /* WB_STDIO_STREAM */
};

enum {
    WB_STDIO_NONE = 0,       /* open, at its end, and swallows what is written */
    WB_STDIO_DESCRIPTOR = 1, /* a descriptor that the host lends */
    WB_STDIO_STREAM = 2
};

/* A TCP socket that the guest finds listening, numbered after the preopens. */
struct wb_listen {
    const char *address;  /* numeric IPv4 or IPv6 */
    uint32_t port;        /* 0: any free one */
    uint32_t reserved;    /* 0 */
    uint32_t *bound_port; /* NULL, or where the port in use is stored */
};

/* A setting that only one backing knows. */
struct wb_extra {
    const char *key;
    const char *value;
};

/* Memory, in the manner of realloc(3): `size` 0 frees and returns NULL, `pointer`
 * NULL allocates, NULL for a `size` above 0 means that there is no more. */
struct wb_allocator {
    void *(*reallocate)(void *self, void *pointer, size_t size);
    void *self;
};

/* What context_init gets. The caller keeps it, and all that it points to, alive
 * and unchanged until context_destroy has returned: a backing may keep pointers
 * into it. Zero a struct and set `size`: every other zero is a usable default. */
struct wb_options {
    uint32_t size;  /* sizeof(struct wb_options) */
    uint32_t flags; /* WB_OPTIONS_* */

    const char *const *argv; /* argc strings; argv[0] is the program's name */
    size_t argc;
    const char *const *envp; /* envc strings NAME=VALUE */
    size_t envc;

    const struct wb_preopen *preopens;
    size_t preopens_len;
    struct wb_stdio stdio[3];
    const struct wb_listen *listens;
    size_t listens_len;

    /* Clocks of the embedder's, NULL for the system's: store the time of clock
     * `id`, or its resolution when `resolution` is not 0, in nanoseconds. */
    uint16_t (*clock)(void *self, wb_clockid id, uint32_t resolution,
                      wb_timestamp *time);
    void *clock_self;

    /* Random bytes of the embedder's, NULL for the system's: fill all of buf. */
    uint16_t (*random)(void *self, void *buf, size_t len);
    void *random_self;

    /* Limits; 0 is the backing's default. */
    uint32_t max_fds;           /* open descriptors at once; then NFILE */
    uint32_t max_path;          /* bytes of a path; at most WB_MAX_PATH */
    uint32_t max_subscriptions; /* of one poll_oneoff */
    uint32_t reserved;          /* 0 */

    /* Where a backing gets memory: the allocator when there is one, else only
     * the arena. Neither: the C library's, on hosted backings. */
    const struct wb_allocator *allocator;
    void *arena;
    size_t arena_len;

    const struct wb_extra *extras; /* a key that is not known is refused */
    size_t extras_len;

    /* Where a failing context_init says in one line what was wrong, ending in
     * a NUL and cut to error_len; NULL: nowhere. */
    char *error;
    size_t error_len;

    /* -- end of ABI 1 -- */
};

/* Rights are neither kept nor enforced, as wasmtime does: fd_fdstat_set_rights is
 * NOTSUP, and a descriptor does what its file and its access mode can. */
#define WB_OPTIONS_IGNORE_RIGHTS 1u

/* ---- sinks: where slots put results of unknown number -------------------- */

/* Returned by a sink that takes no more: stop, and return SUCCESS. */
#define WB_SINK_FULL 1

/* For args_get and environ_get. */
struct wb_string_sink {
    /* Take the next string, `len` bytes without a terminator. 0 to go on, or
     * WB_SINK_FULL. */
    uint16_t (*add)(struct wb_string_sink *sink, const char *string, size_t len);
};

/* For fd_readdir. */
struct wb_dirent_sink {
    /* Take the next entry and its name of entry->d_namlen bytes. 0 to go on, or
     * WB_SINK_FULL; the guest may ask for this very entry again. */
    uint16_t (*add)(struct wb_dirent_sink *sink, const wb_dirent *entry,
                    const char *name);
};

/* For poll_oneoff. */
struct wb_event_sink {
    /* Take an event. 0 to go on, or WB_SINK_FULL. */
    uint16_t (*add)(struct wb_event_sink *sink, const wb_event *event);
};

/* ---- slots ---------------------------------------------------------------- */

/* args_sizes_get: count the arguments, and the bytes of their strings including
 * one terminator each.
 *   Expected of you   the same answer for the life of the context, and strings
 *                     without a NUL inside.
 *   Without it        answered from the options. */
typedef uint16_t wb_args_sizes_get_fn(void *self, size_t *argc,
                                      size_t *argv_buf_size);

/* args_get: add each argument to the sink.
 *   Expected of you   as many strings and bytes as args_sizes_get told; the
 *                     layer refuses more, or fewer, with IO.
 *   Without it        answered from the options. */
typedef uint16_t wb_args_get_fn(void *self, struct wb_string_sink *sink);

/* environ_sizes_get: as args_sizes_get, for strings of the form NAME=VALUE. */
typedef uint16_t wb_environ_sizes_get_fn(void *self, size_t *environ_count,
                                         size_t *environ_buf_size);

/* environ_get: as args_get. The order is the embedder's. */
typedef uint16_t wb_environ_get_fn(void *self, struct wb_string_sink *sink);

/* clock_res_get: tell the resolution of a clock in nanoseconds, never 0.
 *   Errors            INVAL for a clock that the system lacks. */
typedef uint16_t wb_clock_res_get_fn(void *self, wb_clockid id,
                                     wb_timestamp *resolution);

/* clock_time_get: tell the time of a clock in nanoseconds. REALTIME counts from
 * 1970-01-01T00:00:00Z, MONOTONIC from any fixed point.
 *   Expected of you   MONOTONIC never goes back. `precision` is how far off the
 *                     guest lets the answer be; it may be ignored.
 *   Errors            INVAL for a clock that the system lacks; OVERFLOW. */
typedef uint16_t wb_clock_time_get_fn(void *self, wb_clockid id,
                                      wb_timestamp precision,
                                      wb_timestamp *time);

/* fd_advise: hear how the guest will use len bytes of a file from offset; len 0
 * means up to the end. Doing nothing is a correct answer.
 *   Errors            BADF; SPIPE; INVAL if the end is above INT64_MAX. */
typedef uint16_t wb_fd_advise_fn(void *self, wb_fd fd, wb_filesize offset,
                                 wb_filesize len, wb_advice advice);

/* fd_allocate: make sure that [offset, offset + len) of a file has storage, and
 * that the file is at least that long.
 *   Errors            BADF; INVAL for len 0 or an end above INT64_MAX; NOSPC;
 *                     FBIG; NOTSUP where the storage cannot do it. */
typedef uint16_t wb_fd_allocate_fn(void *self, wb_fd fd, wb_filesize offset,
                                   wb_filesize len);

/* fd_close: close a descriptor and free its number, also when an error is
 * reported: nothing can be done through it afterwards.
 *   Errors            BADF; IO or NOSPC from a delayed write. */
typedef uint16_t wb_fd_close_fn(void *self, wb_fd fd);

/* fd_datasync: bring a file's data to storage, and what is needed to find it.
 *   Without it        your fd_sync is called. */
typedef uint16_t wb_fd_datasync_fn(void *self, wb_fd fd);

/* fd_fdstat_get: describe a descriptor.
 *   Expected of you   rights that tell the truth on FD_READ, FD_WRITE, FD_SEEK
 *                     and FD_TELL: wasi-libc's fcntl and isatty read them. A
 *                     terminal is a character device without FD_SEEK and
 *                     FD_TELL. */
typedef uint16_t wb_fd_fdstat_get_fn(void *self, wb_fd fd, wb_fdstat *fdstat);

/* fd_fdstat_set_flags: set how a descriptor behaves from now on.
 *   Expected of you   on a descriptor that the host lent, have the effect
 *                     without setting a flag of the shared description.
 *   Errors            BADF; NOTSUP or INVAL for a flag that the file lacks. */
typedef uint16_t wb_fd_fdstat_set_flags_fn(void *self, wb_fd fd,
                                           wb_fdflags flags);

/* fd_fdstat_set_rights: take rights away.
 *   Errors            BADF; NOTCAPABLE if either mask holds a bit that the
 *                     descriptor lacks. */
typedef uint16_t wb_fd_fdstat_set_rights_fn(void *self, wb_fd fd,
                                            wb_rights fs_rights_base,
                                            wb_rights fs_rights_inheriting);

/* fd_filestat_get: describe the file behind a descriptor. */
typedef uint16_t wb_fd_filestat_get_fn(void *self, wb_fd fd,
                                       wb_filestat *filestat);

/* fd_filestat_set_size: cut or extend a file; new bytes read as zero.
 *   Errors            BADF; INVAL if size is above INT64_MAX; FBIG; NOSPC. */
typedef uint16_t wb_fd_filestat_set_size_fn(void *self, wb_fd fd,
                                            wb_filesize size);

/* fd_filestat_set_times: set the times of a file.
 *   Promised to you   never both ATIM and ATIM_NOW, nor both MTIM and MTIM_NOW.
 *   Expected of you   leave alone a time that has no flag. */
typedef uint16_t wb_fd_filestat_set_times_fn(void *self, wb_fd fd,
                                             wb_timestamp atim,
                                             wb_timestamp mtim,
                                             wb_fstflags fst_flags);

/* fd_pread: read at an offset; the descriptor's own position stays put.
 *   Promised to you   0 to WB_MAX_IOVECS iovs, none of them empty, UINT32_MAX
 *                     bytes at most in all. The first may be the only one.
 *   Expected of you   fill them in order. A short count is fine; 0 means the end
 *                     of the file, or that there was no room. *nread above the
 *                     room offered becomes IO.
 *   Errors            BADF; SPIPE (has no position); INVAL (offset above
 *                     INT64_MAX); IO. */
typedef uint16_t wb_fd_pread_fn(void *self, wb_fd fd, const wb_iovec *iovs,
                                size_t iovs_len, wb_filesize offset,
                                size_t *nread);

/* fd_prestat_get: describe a preopened directory. Guests ask from descriptor 3
 * upward until the first BADF.
 *   Errors            BADF for every descriptor that is no preopened directory:
 *                     wasi-libc ends the guest on any other.
 *   Without it        BADF. */
typedef uint16_t wb_fd_prestat_get_fn(void *self, wb_fd fd,
                                      wb_prestat *prestat);

/* fd_prestat_dir_name: store the guest's name of a preopened directory.
 *   Promised to you   path_len is the pr_name_len that your fd_prestat_get just
 *                     told.
 *   Expected of you   store exactly that many bytes, and no terminator.
 *   Without it        BADF. */
typedef uint16_t wb_fd_prestat_dir_name_fn(void *self, wb_fd fd, char *path,
                                           size_t path_len);

/* fd_pwrite: write at an offset; the descriptor's own position stays put.
 *   Promised to you   as at fd_pread.
 *   Expected of you   write them in order, tell in *nwritten how much was
 *                     taken, and end in success once anything was. The file
 *                     grows as needed, with zeros in a gap.
 *   Errors            BADF; SPIPE; INVAL (end above INT64_MAX); FBIG; NOSPC. */
typedef uint16_t wb_fd_pwrite_fn(void *self, wb_fd fd, const wb_ciovec *iovs,
                                 size_t iovs_len, wb_filesize offset,
                                 size_t *nwritten);

/* fd_read: read at the descriptor's position and advance it.
 *   Promised to you   as at fd_pread.
 *   Expected of you   wait when there is nothing yet, unless the descriptor is
 *                     NONBLOCK; return WB_STOP_GUEST when interrupted.
 *   Errors            BADF; AGAIN; IO; CONNRESET. */
typedef uint16_t wb_fd_read_fn(void *self, wb_fd fd, const wb_iovec *iovs,
                               size_t iovs_len, size_t *nread);

/* fd_readdir: add the entries of a directory to the sink, from a cookie on.
 *   Promised to you   the sink packs, cuts and skips; cookie is 0 or any number
 *                     at all that the guest said.
 *   Expected of you   `.` and `..` among the entries; a d_next for each that
 *                     stays valid while entries come and go, so that nothing
 *                     that was there all along is told twice or left out. Stop
 *                     when the sink is full: the guest comes back with the
 *                     cookie of an earlier entry. Adding none means the end.
 *   Errors            BADF; NOTDIR; INVAL for a cookie that was never told,
 *                     where that can be known. */
typedef uint16_t wb_fd_readdir_fn(void *self, wb_fd fd, wb_dircookie cookie,
                                  struct wb_dirent_sink *sink);

/* fd_renumber: move descriptor `fd` to the number `to`, closing what `to` was, in
 * one step. Works on preopens and stdio as well; `fd` equal to `to` does nothing.
 *   Errors            BADF when either is not open. */
typedef uint16_t wb_fd_renumber_fn(void *self, wb_fd fd, wb_fd to);

/* fd_seek: move a descriptor's position and tell the new one.
 *   Errors            BADF; SPIPE; INVAL for a position below 0, or above
 *                     INT64_MAX. */
typedef uint16_t wb_fd_seek_fn(void *self, wb_fd fd, wb_filedelta offset,
                               wb_whence whence, wb_filesize *newoffset);

/* fd_sync: bring a file's data and metadata to storage. */
typedef uint16_t wb_fd_sync_fn(void *self, wb_fd fd);

/* fd_tell: tell a descriptor's position. */
typedef uint16_t wb_fd_tell_fn(void *self, wb_fd fd, wb_filesize *offset);

/* fd_write: write at the descriptor's position, or at the end when it is APPEND,
 * and advance it.
 *   Promised to you   as at fd_pread.
 *   Expected of you   as at fd_pwrite. A reader that has gone is PIPE, and no
 *                     signal. Return WB_STOP_GUEST when interrupted before
 *                     anything was written.
 *   Errors            BADF; AGAIN; PIPE; FBIG; NOSPC; IO. */
typedef uint16_t wb_fd_write_fn(void *self, wb_fd fd, const wb_ciovec *iovs,
                                size_t iovs_len, size_t *nwritten);

/* For every path_* slot: the path is taken relative to the directory `fd`, which
 * is its root: a path that leaves it, by `..`, by being absolute, or through a
 * link on the way, is NOTCAPABLE.
 *   Errors            BADF; NOTDIR; NOENT; LOOP; NAMETOOLONG; NOTCAPABLE; ROFS
 *                     for a change below a read-only preopen. */

/* path_create_directory: make a directory.
 *   Errors            EXIST, also for a link, whatever it points to. */
typedef uint16_t wb_path_create_directory_fn(void *self, wb_fd fd,
                                             const char *path,
                                             size_t path_len);

/* path_filestat_get: describe the file that a path names; SYMLINK_FOLLOW looks
 * behind a link that the path ends in. */
typedef uint16_t wb_path_filestat_get_fn(void *self, wb_fd fd,
                                         wb_lookupflags flags,
                                         const char *path, size_t path_len,
                                         wb_filestat *filestat);

/* path_filestat_set_times: as fd_filestat_set_times, by path; without
 * SYMLINK_FOLLOW it sets the times of the link itself. */
typedef uint16_t wb_path_filestat_set_times_fn(
    void *self, wb_fd fd, wb_lookupflags flags, const char *path,
    size_t path_len, wb_timestamp atim, wb_timestamp mtim,
    wb_fstflags fst_flags);

/* path_link: give the file at old_path a second name at new_path. Without
 * SYMLINK_FOLLOW a link at old_path itself gets the name.
 *   Errors            EXIST; PERM for a directory; XDEV; MLINK; INVAL or NOTSUP
 *                     for SYMLINK_FOLLOW where it cannot be had. */
typedef uint16_t wb_path_link_fn(void *self, wb_fd old_fd,
                                 wb_lookupflags old_flags, const char *old_path,
                                 size_t old_path_len, wb_fd new_fd,
                                 const char *new_path, size_t new_path_len);

/* path_open: open a file or directory and tell its descriptor, the lowest number
 * above 2 that is free. 0 to 2 are stdio's: a file that got such a number after it
 * was closed would get what the guest's library still writes to it.
 *   Promised to you   rights hold defined bits only.
 *   Expected of you   the access mode that the rights ask for (see
 *                     wb_rights_ask_to_read in rights.h), and rights no wider
 *                     than what `fd` passes on. Without SYMLINK_FOLLOW in
 *                     dirflags, a link that the path ends in is LOOP.
 *   Errors            EXIST (CREAT and EXCL); ISDIR (a directory, for writing);
 *                     NOTDIR (DIRECTORY, on a file); NOTCAPABLE; NFILE. */
typedef uint16_t wb_path_open_fn(void *self, wb_fd fd, wb_lookupflags dirflags,
                                 const char *path, size_t path_len,
                                 wb_oflags oflags, wb_rights fs_rights_base,
                                 wb_rights fs_rights_inheriting,
                                 wb_fdflags fdflags, wb_fd *opened_fd);

/* path_readlink: store what a link holds, whole and without a terminator. The
 * layer cuts it to the guest's buffer.
 *   Promised to you   buf_len is WB_MAX_PATH.
 *   Errors            INVAL if it is no link; NAMETOOLONG if buf_len is too
 *                     small for it. */
typedef uint16_t wb_path_readlink_fn(void *self, wb_fd fd, const char *path,
                                     size_t path_len, char *buf,
                                     size_t buf_len, size_t *bufused);

/* path_remove_directory: remove an empty directory.
 *   Errors            NOTEMPTY; NOTDIR, also for a link to a directory. */
typedef uint16_t wb_path_remove_directory_fn(void *self, wb_fd fd,
                                             const char *path,
                                             size_t path_len);

/* path_rename: rename or move, replacing what new_path named, in one step.
 *   Errors            NOTEMPTY; ISDIR and NOTDIR when file and directory would
 *                     replace each other; INVAL into itself; XDEV. */
typedef uint16_t wb_path_rename_fn(void *self, wb_fd fd, const char *old_path,
                                   size_t old_path_len, wb_fd new_fd,
                                   const char *new_path, size_t new_path_len);

/* path_symlink: make a link at new_path that holds old_path.
 *   Promised to you   old_path is text as paths are, and relative: the layer
 *                     answers NOTCAPABLE to an absolute one.
 *   Expected of you   store it as it is; where it points does not matter until
 *                     it is followed. */
typedef uint16_t wb_path_symlink_fn(void *self, const char *old_path,
                                    size_t old_path_len, wb_fd fd,
                                    const char *new_path, size_t new_path_len);

/* path_unlink_file: remove a name that is no directory.
 *   Errors            ISDIR; BUSY. */
typedef uint16_t wb_path_unlink_file_fn(void *self, wb_fd fd, const char *path,
                                        size_t path_len);

/* poll_oneoff: wait until at least one subscription is due, and add an event for
 * each that is.
 *   Promised to you   1 to WB_MAX_SUBSCRIPTIONS of them; the same descriptor or
 *                     clock may be in several. The sink has room for one event
 *                     each.
 *   Expected of you   an event with an error for a subscription that fails (BADF,
 *                     NOTCAPABLE, INVAL), at once; the call itself succeeds. A
 *                     wait that costs no processor time. At least one event:
 *                     SUCCESS without any becomes IO. A guest may wait for
 *                     ever: return WB_STOP_GUEST when interrupted. */
typedef uint16_t wb_poll_oneoff_fn(void *self,
                                   const wb_subscription *subscriptions,
                                   size_t nsubscriptions,
                                   struct wb_event_sink *sink);

/* proc_exit: hear that the guest ends with this code. The layer ends it, whatever
 * is returned.
 *   Without it        the same. */
typedef uint16_t wb_proc_exit_fn(void *self, wb_exitcode rval);

/* proc_raise: hear that the guest raises a signal. On SUCCESS the layer does what
 * the signal does by default, to the guest alone: most end it with 128 plus the
 * signal's number.
 *   Expected of you   never signal the host process.
 *   Errors            NOTSUP for one that cannot be had. */
typedef uint16_t wb_proc_raise_fn(void *self, wb_signal sig);

/* sched_yield: let others run.
 *   Without it        SUCCESS. */
typedef uint16_t wb_sched_yield_fn(void *self);

/* random_get: fill a buffer with random bytes that nobody can guess.
 *   Promised to you   any length, the guest's whole memory included.
 *   Expected of you   work in chunks, and return WB_STOP_GUEST in between when
 *                     interrupted. */
typedef uint16_t wb_random_get_fn(void *self, uint8_t *buf, size_t buf_len);

/* sock_accept: take a connection from a listening socket; its descriptor is the
 * lowest number above 2 that is free, with `flags` set.
 *   Expected of you   wait unless the listening socket is NONBLOCK; return
 *                     WB_STOP_GUEST when interrupted.
 *   Errors            BADF; NOTSOCK; AGAIN; INVAL if it is not listening. */
typedef uint16_t wb_sock_accept_fn(void *self, wb_fd fd, wb_fdflags flags,
                                   wb_fd *new_fd);

/* sock_recv: receive. RECV_PEEK leaves the bytes where they are, RECV_WAITALL
 * waits until all room is filled.
 *   Promised to you   as at fd_pread.
 *   Expected of you   *ro_flags RECV_DATA_TRUNCATED when a message was cut.
 *   Errors            BADF; NOTSOCK; NOTCONN; AGAIN; CONNRESET. */
typedef uint16_t wb_sock_recv_fn(void *self, wb_fd fd, const wb_iovec *ri_data,
                                 size_t ri_data_len, wb_riflags ri_flags,
                                 size_t *ro_datalen, wb_roflags *ro_flags);

/* sock_send: send. No flag is defined, so there is none to pass.
 *   Promised to you   as at fd_pread.
 *   Errors            BADF; NOTSOCK; NOTCONN; AGAIN; PIPE (and no signal). */
typedef uint16_t wb_sock_send_fn(void *self, wb_fd fd, const wb_ciovec *si_data,
                                 size_t si_data_len, size_t *so_datalen);

/* sock_shutdown: end the receiving half (RD), the sending one (WR), or both.
 *   Promised to you   at least one bit.
 *   Errors            BADF; NOTSOCK; NOTCONN. */
typedef uint16_t wb_sock_shutdown_fn(void *self, wb_fd fd, wb_sdflags how);

/* ---- the table ----------------------------------------------------------- */

/* Where the calls of a guest go: for each, a function and the context that it
 * gets. The layer makes one per guest; a wrapper gets the one behind it. */
struct wb_pairs {
    size_t size; /* sizeof(struct wb_pairs) */
#define WB_CALL(name, signature, memory, fallback, unstable) \
    struct {                                                 \
        wb_##name##_fn *call; /* NULL: NOSYS */              \
        void *self;                                          \
    } name;
#include "calls.def"
};

/* Facts that a backing publishes, in `facts`. */
#define WB_FACT_CONTAINED 1u  /* no path leaves its root, whatever the guest does
                                 and whoever changes the tree meanwhile */
#define WB_FACT_SHAREABLE 2u  /* calls of one context may overlap */
#define WB_FACT_EMBEDDER 4u   /* a slot may run the embedder's code, which may
                                 grow the guest's memory */
#define WB_FACT_NO_HEAP 8u    /* needs neither allocator nor arena */
#define WB_FACT_WRAPPER 16u   /* stands in front of another backing */
#define WB_FACT_OWN_FILES 32u /* a preopen's host_path is a place in files of
                                 its own, which begin empty; not the host's */

struct wb_backing {
    uint32_t abi, size; /* set by WB_BACKING_INIT */
    const char *name;   /* for traces, error text and the command line */
    const char *summary; /* one line: what it is and what it promises */
    uint32_t facts;      /* WB_FACT_* */
    uint32_t reserved;   /* 0 */

    /* Make a context and store it in *self; it may be NULL if there is nothing
     * to keep. On failure: release everything, set *self to NULL, say why in
     * options->error, return an errno. NULL: contexts are NULL. */
    uint16_t (*context_init)(const struct wb_options *options, void **self);

    /* Release a context: close what the guest left open, report nothing. Called
     * once, after the last call has returned. Accepts NULL. */
    void (*context_destroy)(void *self);

    /* Make a slot that is blocked, and every later one that would block, return
     * WB_STOP_GUEST. May be called from any thread and from a signal handler,
     * also more than once, at any time between context_init and
     * context_destroy; there is no way back. NULL: nothing ever blocks. */
    void (*interrupt)(void *self);

    /* Wrappers: hear, once and before the first call, what stands behind. Copy
     * what you need of it (at most behind->size bytes). A slot that a wrapper
     * leaves NULL goes straight to what is behind. NULL on other backings. */
    uint16_t (*wrap)(void *self, const struct wb_pairs *behind);

    /* The 46 slots, in the order of calls.def. */
#define WB_CALL(name, signature, memory, fallback, unstable) \
    wb_##name##_fn *name;
#include "calls.def"

    /* -- end of ABI 1 -- */
};

#define WB_BACKING_INIT .abi = WB_ABI, .size = sizeof(struct wb_backing)

/* Calls by number: WB_CALL_fd_read and so on, and how many there are. */
enum {
#define WB_CALL(name, signature, memory, fallback, unstable) WB_CALL_##name,
#include "calls.def"
    WB_CALL_COUNT
};

/* What a backing in a shared library exports. `host_abi` is the caller's WB_ABI.
 * NULL: cannot serve that host. The table lives as long as the library. */
const struct wb_backing *wb_backing_entry(uint32_t host_abi);

#ifdef __cplusplus
}
#endif
#endif
