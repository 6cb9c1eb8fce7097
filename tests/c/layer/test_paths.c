/* Paths going in, and names coming out: what is text, what is not, and how long
 * it may be.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

/* What Unicode's table 3-7 allows and refuses, at each of its borders. */
static const struct {
    const char *bytes;
    size_t length;
    wb_errno error;
} texts[] = {
    {TEXT("a"), 0},
    {TEXT("\x01"), 0},
    {TEXT("\x7f"), 0},
    {TEXT(".."), 0},
    {TEXT("/"), 0},
    {TEXT("a b\n"), 0},
    /* NUL, wherever it is. */
    {TEXT("\0"), WB_ERRNO_INVAL},
    {TEXT("\0a"), WB_ERRNO_INVAL},
    {TEXT("a\0"), WB_ERRNO_INVAL},
    {TEXT("1234567\0"), WB_ERRNO_INVAL},
    {TEXT("\0" "1234567"), WB_ERRNO_INVAL},
    {TEXT("12345678\0"), WB_ERRNO_INVAL},
    {TEXT("1234567890\0ab"), WB_ERRNO_INVAL},
    {TEXT("\x01\0\x01\x01\x01\x01\x01\x01"), WB_ERRNO_INVAL},
    /* What comes first is reported. */
    {TEXT("\xff\0"), WB_ERRNO_ILSEQ},
    {TEXT("\0\xff"), WB_ERRNO_INVAL},
    /* 80..BF cannot lead. */
    {TEXT("\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xbf"), WB_ERRNO_ILSEQ},
    {TEXT("1234567\x80"), WB_ERRNO_ILSEQ},
    {TEXT("12345678\x80"), WB_ERRNO_ILSEQ},
    /* Two bytes: C2..DF 80..BF. */
    {TEXT("\xc0\x80"), WB_ERRNO_ILSEQ}, /* an overlong NUL */
    {TEXT("\xc0\xaf"), WB_ERRNO_ILSEQ}, /* an overlong slash */
    {TEXT("\xc1\xbf"), WB_ERRNO_ILSEQ},
    {TEXT("\xc2\x80"), 0},
    {TEXT("\xdf\xbf"), 0},
    {TEXT("\xc2\x7f"), WB_ERRNO_ILSEQ},
    {TEXT("\xc2\xc0"), WB_ERRNO_ILSEQ},
    {TEXT("\xc2"), WB_ERRNO_ILSEQ},
    {TEXT("a\xdf"), WB_ERRNO_ILSEQ},
    {TEXT("\xc2" "a"), WB_ERRNO_ILSEQ},
    /* Three bytes: E0 A0..BF, E1..EC and EE..EF 80..BF, ED 80..9F. */
    {TEXT("\xe0\x80\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xe0\x9f\xbf"), WB_ERRNO_ILSEQ},
    {TEXT("\xe0\xa0\x80"), 0},
    {TEXT("\xe0\xbf\xbf"), 0},
    {TEXT("\xe0\xc0\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xe1\x80\x80"), 0},
    {TEXT("\xe1\x7f\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xe1\x80\x7f"), WB_ERRNO_ILSEQ},
    {TEXT("\xe1\x80\xc0"), WB_ERRNO_ILSEQ},
    {TEXT("\xec\xbf\xbf"), 0},
    {TEXT("\xed\x80\x80"), 0},
    {TEXT("\xed\x9f\xbf"), 0},
    {TEXT("\xed\xa0\x80"), WB_ERRNO_ILSEQ}, /* the first surrogate */
    {TEXT("\xed\xbf\xbf"), WB_ERRNO_ILSEQ}, /* the last one */
    {TEXT("\xee\x80\x80"), 0},
    {TEXT("\xef\xbf\xbd"), 0},
    {TEXT("\xef\xbf\xbf"), 0},
    {TEXT("\xe2\x82"), WB_ERRNO_ILSEQ},
    {TEXT("\xe2"), WB_ERRNO_ILSEQ},
    {TEXT("123456\xe2\x82"), WB_ERRNO_ILSEQ},
    /* Four bytes: F0 90..BF, F1..F3 80..BF, F4 80..8F. */
    {TEXT("\xf0\x80\x80\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x8f\xbf\xbf"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90\x80\x80"), 0},
    {TEXT("\xf0\xbf\xbf\xbf"), 0},
    {TEXT("\xf1\x80\x80\x80"), 0},
    {TEXT("\xf3\xbf\xbf\xbf"), 0},
    {TEXT("\xf4\x80\x80\x80"), 0},
    {TEXT("\xf4\x8f\xbf\xbf"), 0},
    {TEXT("\xf4\x90\x80\x80"), WB_ERRNO_ILSEQ}, /* above U+10FFFF */
    {TEXT("\xf5\x80\x80\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90\x7f\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90\x80\x7f"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90\x80\xc0"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0\x90"), WB_ERRNO_ILSEQ},
    {TEXT("\xf0"), WB_ERRNO_ILSEQ},
    {TEXT("1234567\xf0\x90\x80"), WB_ERRNO_ILSEQ},
    {TEXT("\xfe"), WB_ERRNO_ILSEQ},
    {TEXT("\xff"), WB_ERRNO_ILSEQ},
    /* Across the borders of a word. */
    {TEXT("1234567\xc3\xa4" "1234567"), 0},
    {TEXT("12345\xf0\x9f\x98\x80" "123456"), 0},
    {TEXT("1234567\xf0\x9f\x98\x80" "\xc3\xa4"), 0},
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

/* Run a text as each path of each call: the one, with the others good. */
static void each_path(struct world *world, const char *bytes, size_t length,
                      wb_errno error)
{
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        for (const struct good_region *region = good->regions; region->element;
             region++) {
            uint64_t args[9];
            uint32_t outcome;

            if (region->kind != GOOD_TEXT)
                continue;
            memcpy(args, good->args, sizeof(args));
            args[region->arg] = WORLD_SIZE - length;
            args[region->count] = length;
            good_prepare(world);
            good_place(world, good, args);
            memcpy(world->call.memory + WORLD_SIZE - length, bytes, length);
            world_keep(world);
            outcome = world_invoke(world, good->id, args);
            if (error) {
                CHECK_EQ(outcome, error);
                world_untouched(world);
            } else {
                CHECK_EQ(world->probe.calls, outcome == WB_ERRNO_SUCCESS);
            }
        }
    }
}

static void paths_are_utf_8_without_a_nul(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i].length > WB_MAX_PATH)
            continue;
        check_row("text %zu, '%s'", i, texts[i].bytes);
        each_path(world, texts[i].bytes, texts[i].length, texts[i].error);
    }
    world_close(world);
}

static void a_path_reaches_the_slot_as_it_is(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < TEXTS; i++) {
        char quoted[256] = "path_unlink_file 3 '";

        if (texts[i].error || texts[i].length > WB_MAX_PATH)
            continue;
        for (size_t j = 0; j < texts[i].length; j++) {
            unsigned char byte = (unsigned char)texts[i].bytes[j];
            size_t used = strlen(quoted);

            snprintf(quoted + used, sizeof(quoted) - used,
                     byte >= ' ' && byte < 0x7f ? "%c" : "\\x%02x", byte);
        }
        strcat(quoted, "'");
        world_fresh(world);
        memcpy(world->call.memory + 64, texts[i].bytes, texts[i].length);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_unlink_file, 3, 64,
                            texts[i].length), 0);
        CHECK_TEXT(world->probe.said, quoted);
    }
    world_close(world);
}

static void a_path_of_length_0_is_noent(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    each_path(world, "", 0, WB_ERRNO_NOENT);
    world_close(world);
}

static void a_path_longer_than_the_limit_is_nametoolong(void)
{
    struct world *world = world_open((size_t)2 * WB_MAX_PATH + WORLD_SIZE, 0);
    uint8_t *path = world->call.memory + 64;
    const uint32_t limit = 9;

    for (int limited = 0; limited < 2; limited++) {
        uint32_t most = limited ? limit : WB_MAX_PATH;

        world->guest.max_path = most;
        world_fresh(world);
        memset(path, 'p', (size_t)most + 1);
        world_keep(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_unlink_file, 3, 64, most), 0);
        CHECK_EQ(world->probe.calls, 1);
        probe_forget(&world->probe);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_unlink_file, 3, 64, most + 1),
                 WB_ERRNO_NAMETOOLONG);
        world_untouched(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_rename, 3, 64, most, 3, 64,
                            most + 1), WB_ERRNO_NAMETOOLONG);
        world_untouched(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_rename, 3, 64, most, 3, 64,
                            most), 0);
        CHECK_EQ(world->probe.calls, 1);
        probe_forget(&world->probe);
        /* Too long counts before what is in it. */
        path[0] = 0xff;
        world_keep(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_unlink_file, 3, 64, most + 1),
                 WB_ERRNO_NAMETOOLONG);
        world_untouched(world);
    }
    world_close(world);
}

static void two_paths_in_one_call_do_not_mix(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    world_put_text(world, 64, "one");
    world_put_text(world, 96, "another");
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_link, 3, 0, 64, 3, 4, 96, 7), 0);
    CHECK_TEXT(world->probe.said, "path_link 3 0 'one' 4 'another'");
    probe_forget(&world->probe);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_rename, 3, 96, 7, 4, 64, 3), 0);
    CHECK_TEXT(world->probe.said, "path_rename 3 'another' 4 'one'");
    probe_forget(&world->probe);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_symlink, 64, 3, 5, 96, 7), 0);
    CHECK_TEXT(world->probe.said, "path_symlink 'one' 5 'another'");
    world_close(world);
}

static void a_link_to_an_absolute_path_is_notcapable(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    world_put_text(world, 64, "/etc");
    world_keep(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_symlink, 64, 4, 3, 65, 3),
             WB_ERRNO_NOTCAPABLE);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_symlink, 64, 1, 3, 65, 3),
             WB_ERRNO_NOTCAPABLE);
    world_untouched(world);
    /* Where the link lies is the backing's to judge. */
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_symlink, 65, 3, 3, 64, 4), 0);
    CHECK_TEXT(world->probe.said, "path_symlink 'etc' 3 '/etc'");
    world_close(world);
}

static void a_links_target_is_cut_to_the_guests_buffer(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (uint32_t room = 0; room < 8; room++) {
        uint32_t used = room < 5 ? room : 5;

        check_row("room %u", (unsigned)room);
        good_prepare(world);
        world->probe.target = "where";
        world->probe.count = 5;
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_readlink, 3, 8, 1, 64, room,
                            128), 0);
        CHECK_EQ(world_get32(world, 128), used);
        CHECK_BYTES(world->call.memory + 64, "where", used);
        memset(world->before + 64, 0, used);
        memcpy(world->before + 64, "where", used);
        memcpy(world->before + 128, world->call.memory + 128, 4);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void a_links_target_that_is_not_utf_8_is_ilseq(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i].length > WB_MAX_PATH)
            continue;
        check_row("text %zu", i);
        good_prepare(world);
        world->probe.target = texts[i].bytes;
        world->probe.count = texts[i].length;
        /* Even if what is wrong is behind the guest's buffer. */
        CHECK_EQ(WORLD_CALL(world, WB_CALL_path_readlink, 3, 8, 1, 64, 1, 128),
                 texts[i].error);
        if (texts[i].error)
            CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void a_links_target_may_be_as_long_as_was_offered(void)
{
    struct world *world = world_open((size_t)WB_MAX_PATH + WORLD_SIZE, 0);
    char target[WB_MAX_PATH];

    good_prepare(world);
    memset(target, 't', sizeof(target));
    world->probe.target = target;
    world->probe.count = sizeof(target);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_readlink, 3, 8, 1, 64,
                        WB_MAX_PATH + 1, 16), 0);
    CHECK_EQ(world_get32(world, 16), WB_MAX_PATH);
    CHECK_BYTES(world->call.memory + 64, target, sizeof(target));
    CHECK_EQ(world->call.memory[64 + WB_MAX_PATH], '?');
    world_close(world);
}

static void a_links_target_longer_than_was_offered_is_io(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.count = (size_t)WB_MAX_PATH + 1;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_readlink, 3, 8, 1, 64, 8, 128),
             WB_ERRNO_IO);
    CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    world->probe.count = SIZE_MAX;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_readlink, 3, 8, 1, 64, 8, 128),
             WB_ERRNO_IO);
    CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    world_close(world);
}

static const struct check_test paths_tests[] = {
    CHECK_TEST(paths_are_utf_8_without_a_nul),
    CHECK_TEST(a_path_reaches_the_slot_as_it_is),
    CHECK_TEST(a_path_of_length_0_is_noent),
    CHECK_TEST(a_path_longer_than_the_limit_is_nametoolong),
    CHECK_TEST(two_paths_in_one_call_do_not_mix),
    CHECK_TEST(a_link_to_an_absolute_path_is_notcapable),
    CHECK_TEST(a_links_target_is_cut_to_the_guests_buffer),
    CHECK_TEST(a_links_target_that_is_not_utf_8_is_ilseq),
    CHECK_TEST(a_links_target_may_be_as_long_as_was_offered),
    CHECK_TEST(a_links_target_longer_than_was_offered_is_io),
};
CHECK_SUITE(paths);
