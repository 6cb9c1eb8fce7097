/* Arguments and environment: how strings are packed, and a backing that does not
 * keep to what it told.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

/* The two calls that differ in nothing but their name. */
static const uint32_t gets[] = {WB_CALL_args_get, WB_CALL_environ_get};
static const uint32_t sizes[] = {WB_CALL_args_sizes_get,
                                 WB_CALL_environ_sizes_get};

static void strings_are_packed_behind_pointers_to_them(void)
{
    static const char *const strings[] = {"prog", "", "\xc3\xa4=b"};
    static const uint8_t pointers[12] = {0, 4, 0, 0, 5, 4, 0, 0, 6, 4, 0, 0};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 2; i++) {
        good_prepare(world);
        world->probe.strings = strings;
        world->probe.strings_len = world->probe.told_strings = 3;
        world->probe.told_bytes = 11;
        CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), 0);
        CHECK_BYTES(world->call.memory + 64, pointers, sizeof(pointers));
        CHECK_BYTES(world->call.memory + 1024, "prog\0\0\xc3\xa4=b", 11);
        memcpy(world->before + 64, pointers, sizeof(pointers));
        memcpy(world->before + 1024, "prog\0\0\xc3\xa4=b", 11);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
        good_prepare(world);
        world->probe.told_strings = 3;
        world->probe.told_bytes = 11;
        CHECK_EQ(WORLD_CALL(world, sizes[i], 64, 68), 0);
        CHECK_EQ(world_get32(world, 64), 3);
        CHECK_EQ(world_get32(world, 68), 11);
        world_changed_only(world, 64, 8);
    }
    world_close(world);
}

static void no_strings_store_nothing(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 2; i++) {
        good_prepare(world);
        world->probe.strings_len = world->probe.told_strings = 0;
        world->probe.told_bytes = 0;
        CHECK_EQ(WORLD_CALL(world, gets[i], WORLD_SIZE, WORLD_SIZE), 0);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
        CHECK_EQ(WORLD_CALL(world, gets[i], WORLD_SIZE + 1, 0), WB_TRAP);
        CHECK_EQ(WORLD_CALL(world, gets[i], 0, WORLD_SIZE + 1), WB_TRAP);
    }
    world_close(world);
}

static void sizes_that_a_guest_cannot_count_are_overflow(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);
    const size_t big = SIZE_MAX / 2 + 1;

    if (SIZE_MAX == UINT32_MAX) {
        check_skip("size_t has 32 bits");
        world_close(world);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        for (int bytes = 0; bytes < 2; bytes++) {
            good_prepare(world);
            world->probe.told_strings = bytes ? 1 : big;
            world->probe.told_bytes = bytes ? big : 1;
            CHECK_EQ(WORLD_CALL(world, sizes[i], 64, 68), WB_ERRNO_OVERFLOW);
            CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), WB_ERRNO_OVERFLOW);
            CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
        }
    }
    world_close(world);
}

static void the_largest_sizes_that_a_guest_can_count_are_told(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 2; i++) {
        good_prepare(world);
        world->probe.told_strings = world->probe.told_bytes = UINT32_MAX;
        CHECK_EQ(WORLD_CALL(world, sizes[i], 64, 68), 0);
        CHECK_EQ(world_get32(world, 64), UINT32_MAX);
        CHECK_EQ(world_get32(world, 68), UINT32_MAX);
        CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), WB_TRAP);
        CHECK_EQ(world->guest.trap.length, UINT64_C(4) * UINT32_MAX);
        world->probe.told_strings = 1;
        CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), WB_TRAP);
        CHECK_EQ(world->guest.trap.length, UINT32_MAX);
    }
    world_close(world);
}

static void a_backing_that_breaks_its_word_is_io_and_stays_inside(void)
{
    static const char *const strings[] = {"abc", "de", "f"}; /* 3, 9 bytes */
    static const struct {
        size_t strings, bytes;
        uint32_t outcome;
    } rows[] = {
        {3, 9, 0},
        {2, 9, WB_ERRNO_IO},  {3, 8, WB_ERRNO_IO}, {0, 0, WB_ERRNO_IO},
        {3, 3, WB_ERRNO_IO},  {1, 3, WB_ERRNO_IO}, {1, 4, WB_ERRNO_IO},
        {4, 9, WB_ERRNO_IO},  {3, 10, WB_ERRNO_IO}, {9, 90, WB_ERRNO_IO},
        {0, 9, WB_ERRNO_IO},  {3, 0, WB_ERRNO_IO}, {2, 7, WB_ERRNO_IO},
    };
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
            check_row("told %zu strings of %zu bytes", rows[j].strings,
                      rows[j].bytes);
            good_prepare(world);
            world->probe.strings = strings;
            world->probe.strings_len = 3;
            world->probe.told_strings = rows[j].strings;
            world->probe.told_bytes = rows[j].bytes;
            CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), rows[j].outcome);
            memcpy(world->before + 64, world->call.memory + 64,
                   4 * rows[j].strings);
            memcpy(world->before + 1024, world->call.memory + 1024,
                   rows[j].bytes);
            CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
        }
    }
    world_close(world);
}

static void a_string_of_an_impossible_length_is_io(void)
{
    static const char *const strings[] = {"abc"};
    static const size_t lengths[] = {4, 5, 1000, UINT32_MAX, SIZE_MAX};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        good_prepare(world);
        world->probe.strings = strings;
        world->probe.string_lens = &lengths[i];
        world->probe.strings_len = world->probe.told_strings = 1;
        world->probe.told_bytes = 4;
        CHECK_EQ(WORLD_CALL(world, WB_CALL_args_get, 64, 1024), WB_ERRNO_IO);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void an_error_of_either_slot_is_the_calls(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 2; i++) {
        good_prepare(world);
        world->probe.answer = WB_ERRNO_NOMEM;
        CHECK_EQ(WORLD_CALL(world, gets[i], 64, 1024), WB_ERRNO_NOMEM);
        CHECK_EQ(world->probe.calls, 1);
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void without_the_slots_the_options_answer(void)
{
    static const char *const argv[] = {"app", "x y", ""};
    static const char *const envp[] = {"B=2", "A=1"};
    struct world *world = world_open(WORLD_SIZE, 1);

    world->options.argv = argv;
    world->options.argc = 3;
    world->options.envp = envp;
    world->options.envc = 2;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_args_sizes_get, 64, 68), 0);
    CHECK_EQ(world_get32(world, 64), 3);
    CHECK_EQ(world_get32(world, 68), 9);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_args_get, 128, 256), 0);
    CHECK_BYTES(world->call.memory + 128, "\0\x01\0\0\x04\x01\0\0\x08\x01\0\0?",
                13);
    CHECK_BYTES(world->call.memory + 256, "app\0x y\0\0?", 10);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_environ_sizes_get, 64, 68), 0);
    CHECK_EQ(world_get32(world, 64), 2);
    CHECK_EQ(world_get32(world, 68), 8);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_environ_get, 128, 256), 0);
    CHECK_BYTES(world->call.memory + 256, "B=2\0A=1", 8);
    world_close(world);
}

static const struct check_test strings_tests[] = {
    CHECK_TEST(strings_are_packed_behind_pointers_to_them),
    CHECK_TEST(no_strings_store_nothing),
    CHECK_TEST(sizes_that_a_guest_cannot_count_are_overflow),
    CHECK_TEST(the_largest_sizes_that_a_guest_can_count_are_told),
    CHECK_TEST(a_backing_that_breaks_its_word_is_io_and_stays_inside),
    CHECK_TEST(a_string_of_an_impossible_length_is_io),
    CHECK_TEST(an_error_of_either_slot_is_the_calls),
    CHECK_TEST(without_the_slots_the_options_answer),
};
CHECK_SUITE(strings);
