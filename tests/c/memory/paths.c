/* Paths on the memory backing: what is beneath, what escapes, what is refused,
 * and what the calls that change the tree do to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory_test.h"

/* The tree that most tests use:
 *   file dir/sub/ dir/inner empty/
 *   to_file -> file       to_dir -> dir      dir/to_top -> ../file
 *   dangling -> nowhere   loop -> loop       to_self -> .
 *   up -> ..              out -> ../outside  absolute -> /root/file
 *   round -> dir/../../root/file             slash -> dir/  to_sub -> dir/sub
 *   file_slash -> file/   deep -> to_dir/to_top
 */
static void tree(void)
{
    static const char *const links[][2] = {
        {"file", "to_file"},         {"dir", "to_dir"},
        {"../file", "dir/to_top"},   {"nowhere", "dangling"},
        {"loop", "loop"},            {".", "to_self"},
        {"..", "up"},                {"../outside", "out"},
        {"/root/file", "absolute"},  {"dir/../../root/file", "round"},
        {"dir/", "slash"},           {"dir/sub", "to_sub"},
        {"file/", "file_slash"},     {"to_dir/to_top", "deep"},
    };
    put("file", "hello");
    CHECK_INT(make_dir("dir"), 0);
    CHECK_INT(make_dir("dir/sub"), 0);
    CHECK_INT(make_dir("empty"), 0);
    put("dir/inner", "inner");
    for (size_t i = 0; i < LEN(links); i++)
        CHECK_INT(make_link(links[i][0], links[i][1]), 0);
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
    {"to_sub/../inner", 0, 0},
    {"slash/inner", 0, 0},
    {"to_self/to_self/file", 0, 0},
    {"to_file", 0, E(LOOP)},
    {"dir/to_top", 0, E(LOOP)},
    {"deep", 0, E(LOOP)},
    {"to_dir", 0, E(LOOP)},
    {"to_dir/", 0, 0},
    {"to_dir///", 0, 0},
    {"to_dir/.", 0, 0},
    {"to_sub/", 0, 0},
    {"slash", 0, E(LOOP)},
    {"slash/", 0, 0},
    {".", 0, 0},
    {"./", 0, 0},
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
    {"file_slash", E(NOTDIR), E(LOOP)},
    {"deep/", E(NOTDIR), E(NOTDIR)},
    {"missing", E(NOENT), E(NOENT)},
    {"missing/", E(NOENT), E(NOENT)},
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
    {"dir/../..", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"dir/../../root/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"//", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"up", E(NOTCAPABLE), E(LOOP)},
    {"up/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"up/root/file", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"to_dir/../up", E(NOTCAPABLE), E(LOOP)},
    {"out", E(NOTCAPABLE), E(LOOP)},
    {"out/secret", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"absolute", E(NOTCAPABLE), E(LOOP)},
    {"absolute/", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"absolute/x", E(NOTCAPABLE), E(NOTCAPABLE)},
    {"round", E(NOTCAPABLE), E(LOOP)},
};

TEST(paths_open_or_are_refused_as_tabled)
{
    begin();
    tree();
    for (size_t i = 0; i < LEN(opens); i++) {
        wb_filestat facts;
        uint16_t want = opens[i].nofollow;
        snprintf(row, sizeof row, "%s", opens[i].path);
        CHECK_INT(try_open(opens[i].path, FOLLOW, 0, READ), opens[i].follow);
        CHECK_INT(try_open(opens[i].path, 0, 0, READ), opens[i].nofollow);
        /* What can be opened can be described; a link itself as well. */
        CHECK_INT(stat_of(opens[i].path, FOLLOW, &facts), opens[i].follow);
        if (want == E(LOOP) && strncmp(opens[i].path, "loop/", 5))
            want = 0;
        CHECK_INT(stat_of(opens[i].path, 0, &facts), want);
        if (!want && opens[i].nofollow)
            CHECK_INT(facts.filetype, WB_FILETYPE_SYMBOLIC_LINK);
    }
    end();
}

TEST(every_call_refuses_an_escape)
{
    static const char *const escapes[] = {
        "..", "../x", "dir/../..", "dir/../../x", "/x", "up/x", "out/x",
        "out/secret", "absolute/x", "../root/file",
    };
    wb_filestat facts;
    char text[100];
    size_t used;
    begin();
    tree();
    for (size_t i = 0; i < LEN(escapes); i++) {
        const char *p = escapes[i];
        size_t len = strlen(p);
        snprintf(row, sizeof row, "%s", p);
        CHECK_INT(try_open(p, FOLLOW, WB_OFLAGS_CREAT, WRITE), E(NOTCAPABLE));
        CHECK_INT(try_open(p, FOLLOW, WB_OFLAGS_DIRECTORY, READ),
                  E(NOTCAPABLE));
        CHECK_INT(stat_of(p, FOLLOW, &facts), E(NOTCAPABLE));
        CHECK_INT(make_dir(p), E(NOTCAPABLE));
        CHECK_INT(unlink_file(p), E(NOTCAPABLE));
        CHECK_INT(remove_dir(p), E(NOTCAPABLE));
        CHECK_INT(make_link("file", p), E(NOTCAPABLE));
        CHECK_INT(b->path_readlink(self, 3, p, len, text, sizeof text, &used),
                  E(NOTCAPABLE));
        CHECK_INT(link_path(p, "new"), E(NOTCAPABLE));
        CHECK_INT(link_path("file", p), E(NOTCAPABLE));
        CHECK_INT(rename_path(p, "new"), E(NOTCAPABLE));
        CHECK_INT(rename_path("file", p), E(NOTCAPABLE));
        CHECK_INT(b->path_filestat_set_times(self, 3, FOLLOW, p, len, 1, 1, 5),
                  E(NOTCAPABLE));
    }
    CHECK(exists("file") && !exists("new"));
    end();
}

TEST(a_descriptor_is_the_root_of_its_paths)
{
    wb_fd dir, fd;
    begin();
    tree();
    dir = must_open("dir", WB_OFLAGS_DIRECTORY);
    CHECK_INT(open_with(dir, FOLLOW, "inner", 0, READ, 0, &fd), 0);
    CHECK_INT(open_with(dir, FOLLOW, "sub/../inner", 0, READ, 0, &fd), 0);
    CHECK_INT(open_with(dir, FOLLOW, "..", 0, READ, 0, &fd), E(NOTCAPABLE));
    CHECK_INT(open_with(dir, FOLLOW, "../file", 0, READ, 0, &fd),
              E(NOTCAPABLE));
    CHECK_INT(open_with(dir, FOLLOW, "to_top", 0, READ, 0, &fd),
              E(NOTCAPABLE));
    end();
}

TEST(forty_links_are_followed_and_no_more)
{
    char from[20], to[20];
    begin();
    put("link0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof from, "link%d", i - 1);
        snprintf(to, sizeof to, "link%d", i);
        CHECK_INT(make_link(from, to), 0);
    }
    CHECK_INT(try_open("link40", FOLLOW, 0, READ), 0);
    CHECK_INT(try_open("link41", FOLLOW, 0, READ), E(LOOP));
    /* The same with something behind each of them. */
    CHECK_INT(make_dir("dir"), 0);
    CHECK_INT(make_link("../dir", "dir/again"), 0);
    char path[400] = "dir";
    for (int i = 0; i < 40; i++)
        strcat(path, "/again");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), 0);
    strcat(path, "/again");
    CHECK_INT(try_open(path, FOLLOW, 0, READ), E(LOOP));
    /* And with the rest of each link waiting for the next one. */
    CHECK_INT(make_link(".", "step0"), 0);
    for (int i = 1; i <= 40; i++) {
        snprintf(from, sizeof from, "step%d/.", i - 1);
        snprintf(to, sizeof to, "step%d", i);
        CHECK_INT(make_link(from, to), 0);
    }
    CHECK_INT(try_open("step39/link0", FOLLOW, 0, READ), 0);
    CHECK_INT(try_open("step40/link0", FOLLOW, 0, READ), E(LOOP));
    end();
}

TEST(opening_with_flags)
{
    static const struct {
        const char *path;
        wb_lookupflags lookup;
        wb_oflags oflags;
        wb_rights rights;
        uint16_t want;
    } rows[] = {
        {"file", FOLLOW, WB_OFLAGS_CREAT, WRITE, 0},
        {"file", FOLLOW, WB_OFLAGS_EXCL, READ, 0},
        {"file", FOLLOW, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE, E(EXIST)},
        {"to_file", FOLLOW, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE, E(EXIST)},
        {"dangling", FOLLOW, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE, E(EXIST)},
        {"out", FOLLOW, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE, E(EXIST)},
        {"dir", FOLLOW, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE, E(EXIST)},
        {"dangling", 0, WB_OFLAGS_CREAT, WRITE, E(LOOP)},
        {"to_file", 0, WB_OFLAGS_CREAT, WRITE, E(LOOP)},
        {"missing/new", FOLLOW, WB_OFLAGS_CREAT, WRITE, E(NOENT)},
        {"file/new", FOLLOW, WB_OFLAGS_CREAT, WRITE, E(NOTDIR)},
        {"new/", FOLLOW, WB_OFLAGS_CREAT, WRITE, E(ISDIR)},
        {"new/", 0, WB_OFLAGS_CREAT, WRITE, E(ISDIR)},
        {"dir/", FOLLOW, WB_OFLAGS_CREAT, READ, E(ISDIR)},
        {"slash", FOLLOW, WB_OFLAGS_CREAT, READ, E(ISDIR)},
        {"dir", FOLLOW, WB_OFLAGS_CREAT, READ, E(ISDIR)},
        {"dir/..", FOLLOW, WB_OFLAGS_CREAT, READ, E(ISDIR)},
        {"dir", FOLLOW, WB_OFLAGS_TRUNC, READ, E(ISDIR)},
        {"dir", FOLLOW, 0, WRITE, E(ISDIR)},
        {"dir", FOLLOW, WB_OFLAGS_DIRECTORY, WRITE, E(ISDIR)},
        {"dir", FOLLOW, WB_OFLAGS_DIRECTORY, READ, 0},
        {"dir", FOLLOW, WB_OFLAGS_DIRECTORY, 0, 0},
        {"dir", FOLLOW, WB_OFLAGS_DIRECTORY | WB_OFLAGS_TRUNC, READ, E(INVAL)},
        {"new", FOLLOW, WB_OFLAGS_DIRECTORY | WB_OFLAGS_CREAT, READ, E(INVAL)},
        {"file", FOLLOW, WB_OFLAGS_DIRECTORY, READ, E(NOTDIR)},
        {"to_file", FOLLOW, WB_OFLAGS_DIRECTORY, READ, E(NOTDIR)},
        {"to_file", 0, WB_OFLAGS_DIRECTORY, READ, E(LOOP)},
        {"to_dir", 0, WB_OFLAGS_DIRECTORY, READ, E(LOOP)},
        {"missing", FOLLOW, WB_OFLAGS_DIRECTORY, READ, E(NOENT)},
    };
    begin();
    tree();
    for (size_t i = 0; i < LEN(rows); i++) {
        snprintf(row, sizeof row, "%s with %x", rows[i].path, rows[i].oflags);
        CHECK_INT(try_open(rows[i].path, rows[i].lookup, rows[i].oflags,
                           rows[i].rights),
                  rows[i].want);
    }
    CHECK(!exists("new") && !exists("nowhere"));
    CHECK_TEXT(text_of("file"), "hello");
    CHECK_INT(try_open("dangling", FOLLOW, WB_OFLAGS_CREAT, WRITE), 0);
    CHECK(exists("nowhere"));
    CHECK_INT(try_open("file", FOLLOW, WB_OFLAGS_TRUNC, READ), 0);
    CHECK_TEXT(text_of("file"), "");
    end();
}

TEST(names_have_255_bytes_at_most)
{
    char name[257] = {0};
    begin();
    memset(name, 'a', 255);
    CHECK_INT(make_dir(name), 0);
    CHECK_INT(make_dir(name), E(EXIST));
    name[255] = 'a';
    CHECK_INT(make_dir(name), E(NAMETOOLONG));
    CHECK_INT(try_open(name, FOLLOW, 0, READ), E(NAMETOOLONG));
    end();
}

/* Two paths and what a call answers. */
struct pair {
    const char *from, *to;
    uint16_t want;
};

TEST(making_directories_and_links_is_refused_as_tabled)
{
    static const struct pair directories[] = {
        {"dir", NULL, E(EXIST)},      {"dir/", NULL, E(EXIST)},
        {"file", NULL, E(EXIST)},     {"file/", NULL, E(EXIST)},
        {"dangling", NULL, E(EXIST)}, {"dangling/", NULL, E(EXIST)},
        {"out", NULL, E(EXIST)},      {".", NULL, E(EXIST)},
        {"dir/..", NULL, E(EXIST)},   {"missing/new", NULL, E(NOENT)},
        {"new/.", NULL, E(NOENT)},    {"file/new", NULL, E(NOTDIR)},
        {"to_dir/new", NULL, 0},      {"new//", NULL, 0},
    };
    static const struct pair links[] = {
        {"a", "file", E(EXIST)},      {"a", "dangling", E(EXIST)},
        {"a", "dir/", E(EXIST)},      {"a", "file/", E(EXIST)},
        {"a", "dangling/", E(EXIST)}, {"a", "nothing/", E(NOENT)},
        {"a", ".", E(EXIST)},         {"a", "missing/new", E(NOENT)},
        {"a", "file/new", E(NOTDIR)}, {"a", "dir/new_link", 0},
    };
    begin();
    tree();
    for (size_t i = 0; i < LEN(directories); i++) {
        snprintf(row, sizeof row, "%s", directories[i].from);
        CHECK_INT(make_dir(directories[i].from), directories[i].want);
    }
    for (size_t i = 0; i < LEN(links); i++) {
        snprintf(row, sizeof row, "%s", links[i].to);
        CHECK_INT(make_link(links[i].from, links[i].to), links[i].want);
    }
    CHECK(exists("dir/new") && exists("new"));
    end();
}

TEST(removing_is_refused_as_tabled)
{
    static const struct pair directories[] = {
        {"dir", NULL, E(NOTEMPTY)},     {"file", NULL, E(NOTDIR)},
        {"file/", NULL, E(NOTDIR)},     {"to_dir", NULL, E(NOTDIR)},
        {"to_dir/", NULL, E(NOTDIR)},   {"dangling", NULL, E(NOTDIR)},
        {"missing", NULL, E(NOENT)},    {"missing/", NULL, E(NOENT)},
        {".", NULL, E(INVAL)},          {"empty/.", NULL, E(INVAL)},
        {"empty/..", NULL, E(NOTEMPTY)},
    };
    static const struct pair files[] = {
        {"dir", NULL, E(ISDIR)},       {"empty", NULL, E(ISDIR)},
        {"empty/", NULL, E(ISDIR)},    {"file/", NULL, E(NOTDIR)},
        {"to_file/", NULL, E(NOTDIR)}, {"to_dir/", NULL, E(NOTDIR)},
        {"missing", NULL, E(NOENT)},   {"missing/", NULL, E(NOENT)},
        {".", NULL, E(ISDIR)},         {"dir/..", NULL, E(ISDIR)},
        {"file/x", NULL, E(NOTDIR)},
    };
    begin();
    tree();
    for (size_t i = 0; i < LEN(directories); i++) {
        snprintf(row, sizeof row, "%s", directories[i].from);
        CHECK_INT(remove_dir(directories[i].from), directories[i].want);
    }
    for (size_t i = 0; i < LEN(files); i++) {
        snprintf(row, sizeof row, "%s", files[i].from);
        CHECK_INT(unlink_file(files[i].from), files[i].want);
    }
    row[0] = '\0';
    CHECK_INT(remove_dir("empty/"), 0);
    CHECK_INT(unlink_file("to_dir"), 0);
    CHECK_INT(unlink_file("out"), 0);
    CHECK(!exists("empty") && !exists("to_dir") && exists("dir"));
    end();
}

TEST(links_share_a_file)
{
    wb_filestat facts, other;
    wb_fd fd;
    size_t count;
    begin();
    tree();
    CHECK_INT(link_path("file", "dir/second"), 0);
    CHECK_INT(stat_of("file", 0, &facts), 0);
    CHECK_INT(stat_of("dir/second", 0, &other), 0);
    CHECK_INT(facts.ino, other.ino);
    CHECK_INT(facts.nlink, 2);
    fd = must_open("dir/second", 0);
    CHECK_INT(pwrite_bytes(fd, "J", 1, 0, &count), 0);
    CHECK_TEXT(text_of("file"), "Jello");
    CHECK_INT(unlink_file("file"), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.nlink, 1);
    CHECK_TEXT(text_of("dir/second"), "Jello");
    CHECK_INT(unlink_file("dir/second"), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.nlink, 0);
    CHECK_INT(pwrite_bytes(fd, "still here", 10, 0, &count), 0);
    CHECK_INT(b->fd_close(self, fd), 0);

    CHECK_INT(link_path("dir", "new"), E(PERM));
    CHECK_INT(link_path(".", "new"), E(PERM));
    CHECK_INT(link_path("missing", "new"), E(NOENT));
    CHECK_INT(link_path("to_dir", "dangling"), E(EXIST));
    CHECK_INT(link_path("dir/inner", "dir/"), E(EXIST));
    CHECK_INT(link_path("dir/inner", "new/"), E(NOENT));
    CHECK_INT(link_path("dir/inner/", "new"), E(NOTDIR));
    CHECK_INT(link_path("to_dir", "second_link"), 0);
    CHECK_INT(stat_of("second_link", 0, &facts), 0);
    CHECK_INT(facts.filetype, WB_FILETYPE_SYMBOLIC_LINK);
    CHECK_INT(facts.nlink, 2);
    CHECK_INT(facts.size, 3);
    CHECK_INT(b->path_link(self, 3, FOLLOW, "dir/to_top", 10, 3, "x", 1),
              E(NOENT)); /* its file is gone by now */
    end();
}

TEST(renaming_answers_as_tabled)
{
    static const struct pair rows[] = {
        {"file", "new", 0},
        {"file", "dir/new", 0},
        {"file", "dir/inner", 0},
        {"file", "file", 0},
        {"dir", "dir", 0},
        {"file", "to_dir", 0},
        {"to_file", "new", 0},
        {"dangling", "file", 0},
        {"dir", "new", 0},
        {"dir/", "new/", 0},
        {"dir", "empty", 0},
        {"dir", "empty/", 0},
        {"dir/sub", "empty", 0},
        {"to_dir/sub", "new", 0},
        {"file", "empty", E(ISDIR)},
        {"file", "dir", E(ISDIR)},
        {"dir/inner", "dir", E(ISDIR)}, /* see below */
        {"empty", "dir", E(NOTEMPTY)},
        {"dir", "file", E(NOTDIR)},
        {"dir", "to_self", E(NOTDIR)},
        {"dir", "dir/sub/new", E(INVAL)},
        {"dir", "dir/new", E(INVAL)},
        {"dir", "to_sub/new", E(INVAL)},
        {"dir/sub", "dir", E(NOTEMPTY)},
        {"missing", "new", E(NOENT)},
        {"missing", "missing", E(NOENT)},
        {"file", "missing/new", E(NOENT)},
        {"file", "dir/inner/new", E(NOTDIR)},
        {"file/", "new", E(NOTDIR)},
        {"file", "new/", E(NOTDIR)},
        {"file", "empty/", E(NOTDIR)},
        {"to_dir/", "new", E(NOTDIR)},
        {"dir", "file/", E(NOTDIR)},
        {".", "new", E(BUSY)},
        {"dir/.", "new", E(BUSY)},
        {"dir", ".", E(BUSY)},
        {"dir", "dir/..", E(BUSY)},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        uint16_t want = rows[i].want;
        snprintf(row, sizeof row, "%s to %s", rows[i].from, rows[i].to);
        /* What is above the source is never empty, and that is said first. */
        if (!strcmp(rows[i].from, "dir/inner") && !strcmp(rows[i].to, "dir"))
            want = E(NOTEMPTY);
        begin();
        tree();
        CHECK_INT(rename_path(rows[i].from, rows[i].to), want);
        if (!want)
            CHECK_INT(exists(rows[i].from),
                      !strcmp(rows[i].from, rows[i].to));
        end();
    }
}

TEST(renaming_moves_what_there_is)
{
    wb_filestat facts;
    wb_fd fd;
    begin();
    tree();
    CHECK_INT(stat_of(".", 0, &facts), 0);
    CHECK_INT(facts.nlink, 4);
    fd = must_open("dir", WB_OFLAGS_DIRECTORY);
    CHECK_INT(rename_path("dir", "empty"), 0);
    CHECK(!exists("dir"));
    CHECK_TEXT(text_of("empty/inner"), "inner");
    CHECK_TEXT(text_of("empty/to_top"), "hello");
    CHECK_INT(stat_of(".", 0, &facts), 0);
    CHECK_INT(facts.nlink, 3);
    CHECK_INT(rename_path("empty", "empty"), 0);
    CHECK_INT(make_dir("other"), 0);
    CHECK_INT(rename_path("empty", "other/deeper"), 0);
    CHECK_INT(stat_of("other", 0, &facts), 0);
    CHECK_INT(facts.nlink, 3);
    /* A link's `..` is that of where it is now. */
    CHECK_INT(try_open("other/deeper/to_top", FOLLOW, 0, READ), E(NOENT));
    /* The descriptor has moved along. */
    CHECK_INT(b->path_filestat_get(self, fd, 0, "inner", 5, &facts), 0);
    /* Two names of one file: nothing happens. */
    CHECK_INT(link_path("file", "second"), 0);
    CHECK_INT(rename_path("file", "second"), 0);
    CHECK(exists("file") && exists("second"));
    end();
}

TEST(a_removed_directory_stays_empty)
{
    struct names names;
    wb_filestat facts;
    wb_fd dir, fd;
    begin();
    tree();
    dir = must_open("empty", WB_OFLAGS_DIRECTORY);
    CHECK_INT(remove_dir("empty"), 0);
    CHECK_INT(list(dir, 0, 99, &names), 0);
    CHECK_TEXT(names.text, ". .. ");
    CHECK_INT(open_with(dir, FOLLOW, "new", WB_OFLAGS_CREAT, WRITE, 0, &fd),
              E(NOENT));
    CHECK_INT(b->path_create_directory(self, dir, "new", 3), E(NOENT));
    CHECK_INT(b->path_symlink(self, "a", 1, dir, "new", 3), E(NOENT));
    CHECK_INT(b->path_link(self, 3, 0, "file", 4, dir, "new", 3), E(NOENT));
    CHECK_INT(b->path_rename(self, 3, "file", 4, dir, "new", 3), E(NOENT));
    CHECK_INT(b->path_filestat_get(self, dir, 0, ".", 1, &facts), 0);
    CHECK_INT(facts.nlink, 0);
    CHECK(exists("file"));
    end();
}

TEST(preopens_are_directories_of_one_tree)
{
    wb_filestat facts;
    wb_prestat prestat;
    char name[9] = {0};
    wb_fd fd;
    prepare();
    preopens[1] = (struct wb_preopen){"/below", "../root//a/./c/../b/", 0, 0};
    preopens[2] =
        (struct wb_preopen){"/all", "/", WB_PREOPEN_READ_ONLY, 0};
    options.preopens_len = 3;
    init();
    CHECK_INT(b->fd_prestat_get(self, 4, &prestat), 0);
    CHECK_INT(prestat.pr_name_len, 6);
    CHECK_INT(b->fd_prestat_dir_name(self, 4, name, 6), 0);
    CHECK_TEXT(name, "/below");
    CHECK_INT(b->fd_prestat_get(self, 6, &prestat), E(BADF));
    put("a/b/file", "text");
    CHECK_INT(b->path_filestat_get(self, 4, 0, "file", 4, &facts), 0);
    CHECK_INT(b->path_filestat_get(self, 4, 0, "../b/file", 9, &facts),
              E(NOTCAPABLE));
    CHECK_INT(b->path_rename(self, 4, "file", 4, 3, "moved", 5), 0);
    CHECK_TEXT(text_of("moved"), "text");

    /* The read-only one sees all of it and changes nothing. */
    CHECK_INT(open_with(5, FOLLOW, "root/moved", 0,
                        READ | WB_RIGHTS_FD_FILESTAT_SET_TIMES, 0, &fd),
              0);
    CHECK_INT(b->fd_filestat_set_times(self, fd, 1, 1, 5), E(ROFS));
    CHECK_INT(open_with(5, FOLLOW, "root/moved", 0, WRITE, 0, &fd), E(ROFS));
    CHECK_INT(open_with(5, FOLLOW, "root/moved", WB_OFLAGS_TRUNC, READ, 0, &fd),
              E(ROFS));
    CHECK_INT(open_with(5, FOLLOW, "new", WB_OFLAGS_CREAT, READ, 0, &fd),
              E(ROFS));
    CHECK_INT(open_with(5, FOLLOW, "root/moved", WB_OFLAGS_CREAT, READ, 0, &fd),
              0);
    CHECK_INT(b->path_create_directory(self, 5, "new", 3), E(ROFS));
    CHECK_INT(b->path_unlink_file(self, 5, "root/moved", 10), E(ROFS));
    CHECK_INT(b->path_remove_directory(self, 5, "root/a/b", 8), E(ROFS));
    CHECK_INT(b->path_symlink(self, "a", 1, 5, "new", 3), E(ROFS));
    CHECK_INT(b->path_rename(self, 5, "root/moved", 10, 3, "new", 3), E(ROFS));
    CHECK_INT(b->path_rename(self, 3, "moved", 5, 5, "new", 3), E(ROFS));
    CHECK_INT(b->path_link(self, 5, 0, "root/moved", 10, 3, "n", 1), E(ROFS));
    CHECK_INT(b->path_link(self, 3, 0, "moved", 5, 5, "new", 3), E(ROFS));
    CHECK_INT(b->path_filestat_set_times(self, 5, 0, "root", 4, 1, 1, 5),
              E(ROFS));
    CHECK_INT(b->path_unlink_file(self, 5, "nowhere/x", 9), E(NOENT));
    CHECK_INT(open_with(5, FOLLOW, "root", WB_OFLAGS_DIRECTORY,
                        WB_RIGHTS_OF_DIRECTORY, 0, &fd),
              0);
    CHECK_INT(b->path_create_directory(self, fd, "new", 3), E(ROFS));
    CHECK(exists("moved") && !exists("new"));
    end();
}

TEST(preopens_that_make_no_sense_are_refused)
{
    char name[257] = {0};
    prepare();
    memset(name, 'n', 256);
    preopens[0].host_path = name;
    CHECK_INT(b->context_init(&options, &self), E(NAMETOOLONG));
    CHECK(!strncmp(error_text, "not a path in the tree: nnnn", 28));
    CHECK_INT(strlen(error_text), sizeof error_text - 1);
    CHECK(self == NULL);
    CHECK_INT(outstanding, 0);
    prepare();
    preopens[1] = preopens[0];
    options.preopens_len = 2;
    CHECK_INT(b->context_init(&options, &self), E(INVAL));
    CHECK_TEXT(error_text, "two preopens have the guest name /");
    CHECK_INT(outstanding, 0);
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
