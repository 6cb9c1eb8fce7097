/* fd_readdir: entries are packed one behind the other, and the last is cut where
 * the guest's buffer ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

enum { BUF = 256, RESULT = 64 };

static const struct probe_dirent entries[] = {
    {{.d_next = 0x0102030405060708, .d_ino = 0xf1f2f3f4f5f6f7f8,
      .d_namlen = 3, .d_type = WB_FILETYPE_DIRECTORY}, "abc"},
    {{.d_next = 2, .d_ino = 0, .d_namlen = 1, .d_type = 0}, "d"},
    {{.d_next = 3, .d_ino = 4, .d_namlen = 2, .d_type = 7}, "\xc3\xa4"},
};

static const uint8_t image[] = {
    8, 7, 6, 5, 4, 3, 2, 1, 0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1,
    3, 0, 0, 0, 3, 0, 0, 0, 'a', 'b', 'c',
    2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 0, 0, 0, 0, 'd',
    3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
    2, 0, 0, 0, 7, 0, 0, 0, 0xc3, 0xa4,
};

static struct world *begin(const struct probe_dirent *dirents, size_t count)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.dirents = dirents;
    world->probe.dirents_len = count;
    return world;
}

static uint32_t readdir(struct world *world, uint32_t room)
{
    world_fresh(world);
    return WORLD_CALL(world, WB_CALL_fd_readdir, 3, BUF, room, 0, RESULT);
}

static void entries_are_cut_at_every_byte(void)
{
    struct world *world = begin(entries, 3);

    for (uint32_t room = 0; room < sizeof(image) + 3; room++) {
        uint32_t used = room < sizeof(image) ? room : sizeof(image);

        check_row("room for %u", (unsigned)room);
        CHECK_EQ(readdir(world, room), 0);
        CHECK_EQ(world_get32(world, RESULT), used);
        memcpy(world->before + BUF, image, used);
        memcpy(world->before + RESULT, world->call.memory + RESULT, 4);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void the_backing_is_stopped_when_the_buffer_is_full(void)
{
    static const struct {
        uint32_t room;
        unsigned added, refused;
    } rows[] = {
        {0, 0, 1}, {1, 0, 1}, {26, 0, 1}, {27, 0, 1}, {28, 1, 1}, {52, 1, 1},
        {53, 2, 1}, {78, 2, 1}, {79, 3, 0},
    };
    struct world *world = begin(entries, 3);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row("room for %u", (unsigned)rows[i].room);
        CHECK_EQ(readdir(world, rows[i].room), 0);
        CHECK_EQ(world->probe.added, rows[i].added);
        CHECK_EQ(world->probe.refused, rows[i].refused);
    }
    world_close(world);
}

/* A backing that goes on adding when it was told to stop. */
static uint16_t deaf_fd_readdir(void *self, wb_fd fd, wb_dircookie cookie,
                                struct wb_dirent_sink *sink)
{
    (void)self, (void)fd, (void)cookie;
    for (int i = 0; i < 100; i++)
        sink->add(sink, &entries[0].entry, entries[0].name);
    return WB_ERRNO_SUCCESS;
}

static void entries_behind_a_full_buffer_are_dropped(void)
{
    struct wb_backing table = probe_backing;
    const struct wb_backing *stack = &table;
    struct world *world = begin(entries, 0);

    table.fd_readdir = deaf_fd_readdir;
    wb_guest_close(&world->guest);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, &stack, 1), 0);
    CHECK_EQ(readdir(world, 40), 0);
    CHECK_EQ(world_get32(world, RESULT), 40);
    CHECK_BYTES(world->call.memory + BUF, image, 27);
    CHECK_BYTES(world->call.memory + BUF + 27, image, 13);
    CHECK_EQ(world->call.memory[BUF + 40], '?');
    world_close(world);
}

static void names_that_are_not_utf_8_are_skipped_and_counted(void)
{
    static const struct probe_dirent odd[] = {
        {{.d_next = 1, .d_namlen = 1}, "\xff"},
        {{.d_next = 2, .d_namlen = 1}, "x"},
        {{.d_next = 3, .d_namlen = 3}, "a\0b"},
        {{.d_next = 4, .d_namlen = 2}, "\xc3\xa4"},
        {{.d_next = 5, .d_namlen = 1}, "\xc3\xa4"},
    };
    struct world *world = begin(odd, 5);

    CHECK_EQ(world->guest.names_skipped, 0);
    CHECK_EQ(readdir(world, 200), 0);
    CHECK_EQ(world_get32(world, RESULT), 25 + 26);
    CHECK_EQ(world->call.memory[BUF], 2);
    CHECK_EQ(world->call.memory[BUF + 25], 4);
    CHECK_EQ(world->guest.names_skipped, 3);
    CHECK_EQ(readdir(world, 200), 0);
    CHECK_EQ(world->guest.names_skipped, 6);
    world_close(world);
}

static void the_end_of_a_directory_is_0_bytes(void)
{
    struct world *world = begin(entries, 0);

    CHECK_EQ(readdir(world, 200), 0);
    CHECK_EQ(world_get32(world, RESULT), 0);
    world_changed_only(world, RESULT, 4);
    world_close(world);
}

static void bufused_is_stored_last_and_only_on_success(void)
{
    struct world *world = begin(entries, 3);

    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_readdir, 3, BUF, 27, 0, BUF + 24), 0);
    CHECK_BYTES(world->call.memory + BUF, image, 24);
    CHECK_EQ(world_get32(world, BUF + 24), 27);
    world->probe.answer = WB_ERRNO_IO;
    CHECK_EQ(readdir(world, 27), WB_ERRNO_IO);
    CHECK_BYTES(world->call.memory + RESULT, "????", 4);
    world_close(world);
}

static void a_very_long_name_is_cut_like_any_other(void)
{
    struct probe_dirent entry = {{.d_next = 1, .d_namlen = 70000}, NULL};
    char *name = malloc(70000);
    struct world *world;

    CHECK_EQ(name != NULL, 1);
    if (!name)
        return;
    memset(name, 'n', 70000);
    entry.name = name;
    world = begin(&entry, 1);
    CHECK_EQ(readdir(world, 100), 0);
    CHECK_EQ(world_get32(world, RESULT), 100);
    CHECK_EQ(world_get32(world, BUF + 16), 70000);
    CHECK_EQ(world->call.memory[BUF + 99], 'n');
    CHECK_EQ(world->call.memory[BUF + 100], '?');
    world_close(world);
    free(name);
}

static const struct check_test readdir_tests[] = {
    CHECK_TEST(entries_are_cut_at_every_byte),
    CHECK_TEST(the_backing_is_stopped_when_the_buffer_is_full),
    CHECK_TEST(entries_behind_a_full_buffer_are_dropped),
    CHECK_TEST(names_that_are_not_utf_8_are_skipped_and_counted),
    CHECK_TEST(the_end_of_a_directory_is_0_bytes),
    CHECK_TEST(bufused_is_stored_last_and_only_on_success),
    CHECK_TEST(a_very_long_name_is_cut_like_any_other),
};
CHECK_SUITE(readdir);
