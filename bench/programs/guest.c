/* The guest: each WASI call in a loop.
 *
 * The calls are imported here directly, so that no wrapper of the C library is
 * measured. native.c is its twin: rows of one name do the same work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "harness.h"

#include <stddef.h>
#include <string.h>
#include <wasi/api.h>

#define IMPORT(call)                                                           \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#call)))

/* Offsets are 32 bits wide, as are pointers here. */
IMPORT(args_get) int32_t args_get(void *argv, void *argv_buf);
IMPORT(args_sizes_get) int32_t args_sizes_get(void *argc, void *size);
IMPORT(environ_get) int32_t environ_get(void *environ, void *environ_buf);
IMPORT(environ_sizes_get) int32_t environ_sizes_get(void *count, void *size);
IMPORT(clock_res_get) int32_t clock_res_get(int32_t id, void *resolution);
IMPORT(clock_time_get)
int32_t clock_time_get(int32_t id, int64_t precision, void *time);
IMPORT(fd_close) int32_t fd_close(int32_t fd);
IMPORT(fd_fdstat_get) int32_t fd_fdstat_get(int32_t fd, void *fdstat);
IMPORT(fd_filestat_get) int32_t fd_filestat_get(int32_t fd, void *filestat);
IMPORT(fd_pread)
int32_t fd_pread(int32_t fd, const void *iovs, int32_t iovs_len, int64_t offset,
                 void *nread);
IMPORT(fd_prestat_get) int32_t fd_prestat_get(int32_t fd, void *prestat);
IMPORT(fd_prestat_dir_name)
int32_t fd_prestat_dir_name(int32_t fd, void *path, int32_t path_len);
IMPORT(fd_pwrite)
int32_t fd_pwrite(int32_t fd, const void *iovs, int32_t iovs_len,
                  int64_t offset, void *nwritten);
IMPORT(fd_read)
int32_t fd_read(int32_t fd, const void *iovs, int32_t iovs_len, void *nread);
IMPORT(fd_readdir)
int32_t fd_readdir(int32_t fd, void *buf, int32_t buf_len, int64_t cookie,
                   void *bufused);
IMPORT(fd_seek)
int32_t fd_seek(int32_t fd, int64_t offset, int32_t whence, void *newoffset);
IMPORT(fd_tell) int32_t fd_tell(int32_t fd, void *offset);
IMPORT(fd_write)
int32_t fd_write(int32_t fd, const void *iovs, int32_t iovs_len,
                 void *nwritten);
IMPORT(path_filestat_get)
int32_t path_filestat_get(int32_t fd, int32_t flags, const char *path,
                          int32_t path_len, void *filestat);
IMPORT(path_open)
int32_t path_open(int32_t fd, int32_t dirflags, const char *path,
                  int32_t path_len, int32_t oflags, int64_t rights,
                  int64_t inheriting, int32_t fdflags, void *opened_fd);
IMPORT(poll_oneoff)
int32_t poll_oneoff(const void *in, void *out, int32_t nsubscriptions,
                    void *nevents);
IMPORT(random_get) int32_t random_get(void *buf, int32_t buf_len);
IMPORT(sched_yield) int32_t wasi_sched_yield(void);

#define PREOPEN 3
#define NO_FD (-1)

#define FILE_RIGHTS                                                            \
    (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK |  \
     __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET)

/* Defines a row's loop: `turn` is an expression of the errno of one call. */
#define LOOP(name, turn)                                                       \
    static int name(uint64_t turns)                                            \
    {                                                                          \
        int32_t failed = 0;                                                    \
        for (uint64_t i = 0; i < turns && failed == 0; i++)                    \
            failed = (turn);                                                   \
        return failed;                                                         \
    }

static uint64_t result;
static uint32_t count, size;
static char strings[4096];
static uint32_t pointers[64];
static uint64_t record[16]; /* room for any struct, aligned for all */

uint64_t now(void)
{
    uint64_t time = 0;
    clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &time);
    return time;
}

static int open_path(const char *path, int32_t oflags, uint64_t rights,
                     int32_t *fd)
{
    return path_open(PREOPEN, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path,
                     (int32_t)strlen(path), oflags, (int64_t)rights, 0, 0, fd);
}

/* ---- what a host keeps in memory ----------------------------------------- */

LOOP(run_args_sizes_get, args_sizes_get(&count, &size))
LOOP(run_args_get, args_get(pointers, strings))
LOOP(run_environ_sizes_get, environ_sizes_get(&count, &size))
LOOP(run_environ_get, environ_get(pointers, strings))
LOOP(run_clock_realtime, clock_time_get(__WASI_CLOCKID_REALTIME, 1, &result))
LOOP(run_clock_monotonic, clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &result))
LOOP(run_clock_process,
     clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &result))
LOOP(run_clock_thread,
     clock_time_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, 1, &result))
LOOP(run_clock_res_get, clock_res_get(__WASI_CLOCKID_MONOTONIC, &result))
LOOP(run_fd_prestat_get, fd_prestat_get(PREOPEN, record))
LOOP(run_fd_prestat_dir_name, fd_prestat_dir_name(PREOPEN, strings, 1))

static __wasi_subscription_t elapsed;
static __wasi_event_t event;

static int prepare_poll(void)
{
    elapsed.u.tag = __WASI_EVENTTYPE_CLOCK;
    elapsed.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    elapsed.u.u.clock.timeout = 0; /* from now on */
    return 0;
}

LOOP(run_poll_oneoff, poll_oneoff(&elapsed, &event, 1, &count))

/* A call without pointers that makes no system call: the way there and back. */
LOOP(run_empty, fd_close(NO_FD) - __WASI_ERRNO_BADF)

/* ---- one open file --------------------------------------------------------
 */

static int32_t file;
static uint8_t buffer[65536];
static __wasi_iovec_t iovec = {buffer, 0};

static int prepare_data(void)
{
    return open_path("data", 0, FILE_RIGHTS, &file);
}

static int prepare_scratch(void)
{
    return open_path("scratch", 0, FILE_RIGHTS, &file);
}

LOOP(run_fd_fdstat_get, fd_fdstat_get(file, record))
LOOP(run_fd_filestat_get, fd_filestat_get(file, record))
LOOP(run_fd_seek, fd_seek(file, 1000, __WASI_WHENCE_SET, &result))
LOOP(run_fd_tell, fd_tell(file, &result))

/* Sequential transfers start over at the end of the file. */
static uint64_t position;

static int32_t advance(uint32_t length)
{
    position += length;
    if (position < DATA_SIZE)
        return 0;
    position = 0;
    return fd_seek(file, 0, __WASI_WHENCE_SET, &result);
}

static int32_t read_on(uint32_t length)
{
    int32_t error = fd_read(file, &iovec, 1, &count);
    return error ? error : advance(length);
}

static int32_t write_on(uint32_t length)
{
    int32_t error = fd_write(file, &iovec, 1, &count);
    return error ? error : advance(length);
}

#define TRANSFERS(name, length)                                                \
    static int prepare_read_##name(void)                                       \
    {                                                                          \
        iovec.buf_len = (length);                                              \
        return prepare_data();                                                 \
    }                                                                          \
    static int prepare_write_##name(void)                                      \
    {                                                                          \
        iovec.buf_len = (length);                                              \
        return prepare_scratch();                                              \
    }                                                                          \
    LOOP(run_fd_pread_##name, fd_pread(file, &iovec, 1, 0, &count))            \
    LOOP(run_fd_pwrite_##name, fd_pwrite(file, &iovec, 1, 0, &count))          \
    LOOP(run_fd_read_##name, read_on(length))                                  \
    LOOP(run_fd_write_##name, write_on(length))

TRANSFERS(1, 1)
TRANSFERS(4k, 4096)
TRANSFERS(64k, 65536)

/* ---- paths ------------------------------------------------------------------
 */

static int32_t open_close(const char *path, uint32_t length)
{
    int32_t fd;
    int32_t error =
        path_open(PREOPEN, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path,
                  (int32_t)length, 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd);
    return error ? error : fd_close(fd);
}

LOOP(run_open_near, open_close(NEAR_PATH, sizeof NEAR_PATH - 1))
LOOP(run_open_far, open_close(FAR_PATH, sizeof FAR_PATH - 1))
LOOP(run_stat_near,
     path_filestat_get(PREOPEN, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, NEAR_PATH,
                       sizeof NEAR_PATH - 1, record))
LOOP(run_stat_far, path_filestat_get(PREOPEN, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW,
                                     FAR_PATH, sizeof FAR_PATH - 1, record))

/* ---- directories
 * -------------------------------------------------------------- */

static uint64_t names;

static int open_directory(const char *path, uint64_t expected)
{
    names = expected;
    return open_path(path, __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR,
                     &file);
}

static int prepare_names_2000(void)
{
    return open_directory("names-2000", 2000);
}

static int prepare_names_100000(void)
{
    return open_directory("names-100000", 100000);
}

/* List the directory once, with a buffer as large as wasi-libc's readdir(3). */
static int32_t list(void)
{
    uint64_t cookie = 0, seen = 0;
    uint32_t used;

    do {
        int32_t error = fd_readdir(file, buffer, 4096, (int64_t)cookie, &used);
        if (error)
            return error;
        uint32_t at = 0;
        while (used - at >= sizeof(__wasi_dirent_t)) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof entry);
            if (used - at - sizeof entry < entry.d_namlen)
                break;
            at += sizeof entry + entry.d_namlen;
            cookie = entry.d_next;
            seen++;
        }
        if (out_of_time()) {
            cut_short(seen, names);
            return 0;
        }
    } while (used == 4096);

    /* Some hosts list "." and "..", some do not. */
    return seen == names || seen == names + 2 ? 0 : __WASI_ERRNO_IO;
}

LOOP(run_fd_readdir, list())

/* ---- what wasmtime answers by itself
 * ----------------------------------------- */

LOOP(run_sched_yield, wasi_sched_yield())
LOOP(run_random_get, random_get(strings, 16))

const struct row rows[] = {
    {"args_sizes_get", NULL, run_args_sizes_get},
    {"args_get", NULL, run_args_get},
    {"environ_sizes_get", NULL, run_environ_sizes_get},
    {"environ_get", NULL, run_environ_get},
    {"clock_time_get.realtime", NULL, run_clock_realtime},
    {"clock_time_get.monotonic", NULL, run_clock_monotonic},
    {"clock_time_get.process", NULL, run_clock_process},
    {"clock_time_get.thread", NULL, run_clock_thread},
    {"clock_res_get", NULL, run_clock_res_get},
    {"fd_prestat_get", NULL, run_fd_prestat_get},
    {"fd_prestat_dir_name", NULL, run_fd_prestat_dir_name},
    {"fd_fdstat_get", prepare_data, run_fd_fdstat_get},
    {"fd_seek", prepare_data, run_fd_seek},
    {"fd_tell", prepare_data, run_fd_tell},
    {"poll_oneoff.elapsed", prepare_poll, run_poll_oneoff},
    {"empty", NULL, run_empty},
    {"fd_filestat_get", prepare_data, run_fd_filestat_get},
    {"fd_pread.1", prepare_read_1, run_fd_pread_1},
    {"fd_pread.4k", prepare_read_4k, run_fd_pread_4k},
    {"fd_pread.64k", prepare_read_64k, run_fd_pread_64k},
    {"fd_read.1", prepare_read_1, run_fd_read_1},
    {"fd_read.4k", prepare_read_4k, run_fd_read_4k},
    {"fd_read.64k", prepare_read_64k, run_fd_read_64k},
    {"fd_pwrite.1", prepare_write_1, run_fd_pwrite_1},
    {"fd_pwrite.4k", prepare_write_4k, run_fd_pwrite_4k},
    {"fd_pwrite.64k", prepare_write_64k, run_fd_pwrite_64k},
    {"fd_write.1", prepare_write_1, run_fd_write_1},
    {"fd_write.4k", prepare_write_4k, run_fd_write_4k},
    {"fd_write.64k", prepare_write_64k, run_fd_write_64k},
    {"open_close.1", NULL, run_open_near},
    {"open_close.4", NULL, run_open_far},
    {"path_filestat_get.1", NULL, run_stat_near},
    {"path_filestat_get.4", NULL, run_stat_far},
    {"fd_readdir.2000", prepare_names_2000, run_fd_readdir},
    {"fd_readdir.100000", prepare_names_100000, run_fd_readdir},
    {"sched_yield", NULL, run_sched_yield},
    {"random_get.16", NULL, run_random_get},
    {NULL, NULL, NULL},
};
