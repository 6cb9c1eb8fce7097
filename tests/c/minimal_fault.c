/* The minimal backing when system calls fail: the first, the second, the
 * third... of each call of the guest, until it gets through. Whatever fails,
 * nothing leaks.
 *
 * The functions of the C library are replaced by the ones below. openat2 is
 * none of them; run with PATH_RESOLUTION=walk, paths are made of openat.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal_test.h"

#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define E(name) WB_ERRNO_##name

/* Fail the n-th system call from now on; 0: none. */
static int fail_at;

static int fails(void)
{
    if (fail_at && --fail_at == 0) {
        errno = EIO;
        return 1;
    }
    return 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fails() ? -1
                   : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fails() ? -1
                   : (int)syscall(SYS_openat, directory, path, flags, mode);
}

int fstat(int fd, struct stat *facts)
{
    return fails() ? -1
                   : (int)syscall(SYS_newfstatat, fd, "", facts, AT_EMPTY_PATH);
}

int fstatat(int fd, const char *restrict path, struct stat *restrict facts,
            int flags)
{
    return fails() ? -1 : (int)syscall(SYS_newfstatat, fd, path, facts, flags);
}

ssize_t readlinkat(int fd, const char *restrict path, char *restrict buf,
                   size_t len)
{
    return fails() ? -1 : syscall(SYS_readlinkat, fd, path, buf, len);
}

int mkdirat(int fd, const char *path, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_mkdirat, fd, path, mode);
}

int unlinkat(int fd, const char *path, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_unlinkat, fd, path, flags);
}

int linkat(int old_fd, const char *old_path, int new_fd, const char *new_path,
           int flags)
{
    return fails() ? -1
                   : (int)syscall(SYS_linkat, old_fd, old_path, new_fd,
                                  new_path, flags);
}

int renameat(int old_fd, const char *old_path, int new_fd, const char *new_path)
{
    return fails() ? -1
                   : (int)syscall(SYS_renameat2, old_fd, old_path, new_fd,
                                  new_path, 0);
}

int symlinkat(const char *text, int fd, const char *path)
{
    return fails() ? -1 : (int)syscall(SYS_symlinkat, text, fd, path);
}

int utimensat(int fd, const char *path, const struct timespec times[2],
              int flags)
{
    return fails() ? -1 : (int)syscall(SYS_utimensat, fd, path, times, flags);
}

/* The C library's address arguments are unions, which only looks different. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return fails() ? -1 : (int)syscall(SYS_bind, fd, address, len);
}

int listen(int fd, int backlog)
{
    return fails() ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

int getsockname(int fd, struct sockaddr *restrict address,
                socklen_t *restrict len)
{
    return fails() ? -1 : (int)syscall(SYS_getsockname, fd, address, len);
}

#pragma GCC diagnostic pop

/* ---- the tests ----------------------------------------------------------- */

TEST(init_gives_back_all_when_a_system_call_fails)
{
    struct wb_listen listens[2] = {{"127.0.0.1", 0, 0, NULL}, {"::1", 0, 0, NULL}};
    prepare();
    preopens[1] = (struct wb_preopen){"/tmp", "/tmp", 0, 0};
    options.preopens_len = 2;
    options.listens = listens;
    options.listens_len = 2;
    int before = open_descriptors(), failed = 0;
    uint16_t error;
    for (int n = 1;; n++) {
        fail_at = n;
        error = b->context_init(&options, &self);
        int reached = fail_at == 0;
        fail_at = 0;
        if (!reached)
            break;
        failed++;
        CHECK_INT(error, E(IO));
        CHECK(self == NULL);
        CHECK(error_text[0] != '\0');
        CHECK_INT(open_descriptors(), before);
    }
    CHECK_INT(error, 0);
    CHECK(failed >= 10);
    end();
}

static uint16_t open_file(void)
{
    wb_fd fd;
    uint16_t error =
        open_with(3, FOLLOW, "link/./b/../f", WB_OFLAGS_CREAT, WRITE, 0, &fd);
    if (!error)
        CHECK_INT(b->fd_close(self, fd), 0);
    return error;
}

static uint16_t open_one(void)
{
    wb_fd fd;
    uint16_t error = open_with(3, 0, "f", WB_OFLAGS_CREAT, WRITE, 0, &fd);
    if (!error)
        CHECK_INT(b->fd_close(self, fd), 0);
    return error;
}

static uint16_t describe(void)
{
    wb_filestat facts;
    return b->path_filestat_get(self, 3, FOLLOW, "link/b", 6, &facts);
}

static uint16_t make_directory(void)
{
    return b->path_create_directory(self, 3, "link/c", 6);
}

static uint16_t set_times(void)
{
    return b->path_filestat_set_times(self, 3, FOLLOW, "a/to_b", 6, 1, 1, 5);
}

static uint16_t make_link(void)
{
    return b->path_link(self, 3, FOLLOW, "link/to_g", 9, 3, "a/h", 3);
}

static uint16_t rename_file(void)
{
    return b->path_rename(self, 3, "link/g", 6, 3, "a/b/g", 5);
}

static uint16_t make_symlink(void)
{
    return b->path_symlink(self, "x", 1, 3, "link/s", 6);
}

static uint16_t read_symlink(void)
{
    char text[4096];
    size_t used;
    return b->path_readlink(self, 3, "link/to_b", 9, text, sizeof text, &used);
}

static uint16_t unlink_file(void)
{
    return b->path_unlink_file(self, 3, "link/s", 6);
}

static uint16_t remove_directory(void)
{
    return b->path_remove_directory(self, 3, "link/c", 6);
}

static uint16_t add_none(struct wb_dirent_sink *sink, const wb_dirent *entry,
                         const char *name)
{
    (void)sink;
    (void)entry;
    (void)name;
    return 0;
}

static uint16_t read_directory(void)
{
    struct wb_dirent_sink sink = {add_none};
    return b->fd_readdir(self, 3, 0, &sink);
}

TEST(calls_give_back_all_when_a_system_call_fails)
{
    uint16_t (*const calls[])(void) = {
        open_file,  open_one,     describe,     make_directory,
        set_times,  make_link,    rename_file,  make_symlink,
        read_symlink, unlink_file, remove_directory, read_directory,
    };
    begin();
    mkdirat(outside, "root/a", 0777);
    mkdirat(outside, "root/a/b", 0777);
    symlinkat("a", outside, "root/link");
    symlinkat("b", outside, "root/a/to_b");
    symlinkat("g", outside, "root/a/to_g");
    host_file("root/a/g", "");
    int before = open_descriptors();
    wb_fdstat facts;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        uint16_t error = 0;
        for (int n = 1;; n++) {
            fail_at = n;
            error = calls[i]();
            int reached = fail_at == 0;
            fail_at = 0;
            CHECK_INT(open_descriptors(), before);
            CHECK_INT(b->fd_fdstat_get(self, 4, &facts), E(BADF));
            if (!reached)
                break;
            CHECK_INT(error, E(IO));
        }
        CHECK_INT(error, 0);
        if (error)
            printf("    call %zu\n", i);
    }
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
