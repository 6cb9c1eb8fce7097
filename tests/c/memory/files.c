/* Files, directories and descriptors of the memory backing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory_test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

TEST(bytes_come_back_from_any_offset)
{
    static const wb_filesize offsets[] = {
        0, 1, 31, 32, 33, 4095, 4096, 4097, 262143, 262144, 1 << 24,
        ((wb_filesize)1 << 40) + 5, INT64_MAX - 3,
    };
    begin();
    for (size_t i = 0; i < LEN(offsets); i++) {
        char back[5] = "....";
        wb_filestat facts;
        size_t count = 0;
        wb_fd fd = must_open("file", WB_OFLAGS_CREAT | WB_OFLAGS_TRUNC);
        snprintf(row, sizeof row, "offset %llu",
                 (unsigned long long)offsets[i]);
        CHECK_INT(pwrite_bytes(fd, "abc", 3, offsets[i], &count), 0);
        CHECK_INT(count, 3);
        CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
        CHECK_INT(facts.size, offsets[i] + 3);
        CHECK_INT(pread_bytes(fd, back, offsets[i] < INT64_MAX - 4 ? 4 : 3,
                              offsets[i], &count),
                  0);
        CHECK_INT(count, 3);
        CHECK_TEXT(back, "abc.");
        if (offsets[i] >= 2) { /* what was not written is zero */
            CHECK_INT(pread_bytes(fd, back, 4, offsets[i] - 2, &count), 0);
            CHECK(!memcmp(back, "\0\0ab", 4));
        }
        CHECK_INT(b->fd_close(self, fd), 0);
    }
    end();
}

TEST(offsets_past_the_largest_are_refused)
{
    wb_filesize position;
    size_t count;
    wb_fd fd;
    begin();
    fd = must_open("file", WB_OFLAGS_CREAT);
    CHECK_INT(pwrite_bytes(fd, "abc", 3, INT64_MAX - 2, &count), E(INVAL));
    CHECK_INT(pwrite_bytes(fd, "abc", 3, UINT64_MAX, &count), E(INVAL));
    CHECK_INT(pread_bytes(fd, &count, 3, UINT64_MAX, &count), E(INVAL));
    CHECK_INT(b->fd_seek(self, fd, INT64_MAX, WB_WHENCE_SET, &position), 0);
    CHECK_INT(position, INT64_MAX);
    CHECK_INT(b->fd_seek(self, fd, 1, WB_WHENCE_CUR, &position), E(INVAL));
    CHECK_INT(b->fd_seek(self, fd, INT64_MIN, WB_WHENCE_CUR, &position),
              E(INVAL));
    CHECK_INT(write_bytes(fd, "a", 1, &count), E(INVAL));
    CHECK_INT(b->fd_seek(self, fd, -1, WB_WHENCE_SET, &position), E(INVAL));
    CHECK_INT(b->fd_tell(self, fd, &position), 0);
    CHECK_INT(position, INT64_MAX);
    CHECK_INT(b->fd_filestat_set_size(self, fd, UINT64_MAX), E(INVAL));
    CHECK_INT(b->fd_filestat_set_size(self, fd, INT64_MAX), 0);
    CHECK_INT(b->fd_allocate(self, fd, INT64_MAX, 1), E(INVAL));
    CHECK_INT(b->fd_allocate(self, fd, 0, 0), E(INVAL));
    CHECK_INT(b->fd_advise(self, fd, 0, UINT64_MAX, 0), E(INVAL));
    end();
}

TEST(append_writes_at_the_end_and_pwrite_does_not)
{
    wb_fd fd;
    size_t count;
    wb_filesize position;
    begin();
    put("file", "contents");
    CHECK_INT(open_with(3, FOLLOW, "file", 0, WB_RIGHTS_OF_FILE,
                        WB_FDFLAGS_APPEND, &fd),
              0);
    CHECK_INT(write_bytes(fd, "more", 4, &count), 0);
    CHECK_INT(b->fd_tell(self, fd, &position), 0);
    CHECK_INT(position, 12);
    CHECK_INT(pwrite_bytes(fd, "XX", 2, 0, &count), 0);
    CHECK_INT(b->fd_fdstat_set_flags(self, fd, 0), 0);
    CHECK_INT(b->fd_seek(self, fd, 4, WB_WHENCE_SET, &position), 0);
    CHECK_INT(write_bytes(fd, "_", 1, &count), 0);
    CHECK_TEXT(text_of("file"), "XXnt_ntsmore");
    end();
}

TEST(cutting_frees_and_extending_shows_zeros)
{
    static char block[3 * 4096 + 100], back[sizeof block];
    size_t count;
    wb_fd fd;
    begin();
    memset(block, 'x', sizeof block);
    fd = must_open("file", WB_OFLAGS_CREAT);
    long before = outstanding;
    CHECK_INT(write_bytes(fd, block, sizeof block, &count), 0);
    CHECK_INT(outstanding, before + 5); /* blocks, and what points to them */
    CHECK_INT(b->fd_filestat_set_size(self, fd, 4097), 0);
    CHECK_INT(outstanding, before + 3);
    CHECK_INT(b->fd_filestat_set_size(self, fd, 3 * 4096), 0);
    CHECK_INT(pread_bytes(fd, back, sizeof back, 0, &count), 0);
    CHECK_INT(count, 3 * 4096);
    memset(block + 4097, 0, sizeof block - 4097);
    CHECK(!memcmp(back, block, count));
    CHECK_INT(b->fd_filestat_set_size(self, fd, 0), 0);
    CHECK_INT(outstanding, before);
    CHECK_INT(b->fd_filestat_set_size(self, fd, (wb_filesize)1 << 50), 0);
    CHECK_INT(outstanding, before);
    CHECK_INT(pwrite_bytes(fd, "x", 1, (wb_filesize)1 << 49, &count), 0);
    CHECK(outstanding > before + 5);
    CHECK_INT(b->fd_filestat_set_size(self, fd, 5), 0);
    CHECK_INT(outstanding, before);
    end();
}

TEST(allocate_gives_storage_or_nothing)
{
    wb_filestat facts;
    size_t count;
    char zero[4] = "....";
    wb_fd fd;
    begin();
    put("file", "text");
    fd = must_open("file", 0);
    CHECK_INT(b->fd_allocate(self, fd, 10, 20000), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.size, 20010);
    CHECK_INT(b->fd_allocate(self, fd, 0, 5), 0);
    CHECK_INT(pread_bytes(fd, zero, 4, 9000, &count), 0);
    CHECK(!memcmp(zero, "\0\0\0", 4));
    CHECK_TEXT(text_of("file"), "text");
    /* Everything is there already: no memory is asked for. */
    fail_at = 1;
    allocations = 0;
    CHECK_INT(pwrite_bytes(fd, "abc", 3, 15000, &count), 0);
    CHECK_INT(allocations, 0);
    fail_at = 0;
    end();
}

TEST(a_removed_file_lasts_until_its_last_close)
{
    size_t count;
    char text[6] = {0};
    wb_fd one, two;
    begin();
    long before = outstanding;
    put("file", "hello");
    one = must_open("file", 0);
    two = must_open("file", 0);
    CHECK_INT(unlink_file("file"), 0);
    CHECK_INT(b->fd_close(self, one), 0);
    CHECK_INT(pread_bytes(two, text, 5, 0, &count), 0);
    CHECK_TEXT(text, "hello");
    put("file", "other");
    CHECK_INT(pread_bytes(two, text, 5, 0, &count), 0);
    CHECK_TEXT(text, "hello");
    CHECK_INT(unlink_file("file"), 0);
    CHECK_INT(b->fd_close(self, two), 0);
    CHECK_INT(outstanding, before);
    end();
}

TEST(times_follow_the_clock)
{
    wb_filestat facts, before;
    size_t count;
    char c;
    wb_fd fd;
    begin();
    fd = must_open("file", WB_OFLAGS_CREAT);
    CHECK_INT(b->fd_filestat_get(self, fd, &before), 0);
    CHECK(before.atim > 1000 && before.atim == before.mtim);
    CHECK_INT(write_bytes(fd, "ab", 2, &count), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK(facts.mtim > before.mtim && facts.ctim == facts.mtim);
    CHECK_INT(facts.atim, before.atim);
    CHECK_INT(pread_bytes(fd, &c, 1, 0, &count), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &before), 0);
    CHECK(before.atim > facts.mtim);
    CHECK_INT(pread_bytes(fd, &c, 1, 0, &count), 0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.atim, before.atim); /* no change since the last reading */
    CHECK_INT(b->fd_filestat_set_times(self, fd, 7, 8, WB_FSTFLAGS_ATIM), 0);
    CHECK_INT(b->fd_filestat_set_times(self, fd, 7, UINT64_MAX,
                                       WB_FSTFLAGS_MTIM),
              0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK_INT(facts.atim, 7);
    CHECK_INT(facts.mtim, UINT64_MAX);
    CHECK(facts.ctim > before.ctim && facts.ctim < 2000);
    CHECK_INT(b->fd_filestat_set_times(self, fd, 0, 0,
                                       WB_FSTFLAGS_MTIM_NOW),
              0);
    CHECK_INT(b->fd_filestat_get(self, fd, &facts), 0);
    CHECK(facts.mtim > 1000 && facts.mtim < 2000);
    /* A link has times of its own. */
    CHECK_INT(make_link("file", "link"), 0);
    CHECK_INT(b->path_filestat_set_times(self, 3, 0, "link", 4, 5, 6, 5), 0);
    CHECK_INT(stat_of("link", 0, &facts), 0);
    CHECK_INT(facts.atim, 5);
    CHECK_INT(stat_of("link", FOLLOW, &facts), 0);
    CHECK_INT(facts.atim, 7);
    end();
}

TEST(cookies_hold_while_names_come_and_go)
{
    struct names names;
    char name[12];
    wb_fd dir;
    begin();
    CHECK_INT(make_dir("dir"), 0);
    dir = must_open("dir", WB_OFLAGS_DIRECTORY);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "dir/%c", 'a' + i);
        put(name, "");
    }
    CHECK_INT(list(dir, 0, 7, &names), 0);
    CHECK_TEXT(names.text, ". .. a b c d e ");
    wb_dircookie after_e = names.next;
    /* The entry that the cookie came with goes, and all that was told. */
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "dir/%c", 'a' + i);
        CHECK_INT(unlink_file(name), 0);
    }
    put("dir/e", "");
    CHECK_INT(list(dir, after_e, 3, &names), 0);
    CHECK_TEXT(names.text, "h i j ");
    for (int i = 8; i < 19; i++) { /* few are left: slots move together */
        snprintf(name, sizeof name, "dir/%c", 'a' + i);
        CHECK_INT(unlink_file(name), 0);
    }
    CHECK_INT(list(dir, after_e, 99, &names), 0);
    CHECK_TEXT(names.text, "h t e ");
    /* Renaming over a name leaves it in its place. */
    put("dir/new", "");
    CHECK_INT(rename_path("dir/new", "dir/h"), 0);
    CHECK_INT(list(dir, after_e, 99, &names), 0);
    CHECK_TEXT(names.text, "h t e ");
    CHECK_INT(list(dir, names.next, 99, &names), 0);
    CHECK_TEXT(names.text, "");
    CHECK_INT(list(dir, INT64_MAX, 99, &names), 0);
    CHECK_TEXT(names.text, "");
    CHECK_INT(list(dir, UINT64_MAX, 99, &names), E(INVAL));
    end();
}

TEST(dots_are_listed_with_their_inodes)
{
    struct names names;
    wb_filestat facts;
    begin();
    CHECK_INT(make_dir("dir"), 0);
    wb_fd dir = must_open("dir", WB_OFLAGS_DIRECTORY);
    CHECK_INT(list(dir, 0, 1, &names), 0);
    CHECK_INT(stat_of("dir", 0, &facts), 0);
    CHECK_INT(names.ino, facts.ino);
    CHECK_INT(list(dir, names.next, 1, &names), 0);
    CHECK_TEXT(names.text, ".. ");
    CHECK_INT(stat_of(".", 0, &facts), 0);
    CHECK_INT(names.ino, facts.ino);
    /* A preopen's is its own: what is above is not the guest's to see. */
    CHECK_INT(list(3, 1, 1, &names), 0);
    CHECK_INT(names.ino, facts.ino);
    end();
}

TEST(a_hundred_thousand_names_in_one_directory)
{
    const int many = 100000;
    struct names names;
    wb_dircookie cookie = 0;
    char name[16];
    long told = 0;
    clock_t start = clock();
    begin();
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof name, "name%d", i);
        CHECK_INT(make_link("x", name), 0);
    }
    for (;;) { /* a few at a time, as with a small buffer */
        CHECK_INT(list(3, cookie, 10, &names), 0);
        if (names.count == 0)
            break;
        told += (long)names.count;
        cookie = names.next;
    }
    CHECK_INT(told, many + 2);
    for (int i = 0; i < many; i += 2) {
        snprintf(name, sizeof name, "name%d", i);
        CHECK_INT(unlink_file(name), 0);
    }
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof name, "name%d", i);
        CHECK_INT(exists(name), i % 2);
    }
    end();
    /* Were any of it quadratic, it would take minutes. */
    CHECK((clock() - start) / CLOCKS_PER_SEC < 20);
}

TEST(a_tree_of_any_depth_comes_down_again)
{
    wb_fd fd = 3, next;
    begin();
    for (int i = 0; i < 50000; i++) {
        CHECK_INT(b->path_create_directory(self, fd, "d", 1), 0);
        CHECK_INT(open_with(fd, 0, "d", WB_OFLAGS_DIRECTORY,
                            WB_RIGHTS_OF_DIRECTORY, 0, &next),
                  0);
        if (fd != 3)
            CHECK_INT(b->fd_close(self, fd), 0);
        fd = next;
    }
    end();
}

TEST(descriptors_are_the_lowest_free_numbers)
{
    wb_filesize position;
    wb_fd fd;
    prepare();
    options.max_fds = 100;
    init();
    put("file", "hello");
    for (wb_fd want = 4; want < 100; want++)
        CHECK_INT(must_open("file", 0), want);
    CHECK_INT(open_with(3, 0, "file", 0, READ, 0, &fd), E(NFILE));
    CHECK_INT(open_with(3, 0, "new", WB_OFLAGS_CREAT, READ, 0, &fd),
              E(NFILE));
    CHECK(!exists("new"));
    CHECK_INT(b->fd_close(self, 50), 0);
    CHECK_INT(b->fd_close(self, 7), 0);
    CHECK_INT(b->fd_close(self, 7), E(BADF));
    CHECK_INT(must_open("file", 0), 7);
    CHECK_INT(must_open("file", 0), 50);
    CHECK_INT(b->fd_seek(self, 99, 3, WB_WHENCE_SET, &position), 0);
    CHECK_INT(b->fd_renumber(self, 99, 8), 0);
    CHECK_INT(b->fd_tell(self, 8, &position), 0);
    CHECK_INT(position, 3);
    CHECK_INT(b->fd_tell(self, 99, &position), E(BADF));
    CHECK_INT(b->fd_renumber(self, 99, 8), E(BADF));
    CHECK_INT(b->fd_renumber(self, 8, 99), E(BADF));
    CHECK_INT(b->fd_renumber(self, 8, 8), 0);
    CHECK_INT(b->fd_renumber(self, UINT32_MAX, 8), E(BADF));
    CHECK_INT(b->fd_renumber(self, 8, 3), 0);
    CHECK_INT(open_with(3, 0, "file", 0, READ, 0, &fd), E(NOTDIR));
    end();
}

TEST(rights_are_kept_and_checked)
{
    wb_fdstat stat;
    size_t count;
    char c;
    wb_fd fd;
    begin();
    put("file", "hello");
    CHECK_INT(open_with(3, 0, "file", 0, READ, 0, &fd), 0);
    CHECK_INT(b->fd_fdstat_get(self, fd, &stat), 0);
    CHECK_INT(stat.fs_rights_base, READ);
    CHECK_INT(stat.fs_filetype, WB_FILETYPE_REGULAR_FILE);
    CHECK_INT(write_bytes(fd, "a", 1, &count), E(NOTCAPABLE));
    CHECK_INT(pread_bytes(fd, &c, 1, 0, &count), E(NOTCAPABLE)); /* no seek */
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, READ | WRITE, 0),
              E(NOTCAPABLE));
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, 0, 0), 0);
    CHECK_INT(b->fd_allocate(self, fd, 0, 1), E(NOTCAPABLE));
    CHECK_INT(b->fd_fdstat_set_rights(self, 3, WB_RIGHTS_PATH_OPEN, READ), 0);
    CHECK_INT(b->path_create_directory(self, 3, "dir", 3), E(NOTCAPABLE));
    CHECK_INT(open_with(3, 0, "file", 0, READ, 0, &fd), E(NOTCAPABLE));
    CHECK_INT(b->path_open(self, 3, 0, "file", 4, 0, READ, READ, 0, &fd), 0);
    end();

    prepare();
    options.flags = WB_OPTIONS_IGNORE_RIGHTS;
    init();
    put("file", "hello");
    CHECK_INT(open_with(3, 0, "file", 0, 0, 0, &fd), 0);
    CHECK_INT(b->fd_fdstat_set_rights(self, fd, 0, 0), E(NOTSUP));
    CHECK_INT(pread_bytes(fd, &c, 1, 0, &count), 0);
    CHECK_INT(write_bytes(fd, "a", 1, &count), E(BADF));
    CHECK_INT(b->fd_allocate(self, fd, 0, 1), E(BADF));
    CHECK_INT(b->fd_filestat_set_size(self, fd, 1), E(INVAL));
    CHECK_INT(b->sock_shutdown(self, fd, 1), E(NOTSOCK));
    CHECK_INT(b->sock_shutdown(self, 99, 1), E(BADF));
    end();
}

/* ---- an image ----------------------------------------------------------- */

static char flash[10000];

TEST(an_image_is_read_in_place_and_copied_by_the_block)
{
    static const struct mem_image_entry entries[] = {
        {"etc", MEM_IMAGE_DIRECTORY, NULL, 0, 11},
        {"etc/data", MEM_IMAGE_FILE, flash, sizeof flash, 12},
        {"etc/small", MEM_IMAGE_FILE, "0123456789", 10, 13},
        {"link", MEM_IMAGE_LINK, "etc/small", 9, 14},
    };
    static const struct mem_image_entry orphan = {"no/way", MEM_IMAGE_FILE,
                                                  "", 0, 0};
    const struct mem_image image = {sizeof image, 0, entries, LEN(entries)};
    const struct mem_image wrong = {sizeof wrong, 0, &orphan, 1};
    static char back[sizeof flash];
    wb_filestat facts;
    size_t count;
    for (size_t i = 0; i < sizeof flash; i++)
        flash[i] = (char)(i * 7 + i / 256);
    begin();
    CHECK_INT(mem_image_load(self, &image, "/root"), 0);
    CHECK_INT(mem_image_load(self, &image, "/root"), E(EXIST));
    CHECK_INT(mem_image_load(self, &wrong, "/root"), E(INVAL));
    CHECK_TEXT(text_of("link"), "0123456789");
    CHECK_INT(stat_of("etc/data", 0, &facts), 0);
    CHECK_INT(facts.size, sizeof flash);
    CHECK_INT(facts.mtim, 12);
    long before = outstanding;
    wb_fd fd = must_open("etc/data", 0);
    CHECK_INT(pread_bytes(fd, back, sizeof back, 0, &count), 0);
    CHECK_INT(count, sizeof flash);
    CHECK(!memcmp(back, flash, sizeof flash));
    CHECK_INT(outstanding, before); /* nothing was copied */
    CHECK_INT(pwrite_bytes(fd, "XYZ", 3, 5000, &count), 0);
    CHECK_INT(outstanding, before + 2); /* one block, and what points to it */
    CHECK_INT(pread_bytes(fd, back, sizeof back, 0, &count), 0);
    CHECK(!memcmp(back, flash, 5000) && !memcmp(back + 5000, "XYZ", 3) &&
          !memcmp(back + 5003, flash + 5003, sizeof flash - 5003));
    CHECK_INT(flash[5000], (char)(5000 * 7 + 5000 / 256));
    CHECK_INT(b->fd_filestat_set_size(self, fd, 100), 0);
    CHECK_INT(b->fd_filestat_set_size(self, fd, 200), 0);
    CHECK_INT(pread_bytes(fd, back, sizeof back, 0, &count), 0);
    CHECK(count == 200 && !memcmp(back, flash, 100) && back[100] == 0 &&
          !memcmp(back + 100, back + 101, 99));
    fd = must_open("etc/small", 0);
    CHECK_INT(pwrite_bytes(fd, "x", 1, 2, &count), 0);
    CHECK_TEXT(text_of("etc/small"), "01x3456789");
    end();
}

/* ---- waiting ------------------------------------------------------------ */

struct events {
    struct wb_event_sink sink;
    size_t count;
    wb_event last;
};

static uint16_t add_event(struct wb_event_sink *sink, const wb_event *event)
{
    struct events *events = (struct events *)sink;
    events->count++;
    events->last = *event;
    return 0;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

TEST(poll_waits_for_clocks_and_finds_files_ready)
{
    wb_subscription subscriptions[2] = {
        {.userdata = 1, .type = WB_EVENTTYPE_CLOCK},
        {.userdata = 2, .type = WB_EVENTTYPE_CLOCK},
    };
    struct events events = {.sink = {add_event}};
    prepare();
    options.clock = NULL;
    init();
    subscriptions[0].u.clock.id = subscriptions[1].u.clock.id =
        WB_CLOCKID_MONOTONIC;
    subscriptions[0].u.clock.timeout = 30 * 1000 * 1000;
    subscriptions[1].u.clock.timeout = UINT64_MAX;
    uint64_t start = now();
    clock_t work = clock();
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK(now() - start >= 30 * 1000 * 1000);
    CHECK(clock() - work < CLOCKS_PER_SEC / 100);
    CHECK_INT(events.count, 1);
    CHECK_INT(events.last.userdata, 1);
    CHECK_INT(events.last.error, 0);

    put("file", "hello");
    subscriptions[1].type = WB_EVENTTYPE_FD_READ;
    subscriptions[1].u.fd = must_open("file", 0);
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK_INT(events.count, 2);
    CHECK_INT(events.last.nbytes, 5);
    subscriptions[1].u.fd = 99;
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK_INT(events.last.error, E(BADF));
    subscriptions[1].type = WB_EVENTTYPE_CLOCK;
    subscriptions[1].u.clock.id = WB_CLOCKID_PROCESS_CPUTIME_ID;
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK_INT(events.last.error, E(INVAL));
    /* A time that has passed, and one that is near, of the time of day. */
    subscriptions[1].u.clock = (wb_subscription_clock){
        .id = WB_CLOCKID_REALTIME, .timeout = 1, .flags = 1};
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK_INT(events.last.userdata, 2);
    CHECK_INT(b->clock_time_get(self, WB_CLOCKID_REALTIME, 0,
                                &subscriptions[1].u.clock.timeout),
              0);
    subscriptions[1].u.clock.timeout += 20 * 1000 * 1000;
    start = now();
    CHECK_INT(b->poll_oneoff(self, subscriptions, 2, &events.sink), 0);
    CHECK_INT(events.last.userdata, 2);
    CHECK(now() - start >= 19 * 1000 * 1000);
    end();
}

static void *interrupt_soon(void *unused)
{
    struct timespec pause = {0, 30 * 1000 * 1000};
    nanosleep(&pause, NULL);
    b->interrupt(self);
    return unused;
}

TEST(interrupt_ends_a_wait_and_all_that_follow)
{
    wb_subscription never = {.type = WB_EVENTTYPE_CLOCK};
    struct events events = {.sink = {add_event}};
    int ends[2];
    pthread_t thread;
    size_t count;
    char c;
    CHECK_INT(pipe(ends), 0);
    prepare();
    options.stdio[0] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, ends[0], NULL};
    init();
    never.u.clock.id = WB_CLOCKID_MONOTONIC;
    never.u.clock.timeout = UINT64_MAX;
    wb_iovec span = {&c, 1};
    CHECK_INT(b->fd_fdstat_set_flags(self, 0, WB_FDFLAGS_NONBLOCK), 0);
    CHECK_INT(b->fd_read(self, 0, &span, 1, &count), E(AGAIN));
    CHECK_INT(b->fd_fdstat_set_flags(self, 0, 0), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(b->fd_read(self, 0, &span, 1, &count), 0);
    CHECK_INT(c, 'x');
    CHECK_INT(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    CHECK_INT(b->fd_read(self, 0, &span, 1, &count), WB_STOP_GUEST);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(b->poll_oneoff(self, &never, 1, &events.sink), WB_STOP_GUEST);
    end();
    close(ends[0]);
    close(ends[1]);
}

TEST(a_pipe_without_readers_is_an_error_and_no_signal)
{
    int ends[2];
    size_t count;
    CHECK_INT(pipe(ends), 0);
    prepare();
    options.stdio[1] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, ends[1], NULL};
    init();
    CHECK_INT(write_bytes(1, "x", 1, &count), 0);
    close(ends[0]);
    CHECK_INT(write_bytes(1, "x", 1, &count), E(PIPE));
    end();
    close(ends[1]);
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
