/* Random calls against a simple model: the same answers, and the same tree.
 * When the backing says NOSPC, its tree must be what it was before.
 *
 * Run with memory that fails now and then, and in arenas of several sizes.
 * Links are made and removed, but not followed: paths.c does that.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory_test.h"

enum { NAMES = 4, MOST_BYTES = 6000, HELD = 4 };

/* ---- the model ---------------------------------------------------------- */

struct thing {
    wb_filetype type;
    int names, held;
    size_t size;
    unsigned char *bytes; /* MOST_BYTES, of a file */
    struct thing *child[NAMES], *parent; /* of a directory */
};

static struct thing *make_thing(wb_filetype type)
{
    struct thing *thing = calloc(1, sizeof *thing);
    thing->type = type;
    if (type == WB_FILETYPE_REGULAR_FILE)
        thing->bytes = calloc(1, MOST_BYTES);
    return thing;
}

static void settle(struct thing *thing)
{
    if (thing->names || thing->held)
        return;
    free(thing->bytes);
    free(thing);
}

static void remove_things(struct thing *directory)
{
    for (int i = 0; i < NAMES; i++) {
        struct thing *thing = directory->child[i];
        if (!thing)
            continue;
        if (thing->type == WB_FILETYPE_DIRECTORY)
            remove_things(thing);
        thing->names--;
        settle(thing);
    }
}

/* A path: up to three of the names a, b, c, d. */
struct path {
    char text[8];
    int len, names[3];
};

/* Where a path leads in the model: an errno, or the place. */
static uint16_t find(struct thing *root, const struct path *path,
                     struct thing **directory, struct thing ***place)
{
    *directory = root;
    for (int i = 0;; i++) {
        *place = &(*directory)->child[path->names[i]];
        if (i + 1 == path->len)
            return 0;
        if (!**place)
            return E(NOENT);
        if ((**place)->type == WB_FILETYPE_SYMBOLIC_LINK)
            return E(NOENT); /* all links lead to what is never there */
        if ((**place)->type != WB_FILETYPE_DIRECTORY)
            return E(NOTDIR);
        *directory = **place;
    }
}

static int is_empty(const struct thing *thing)
{
    for (int i = 0; i < NAMES; i++)
        if (thing->child[i])
            return 0;
    return 1;
}

static int is_below(const struct thing *thing, const struct thing *top)
{
    for (; thing; thing = thing->parent)
        if (thing == top)
            return 1;
    return 0;
}

/* ---- one run ------------------------------------------------------------ */

static struct thing *root, *held[HELD];
static wb_fd held_fd[HELD];
static uint64_t state;
static long failing; /* how often NOSPC was answered */

static unsigned roll(unsigned sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static struct path some_path(void)
{
    struct path path = {.len = 1 + (int)roll(3)};
    for (int i = 0; i < path.len; i++) {
        path.names[i] = (int)roll(NAMES);
        path.text[2 * i] = (char)('a' + path.names[i]);
        path.text[2 * i + 1] = i + 1 < path.len ? '/' : '\0';
    }
    return path;
}

/* Compare bytes of a file with the model's. */
static void compare_bytes(wb_fd fd, const struct thing *thing)
{
    static unsigned char bytes[MOST_BYTES + 1];
    size_t count = 0;
    CHECK_INT(pread_bytes(fd, bytes, sizeof bytes, 0, &count), 0);
    CHECK_INT(count, thing->size);
    CHECK(!memcmp(bytes, thing->bytes, thing->size));
}

/* Compare a directory and all below with the model. No memory is needed: the
 * descriptors have been there before. */
static void compare(wb_fd fd, const struct thing *directory)
{
    struct names names;
    char want[3 * NAMES + 8] = ". .. ";
    unsigned seen = 0;
    CHECK_INT(list(fd, 0, 99, &names), 0);
    for (const char *at = names.text + 5; *at; at += 2)
        seen |= 1u << (*at - 'a');
    CHECK(!strncmp(names.text, want, 5));
    for (int i = 0; i < NAMES; i++) {
        const struct thing *thing = directory->child[i];
        const char name[2] = {(char)('a' + i), 0};
        wb_filestat facts;
        wb_fd inner;
        uint16_t error = b->path_filestat_get(self, fd, 0, name, 1, &facts);
        CHECK_INT(error, thing ? 0 : E(NOENT));
        CHECK_INT(seen >> i & 1, thing != NULL);
        if (!thing || error)
            continue;
        CHECK_INT(facts.filetype, thing->type);
        if (thing->type == WB_FILETYPE_SYMBOLIC_LINK)
            continue;
        CHECK_INT(open_with(fd, 0, name, 0,
                            READ | WB_RIGHTS_FD_SEEK | WB_RIGHTS_OF_DIRECTORY,
                            0, &inner),
                  0);
        if (thing->type == WB_FILETYPE_DIRECTORY) {
            int subdirectories = 0;
            for (int j = 0; j < NAMES; j++)
                subdirectories += thing->child[j] && thing->child[j]->type ==
                                                         WB_FILETYPE_DIRECTORY;
            CHECK_INT(facts.nlink, 2 + subdirectories);
            compare(inner, thing);
        } else {
            CHECK_INT(facts.nlink, thing->names);
            CHECK_INT(facts.size, thing->size);
            compare_bytes(inner, thing);
        }
        CHECK_INT(b->fd_close(self, inner), 0);
    }
}

/* After a call: 1 if it was done on the backing, and so is to be done on the
 * model. */
static int agree(uint16_t got, uint16_t want)
{
    if (got == E(NOSPC)) {
        failing++;
        fail_at = 0;
        compare(3, root);
        return 0;
    }
    CHECK_INT(got, want);
    return want == 0 && got == 0;
}

static void unname(struct thing **place)
{
    struct thing *thing = *place;
    *place = NULL;
    thing->names--;
    settle(thing);
}

static void name(struct thing **place, struct thing *thing,
                 struct thing *directory)
{
    *place = thing;
    thing->names++;
    if (thing->type == WB_FILETYPE_DIRECTORY)
        thing->parent = directory;
}

static void try_make(wb_filetype type)
{
    struct path path = some_path();
    struct thing *directory, **place;
    uint16_t want = find(root, &path, &directory, &place), got;
    if (!want && *place)
        want = E(EXIST);
    if (type == WB_FILETYPE_DIRECTORY)
        got = make_dir(path.text);
    else if (type == WB_FILETYPE_SYMBOLIC_LINK)
        got = make_link("nowhere/at/all/in/this/tree", path.text);
    else
        got = try_open(path.text, 0, WB_OFLAGS_CREAT | WB_OFLAGS_EXCL, WRITE);
    if (agree(got, want))
        name(place, make_thing(type), directory);
}

static void try_remove(int directories)
{
    struct path path = some_path();
    struct thing *directory, **place;
    uint16_t want = find(root, &path, &directory, &place);
    if (!want && !*place)
        want = E(NOENT);
    else if (!want && directories)
        want = (*place)->type != WB_FILETYPE_DIRECTORY ? E(NOTDIR)
               : is_empty(*place)                      ? 0
                                                       : E(NOTEMPTY);
    else if (!want && (*place)->type == WB_FILETYPE_DIRECTORY)
        want = E(ISDIR);
    if (agree(directories ? remove_dir(path.text) : unlink_file(path.text),
              want))
        unname(place);
}

static uint16_t want_rename(struct thing *from, struct thing *from_directory,
                            struct thing *to, struct thing *to_directory)
{
    int directory;
    if (!from)
        return E(NOENT);
    directory = from->type == WB_FILETYPE_DIRECTORY;
    if (directory && is_below(to_directory, from))
        return E(INVAL);
    if (!to || to == from)
        return 0;
    if (to->type == WB_FILETYPE_DIRECTORY)
        return is_below(from_directory, to) ? E(NOTEMPTY)
               : !directory                 ? E(ISDIR)
               : is_empty(to)               ? 0
                                            : E(NOTEMPTY);
    return directory ? E(NOTDIR) : 0;
}

static void try_rename(void)
{
    struct path from = some_path(), to = some_path();
    struct thing *from_directory, *to_directory = NULL;
    struct thing **from_place, **to_place = NULL;
    uint16_t want = find(root, &from, &from_directory, &from_place);
    if (!want)
        want = find(root, &to, &to_directory, &to_place);
    if (!want)
        want = want_rename(*from_place, from_directory, *to_place,
                           to_directory);
    if (!agree(rename_path(from.text, to.text), want) ||
        *from_place == *to_place)
        return;
    if (*to_place)
        unname(to_place);
    name(to_place, *from_place, to_directory);
    unname(from_place);
}

static void try_link(void)
{
    struct path from = some_path(), to = some_path();
    struct thing *directory, **from_place, **to_place = NULL;
    uint16_t want = find(root, &from, &directory, &from_place);
    if (!want && !*from_place)
        want = E(NOENT);
    if (!want)
        want = find(root, &to, &directory, &to_place);
    if (!want)
        want = *to_place                                      ? E(EXIST)
               : (*from_place)->type == WB_FILETYPE_DIRECTORY ? E(PERM)
                                                              : 0;
    if (agree(link_path(from.text, to.text), want))
        name(to_place, *from_place, directory);
}

/* Change the bytes of a held file: a write that is cut short has written that
 * much, and one that fails nothing. */
static void try_change(void)
{
    static unsigned char bytes[MOST_BYTES];
    unsigned which = roll(HELD);
    struct thing *thing = held[which];
    wb_fd fd = held_fd[which];
    size_t offset = roll(roll(2) ? MOST_BYTES : 200), count = 0;
    size_t len = 1 + roll(roll(3) ? 50 : 3000);
    uint16_t error;
    if (!thing)
        return;
    if (len > MOST_BYTES - offset)
        len = MOST_BYTES - offset;
    switch (roll(4)) {
    case 0:
        CHECK_INT(b->fd_filestat_set_size(self, fd, offset), 0);
        if (offset < thing->size)
            memset(thing->bytes + offset, 0, thing->size - offset);
        thing->size = offset;
        break;
    case 1:
        error = b->fd_allocate(self, fd, offset, len);
        if (agree(error, 0) && offset + len > thing->size)
            thing->size = offset + len;
        break;
    default:
        memset(bytes, (int)roll(256), len);
        error = pwrite_bytes(fd, bytes, len, offset, &count);
        if (agree(error, 0)) {
            CHECK(count > 0 && count <= len);
            memcpy(thing->bytes + offset, bytes, count);
            if (offset + count > thing->size)
                thing->size = offset + count;
        }
    }
    compare_bytes(fd, thing);
}

/* Close a held file, and hold another one. */
static void try_hold(void)
{
    struct path path = some_path();
    struct thing *directory, **place;
    unsigned which = roll(HELD);
    if (held[which]) {
        compare_bytes(held_fd[which], held[which]);
        CHECK_INT(b->fd_close(self, held_fd[which]), 0);
        held[which]->held--;
        settle(held[which]);
        held[which] = NULL;
    }
    if (find(root, &path, &directory, &place) || !*place ||
        (*place)->type != WB_FILETYPE_REGULAR_FILE)
        return;
    held_fd[which] = must_open(path.text, 0);
    held[which] = *place;
    held[which]->held++;
}

static void run(uint64_t seed, int steps, int faults)
{
    state = seed;
    failing = 0;
    memset(held, 0, sizeof held);
    root = make_thing(WB_FILETYPE_DIRECTORY);
    root->names = 1;
    /* So many descriptors that the table never grows again. */
    for (int i = 0; i < 16; i++)
        must_open(".", WB_OFLAGS_DIRECTORY);
    for (wb_fd fd = 4; fd < 20; fd++)
        CHECK_INT(b->fd_close(self, fd), 0);
    for (int i = 0; i < steps && failures < 20; i++) {
        unsigned what = roll(20);
        snprintf(row, sizeof row, "seed %llu, step %d, call %u",
                 (unsigned long long)seed, i, what);
        fail_at = 0;
        allocations = 0;
        if (faults && what < 12)
            fail_at = 1 + (long)roll(4);
        if (what < 3)
            try_make(WB_FILETYPE_REGULAR_FILE);
        else if (what < 5)
            try_make(WB_FILETYPE_DIRECTORY);
        else if (what < 6)
            try_make(WB_FILETYPE_SYMBOLIC_LINK);
        else if (what < 8)
            try_rename();
        else if (what < 9)
            try_link();
        else if (what < 13)
            try_change();
        else if (what < 15)
            try_remove(0);
        else if (what < 16)
            try_remove(1);
        else
            try_hold();
        fail_at = 0;
        if (i % 100 == 0)
            compare(3, root);
    }
    compare(3, root);
    for (int i = 0; i < HELD; i++) {
        if (held[i]) {
            held[i]->held--;
            settle(held[i]);
        }
    }
    remove_things(root);
    root->names = 0;
    settle(root);
}

TEST(random_calls_agree_with_the_model)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin();
        run(seed, 1500, 0);
        CHECK_INT(failing, 0);
        end();
    }
}

TEST(random_calls_agree_when_memory_fails_now_and_then)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin();
        run(seed, 1500, 1);
        CHECK(failing > 20);
        end();
    }
}

TEST(random_calls_agree_in_arenas_of_any_size)
{
    static const size_t sizes[] = {5000, 6001, 8192, 12347, 16384, 40000};
    static char memory[40001];
    for (size_t i = 0; i < LEN(sizes); i++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            prepare();
            options.allocator = NULL;
            options.arena = memory + seed % 2;
            options.arena_len = sizes[i];
            init();
            if (!self)
                continue;
            run(seed, 1500, 0);
            if (sizes[i] < 10000)
                CHECK(failing > 0);
            end();
        }
    }
}

/* ---- each allocation in turn -------------------------------------------- */

/* Everything that allocates, once. */
static void everything(void)
{
    wb_fd fd = 0;
    size_t count = 0;
    char many[700];
    memset(many, 'm', sizeof many);
    make_dir("dir");
    make_link("dir", "link");
    if (!open_with(3, FOLLOW, "link/file", WB_OFLAGS_CREAT, WB_RIGHTS_OF_FILE,
                   0, &fd)) {
        write_bytes(fd, many, 10, &count);
        write_bytes(fd, many, sizeof many, &count);
        pwrite_bytes(fd, many, 10, 1 << 20, &count);
        b->fd_allocate(self, fd, 5000, 3000);
        b->fd_close(self, fd);
    }
    link_path("dir/file", "second");
    rename_path("second", "dir/third");
    rename_path("dir", "moved");
    for (char c = 'a'; c < 'z'; c++) {
        const char path[] = {c, 0};
        make_dir(path);
    }
    for (char c = 'a'; c < 'z'; c++) {
        const char path[] = {c, 0};
        remove_dir(path);
    }
    for (int i = 0; i < 30; i++)
        open_with(3, FOLLOW, ".", 0, READ, 0, &fd);
}

TEST(any_single_allocation_may_fail)
{
    long n = 0;
    do {
        n++;
        snprintf(row, sizeof row, "allocation %ld", n);
        prepare();
        fail_at = n;
        if (b->context_init(&options, &self)) {
            CHECK(self == NULL && error_text[0]);
            CHECK_INT(outstanding, 0);
            continue;
        }
        everything();
        CHECK_INT(stat_of(".", 0, &(wb_filestat){0}), 0);
        end();
    } while (allocations >= n && failures < 20);
    CHECK(n > 40);
}

/* ---- full --------------------------------------------------------------- */

TEST(a_full_arena_is_whole_again_after_removing)
{
    static char memory[30000];
    static char bytes[1000];
    size_t first = 0, again = 0, count;
    prepare();
    options.allocator = NULL;
    options.arena = memory;
    options.arena_len = sizeof memory;
    init();
    memset(bytes, 'b', sizeof bytes);
    wb_fd fd = must_open("file", WB_OFLAGS_CREAT);
    while (!write_bytes(fd, bytes, sizeof bytes, &count))
        first += count;
    CHECK_INT(write_bytes(fd, bytes, sizeof bytes, &count), E(NOSPC));
    CHECK(first > 20000);
    /* Full, but not stuck. */
    CHECK_INT(b->fd_filestat_set_size(self, fd, 0), 0);
    for (int i = 0; i < 1000; i++) { /* fill with small things, remove them */
        char path[20];
        snprintf(path, sizeof path, "f%d", i);
        if (make_dir(path))
            break;
    }
    CHECK_INT(make_dir("one-more-directory-with-a-long-name"), E(NOSPC));
    for (int i = 0; i < 1000; i++) {
        char path[20];
        snprintf(path, sizeof path, "f%d", i);
        remove_dir(path);
    }
    CHECK_INT(b->fd_seek(self, fd, 0, WB_WHENCE_SET, &(wb_filesize){0}), 0);
    while (!write_bytes(fd, bytes, sizeof bytes, &count))
        again += count;
    CHECK_INT(again, first);
    /* All or nothing: what does not fit leaves all room where it was. */
    CHECK_INT(b->fd_filestat_set_size(self, fd, 0), 0);
    CHECK_INT(b->fd_allocate(self, fd, 0, sizeof memory - 3000), E(NOSPC));
    CHECK_INT(b->fd_allocate(self, fd, 0, INT64_MAX), E(NOSPC));
    CHECK_INT(b->fd_seek(self, fd, 0, WB_WHENCE_SET, &(wb_filesize){0}), 0);
    again = 0;
    while (!write_bytes(fd, bytes, sizeof bytes, &count))
        again += count;
    CHECK_INT(again, first);
    end();
}

TEST(arenas_that_are_too_small_are_refused)
{
    static char memory[5000];
    int made = 0;
    for (size_t size = 0; size < sizeof memory; size += 7) {
        uint16_t error;
        prepare();
        options.allocator = NULL;
        options.arena = memory;
        options.arena_len = size;
        error = b->context_init(&options, &self);
        snprintf(row, sizeof row, "%zu bytes", size);
        CHECK(!made || !error); /* what is enough stays enough */
        made |= !error;
        if (error)
            CHECK(error_text[0] && !self);
        b->context_destroy(self);
    }
    CHECK(made);
}

TEST(max_bytes_is_a_limit)
{
    static const struct wb_extra some = {"max_bytes", "100000"};
    static const struct wb_extra bad[] = {
        {"max_bytes", ""}, {"max_bytes", "0"}, {"max_bytes", "12k"},
        {"max_bytes", "99999999999999999999"}, {"bytes", "1"},
    };
    static char bytes[200000];
    size_t count;
    prepare();
    options.extras_len = 1;
    for (size_t i = 0; i < LEN(bad); i++) {
        options.extras = &bad[i];
        CHECK_INT(b->context_init(&options, &self), E(INVAL));
    }
    options.allocator = NULL;
    options.extras = &some;
    init();
    wb_fd fd = must_open("file", WB_OFLAGS_CREAT);
    CHECK_INT(write_bytes(fd, bytes, sizeof bytes, &count), 0);
    CHECK(count > 80000 && count < 100000);
    CHECK_INT(write_bytes(fd, bytes, sizeof bytes, &count), E(NOSPC));
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
