/* Descriptors of the minimal backing: numbers, bytes, positions, flags, times,
 * directories, and what init refuses.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal_test.h"

#include <signal.h>
#include <sys/resource.h>

#define E(name) WB_ERRNO_##name

/* ---- numbers ------------------------------------------------------------- */

TEST(the_lowest_free_number_comes_first)
{
    prepare();
    options.max_fds = 5000;
    host_file("root/f", "");
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < 6000 ? limit.rlim_max : 6000;
    setrlimit(RLIMIT_NOFILE, &limit);
    init();
    for (wb_fd want = 4; want < 4200; want++)
        if (must_open("f", 0) != want)
            printf("not %u\n", (unsigned)want), failures++;
    static const wb_fd holes[] = {63, 64, 4, 4096, 4095, 4199, 1000};
    for (size_t i = 0; i < 7; i++)
        CHECK_INT(b->fd_close(self, holes[i]), 0);
    static const wb_fd filled[] = {4, 63, 64, 1000, 4095, 4096, 4199, 4200};
    for (size_t i = 0; i < 8; i++)
        CHECK_INT(must_open("f", 0), filled[i]);
    end();
}

TEST(max_fds_is_nfile_and_nothing_is_made)
{
    prepare();
    options.max_fds = 5;
    init();
    wb_fd fd;
    CHECK_INT(must_open("a", WB_OFLAGS_CREAT), 4);
    int before = open_descriptors();
    CHECK_INT(open_with(3, FOLLOW, "b", WB_OFLAGS_CREAT, WRITE, 0, &fd),
              E(NFILE));
    CHECK_INT(faccessat(outside, "root/b", F_OK, 0), -1);
    CHECK_INT(open_descriptors(), before);
    CHECK_INT(b->fd_close(self, 4), 0);
    CHECK_INT(must_open("b", WB_OFLAGS_CREAT), 4);
    end();
}

TEST(closed_and_unknown_numbers_are_badf)
{
    begin();
    wb_fdstat facts;
    wb_filestat stat;
    CHECK_INT(b->fd_close(self, 3), 0);
    static const wb_fd numbers[] = {3, 4, 63, 64, 1024, 262144, UINT32_MAX};
    for (size_t i = 0; i < 7; i++) {
        char text[4];
        CHECK_INT(b->fd_close(self, numbers[i]), E(BADF));
        CHECK_INT(b->fd_fdstat_get(self, numbers[i], &facts), E(BADF));
        CHECK_INT(b->fd_filestat_get(self, numbers[i], &stat), E(BADF));
        CHECK_INT(read_text(numbers[i], text, 4), E(BADF));
        CHECK_INT(b->fd_renumber(self, numbers[i], 0), E(BADF));
        CHECK_INT(b->fd_renumber(self, 0, numbers[i]), E(BADF));
    }
    end();
}

TEST(renumber_moves_onto_and_from_anything)
{
    begin();
    wb_prestat prestat;
    char text[16];
    wb_fd fd = must_open("f", WB_OFLAGS_CREAT);
    size_t count;
    CHECK_INT(write_text(fd, "moved", &count), 0);
    CHECK_INT(b->fd_renumber(self, fd, fd), 0);
    CHECK_INT(b->fd_renumber(self, fd, 0), 0);
    CHECK_INT(b->fd_close(self, fd), E(BADF));
    wb_filesize at;
    CHECK_INT(b->fd_seek(self, 0, 0, WB_WHENCE_SET, &at), 0);
    CHECK_INT(read_text(0, text, sizeof text), 0);
    CHECK_TEXT(text, "moved");
    CHECK_INT(b->fd_renumber(self, 3, 1), 0);
    CHECK_INT(b->fd_prestat_get(self, 3, &prestat), E(BADF));
    CHECK_INT(b->fd_prestat_get(self, 1, &prestat), 0);
    CHECK_INT(prestat.pr_name_len, 1);
    CHECK_INT(b->fd_renumber(self, 0, 1), 0);
    CHECK_INT(b->fd_prestat_get(self, 1, &prestat), E(BADF));
    end();
}

/* ---- bytes and positions ------------------------------------------------- */

TEST(reads_and_writes_move_the_position)
{
    begin();
    wb_fd fd = must_open("f", WB_OFLAGS_CREAT);
    size_t count = 0;
    wb_filesize at;
    char one[4], two[16];
    wb_ciovec out[2] = {{"hel", 3}, {"lo world", 8}};
    CHECK_INT(b->fd_write(self, fd, out, 2, &count), 0);
    CHECK_INT(count, 11);
    CHECK_INT(b->fd_tell(self, fd, &at), 0);
    CHECK_INT(at, 11);
    CHECK_INT(b->fd_pwrite(self, fd, &(wb_ciovec){"J", 1}, 1, 0, &count), 0);
    CHECK_INT(b->fd_pread(self, fd, &(wb_iovec){one, 4}, 1, 0, &count), 0);
    CHECK_INT(count, 4);
    CHECK(!memcmp(one, "Jell", 4));
    CHECK_INT(b->fd_tell(self, fd, &at), 0);
    CHECK_INT(at, 11);
    CHECK_INT(b->fd_seek(self, fd, -5, WB_WHENCE_END, &at), 0);
    CHECK_INT(at, 6);
    wb_iovec in[2] = {{one, 4}, {two, 16}};
    CHECK_INT(b->fd_read(self, fd, in, 2, &count), 0);
    CHECK_INT(count, 5);
    CHECK(!memcmp(one, "worl", 4) && two[0] == 'd');
    CHECK_INT(b->fd_read(self, fd, in, 2, &count), 0);
    CHECK_INT(count, 0);
    CHECK_INT(b->fd_read(self, fd, in, 0, &count), 0);
    CHECK_INT(count, 0);
    CHECK_INT(b->fd_pread(self, fd, in, 1, (uint64_t)INT64_MAX + 1, &count),
              E(INVAL));
    CHECK_INT(b->fd_pwrite(self, fd, out, 1, UINT64_MAX, &count), E(INVAL));
    CHECK_INT(b->fd_pwrite(self, fd, out, 1, INT64_MAX, &count), E(INVAL));
    CHECK_INT(b->fd_seek(self, fd, -1, WB_WHENCE_SET, &at), E(INVAL));
    CHECK_INT(b->fd_seek(self, fd, INT64_MAX, WB_WHENCE_CUR, &at), E(INVAL));
    CHECK_INT(b->fd_filestat_set_size(self, fd, UINT64_MAX), E(INVAL));
    CHECK_INT(b->fd_filestat_set_size(self, fd, 3), 0);
    CHECK_INT(b->fd_pread(self, fd, in, 2, 0, &count), 0);
    CHECK_INT(count, 3);
    CHECK_INT(b->fd_allocate(self, fd, 0, 0), E(INVAL));
    CHECK_INT(b->fd_allocate(self, fd, UINT64_MAX, 2), E(INVAL));
    CHECK_INT(b->fd_allocate(self, fd, 0, 100), 0);
    wb_filestat facts;
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.size, 100);
    CHECK_INT(b->fd_advise(self, fd, 0, 0, WB_ADVICE_WILLNEED), 0);
    CHECK_INT(b->fd_advise(self, fd, INT64_MAX, 1, 0), E(INVAL));
    CHECK_INT(b->fd_sync(self, fd), 0);
    CHECK_INT(b->fd_datasync(self, fd), 0);
    end();
}

TEST(a_directory_has_no_bytes)
{
    begin();
    char text[4];
    size_t count;
    wb_filesize at;
    CHECK_INT(read_text(3, text, 4), E(BADF));
    CHECK_INT(write_text(3, "x", &count), E(BADF));
    CHECK_INT(b->fd_pread(self, 3, NULL, 0, 0, &count), E(BADF));
    CHECK_INT(b->fd_seek(self, 3, 0, WB_WHENCE_SET, &at), E(BADF));
    CHECK_INT(b->fd_tell(self, 3, &at), E(BADF));
    CHECK_INT(b->fd_allocate(self, 3, 0, 1), E(BADF));
    CHECK_INT(b->fd_advise(self, 3, 0, 1, 0), E(BADF));
    CHECK_INT(b->fd_filestat_set_size(self, 3, 1), E(BADF));
    CHECK_INT(b->fd_fdstat_set_flags(self, 3, WB_FDFLAGS_NONBLOCK), E(BADF));
    CHECK_INT(b->fd_sync(self, 3), 0);
    CHECK_INT(b->fd_filestat_set_times(self, 3, 1, 2, 5), 0);
    CHECK_INT(b->sock_shutdown(self, 3, WB_SDFLAGS_RD), E(NOTSOCK));
    end();
}

TEST(append_goes_to_the_end_and_pwrite_does_not)
{
    begin();
    host_file("root/f", "0123456789");
    wb_fd fd;
    size_t count;
    wb_filesize at;
    wb_fdstat facts;
    CHECK_INT(open_with(3, 0, "f", 0, WB_RIGHTS_OF_FILE,
                        WB_FDFLAGS_APPEND | WB_FDFLAGS_DSYNC, &fd), 0);
    CHECK_INT(b->fd_fdstat_get(self, fd, &facts), 0);
    CHECK_INT(facts.fs_flags, WB_FDFLAGS_APPEND | WB_FDFLAGS_DSYNC);
    CHECK_INT(write_text(fd, "ab", &count), 0);
    CHECK_INT(b->fd_tell(self, fd, &at), 0);
    CHECK_INT(at, 12);
    CHECK_INT(b->fd_pwrite(self, fd, &(wb_ciovec){"X", 1}, 1, 0, &count), 0);
    CHECK_INT(b->fd_fdstat_set_flags(self, fd, WB_FDFLAGS_SYNC), 0);
    CHECK_INT(b->fd_seek(self, fd, 1, WB_WHENCE_SET, &at), 0);
    CHECK_INT(write_text(fd, "Y", &count), 0);
    CHECK_INT(b->fd_fdstat_set_flags(self, fd, WB_FDFLAGS_APPEND), 0);
    CHECK_INT(write_text(fd, "c", &count), 0);
    char text[32] = "";
    CHECK_INT(b->fd_pread(self, fd, &(wb_iovec){text, 31}, 1, 0, &count), 0);
    CHECK_TEXT(text, "XY23456789abc");
    end();
}

TEST(times_are_nanoseconds_both_ways)
{
    begin();
    host_file("root/f", "");
    wb_fd fd = must_open("f", 0);
    wb_filestat facts, later;
    const wb_timestamp then = 1234567890123456789;
    CHECK_INT(b->fd_filestat_set_times(self, fd, then, 7, 5), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.atim, then);
    CHECK_INT(facts.mtim, 7);
    CHECK_INT(b->fd_filestat_set_times(self, fd, 0, 0, WB_FSTFLAGS_MTIM_NOW),
              0);
    CHECK_INT(b->fd_filestat_get(self, fd, &later), 0);
    CHECK_INT(later.atim, then);
    CHECK(later.mtim > then);
    CHECK_INT(b->fd_filestat_set_times(self, fd, 0, 5, WB_FSTFLAGS_MTIM), 0);
    CHECK_INT(stat_of("f", 0, &facts), 0);
    CHECK_INT(facts.mtim, 5);
    CHECK_INT(facts.atim, then);
    CHECK_INT(facts.nlink, 1);
    CHECK_INT(facts.filetype, WB_FILETYPE_REGULAR_FILE);
    end();
}

TEST(a_file_size_limit_is_fbig_and_no_signal)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    prepare();
    limit.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &limit);
    init();
    wb_fd fd = must_open("f", WB_OFLAGS_CREAT);
    size_t count = 0;
    CHECK_INT(b->fd_pwrite(self, fd, &(wb_ciovec){"xy", 2}, 1, 4095, &count),
              0);
    CHECK_INT(count, 1);
    CHECK_INT(b->fd_pwrite(self, fd, &(wb_ciovec){"xy", 2}, 1, 4096, &count),
              E(FBIG));
    CHECK_INT(b->fd_filestat_set_size(self, fd, 4097), E(FBIG));
    CHECK_INT(b->fd_allocate(self, fd, 0, 4097), E(FBIG));
    sigset_t pending;
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGXFSZ));
    setrlimit(RLIMIT_FSIZE, &before);
    end();
}

TEST(ignored_rights_leave_the_access_mode)
{
    prepare();
    options.flags = WB_OPTIONS_IGNORE_RIGHTS;
    host_file("root/f", "x");
    init();
    wb_fd fd;
    wb_fdstat facts;
    char text[4];
    size_t count;
    CHECK_INT(b->path_open(self, 3, 0, "f", 1, 0, READ, 0, 0, &fd), 0);
    CHECK_INT(b->fd_fdstat_get(self, fd, &facts), 0);
    CHECK(facts.fs_rights_base & WB_RIGHTS_FD_SEEK);
    CHECK(!(facts.fs_rights_base & WRITE));
    CHECK_INT(read_text(fd, text, 4), 0);
    CHECK_INT(write_text(fd, "x", &count), E(BADF));
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, 0, 0), E(NOTSUP));
    CHECK_INT(b->path_open(self, 3, 0, "f", 1, 0, WRITE, 0, 0, &fd), 0);
    CHECK_INT(write_text(fd, "x", &count), 0);
    CHECK_INT(read_text(fd, text, 4), E(BADF));
    end();
}

/* ---- directories --------------------------------------------------------- */

/* A sink that takes `room` entries and then is full. */
struct names {
    struct wb_dirent_sink sink;
    int room, taken;
    wb_dircookie cookies[16];
    wb_inode inodes[16];
    wb_filetype types[16];
    char names[16][32];
};

static uint16_t add_name(struct wb_dirent_sink *sink, const wb_dirent *entry,
                         const char *name)
{
    struct names *names = (struct names *)sink;
    if (names->taken == names->room)
        return WB_SINK_FULL;
    int i = names->taken++ % 16;
    CHECK_INT(entry->d_namlen, strlen(name));
    names->cookies[i] = entry->d_next;
    names->inodes[i] = entry->d_ino;
    names->types[i] = entry->d_type;
    snprintf(names->names[i], sizeof names->names[i], "%s", name);
    return 0;
}

static struct names list(wb_fd fd, wb_dircookie cookie, int room)
{
    struct names names = {{add_name}, room, 0, {0}, {0}, {0}, {{0}}};
    CHECK_INT(b->fd_readdir(self, fd, cookie, &names.sink), 0);
    return names;
}

TEST(readdir_tells_everything_once_whatever_the_steps)
{
    begin();
    enum { COUNT = 3000 };
    static int seen[COUNT];
    char name[32];
    CHECK_INT(mkdirat(outside, "root/d", 0777), 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "root/d/%d", i);
        host_file(name, "");
    }
    wb_fd fd = must_open("d", WB_OFLAGS_DIRECTORY);
    for (int step = 1; step <= 7; step += 3) {
        wb_dircookie cookie = 0;
        int dots = 0, total = 0;
        memset(seen, 0, sizeof seen);
        for (;;) {
            struct names names = list(fd, cookie, step);
            if (names.taken == 0)
                break;
            for (int i = 0; i < names.taken; i++, total++) {
                if (names.names[i][0] == '.')
                    dots++;
                else
                    seen[atoi(names.names[i])]++;
            }
            cookie = names.cookies[names.taken - 1];
            CHECK_INT(list(fd, cookie, 1).taken <= 1, 1); /* look ahead */
        }
        CHECK_INT(total, COUNT + 2);
        CHECK_INT(dots, 2);
        for (int i = 0; i < COUNT; i++)
            if (seen[i] != 1)
                CHECK_INT(seen[i], 1);
    }
    end();
}

TEST(cookies_survive_changes)
{
    begin();
    char name[32];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "root/stay%d", i);
        host_file(name, "");
        snprintf(name, sizeof name, "root/go%d", i);
        host_file(name, "");
    }
    int stayed = 0;
    wb_dircookie cookie = 0;
    for (int i = 0;; i++) {
        struct names names = list(3, cookie, 1);
        if (!names.taken)
            break;
        stayed += !strncmp(names.names[0], "stay", 4);
        cookie = names.cookies[0];
        if (i < 10) {
            snprintf(name, sizeof name, "root/go%d", i);
            unlinkat(outside, name, 0);
            snprintf(name, sizeof name, "root/new%d", i);
            host_file(name, "");
        }
    }
    CHECK_INT(stayed, 10);
    /* From the start again, what is new is told. */
    int fresh = 0;
    for (cookie = 0;;) {
        struct names names = list(3, cookie, 1);
        if (!names.taken)
            break;
        fresh += !strncmp(names.names[0], "new", 3);
        cookie = names.cookies[0];
    }
    CHECK_INT(fresh, 10);
    end();
}

TEST(dots_have_real_inodes_and_a_root_hides_its_parent)
{
    begin();
    CHECK_INT(mkdirat(outside, "root/d", 0777), 0);
    struct stat root;
    CHECK_INT(fstatat(outside, "root", &root, 0), 0);
    struct names names = list(3, 0, 16);
    CHECK_INT(names.taken, 3);
    for (int i = 0; i < names.taken; i++) {
        CHECK_INT(names.types[i], WB_FILETYPE_DIRECTORY);
        if (names.names[i][0] == '.')
            CHECK_INT(names.inodes[i], root.st_ino);
    }
    wb_fd d = must_open("d", WB_OFLAGS_DIRECTORY);
    names = list(d, 0, 16);
    for (int i = 0; i < names.taken; i++)
        if (!strcmp(names.names[i], ".."))
            CHECK_INT(names.inodes[i], root.st_ino);
    wb_fd again = must_open("d/..", WB_OFLAGS_DIRECTORY);
    names = list(again, 0, 16);
    for (int i = 0; i < names.taken; i++)
        if (!strcmp(names.names[i], ".."))
            CHECK_INT(names.inodes[i], root.st_ino);
    struct names none = {{add_name}, 16, 0, {0}, {0}, {0}, {{0}}};
    CHECK_INT(b->fd_readdir(self, d, UINT64_MAX, &none.sink), E(INVAL));
    CHECK_INT(b->fd_readdir(self, 0, 0, &none.sink), E(NOTDIR));
    end();
}

/* ---- stdio --------------------------------------------------------------- */

TEST(stdio_of_no_kind_is_empty_and_swallows)
{
    begin();
    char text[4];
    size_t count;
    wb_fdstat facts;
    CHECK_INT(read_text(0, text, 4), 0);
    CHECK_TEXT(text, "");
    CHECK_INT(write_text(1, "gone", &count), 0);
    CHECK_INT(count, 4);
    CHECK_INT(b->fd_fdstat_get(self, 1, &facts), 0);
    CHECK(facts.fs_filetype != WB_FILETYPE_CHARACTER_DEVICE);
    end();
}

TEST(lent_descriptors_stay_open_and_unchanged)
{
    prepare();
    host_file("log", "12345");
    int log = openat(outside, "log", O_WRONLY);
    options.stdio[1] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, log, NULL};
    options.stdio[2] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, 9999, NULL};
    init();
    wb_fdstat facts;
    size_t count;
    wb_prestat prestat;
    CHECK_INT(b->fd_fdstat_get(self, 1, &facts), 0);
    CHECK_INT(facts.fs_filetype, WB_FILETYPE_REGULAR_FILE);
    CHECK(facts.fs_rights_base & WRITE);
    CHECK(!(facts.fs_rights_base & READ));
    CHECK_INT(b->fd_fdstat_set_flags(self, 1, WB_FDFLAGS_APPEND), 0);
    CHECK_INT(write_text(1, "end", &count), 0);
    CHECK_INT(fcntl(log, F_GETFL) & O_APPEND, 0);
    CHECK_INT(b->fd_prestat_get(self, 1, &prestat), E(BADF));
    CHECK_INT(write_text(2, "x", &count), E(BADF));
    CHECK_INT(b->fd_close(self, 1), 0);
    CHECK_INT(b->fd_close(self, 1), E(BADF));
    CHECK_INT(lseek(log, 0, SEEK_END), 8);
    close(log);
    end();
}

/* ---- what init refuses, and what it costs -------------------------------- */

/* Expect that init fails, says why in one line, and leaves nothing open. */
static void refused(uint16_t error, const char *reason)
{
    int before = open_descriptors();
    self = &before;
    error_text[0] = '\0';
    CHECK_INT(b->context_init(&options, &self), error);
    CHECK(self == NULL);
    CHECK(strstr(error_text, reason) != NULL);
    CHECK(strchr(error_text, '\n') == NULL);
    if (!strstr(error_text, reason))
        printf("    said: %s\n", error_text);
    CHECK_INT(open_descriptors(), before);
}

TEST(init_refuses_what_cannot_be)
{
    prepare();
    host_file("file", "");
    char file[1040];
    snprintf(file, sizeof file, "%s/file", scratch);
    options.preopens_len = 2;
    preopens[1] = (struct wb_preopen){"/x", "/nowhere/at/all", 0, 0};
    refused(E(NOENT), "/nowhere/at/all");
    preopens[1] = (struct wb_preopen){"/x", file, 0, 0};
    refused(E(NOTDIR), file);
    preopens[1] = (struct wb_preopen){"/", root_path, 0, 0};
    refused(E(INVAL), "two preopens");
    options.preopens_len = 1;
    options.max_fds = 3;
    refused(E(NFILE), "max_fds");
    options.max_fds = 1 << 20;
    refused(E(INVAL), "max_fds");
    options.max_fds = 0;
    struct wb_extra extra = {"colour", "blue"};
    options.extras = &extra;
    options.extras_len = 1;
    refused(E(INVAL), "colour");
    if (!strcmp(b->name, "minimal")) {
        extra = (struct wb_extra){"path_resolution", "magic"};
        refused(E(INVAL), "magic");
    }
    options.extras_len = 0;
    uint32_t port = 0;
    struct wb_listen listens[2] = {{"127.0.0.1", 0, 0, &port},
                                   {"localhost", 80, 0, NULL}};
    options.listens = listens;
    options.listens_len = 2;
    refused(E(INVAL), "localhost");
    CHECK(port > 0);
    options.listens_len = 1;
    init();
    listens[1] = (struct wb_listen){"127.0.0.1", port, 0, NULL};
    options.listens = listens + 1;
    void *first = self;
    refused(E(ADDRINUSE), "127.0.0.1");
    self = first;
    end();
}

/* An allocator that fails from the n-th time on and counts what is out. */
static int allocations_left, allocated;

static void *reallocate(void *nothing, void *pointer, size_t size)
{
    (void)nothing;
    if (size == 0) {
        allocated--;
        free(pointer);
        return NULL;
    }
    if (pointer || allocations_left-- <= 0)
        return NULL;
    allocated++;
    return malloc(size);
}

TEST(every_allocation_may_fail)
{
    const struct wb_allocator allocator = {reallocate, NULL};
    prepare();
    options.allocator = &allocator;
    int before = open_descriptors(), needed = 0;
    while (allocations_left = needed, b->context_init(&options, &self)) {
        CHECK(self == NULL);
        CHECK(error_text[0] != '\0');
        CHECK_INT(allocated, 0);
        CHECK_INT(open_descriptors(), before);
        needed++;
    }
    CHECK(needed > 2);
    struct names names = {{add_name}, 16, 0, {0}, {0}, {0}, {{0}}};
    CHECK_INT(b->fd_readdir(self, 3, 0, &names.sink), E(NOMEM));
    allocations_left = 1;
    CHECK_INT(b->fd_readdir(self, 3, 0, &names.sink), 0);
    CHECK_INT(names.taken, 2);
    end();
    CHECK_INT(allocated, 0);
}

TEST(an_arena_is_enough_for_ever)
{
    static char arena[512 * 1024];
    prepare();
    options.arena = arena;
    options.arena_len = sizeof arena;
    init();
    for (int i = 0; self && i < 1000; i++) {
        wb_fd fd = must_open(".", WB_OFLAGS_DIRECTORY);
        CHECK_INT(list(fd, 0, 16).taken, 2);
        CHECK_INT(b->fd_close(self, fd), 0);
    }
    end();
    prepare();
    options.arena = arena;
    options.arena_len = 1000;
    refused(E(NOMEM), "memory");
    scratch_end();
}

/* Deny system calls one after the other by leaving no descriptor free. */
TEST(the_hosts_limit_is_nfile_and_leaks_nothing)
{
    begin();
    CHECK_INT(mkdirat(outside, "root/a", 0777), 0);
    CHECK_INT(mkdirat(outside, "root/a/b", 0777), 0);
    host_file("root/a/b/f", "");
    struct rlimit before, limit;
    getrlimit(RLIMIT_NOFILE, &before);
    int in_use = open_descriptors() - 1; /* without the one that counts */
    for (int spare = 0; spare < 3; spare++) {
        limit = before;
        limit.rlim_cur = (rlim_t)(in_use + spare - 2);
        int probe = dup(0);
        close(probe);
        limit.rlim_cur = (rlim_t)(probe + spare);
        setrlimit(RLIMIT_NOFILE, &limit);
        wb_fd fd;
        wb_filestat facts;
        uint16_t error =
            open_with(3, FOLLOW, "a/b/f", 0, READ, 0, &fd);
        CHECK(error == E(NFILE) || error == 0);
        if (!error)
            b->fd_close(self, fd);
        error = b->path_filestat_get(self, 3, FOLLOW, "a/b/f", 5, &facts);
        CHECK(error == E(NFILE) || error == 0);
        error = b->path_rename(self, 3, "a/b/f", 5, 3, "a/b/g", 5);
        CHECK(error == E(NFILE) || error == 0);
        if (!error)
            CHECK_INT(b->path_rename(self, 3, "a/b/g", 5, 3, "a/b/f", 5), 0);
        error = b->path_link(self, 3, FOLLOW, "a/b/f", 5, 3, "a/h", 3);
        CHECK(error == E(NFILE) || error == 0);
        b->path_unlink_file(self, 3, "a/h", 3);
        setrlimit(RLIMIT_NOFILE, &before);
        CHECK_INT(open_descriptors() - 1, in_use);
    }
    end();
}

TEST(arguments_come_from_the_options)
{
    static const char *const argv[] = {"app", "x"};
    static const char *const envp[] = {"A=1"};
    prepare();
    options.argv = argv;
    options.argc = 2;
    options.envp = envp;
    options.envc = 1;
    init();
    size_t count, bytes;
    CHECK_INT(b->args_sizes_get(self, &count, &bytes), 0);
    CHECK_INT(count, 2);
    CHECK_INT(bytes, 6);
    CHECK_INT(b->environ_sizes_get(self, &count, &bytes), 0);
    CHECK_INT(count, 1);
    CHECK_INT(bytes, 4);
    CHECK_INT(b->proc_raise(self, WB_SIGNAL_KILL), 0);
    CHECK_INT(b->proc_exit(self, 3), 0);
    CHECK_INT(b->sched_yield(self), 0);
    end();
}

TEST(random_bytes_fill_the_buffer)
{
    begin();
    static uint8_t bytes[3 << 20];
    CHECK_INT(b->random_get(self, bytes, sizeof bytes), 0);
    int zero = 0;
    for (size_t i = sizeof bytes - 64; i < sizeof bytes; i++)
        zero += bytes[i] == 0;
    CHECK(zero < 10);
    CHECK_INT(b->random_get(self, bytes, 0), 0);
    b->interrupt(self);
    CHECK_INT(b->random_get(self, bytes, 8), 0);
    CHECK_INT(b->random_get(self, bytes, sizeof bytes), WB_STOP_GUEST);
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
