/* fd_readdir: a stream through a buffer.
 *
 * System calls: getdents64 (through portability.c), lseek to go elsewhere,
 * fstat once for each directory. The state of a directory is 32 KiB that its
 * first fd_readdir allocates and its close frees, however many names there are.
 *
 * A cookie is the place that the kernel keeps with each entry (d_off), which it
 * accepts back while entries come and go. The entry after a cookie is taken
 * from the buffer if it is there. Cookie 0 always reads anew, like rewinddir.
 *
 * Left out: nothing. Assumed: that no file system gives 0 as a place after an
 * entry.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct min_directory {
    ino_t ino;      /* of the directory itself */
    int is_root;    /* it is a preopen: its `..` is outside */
    uint64_t begin; /* the cookie of the first entry in the buffer */
    uint64_t end;   /* the cookie after the last one: the kernel's position */
    uint64_t next_cookie; /* where we stopped, */
    size_t next;          /* and its place in the buffer */
    size_t used;          /* bytes in the buffer */
    union {
        uint64_t alignment;
        unsigned char bytes[32 * 1024 - 64];
    } buffer;
};

void min_directory_release(struct min_context *context, struct min_file *file)
{
    min_release(&context->memory, file->directory,
                sizeof(struct min_directory));
    file->directory = NULL;
}

/* Make the state of a directory that is read for the first time. */
static wb_errno begin(struct min_context *context, struct min_file *file)
{
    struct stat facts;
    if (fstat(file->host, &facts))
        return wb_errno_of_host(errno);
    file->directory =
        min_allocate(&context->memory, sizeof(struct min_directory));
    if (!file->directory)
        return WB_ERRNO_NOMEM;
    file->directory->ino = facts.st_ino;
    for (size_t i = 0; i < context->options->preopens_len; i++)
        if (context->roots[i].dev == facts.st_dev &&
            context->roots[i].ino == facts.st_ino)
            file->directory->is_root = 1;
    return WB_ERRNO_SUCCESS;
}

static const struct min_host_dirent *
entry_at(const struct min_directory *directory, size_t at)
{
    return (const struct min_host_dirent *)(directory->buffer.bytes + at);
}

/* Find the entry after `cookie` in the buffer; 0 if it is not there. */
static int find(struct min_directory *directory, uint64_t cookie)
{
    uint64_t here = directory->begin;
    if (cookie == directory->next_cookie)
        return directory->next < directory->used;
    for (size_t at = 0; at < directory->used;) {
        const struct min_host_dirent *entry = entry_at(directory, at);
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
static wb_errno fill(struct min_directory *directory, int host, uint64_t cookie)
{
    directory->used = directory->next = 0;
    if (cookie != directory->end) {
        if (lseek(host, (off_t)cookie, SEEK_SET) < 0) {
            wb_errno error = wb_errno_of_host(errno);
            directory->end = UINT64_MAX; /* no cookie: seek next time */
            return error;
        }
        directory->end = cookie;
    }
    directory->begin = directory->next_cookie = cookie;
    ssize_t got = min_host_getdents(host, directory->buffer.bytes,
                                    sizeof directory->buffer.bytes);
    if (got < 0 && errno == ENOENT) /* it was removed: nothing is left in it */
        return WB_ERRNO_SUCCESS;
    if (got < 0)
        return wb_errno_of_host(errno);
    directory->used = (size_t)got;
    for (size_t at = 0; at < directory->used;) {
        const struct min_host_dirent *entry = entry_at(directory, at);
        directory->end = (uint64_t)entry->d_off;
        at += entry->d_reclen;
    }
    return WB_ERRNO_SUCCESS;
}

/* Hand the entry at directory->next to the sink. */
static uint16_t add(struct min_directory *directory,
                    struct wb_dirent_sink *sink)
{
    const struct min_host_dirent *host = entry_at(directory, directory->next);
    wb_dirent entry = {
        .d_next = (uint64_t)host->d_off,
        .d_ino = host->d_ino,
        .d_namlen = (uint32_t)strlen(host->d_name),
        .d_type = min_filetype(DTTOIF(host->d_type)),
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

uint16_t min_fd_readdir(void *self, wb_fd fd, wb_dircookie cookie,
                        struct wb_dirent_sink *sink)
{
    struct min_file *file;
    wb_errno error = MIN_USE(self, fd_readdir, fd, &file);
    if (!error && cookie > INT64_MAX)
        error = WB_ERRNO_INVAL;
    if (!error && !file->directory)
        error = begin(self, file);
    if (error)
        return error;
    struct min_directory *directory = file->directory;
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
