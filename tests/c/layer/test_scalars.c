/* Scalars that are refused: stray upper bits, unknown values and flags. The slot
 * is not called and nothing is stored. And their neighbours that are not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

#define TOP UINT64_C(0x8000000000000000)

#define END UINT64_C(0xe0e0e0e0e0e0e0e0)

/* An argument of a good call, the values that are refused in its place, and the
 * ones that are accepted. */
static const struct {
    uint32_t id;
    uint8_t arg;
    uint64_t refused[14];
    uint64_t accepted[11];
} rows[] = {
    {WB_CALL_clock_res_get, 0,
     {4, 5, 0x100, 0x10000, 0x80000000, 0xffffffff, END}, {0, 1, 2, 3, END}},
    {WB_CALL_clock_time_get, 0,
     {4, 5, 0x100, 0x10000, 0x80000000, 0xffffffff, END}, {0, 1, 2, 3, END}},
    {WB_CALL_fd_advise, 3, {6, 7, 0x100, 0x105, 0x10000, 0xffffffff, END},
     {0, 1, 2, 3, 4, 5, END}},
    {WB_CALL_fd_fdstat_set_flags, 1,
     {32, 33, 0x8000, 0x10000, 0x10001, 0x80000000, 0xffffffff, END},
     {0, 1, 2, 4, 8, 16, 31, END}},
    {WB_CALL_fd_fdstat_set_rights, 1,
     {1 << 30, UINT64_C(1) << 31, UINT64_C(1) << 32, TOP, ~UINT64_C(0), END},
     {0, 1 << 29, (1 << 30) - 1, END}},
    {WB_CALL_fd_fdstat_set_rights, 2,
     {1 << 30, UINT64_C(1) << 31, UINT64_C(1) << 32, TOP, ~UINT64_C(0), END},
     {0, 1 << 29, (1 << 30) - 1, END}},
    {WB_CALL_fd_filestat_set_times, 3,
     {3, 7, 11, 12, 13, 14, 15, 16, 0x10000, 0x10001, 0xfffffff0,
      0xffffffff, END},
     {0, 1, 2, 4, 5, 6, 8, 9, 10, END}},
    {WB_CALL_fd_seek, 2, {3, 4, 0x100, 0x102, 0x10000, 0xffffffff, END}, {0, 1, 2, END}},
    {WB_CALL_path_filestat_get, 1, {2, 3, 0x10000, 0x80000000, 0xffffffff, END},
     {0, 1, END}},
    {WB_CALL_path_filestat_set_times, 1,
     {2, 3, 0x10000, 0x80000000, 0xffffffff, END}, {0, 1, END}},
    {WB_CALL_path_filestat_set_times, 6,
     {3, 7, 11, 12, 13, 14, 15, 16, 0x10000, 0x10001, 0xfffffff0,
      0xffffffff, END},
     {0, 1, 2, 4, 5, 6, 8, 9, 10, END}},
    {WB_CALL_path_link, 1, {2, 3, 0x10000, 0x80000000, 0xffffffff, END}, {0, 1, END}},
    {WB_CALL_path_open, 1, {2, 3, 0x10000, 0x80000000, 0xffffffff, END}, {0, 1, END}},
    {WB_CALL_path_open, 4, {16, 17, 0x8000, 0x10000, 0x10001, 0xffffffff, END},
     {0, 1, 2, 4, 8, 15, END}},
    {WB_CALL_path_open, 5,
     {1 << 30, UINT64_C(1) << 31, UINT64_C(1) << 32, TOP, ~UINT64_C(0), END},
     {0, 1 << 29, (1 << 30) - 1, END}},
    {WB_CALL_path_open, 6,
     {1 << 30, UINT64_C(1) << 31, UINT64_C(1) << 32, TOP, ~UINT64_C(0), END},
     {0, 1 << 29, (1 << 30) - 1, END}},
    {WB_CALL_path_open, 7,
     {32, 33, 0x8000, 0x10000, 0x10001, 0x80000000, 0xffffffff, END},
     {0, 1, 2, 4, 8, 16, 31, END}},
    {WB_CALL_proc_raise, 0, {31, 32, 0x100, 0x109, 0x10000, 0xffffffff, END},
     {0, END}},
    {WB_CALL_sock_accept, 1,
     {32, 33, 0x8000, 0x10000, 0x10001, 0x80000000, 0xffffffff, END},
     {0, 1, 2, 4, 8, 16, 31, END}},
    {WB_CALL_sock_recv, 3, {4, 5, 0x8000, 0x10000, 0x10001, 0xffffffff, END},
     {0, 1, 2, 3, END}},
    {WB_CALL_sock_send, 3, {1, 2, 0x8000, 0x10000, 0x80000000, 0xffffffff, END},
     {0, END}},
    {WB_CALL_sock_shutdown, 1,
     {4, 5, 7, 0x100, 0x101, 0x10000, 0x80000000, 0xffffffff, END}, {1, 2, 3, END}},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Make a good call of either version with one argument replaced. */
static uint32_t call_with(struct world *world, const struct good_call *good,
                          uint8_t arg, uint64_t value)
{
    uint64_t args[9];

    check_row("%s%s, argument %d is 0x%llx",
              good->id & WB_UNSTABLE ? "unstable " : "", good_name(good->id),
              arg, (unsigned long long)value);
    memcpy(args, good->args, sizeof(args));
    args[arg] = value;
    good_prepare(world);
    good_place(world, good, args);
    world_keep(world);
    return world_invoke(world, good->id, args);
}

/* Run each row on the calls of that name of both versions. */
static void each_row(void run(struct world *world, size_t row,
                              const struct good_call *good))
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < GOOD_COUNT; j++)
            if ((good_calls()[j].id & ~WB_UNSTABLE) == rows[i].id)
                run(world, i, &good_calls()[j]);
    world_close(world);
}

static void run_refused(struct world *world, size_t row,
                        const struct good_call *good)
{
    for (const uint64_t *value = rows[row].refused; *value != END; value++) {
        CHECK_EQ(call_with(world, good, rows[row].arg, *value),
                 WB_ERRNO_INVAL);
        world_untouched(world);
    }
}

static void unknown_values_and_stray_bits_are_inval_and_reach_no_slot(void)
{
    each_row(run_refused);
}

static void run_accepted(struct world *world, size_t row,
                         const struct good_call *good)
{
    for (const uint64_t *value = rows[row].accepted; *value != END; value++) {
        CHECK_EQ(call_with(world, good, rows[row].arg, *value) !=
                     WB_ERRNO_INVAL, 1);
        CHECK_EQ(world->probe.calls, 1);
    }
}

static void every_defined_value_reaches_the_slot(void)
{
    each_row(run_accepted);
}

static void shutting_down_nothing_is_inval(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    CHECK_EQ(WORLD_CALL(world, WB_CALL_sock_shutdown, 3, 0), WB_ERRNO_INVAL);
    world_untouched(world);
    world_close(world);
}

static void whence_of_wasi_unstable_has_another_numbering(void)
{
    static const char *const preview1[] = {"fd_seek 3 9 0", "fd_seek 3 9 1",
                                           "fd_seek 3 9 2"};
    static const char *const unstable[] = {"fd_seek 3 9 1", "fd_seek 3 9 2",
                                           "fd_seek 3 9 0"};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (uint64_t whence = 0; whence < 3; whence++) {
        world_fresh(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_seek, 3, 9, whence, 64), 0);
        CHECK_TEXT(world->probe.said, preview1[whence]);
        world_fresh(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_seek | WB_UNSTABLE, 3, 9, whence,
                            64), 0);
        CHECK_TEXT(world->probe.said, unstable[whence]);
    }
    world_close(world);
}

static void every_number_is_passed_on_where_any_is_allowed(void)
{
    static const uint64_t values[] = {0, 1, INT64_MAX, TOP, ~UINT64_C(0)};
    static const char *const seeks[] = {
        "fd_seek 3 0 0", "fd_seek 3 1 0", "fd_seek 3 9223372036854775807 0",
        "fd_seek 3 -9223372036854775808 0", "fd_seek 3 -1 0"};
    static const char *const sizes[] = {
        "fd_filestat_set_size 3 0", "fd_filestat_set_size 3 1",
        "fd_filestat_set_size 3 9223372036854775807",
        "fd_filestat_set_size 3 9223372036854775808",
        "fd_filestat_set_size 3 18446744073709551615"};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < 5; i++) {
        world_fresh(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_seek, 3, values[i], 0, 64), 0);
        CHECK_TEXT(world->probe.said, seeks[i]);
        world_fresh(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_filestat_set_size, 3, values[i]),
                 0);
        CHECK_TEXT(world->probe.said, sizes[i]);
    }
    world_close(world);
}

static const struct check_test scalars_tests[] = {
    CHECK_TEST(unknown_values_and_stray_bits_are_inval_and_reach_no_slot),
    CHECK_TEST(every_defined_value_reaches_the_slot),
    CHECK_TEST(shutting_down_nothing_is_inval),
    CHECK_TEST(whence_of_wasi_unstable_has_another_numbering),
    CHECK_TEST(every_number_is_passed_on_where_any_is_allowed),
};
CHECK_SUITE(scalars);
