/* Paths on the minimal backing: what is beneath, what escapes, what is refused.
 * Run once with PATH_RESOLUTION=openat2 and once with walk: the answers are the
 * same.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal_test.h"

#include <pthread.h>

#define E(name) WB_ERRNO_##name

/* The tree that most tests use:
 *   outside/secret             beside the root
 *   root/file root/dir/sub/    dir/inner is a file
 *   root/to_file -> file       root/to_dir -> dir      root/dir/to_top -> ../file
 *   root/dangling -> nowhere   root/loop -> loop       root/to_self -> .
 *   root/up -> ..              root/out -> ../outside  root/absolute -> /etc
 *   root/round -> dir/../../root/file                  root/slash -> dir/
 */
static void tree(void)
{
    CHECK_INT(mkdirat(outside, "outside", 0777), 0);
    host_file("outside/secret", "secret");
    host_file("root/file", "hello");
    CHECK_INT(mkdirat(outside, "root/dir", 0777), 0);
    CHECK_INT(mkdirat(outside, "root/dir/sub", 0777), 0);
    host_file("root/dir/inner", "inner");
    static const char *const links[][2] = {
        {"file", "root/to_file"},     {"dir", "root/to_dir"},
        {"../file", "root/dir/to_top"}, {"nowhere", "root/dangling"},
        {"loop", "root/loop"},        {".", "root/to_self"},
        {"..", "root/up"},            {"../outside", "root/out"},
        {"/etc", "root/absolute"},    {"dir/../../root/file", "root/round"},
        {"dir/", "root/slash"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        CHECK_INT(symlinkat(links[i][0], outside, links[i][1]), 0);
}

/* A path and what opening it for reading answers, with and without FOLLOW. */
static const struct {
    const char *path;
    uint16_t follow, nofollow;
} opens[] = {
    {"file", 0, 0},
    {"dir/inner", 0, 0},
    {"dir//inner", 0, 0},
    {"./dir/./inner", 0, 0},
    {"dir/../file", 0, 0},
    {"dir/sub/../../file", 0, 0},
    {"to_dir/inner", 0, 0},
    {"to_dir/../file", 0, 0},
    {"slash/inner", 0, 0},
    {"to_self/to_self/file", 0, 0},
    {"to_file", 0, E(LOOP)},
    {"dir/to_top", 0, E(LOOP)},
    {"to_dir", 0, E(LOOP)},
    {"to_dir/", 0, 0},
    {"slash", 0, E(LOOP)},
    {".", 0, 0},
    {"dir/", 0, 0},
    {"dir/.", 0, 0},
    {"dir/..", 0, 0},
    {"to_self", 0, E(LOOP)},
    {"file/", E(NOTDIR), E(NOTDIR)},
    {"file/.", E(NOTDIR), E(NOTDIR)},
    {"file/..", E(NOTDIR), E(NOTDIR)},
    {"file/x", E(NOTDIR), E(NOTDIR)},
    {"to_file/", E(NOTDIR), E(NOTDIR)},
    {"to_file/x", E(NOTDIR), E(NOTDIR)},
    {"missing", E(NOENT), E(NOENT)},
    {"missing/..", E(NOENT), E(NOENT)},
    {"missing/../..", E(NOENT), E(NOENT)},
    {"dangling", E(NOENT), E(LOOP)},
    {"dangling/", E(NOENT), E(NOENT)},
    {"dangling/x", E(NOENT), E(NOENT)},
    {"loop", E(LOOP), E(LOOP)},
    {"loop/", E(LOOP), E(LOOP)},
    {"loop/x", E(LOOP), E(LOOP)},
    {"..", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"../", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"../root", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"../root/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"../outside/secret", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"dir/../..", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"dir/../../root/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"//", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"/etc/passwd", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"up", E(NOTCAPABLE), E(LOOP)},
    {"up/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"up/root/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"to_dir/../up", E(NOTCAPABLE), E(LOOP)},
    {"out", E(NOTCAPABLE), E(LOOP)},
    {"out/secret", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"absolute", E(NOTCAPABLE), E(LOOP)},
    {"absolute/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"absolute/passwd", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"round", E(NOTCAPABLE), E(LOOP)},
};

TEST(paths_open_or_are_refused_as_tabled)
{
    begin();
    tree();
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++) {
        int before = failures;
        CHECK_INT(try_open(opens[i].path, FOLLOW, 0, READ), opens[i].follow);
        CHECK_INT(try_open(opens[i].path, 0, 0, READ), opens[i].nofollow);
        if (failures > before)
            printf("    path \"%s\"\n", opens[i].path);
    }
    end();
}

/* What exists can be looked at exactly when it can be opened; a link itself can
 * be looked at, too. */
TEST(stat_agrees_with_open)
{
    begin();
    tree();
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++) {
        wb_filestat facts;
        int before = failures;
        CHECK_INT(stat_of(opens[i].path, FOLLOW, &facts), opens[i].follow);
        uint16_t want = opens[i].nofollow;
        if (want == E(LOOP) && strncmp(opens[i].path, "loop/", 5))
            want = 0;
        CHECK_INT(stat_of(opens[i].path, 0, &facts), want);
        if (!want && opens[i].nofollow)
            CHECK_INT(facts.filetype, WB_FILETYPE_SYMBOLIC_LINK);
        if (failures > before)
            printf("    path \"%s\"\n", opens[i].path);
    }
    end();
}

TEST(every_call_refuses_an_escape)
{
    static const char *const escapes[] = {
        "..", "../x", "dir/../..", "dir/../../x", "/x", "up/x", "out/x",
        "out/secret", "absolute/x", "../outside/secret",
    };
    begin();
    tree();
    wb_filestat facts;
    char text[WB_MAX_PATH];
    size_t used;
    int before_all = open_descriptors();
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        const char *p = escapes[i];
        size_t len = strlen(p);
        int before = failures;
        CHECK_INT(try_open(p, FOLLOW, WB_OFLAGS_CREAT, WRITE), E(NOTCAPABLE));
        CHECK_INT(try_open(p, FOLLOW, WB_OFLAGS_DIRECTORY, READ),
                  E(NOTCAPABLE));
        CHECK_INT(stat_of(p, FOLLOW, &facts), E(NOTCAPABLE));
        CHECK_INT(b->path_create_directory(self, 3, p, len), E(NOTCAPABLE));
        CHECK_INT(b->path_unlink_file(self, 3, p, len), E(NOTCAPABLE));
        CHECK_INT(b->path_remove_directory(self, 3, p, len), E(NOTCAPABLE));
        CHECK_INT(b->path_symlink(self, "file", 4, 3, p, len), E(NOTCAPABLE));
        CHECK_INT(b->path_readlink(self, 3, p, len, text, sizeof text, &used),
                  E(NOTCAPABLE));
        CHECK_INT(b->path_link(self, 3, 0, p, len, 3, "new", 3), E(NOTCAPABLE));
        CHECK_INT(b->path_link(self, 3, FOLLOW, p, len, 3, "new", 3),
                  E(NOTCAPABLE));
        CHECK_INT(b->path_link(self, 3, 0, "file", 4, 3, p, len),
                  E(NOTCAPABLE));
        CHECK_INT(b->path_rename(self, 3, p, len, 3, "new", 3), E(NOTCAPABLE));
        CHECK_INT(b->path_rename(self, 3, "file", 4, 3, p, len),
                  E(NOTCAPABLE));
        CHECK_INT(b->path_filestat_set_times(self, 3, FOLLOW, p, len, 1, 1, 5),
                  E(NOTCAPABLE));
        if (failures > before)
            printf("    path \"%s\"\n", p);
    }
    CHECK_INT(open_descriptors(), before_all);
    CHECK_INT(faccessat(outside, "outside/secret", F_OK, 0), 0);
    CHECK_INT(faccessat(outside, "root/file", F_OK, 0), 0);
    CHECK_INT(faccessat(outside, "x", F_OK, 0), -1);
    end();
}

TEST(links_out_are_followed_only_when_asked)
{
    begin();
    tree();
    struct stat facts;
    /* Times of the link itself, links to it, its removal: all stay inside. */
    CHECK_INT(b->path_filestat_set_times(self, 3, FOLLOW, "out", 3, 0, 0, 5),
              E(NOTCAPABLE));
    CHECK_INT(b->path_filestat_set_times(self, 3, 0, "out", 3, 7000000009, 5, 5),
              0);
    CHECK_INT(fstatat(outside, "root/out", &facts, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_INT(facts.st_atim.tv_sec, 7);
    CHECK_INT(facts.st_atim.tv_nsec, 9);
    CHECK_INT(facts.st_mtim.tv_nsec, 5);
    CHECK_INT(b->path_link(self, 3, FOLLOW, "out", 3, 3, "n", 1),
              E(NOTCAPABLE));
    CHECK_INT(b->path_link(self, 3, 0, "out", 3, 3, "n", 1), 0);
    CHECK_INT(b->path_unlink_file(self, 3, "n", 1), 0);
    CHECK_INT(b->path_remove_directory(self, 3, "out", 3), E(NOTDIR));
    CHECK_INT(b->path_remove_directory(self, 3, "out/", 4), E(NOTDIR));
    CHECK_INT(b->path_unlink_file(self, 3, "out/", 4), E(NOTDIR));
    CHECK_INT(b->path_unlink_file(self, 3, "out", 3), 0);
    CHECK_INT(faccessat(outside, "outside/secret", F_OK, 0), 0);
    end();
}

TEST(a_descriptor_is_the_root_of_its_paths)
{
    begin();
    tree();
    wb_fd dir = must_open("dir", WB_OFLAGS_DIRECTORY), fd;
    CHECK_INT(open_with(dir, FOLLOW, "inner", 0, READ, 0, &fd), 0);
    CHECK_INT(open_with(dir, FOLLOW, "sub/../inner", 0, READ, 0, &fd), 0);
    CHECK_INT(open_with(dir, FOLLOW, "..", 0, READ, 0, &fd), E(NOTCAPABLE));
    CHECK_INT(open_with(dir, FOLLOW, "../file", 0, READ, 0, &fd),
              E(NOTCAPABLE));
    CHECK_INT(open_with(dir, FOLLOW, "to_top", 0, READ, 0, &fd),
              E(NOTCAPABLE));
    end();
}

TEST(links_of_procfs_lead_nowhere)
{
    prepare();
    preopens[0].host_path = "/proc/self";
    int pipes[2];
    CHECK_INT(pipe(pipes), 0);
    init();
    wb_filestat facts;
    char path[32];
    CHECK_INT(stat_of("status", FOLLOW, &facts), 0);
    CHECK_INT(try_open("exe", FOLLOW, 0, READ), E(NOTCAPABLE));
    CHECK_INT(try_open("cwd", FOLLOW, 0, READ), E(NOTCAPABLE));
    CHECK_INT(try_open("root/etc/passwd", FOLLOW, 0, READ), E(NOTCAPABLE));
    CHECK_INT(try_open("cwd/x", FOLLOW, WB_OFLAGS_CREAT, WRITE),
              E(NOTCAPABLE));
    snprintf(path, sizeof path, "fd/%d", pipes[0]);
    CHECK_INT(try_open(path, FOLLOW, 0, READ), E(NOTCAPABLE));
    CHECK_INT(stat_of(path, FOLLOW, &facts), E(NOTCAPABLE));
    CHECK_INT(stat_of(path, 0, &facts), 0);
    CHECK_INT(stat_of("ns/mnt", FOLLOW, &facts), E(NOTCAPABLE));
    CHECK_INT(try_open("exe", 0, 0, READ), E(LOOP));
    close(pipes[0]);
    close(pipes[1]);
    end();
}

TEST(links_are_followed_forty_times)
{
    begin();
    host_file("root/l0", "end");
    char name[32], before[16], dir[16];
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "root/l%d", i);
        snprintf(before, sizeof before, "l%d", i - 1);
        CHECK_INT(symlinkat(before, outside, name), 0);
    }
    snprintf(dir, sizeof dir, "l%d", 40);
    CHECK_INT(try_open(dir, FOLLOW, 0, READ), 0);
    CHECK_INT(try_open("l41", FOLLOW, 0, READ), E(LOOP));
    CHECK_INT(b->path_link(self, 3, FOLLOW, "l40", 3, 3, "n", 1), 0);
    CHECK_INT(b->path_link(self, 3, FOLLOW, "l41", 3, 3, "m", 1), E(LOOP));
    CHECK_INT(b->path_link(self, 3, FOLLOW, "gone", 4, 3, "m", 1), E(NOENT));
    end();
}

TEST(deep_paths_up_and_down)
{
    static char path[WB_MAX_PATH + 1];
    begin();
    CHECK_INT(mkdirat(outside, "root/d", 0777), 0);
    host_file("root/d/f", "x");
    /* 500 directories deep, and up again by as many `..`. */
    size_t len = 0;
    int at = openat(outside, "root/d", O_RDONLY);
    for (int i = 0; i < 500; i++) {
        mkdirat(at, "d", 0777);
        int next = openat(at, "d", O_RDONLY);
        close(at);
        at = next;
        len += (size_t)sprintf(path + len, "d/");
    }
    close(at);
    for (int i = 0; i < 499; i++)
        len += (size_t)sprintf(path + len, "../");
    strcpy(path + len, "f");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), 0);
    strcpy(path + len, "../../f");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), E(NOTCAPABLE));
    len = 0;
    for (int i = 0; i < 800; i++)
        len += (size_t)sprintf(path + len, "d/../");
    strcpy(path + len, "d/f");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), 0);
    memset(path, 'n', 256);
    path[256] = '\0';
    CHECK_INT(try_open(path, FOLLOW, 0, READ), E(NAMETOOLONG));
    strcpy(path + 256, "/x");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), E(NAMETOOLONG));
    end();
}

TEST(open_makes_finds_and_cuts_files)
{
    begin();
    tree();
    const wb_oflags creat = WB_OFLAGS_CREAT, excl = creat | WB_OFLAGS_EXCL;
    wb_filestat facts;
    CHECK_INT(try_open("new", FOLLOW, creat, WRITE), 0);
    CHECK_INT(try_open("new", FOLLOW, excl, WRITE), E(EXIST));
    CHECK_INT(try_open("to_file", FOLLOW, excl, WRITE), E(EXIST));
    CHECK_INT(try_open("dangling", FOLLOW, excl, WRITE), E(EXIST));
    CHECK_INT(try_open("dangling", 0, creat, WRITE), E(LOOP));
    CHECK_INT(try_open("dangling", FOLLOW, creat, WRITE), 0);
    CHECK_INT(stat_of("nowhere", 0, &facts), 0);
    CHECK_INT(try_open("fresh/", FOLLOW, creat, WRITE), E(ISDIR));
    CHECK_INT(try_open("dir/", FOLLOW, creat, WRITE), E(ISDIR));
    CHECK_INT(try_open("missing/new", FOLLOW, creat, WRITE), E(NOENT));
    CHECK_INT(try_open("up/new", FOLLOW, creat, WRITE), E(NOTCAPABLE));
    CHECK_INT(try_open("dir", FOLLOW, 0, READ | WRITE), E(ISDIR));
    CHECK_INT(try_open("dir", FOLLOW, creat, READ), E(ISDIR));
    CHECK_INT(try_open("dir", FOLLOW, creat | WB_OFLAGS_DIRECTORY, READ),
              E(INVAL));
    CHECK_INT(try_open("file", FOLLOW, WB_OFLAGS_DIRECTORY, READ), E(NOTDIR));
    CHECK_INT(try_open("to_dir", FOLLOW, WB_OFLAGS_DIRECTORY, READ), 0);
    CHECK_INT(try_open("to_dir", 0, WB_OFLAGS_DIRECTORY, READ), E(LOOP));
    CHECK_INT(try_open("to_dir/", 0, WB_OFLAGS_DIRECTORY, READ), 0);
    CHECK_INT(try_open("file", FOLLOW, WB_OFLAGS_TRUNC, WRITE), 0);
    CHECK_INT(stat_of("file", 0, &facts), 0);
    CHECK_INT(facts.size, 0);
    end();
}

TEST(trailing_slashes_on_names_to_make_and_remove)
{
    begin();
    tree();
    CHECK_INT(b->path_create_directory(self, 3, "a/", 2), 0);
    CHECK_INT(b->path_create_directory(self, 3, "to_dir/b//", 10), 0);
    CHECK_INT(b->path_create_directory(self, 3, "dangling", 8), E(EXIST));
    CHECK_INT(b->path_create_directory(self, 3, "dangling/", 9), E(EXIST));
    CHECK_INT(b->path_create_directory(self, 3, ".", 1), E(EXIST));
    CHECK_INT(b->path_create_directory(self, 3, "dir/..", 6), E(EXIST));
    CHECK_INT(b->path_symlink(self, "x", 1, 3, "l/", 2), E(NOENT));
    CHECK_INT(b->path_link(self, 3, 0, "file", 4, 3, "h/", 2), E(NOENT));
    CHECK_INT(b->path_link(self, 3, 0, "file/", 5, 3, "h", 1), E(NOTDIR));
    CHECK_INT(b->path_link(self, 3, 0, "to_file/", 8, 3, "h", 1), E(NOTDIR));
    CHECK_INT(b->path_link(self, 3, 0, "dir", 3, 3, "h", 1), E(PERM));
    CHECK_INT(b->path_rename(self, 3, "file", 4, 3, "g/", 2), E(NOTDIR));
    CHECK_INT(b->path_rename(self, 3, "file/", 5, 3, "g", 1), E(NOTDIR));
    CHECK_INT(b->path_rename(self, 3, "to_dir/", 7, 3, "g", 1), E(NOTDIR));
    CHECK_INT(b->path_rename(self, 3, "a/", 2, 3, "c/", 2), 0);
    CHECK_INT(b->path_rename(self, 3, "c", 1, 3, "dir/sub/x", 9), 0);
    CHECK_INT(b->path_rename(self, 3, "dir", 3, 3, "dir/sub/x/y", 11),
              E(INVAL));
    CHECK_INT(b->path_rename(self, 3, ".", 1, 3, "z", 1), E(BUSY));
    CHECK_INT(b->path_rename(self, 3, "file", 4, 3, "dir", 3), E(ISDIR));
    CHECK_INT(b->path_rename(self, 3, "dir", 3, 3, "file", 4), E(NOTDIR));
    CHECK_INT(b->path_unlink_file(self, 3, "file/", 5), E(NOTDIR));
    CHECK_INT(b->path_unlink_file(self, 3, "dir", 3), E(ISDIR));
    CHECK_INT(b->path_unlink_file(self, 3, "dir/.", 5), E(ISDIR));
    CHECK_INT(b->path_remove_directory(self, 3, "dir/b/", 6), 0);
    CHECK_INT(b->path_remove_directory(self, 3, "dir", 3), E(NOTEMPTY));
    CHECK_INT(b->path_remove_directory(self, 3, "dir/.", 5), E(INVAL));
    CHECK_INT(b->path_remove_directory(self, 3, "file", 4), E(NOTDIR));
    CHECK_INT(b->path_remove_directory(self, 3, "to_dir", 6), E(NOTDIR));
    CHECK_INT(b->path_filestat_set_times(self, 3, 0, "file/", 5, 0, 0, 5),
              E(NOTDIR));
    CHECK_INT(b->path_filestat_set_times(self, 3, 0, "to_dir/", 7, 0, 4, 5), 0);
    wb_filestat facts;
    CHECK_INT(stat_of("dir", 0, &facts), 0);
    CHECK_INT(facts.mtim, 4);
    end();
}

TEST(readlink_tells_what_a_link_holds)
{
    char text[WB_MAX_PATH];
    size_t used = 0;
    begin();
    tree();
    CHECK_INT(b->path_readlink(self, 3, "out", 3, text, sizeof text, &used), 0);
    CHECK_INT(used, strlen("../outside"));
    CHECK(!memcmp(text, "../outside", used));
    CHECK_INT(b->path_readlink(self, 3, "to_dir/to_top", 13, text, sizeof text,
                               &used), 0);
    CHECK_INT(used, strlen("../file"));
    CHECK_INT(b->path_readlink(self, 3, "file", 4, text, sizeof text, &used),
              E(INVAL));
    CHECK_INT(b->path_readlink(self, 3, ".", 1, text, sizeof text, &used),
              E(INVAL));
    CHECK_INT(b->path_readlink(self, 3, "to_dir/", 7, text, sizeof text, &used),
              E(INVAL));
    CHECK_INT(b->path_readlink(self, 3, "to_file/", 8, text, sizeof text,
                               &used), E(NOTDIR));
    CHECK_INT(b->path_readlink(self, 3, "out", 3, text, 4, &used),
              E(NAMETOOLONG));
    end();
}

TEST(a_read_only_preopen_refuses_every_change)
{
    prepare();
    preopens[0].flags = WB_PREOPEN_READ_ONLY;
    char other[1040];
    snprintf(other, sizeof other, "%s/other", scratch);
    CHECK_INT(mkdir(other, 0777), 0);
    preopens[1] = (struct wb_preopen){"/rw", other, 0, 0};
    options.preopens_len = 2;
    tree();
    host_file("other/mine", "");
    init();
    const wb_oflags creat = WB_OFLAGS_CREAT, trunc = WB_OFLAGS_TRUNC;
    CHECK_INT(try_open("file", FOLLOW, 0, READ), 0);
    CHECK_INT(try_open("file", FOLLOW, creat, READ), 0);
    CHECK_INT(try_open("file", FOLLOW, creat | WB_OFLAGS_EXCL, READ), E(EXIST));
    CHECK_INT(try_open("new", FOLLOW, creat, READ), E(ROFS));
    CHECK_INT(try_open("new", FOLLOW, creat | WB_OFLAGS_EXCL, WRITE), E(ROFS));
    CHECK_INT(try_open("file", FOLLOW, 0, WRITE), E(ROFS));
    CHECK_INT(try_open("file", FOLLOW, 0, READ | WRITE), E(ROFS));
    CHECK_INT(try_open("file", FOLLOW, trunc, READ), E(ROFS));
    CHECK_INT(try_open("dir/inner", FOLLOW, trunc, WRITE), E(ROFS));
    CHECK_INT(try_open("missing", FOLLOW, 0, WRITE), E(NOENT));
    CHECK_INT(try_open("../x", FOLLOW, creat, WRITE), E(NOTCAPABLE));
    CHECK_INT(b->path_create_directory(self, 3, "d", 1), E(ROFS));
    CHECK_INT(b->path_unlink_file(self, 3, "file", 4), E(ROFS));
    CHECK_INT(b->path_remove_directory(self, 3, "dir/sub", 7), E(ROFS));
    CHECK_INT(b->path_symlink(self, "x", 1, 3, "l", 1), E(ROFS));
    CHECK_INT(b->path_link(self, 3, 0, "file", 4, 4, "l", 1), E(ROFS));
    CHECK_INT(b->path_link(self, 4, 0, "mine", 4, 3, "l", 1), E(ROFS));
    CHECK_INT(b->path_rename(self, 3, "file", 4, 4, "l", 1), E(ROFS));
    CHECK_INT(b->path_rename(self, 4, "mine", 4, 3, "l", 1), E(ROFS));
    CHECK_INT(b->path_filestat_set_times(self, 3, 0, "file", 4, 1, 1, 5),
              E(ROFS));
    /* What is opened below it is as read-only as it is. */
    wb_fd dir, fd;
    CHECK_INT(open_with(3, FOLLOW, "dir", WB_OFLAGS_DIRECTORY,
                        WB_RIGHTS_OF_DIRECTORY, 0, &dir), 0);
    CHECK_INT(open_with(dir, FOLLOW, "inner", 0, WRITE, 0, &fd), E(ROFS));
    CHECK_INT(b->fd_filestat_set_times(self, dir, 1, 1, 5), E(ROFS));
    CHECK_INT(b->fd_filestat_set_times(self, 3, 1, 1, 5), E(ROFS));
    CHECK_INT(b->path_unlink_file(self, 4, "mine", 4), 0);
    end();
}

TEST(rights_are_passed_on_and_enforced)
{
    begin();
    tree();
    wb_fd dir, fd;
    CHECK_INT(b->path_open(self, 3, FOLLOW, "dir", 3, WB_OFLAGS_DIRECTORY,
                           WB_RIGHTS_PATH_OPEN, READ, 0, &dir), 0);
    CHECK_INT(b->path_open(self, dir, 0, "inner", 5, 0, READ, 0, 0, &fd), 0);
    wb_fdstat facts;
    CHECK_INT(b->fd_fdstat_get(self, fd, &facts), 0);
    CHECK_INT(facts.fs_rights_base, READ);
    CHECK_INT(facts.fs_rights_inheriting, 0);
    CHECK_INT(b->path_open(self, dir, 0, "inner", 5, 0, WRITE, 0, 0, &fd),
              E(NOTCAPABLE));
    CHECK_INT(b->path_open(self, dir, 0, "n", 1, WB_OFLAGS_CREAT, READ, 0, 0,
                           &fd), E(NOTCAPABLE));
    CHECK_INT(b->path_unlink_file(self, dir, "inner", 5), E(NOTCAPABLE));
    CHECK_INT(b->path_unlink_file(self, 99, "inner", 5), E(BADF));
    CHECK_INT(b->path_unlink_file(self, fd, "inner", 5), E(NOTDIR));
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, READ | WRITE, 0),
              E(NOTCAPABLE));
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, 0, 0), 0);
    char text[8];
    CHECK_INT(read_text(fd, text, sizeof text), E(NOTCAPABLE));
    end();
}

/* ---- a race -------------------------------------------------------------- */

static int stop_swapping;

/* Exchange root/swap, a directory, with a link to the outside, over and over.
 */
static void *swap(void *nothing)
{
    while (!__atomic_load_n(&stop_swapping, __ATOMIC_RELAXED))
        renameat2(outside, "root/swap", outside, "root/link", RENAME_EXCHANGE);
    return nothing;
}

TEST(a_component_swapped_for_a_link_never_leads_out)
{
    begin();
    CHECK_INT(mkdirat(outside, "outside", 0777), 0);
    CHECK_INT(mkdirat(outside, "root/swap", 0777), 0);
    CHECK_INT(mkdirat(outside, "root/swap/deep", 0777), 0);
    CHECK_INT(mkdirat(outside, "outside/deep", 0777), 0);
    host_file("root/swap/file", "inside");
    host_file("root/swap/deep/file", "inside");
    host_file("outside/file", "secret");
    host_file("outside/deep/file", "secret");
    CHECK_INT(symlinkat("../outside", outside, "root/link"), 0);
    static const char *const paths[] = {"swap/file", "swap/deep/file",
                                        "swap/deep/../file"};
    pthread_t thread;
    int opened = 0, refused = 0;
    stop_swapping = 0;
    pthread_create(&thread, NULL, swap, NULL);
    for (int i = 0; i < 30000; i++) {
        char text[16];
        wb_fd fd;
        uint16_t error = open_with(3, FOLLOW, paths[i % 3], 0, READ, 0, &fd);
        if (!error) {
            CHECK_INT(read_text(fd, text, sizeof text), 0);
            CHECK_TEXT(text, "inside");
            b->fd_close(self, fd);
            opened++;
        } else {
            refused++;
            CHECK(error == E(NOTCAPABLE) || error == E(NOTDIR) ||
                  error == E(NOENT) || error == E(LOOP));
        }
        /* Nothing is made outside either. */
        b->path_create_directory(self, 3, "swap/made", 9);
        b->path_remove_directory(self, 3, "swap/made", 9);
        CHECK(faccessat(outside, "outside/made", F_OK, 0) < 0);
        if (failures)
            break;
    }
    __atomic_store_n(&stop_swapping, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    CHECK(opened > 0);
    CHECK(refused > 0);
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
