/* What the tests of the memory backing share: contexts on counted or bounded
 * memory, and calls through the vtable with fewer arguments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEMORY_TEST_H
#define MEMORY_TEST_H

#include "frame.h"
#include "impl_memory/image.h"
#include "wasi_backing/backing.h"
#include "wasi_backing/config.h"
#include "wasi_backing/rights.h"

#include <stdint.h>
#include <stdlib.h>

extern const struct wb_backing mem_backing;
static const struct wb_backing *const b = &mem_backing;

#define E(name) WB_ERRNO_##name
#define READ WB_RIGHTS_FD_READ
#define WRITE WB_RIGHTS_FD_WRITE
#define FOLLOW WB_LOOKUPFLAGS_SYMLINK_FOLLOW
#define LEN(array) (sizeof(array) / sizeof *(array))

/* ---- memory that is counted, and fails when told to --------------------- */

static long allocations, outstanding, fail_at; /* fail_at 0: never */

static void *count_reallocate(void *self, void *pointer, size_t size)
{
    (void)self;
    if (size == 0) {
        outstanding -= pointer != NULL;
        free(pointer);
        return NULL;
    }
    if (fail_at && ++allocations == fail_at)
        return NULL;
    outstanding += pointer == NULL;
    pointer = realloc(pointer, size);
    if (pointer)
        memset(pointer, 0xa5, size); /* nothing may count on zeros */
    return pointer;
}

static const struct wb_allocator counted = {count_reallocate, NULL};

/* ---- a clock that goes on by one with each look ------------------------- */

static wb_timestamp ticks;

static uint16_t tick(void *self, wb_clockid id, uint32_t resolution,
                     wb_timestamp *time)
{
    (void)self;
    (void)id;
    *time = resolution ? 1 : ++ticks;
    return 0;
}

/* ---- a context ---------------------------------------------------------- */

static struct wb_options options;
static struct wb_preopen preopens[3];
static char error_text[200];
static void *self;

static void prepare(void)
{
    preopens[0] = (struct wb_preopen){"/", "/root", 0, 0};
    options = (struct wb_options){.size = sizeof options};
    options.preopens = preopens;
    options.preopens_len = 1;
    options.error = error_text;
    options.error_len = sizeof error_text;
    options.allocator = &counted;
    options.clock = tick;
    ticks = 1000;
    allocations = fail_at = 0;
}

static void init(void)
{
    error_text[0] = '\0';
    CHECK_INT(b->context_init(&options, &self), 0);
    CHECK_TEXT(error_text, "");
}

static void begin(void)
{
    prepare();
    init();
}

static void end(void)
{
    b->context_destroy(self);
    self = NULL;
    CHECK_INT(outstanding, 0);
}

/* ---- calls -------------------------------------------------------------- */

static uint16_t open_with(wb_fd fd, wb_lookupflags lookup, const char *path,
                          wb_oflags oflags, wb_rights rights,
                          wb_fdflags fdflags, wb_fd *opened)
{
    return b->path_open(self, fd, lookup, path, strlen(path), oflags, rights,
                        WB_RIGHTS_ALL, fdflags, opened);
}

/* Open below descriptor 3 for all that it can do, and expect that it works. */
static wb_fd must_open(const char *path, wb_oflags oflags)
{
    wb_fd fd = 9999;
    CHECK_INT(open_with(3, FOLLOW, path, oflags,
                        oflags & WB_OFLAGS_DIRECTORY ? WB_RIGHTS_OF_DIRECTORY
                                                     : WB_RIGHTS_OF_FILE,
                        0, &fd),
              0);
    return fd;
}

/* Open below descriptor 3, and close again: the errno. */
static uint16_t try_open(const char *path, wb_lookupflags lookup,
                         wb_oflags oflags, wb_rights rights)
{
    wb_fd fd;
    uint16_t error = open_with(3, lookup, path, oflags, rights, 0, &fd);
    if (!error)
        CHECK_INT(b->fd_close(self, fd), 0);
    return error;
}

static uint16_t stat_of(const char *path, wb_lookupflags lookup,
                        wb_filestat *facts)
{
    return b->path_filestat_get(self, 3, lookup, path, strlen(path), facts);
}

static int exists(const char *path)
{
    wb_filestat facts;
    return stat_of(path, 0, &facts) == 0;
}

static uint16_t make_dir(const char *path)
{
    return b->path_create_directory(self, 3, path, strlen(path));
}

static uint16_t make_link(const char *text, const char *path)
{
    return b->path_symlink(self, text, strlen(text), 3, path, strlen(path));
}

static uint16_t remove_dir(const char *path)
{
    return b->path_remove_directory(self, 3, path, strlen(path));
}

static uint16_t unlink_file(const char *path)
{
    return b->path_unlink_file(self, 3, path, strlen(path));
}

static uint16_t rename_path(const char *from, const char *to)
{
    return b->path_rename(self, 3, from, strlen(from), 3, to, strlen(to));
}

static uint16_t link_path(const char *from, const char *to)
{
    return b->path_link(self, 3, 0, from, strlen(from), 3, to, strlen(to));
}

static uint16_t write_bytes(wb_fd fd, const void *bytes, size_t len,
                            size_t *count)
{
    wb_ciovec span = {bytes, len};
    return b->fd_write(self, fd, &span, 1, count);
}

static uint16_t pwrite_bytes(wb_fd fd, const void *bytes, size_t len,
                             wb_filesize offset, size_t *count)
{
    wb_ciovec span = {bytes, len};
    return b->fd_pwrite(self, fd, &span, 1, offset, count);
}

static uint16_t pread_bytes(wb_fd fd, void *bytes, size_t len,
                            wb_filesize offset, size_t *count)
{
    wb_iovec span = {bytes, len};
    return b->fd_pread(self, fd, &span, 1, offset, count);
}

/* Make a file with this text. */
static void put(const char *path, const char *text)
{
    size_t count = 0;
    wb_fd fd = must_open(path, WB_OFLAGS_CREAT | WB_OFLAGS_TRUNC);
    CHECK_INT(write_bytes(fd, text, strlen(text), &count), 0);
    CHECK_INT(count, strlen(text));
    CHECK_INT(b->fd_close(self, fd), 0);
}

/* Read a file's text, up to 199 bytes. */
static const char *text_of(const char *path)
{
    static char text[200];
    size_t count = 0;
    wb_fd fd;
    if (open_with(3, FOLLOW, path, 0, READ | WB_RIGHTS_FD_SEEK, 0, &fd))
        return "(cannot be opened)";
    CHECK_INT(pread_bytes(fd, text, sizeof text - 1, 0, &count), 0);
    CHECK_INT(b->fd_close(self, fd), 0);
    text[count] = '\0';
    return text;
}

/* ---- a directory's names ------------------------------------------------ */

/* A sink that keeps up to `most` entries. */
struct names {
    struct wb_dirent_sink sink;
    size_t most, count;
    wb_dircookie next; /* of the last one */
    wb_inode ino;
    char text[300]; /* each name with a space behind it */
};

static uint16_t add_name(struct wb_dirent_sink *sink, const wb_dirent *entry,
                         const char *name)
{
    struct names *names = (struct names *)sink;
    size_t used = strlen(names->text);
    if (names->count == names->most)
        return WB_SINK_FULL;
    names->count++;
    names->next = entry->d_next;
    names->ino = entry->d_ino;
    if (used + entry->d_namlen + 2 < sizeof names->text) {
        memcpy(names->text + used, name, entry->d_namlen);
        memcpy(names->text + used + entry->d_namlen, " ", 2);
    }
    return 0;
}

static uint16_t list(wb_fd fd, wb_dircookie cookie, size_t most,
                     struct names *names)
{
    memset(names, 0, sizeof *names);
    names->sink.add = add_name;
    names->most = most;
    return b->fd_readdir(self, fd, cookie, &names->sink);
}

#endif
