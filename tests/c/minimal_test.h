/* What the tests of the minimal backing share: a fresh directory, contexts, and
 * calls through the vtable with fewer arguments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_MINIMAL_H
#define TEST_MINIMAL_H

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64 /* as the backing has it */
#include "check.h"
#include "wasi_backing/backing.h"
#include "wasi_backing/config.h"
#include "wasi_backing/rights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The backing under test, by the name of its table. */
#ifndef TEST_BACKING
#define TEST_BACKING min_backing
#endif
extern const struct wb_backing TEST_BACKING;
static const struct wb_backing *const b = &TEST_BACKING;

#define READ WB_RIGHTS_FD_READ
#define WRITE WB_RIGHTS_FD_WRITE
#define FOLLOW WB_LOOKUPFLAGS_SYMLINK_FOLLOW

/* ---- a fresh directory --------------------------------------------------- */

static char scratch[1024]; /* its path; "root" in it is the guest's */
static int outside;      /* a host descriptor of scratch */

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static void scratch_begin(void)
{
    snprintf(scratch, sizeof scratch, "%s/minimal.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(scratch) || (outside = open(scratch, O_RDONLY)) < 0 ||
        mkdirat(outside, "root", 0777)) {
        perror(scratch);
        exit(2);
    }
}

static void scratch_end(void)
{
    close(outside);
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Make a file of the guest's from the host's side; path is below scratch. */
static void host_file(const char *path, const char *text)
{
    int fd = openat(outside, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    CHECK_INT(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* How many descriptors this process has open. */
static int open_descriptors(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (readdir(all))
        count++;
    closedir(all);
    return count;
}

/* ---- a context ----------------------------------------------------------- */

static struct wb_options options;
static struct wb_preopen preopens[2];
static struct wb_extra extras[1];
static char root_path[1040], error_text[2200];
static void *self;
static int descriptors_before;

/* Prepare options for one preopen; the environment variable PATH_RESOLUTION
 * goes to the backing. */
static void prepare(void)
{
    descriptors_before = open_descriptors();
    scratch_begin();
    snprintf(root_path, sizeof root_path, "%s/root", scratch);
    preopens[0] = (struct wb_preopen){"/", root_path, 0, 0};
    options = (struct wb_options){.size = sizeof options};
    options.preopens = preopens;
    options.preopens_len = 1;
    options.error = error_text;
    options.error_len = sizeof error_text;
    if (getenv("PATH_RESOLUTION")) {
        extras[0] = (struct wb_extra){"path_resolution",
                                      getenv("PATH_RESOLUTION")};
        options.extras = extras;
        options.extras_len = 1;
    }
}

static void init(void)
{
    error_text[0] = '\0';
    CHECK_INT(b->context_init(&options, &self), 0);
    if (error_text[0])
        printf("%s\n", error_text);
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
    scratch_end();
    CHECK_INT(open_descriptors(), descriptors_before);
}

/* ---- calls --------------------------------------------------------------- */

static uint16_t open_with(wb_fd fd, wb_lookupflags lookup, const char *path,
                          wb_oflags oflags, wb_rights rights,
                          wb_fdflags fdflags, wb_fd *opened)
{
    return b->path_open(self, fd, lookup, path, strlen(path), oflags, rights,
                        WB_RIGHTS_ALL, fdflags, opened);
}

/* Open below descriptor 3 for all a file can do, and expect that it works. */
static wb_fd must_open(const char *path, wb_oflags oflags)
{
    wb_fd fd = 9999;
    wb_rights rights = oflags & WB_OFLAGS_DIRECTORY ? WB_RIGHTS_OF_DIRECTORY
                                                    : WB_RIGHTS_OF_FILE;
    CHECK_INT(open_with(3, FOLLOW, path, oflags, rights, 0, &fd), 0);
    return fd;
}

/* Open below descriptor 3 for reading, and close again: the errno. */
static uint16_t try_open(const char *path, wb_lookupflags lookup,
                         wb_oflags oflags, wb_rights rights)
{
    wb_fd fd;
    int before = open_descriptors();
    uint16_t error = open_with(3, lookup, path, oflags, rights, 0, &fd);
    if (!error)
        CHECK_INT(b->fd_close(self, fd), 0);
    CHECK_INT(open_descriptors(), before);
    return error;
}

static uint16_t stat_of(const char *path, wb_lookupflags lookup,
                        wb_filestat *facts)
{
    int before = open_descriptors();
    uint16_t error =
        b->path_filestat_get(self, 3, lookup, path, strlen(path), facts);
    CHECK_INT(open_descriptors(), before);
    return error;
}

static uint16_t write_text(wb_fd fd, const char *text, size_t *count)
{
    wb_ciovec span = {text, strlen(text)};
    return b->fd_write(self, fd, &span, 1, count);
}

static uint16_t read_text(wb_fd fd, char *text, size_t room)
{
    size_t count = 0;
    wb_iovec span = {text, room - 1};
    uint16_t error = b->fd_read(self, fd, &span, 1, &count);
    text[error ? 0 : count] = '\0';
    return error;
}

#define CHECK_TEXT(got, want)                                              \
    do {                                                                   \
        if (strcmp((got), (want))) {                                       \
            printf("%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__,          \
                   __LINE__, #got, (got), (want));                         \
            failures++;                                                    \
        }                                                                  \
    } while (0)

#endif
