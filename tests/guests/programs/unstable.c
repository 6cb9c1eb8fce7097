/* A guest of wasi_unstable, as tool chains made them in 2019: every import is
 * from there, and the layouts that have changed since are written out by hand.
 * Built without a libc, which would import the later version.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#define UNSTABLE(name) \
    __attribute__((import_module("wasi_unstable"), import_name(#name)))

UNSTABLE(args_sizes_get) uint32_t args_sizes_get(size_t *count, size_t *size);
UNSTABLE(fd_write)
uint32_t fd_write(uint32_t fd, const void *iovs, size_t iovs_len, size_t *n);
UNSTABLE(fd_seek)
uint32_t fd_seek(uint32_t fd, int64_t offset, uint32_t whence, uint64_t *now);
UNSTABLE(fd_filestat_get) uint32_t fd_filestat_get(uint32_t fd, void *filestat);
UNSTABLE(path_filestat_get)
uint32_t path_filestat_get(uint32_t fd, uint32_t flags, const char *path,
                           size_t path_len, void *filestat);
UNSTABLE(path_open)
uint32_t path_open(uint32_t fd, uint32_t dirflags, const char *path,
                   size_t path_len, uint32_t oflags, uint64_t rights,
                   uint64_t inheriting, uint32_t fdflags, uint32_t *opened);
UNSTABLE(path_link)
uint32_t path_link(uint32_t old_fd, uint32_t flags, const char *old_path,
                   size_t old_len, uint32_t new_fd, const char *new_path,
                   size_t new_len);
UNSTABLE(poll_oneoff)
uint32_t poll_oneoff(const void *in, void *out, size_t count, size_t *happened);
UNSTABLE(clock_time_get)
uint32_t clock_time_get(uint32_t id, uint64_t precision, uint64_t *time);
UNSTABLE(proc_exit) _Noreturn void proc_exit(uint32_t code);

/* whence was numbered in another order */
enum { CUR = 0, END = 1, SET = 2 };

struct filestat {
    uint64_t dev, ino;
    uint8_t filetype;
    uint32_t nlink; /* 64 bits now */
    uint64_t size, atim, mtim, ctim;
};
_Static_assert(sizeof(struct filestat) == 56, "64 now");
_Static_assert(offsetof(struct filestat, size) == 24, "");

struct subscription {
    uint64_t userdata;
    uint8_t type;
    union {
        struct {
            uint64_t identifier; /* gone now */
            uint32_t id;
            uint64_t timeout, precision;
            uint16_t flags;
        } clock;
        uint32_t fd;
    } u;
};
_Static_assert(sizeof(struct subscription) == 56, "48 now");
_Static_assert(offsetof(struct subscription, u.clock.timeout) == 32, "");

struct event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint64_t nbytes;
    uint16_t flags;
};
_Static_assert(sizeof(struct event) == 32, "");

struct iovec {
    const void *buf;
    size_t len;
};

static void put(const char *text)
{
    struct iovec iov = {text, 0};
    size_t n;
    while (text[iov.len] != '\0')
        iov.len++;
    fd_write(1, &iov, 1, &n);
}

static void tell(const char *what, uint64_t number)
{
    char digits[22];
    char *at = digits + sizeof digits - 1;
    put(what);
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    put(" ");
    put(at);
    put("\n");
}

static void stat_both_ways(uint32_t fd)
{
    struct {
        struct filestat filestat;
        uint8_t behind[8];
    } room = {.behind = {1, 2, 3, 4, 5, 6, 7, 8}};
    uint64_t guard = 0;
    tell("fd_filestat_get", fd_filestat_get(fd, &room.filestat));
    tell("filetype", room.filestat.filetype);
    tell("nlink", room.filestat.nlink);
    tell("size", room.filestat.size);
    tell("mtim", room.filestat.mtim);
    room.filestat = (struct filestat){0};
    tell("path_filestat_get",
         path_filestat_get(3, 0, "file", 4, &room.filestat));
    tell("nlink", room.filestat.nlink);
    tell("size", room.filestat.size);
    for (size_t i = 0; i < sizeof room.behind; i++)
        guard = guard * 10 + room.behind[i];
    tell("behind it", guard);
}

static void seek(uint32_t fd)
{
    uint64_t now = 0;
    tell("from the end", fd_seek(fd, -3, END, &now));
    tell("at", now);
    tell("from here", fd_seek(fd, -2, CUR, &now));
    tell("at", now);
    tell("from the start", fd_seek(fd, 1, SET, &now));
    tell("at", now);
    tell("unknown whence", fd_seek(fd, 1, 3, &now));
}

static void wait(void)
{
    struct subscription subscriptions[] = {
        {.userdata = 7, .type = 0,
         .u.clock = {.identifier = 99, .id = 1, .timeout = 20000000}},
        {.userdata = 8, .type = 0,
         .u.clock = {.identifier = 98, .id = 1, .timeout = 60000000000}},
        {.userdata = 9, .type = 1, .u.fd = 77},
    };
    struct event events[3] = {{0}};
    uint64_t before, after;
    size_t n = 0;
    clock_time_get(1, 0, &before);
    tell("poll_oneoff", poll_oneoff(subscriptions, events, 2, &n));
    clock_time_get(1, 0, &after);
    tell("events", n);
    tell("userdata", events[0].userdata);
    tell("type", events[0].type);
    tell("long enough", after - before >= 20000000);
    tell("not too long", after - before < 30000000000);
    tell("poll_oneoff", poll_oneoff(subscriptions, events, 3, &n));
    tell("events", n);
    tell("userdata", events[0].userdata);
    tell("error", events[0].error);
}

void _start(void)
{
    uint32_t fd = 0;
    size_t count, size;
    uint32_t error = args_sizes_get(&count, &size);
    tell("args_sizes_get", error);
    tell("arguments", count);
    tell("bytes", size);
    tell("path_link", path_link(3, 0, "file", 4, 3, "second", 6));
    tell("path_open", path_open(3, 0, "file", 4, 0, 1 << 1 | 1 << 2 | 1 << 5 |
                                1 << 21, 0, 0, &fd));
    stat_both_ways(fd);
    seek(fd);
    wait();
    proc_exit(42);
}
