/* fd_readdir.
 *
 * uvwasi's opens the directory by its path, seeks, reads entry by entry and closes
 * it again, at every call; it leaves out `.` and `..`, tells inode 0, and ends an
 * entry that is cut off as if it were the last. None of that can be put right from
 * outside, so the fix-up reads the directory itself, through the descriptor that
 * uvwasi has opened: a stream through a buffer, linear in the number of names.
 *
 * A cookie is the place that the kernel keeps with each entry (d_off), which it
 * accepts back while entries come and go; uvwasi's are the same. Cookie 0 always
 * reads anew, like rewinddir.
 *
 * System calls: getdents64 (through portability.c), lseek to go elsewhere, fstat
 * once for each directory. Assumed: that no file system gives 0 as a place after
 * an entry.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "portability.h"

struct uvw_directory {
    ino_t ino;      /* of the directory itself */
    int is_root;    /* it is a preopen: its `..` is outside */
    uint64_t begin; /* the cookie of the first entry in the buffer */
    uint64_t end;   /* the cookie after the last one: the kernel's position */
    uint64_t next_cookie; /* where we stopped, */
    size_t next;          /* and its place in the buffer */
    size_t used;          /* bytes in the buffer */
    union {
        uint64_t alignment;
        unsigned char bytes[32 * 1024];
    } buffer;
};

void uvw_directory_release(struct uvw_context *context, struct uvw_file *file)
{
    uvw_release(context, file->directory);
    file->directory = NULL;
}

static wb_errno begin(struct uvw_context *context, struct uvw_file *file)
{
    struct stat facts;
    if (fstat(file->host, &facts))
        return wb_errno_of_host(errno);
    file->directory = uvw_allocate(context, sizeof *file->directory);
    if (!file->directory)
        return WB_ERRNO_NOMEM;
    file->directory->ino = facts.st_ino;
    for (size_t i = 0; i < context->options->preopens_len; i++)
        if (context->roots[i].dev == facts.st_dev &&
            context->roots[i].ino == facts.st_ino)
            file->directory->is_root = 1;
    return WB_ERRNO_SUCCESS;
}

static const struct uvw_host_dirent *
entry_at(const struct uvw_directory *directory, size_t at)
{
    return (const struct uvw_host_dirent *)(directory->buffer.bytes + at);
}

/* Find the entry after `cookie` in the buffer; 0 if it is not there. */
static int find(struct uvw_directory *directory, uint64_t cookie)
{
    uint64_t here = directory->begin;
    if (cookie == directory->next_cookie)
        return directory->next < directory->used;
    for (size_t at = 0; at < directory->used;) {
        const struct uvw_host_dirent *entry = entry_at(directory, at);
        if (here == cookie) {
            directory->next = at;
            directory->next_cookie = cookie;
            return 1;
        }
        here = (uint64_t)entry->d_off;
        at += entry->d_reclen;
    }
    return 0;
}

/* Fill the buffer from `cookie` on. Empty afterwards: that was the end. */
static wb_errno fill(struct uvw_directory *directory, int host, uint64_t cookie)
{
    directory->used = directory->next = 0;
    if (cookie != directory->end) {
        if (lseek(host, (off_t)cookie, SEEK_SET) < 0) {
            directory->end = UINT64_MAX; /* no cookie: seek next time */
            return wb_errno_of_host(errno);
        }
        directory->end = cookie;
    }
    directory->begin = directory->next_cookie = cookie;
    ssize_t got = uvw_host_getdents(host, directory->buffer.bytes,
                                    sizeof directory->buffer.bytes);
    if (got < 0 && errno == ENOENT) /* it was removed: nothing is left in it */
        return WB_ERRNO_SUCCESS;
    if (got < 0)
        return wb_errno_of_host(errno);
    directory->used = (size_t)got;
    for (size_t at = 0; at < directory->used;) {
        const struct uvw_host_dirent *entry = entry_at(directory, at);
        directory->end = (uint64_t)entry->d_off;
        at += entry->d_reclen;
    }
    return WB_ERRNO_SUCCESS;
}

/* Hand the entry at directory->next to the sink. */
static uint16_t add(struct uvw_directory *directory,
                    struct wb_dirent_sink *sink)
{
    const struct uvw_host_dirent *host = entry_at(directory, directory->next);
    wb_dirent entry = {
        .d_next = (uint64_t)host->d_off,
        .d_ino = host->d_ino,
        .d_namlen = (uint32_t)strlen(host->d_name),
        .d_type = fix_type((mode_t)DTTOIF(host->d_type)),
    };
    if (directory->is_root && !strcmp(host->d_name, ".."))
        entry.d_ino = directory->ino;
    uint16_t full = sink->add(sink, &entry, host->d_name);
    if (!full) {
        directory->next += host->d_reclen;
        directory->next_cookie = entry.d_next;
    }
    return full;
}

/* fix_readdir: read the directory ourselves. */
static uint16_t fix_readdir(struct uvw_context *context, struct uvw_file *file,
                            wb_dircookie cookie, struct wb_dirent_sink *sink)
{
    wb_errno error = WB_ERRNO_SUCCESS;
    if (cookie > INT64_MAX)
        return WB_ERRNO_INVAL;
    if (!file->directory)
        error = begin(context, file);
    if (error)
        return error;
    struct uvw_directory *directory = file->directory;
    int have = cookie != 0 && find(directory, cookie);
    for (;;) {
        if (!have) {
            error = fill(directory, file->host, cookie);
            if (error || directory->used == 0)
                return error;
        }
        while (directory->next < directory->used)
            if (add(directory, sink))
                return WB_ERRNO_SUCCESS;
        cookie = directory->next_cookie;
        have = 0;
    }
}

/* ---- uvwasi alone ------------------------------------------------------------------ */

enum { DIRENT = 24, BUFFER = 32 * 1024 };

static uint64_t little_endian(const unsigned char *bytes, int count)
{
    uint64_t number = 0;
    while (count-- > 0)
        number = number << 8 | bytes[count];
    return number;
}

/* Unpack what uvwasi has packed for a guest's memory. */
static uint16_t unpack(const unsigned char *buffer, size_t used,
                       struct wb_dirent_sink *sink, wb_dircookie *cookie)
{
    for (size_t at = 0; used - at > DIRENT;) {
        wb_dirent entry = {
            .d_next = little_endian(buffer + at, 8),
            .d_ino = little_endian(buffer + at + 8, 8),
            .d_namlen = (uint32_t)little_endian(buffer + at + 16, 4),
            .d_type = buffer[at + 20],
        };
        at += DIRENT;
        if (entry.d_namlen == 0 || entry.d_namlen > used - at)
            break;
        if (sink->add(sink, &entry, (const char *)buffer + at))
            return WB_SINK_FULL;
        at += entry.d_namlen;
        *cookie = entry.d_next;
    }
    return 0;
}

uint16_t uvw_fd_readdir(void *self, wb_fd fd, wb_dircookie cookie,
                        struct wb_dirent_sink *sink)
{
    struct uvw_context *context = self;
    struct uvw_file *file;
    wb_errno error = UVW_USE(context, fd_readdir, fd, &file);
    if (error)
        return error;
    if (context->fixups)
        return fix_readdir(context, file, cookie, sink);

    unsigned char *buffer = uvw_allocate(context, BUFFER);
    if (!buffer)
        return WB_ERRNO_NOMEM;
    for (;;) {
        uvwasi_size_t used = 0;
        wb_dircookie before = cookie;
        memset(buffer, 0, BUFFER); /* uvwasi does not say where it cut */
        error = uvwasi_fd_readdir(&context->uvwasi, fd, buffer, BUFFER, cookie,
                                  &used);
        if (error || used == 0 || unpack(buffer, used, sink, &cookie) ||
            used < BUFFER || cookie == before)
            break;
    }
    uvw_release(context, buffer);
    return error;
}
