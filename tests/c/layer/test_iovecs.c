/* Arrays of iovecs: what a backing gets of them, and what a guest gets of a
 * transfer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the array and the result lie in these tests. */
enum { IOVS = 256, RESULT = 64, SIZE = 16384 };

/* The calls with iovecs: their good call, and where the result's pointer is. */
static const struct {
    uint32_t id;
    uint8_t result;
    uint8_t reads; /* fills the buffers */
} calls[] = {
    {WB_CALL_fd_read, 3, 1},   {WB_CALL_fd_pread, 4, 1},
    {WB_CALL_sock_recv, 4, 1}, {WB_CALL_fd_write, 3, 0},
    {WB_CALL_fd_pwrite, 4, 0}, {WB_CALL_sock_send, 4, 0},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static struct world *begin(size_t call)
{
    struct world *world = world_open(SIZE, 0);

    check_row("%s", good_name(calls[call].id));
    good_prepare(world);
    world->probe.count = 0;
    return world;
}

/* Make the call with `count` iovecs at IOVS. */
static uint32_t transfer(struct world *world, size_t call, uint32_t count,
                         uint32_t result)
{
    uint64_t args[9];

    memcpy(args, good_calls()[calls[call].id].args, sizeof(args));
    args[1] = IOVS;
    args[2] = count;
    args[calls[call].result] = result;
    world_keep(world);
    return world_invoke(world, calls[call].id, args);
}

/* Check which buffers the slot was given. */
static void check_buffers(const struct world *world, const char *buffers)
{
    const char *list = strchr(world->probe.said, '[');

    CHECK_EQ(list != NULL, 1);
    if (list) {
        char shown[256];

        snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(list, "]") + 1,
                 list);
        CHECK_TEXT(shown, buffers);
    }
}

static void none_is_a_transfer_of_0_bytes(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct world *world = begin(i);

        CHECK_EQ(transfer(world, i, 0, RESULT), 0);
        check_buffers(world, "[]");
        CHECK_EQ(world_get32(world, RESULT), 0);
        world_close(world);
    }
}

static void empty_ones_are_dropped_and_may_carry_any_address(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct world *world = begin(i);

        world_put_iovec(world, IOVS, 0, 0);
        world_put_iovec(world, IOVS + 8, 1024, 3);
        world_put_iovec(world, IOVS + 16, 0xffffffff, 0);
        world_put_iovec(world, IOVS + 24, SIZE + 1, 0);
        world_put_iovec(world, IOVS + 32, SIZE - 2, 2);
        world_put_iovec(world, IOVS + 40, 0x80000000, 0);
        CHECK_EQ(transfer(world, i, 6, RESULT), 0);
        check_buffers(world, "[1024+3 16382+2]");
        world_close(world);
    }
}

static void more_empty_ones_than_scratch_holds_leave_room_for_a_full_one(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct world *world = begin(i);

        memset(world->call.memory + IOVS, 0, (WB_MAX_IOVECS + 2) * 8);
        world_put_iovec(world, IOVS + (WB_MAX_IOVECS + 1) * 8, 1, 2);
        CHECK_EQ(transfer(world, i, WB_MAX_IOVECS + 2, RESULT), 0);
        check_buffers(world, "[1+2]");
        world_close(world);
    }
}

static void each_element_is_checked_before_the_slot_runs(void)
{
    static const struct {
        uint32_t buf, buf_len;
        int inside;
    } rows[] = {
        {0, SIZE, 1},
        {SIZE - 1, 1, 1},
        {SIZE - 8, 8, 1},
        {SIZE - 8, 9, 0},
        {SIZE, 1, 0},
        {1, SIZE, 0},
        {0, 0xffffffff, 0},
        {0xffffffff, 1, 0},
        {0xffffffff, 2, 0},
        {0xfffffff0, 0x20, 0},
        {0x80000000, 0x80000000, 0},
    };

    for (size_t i = 0; i < CALLS; i++) {
        for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
            for (uint32_t at = 0; at < 3; at++) {
                struct world *world = begin(i);
                uint32_t outcome;

                check_row("%s, iovec %u is %u+%u", good_name(calls[i].id),
                          (unsigned)at, (unsigned)rows[j].buf,
                          (unsigned)rows[j].buf_len);
                for (uint32_t k = 0; k < 3; k++)
                    world_put_iovec(world, IOVS + 8 * k, 1024, 8);
                world_put_iovec(world, IOVS + 8 * at, rows[j].buf,
                                rows[j].buf_len);
                outcome = transfer(world, i, 3, RESULT);
                if (rows[j].inside) {
                    CHECK_EQ(outcome, 0);
                    CHECK_EQ(world->probe.calls, 1);
                } else {
                    CHECK_EQ(outcome, WB_TRAP);
                    CHECK_EQ(world->guest.trap.offset, rows[j].buf);
                    CHECK_EQ(world->guest.trap.length, rows[j].buf_len);
                    world_untouched(world);
                    world->guest.policy = WB_POLICY_FAULT;
                    CHECK_EQ(transfer(world, i, 3, RESULT), WB_ERRNO_FAULT);
                    world_untouched(world);
                }
                world_close(world);
            }
        }
    }
}

static void more_than_scratch_holds_are_a_short_transfer(void)
{
    const uint32_t most = WB_MAX_IOVECS;

    for (size_t i = 0; i < CALLS; i++) {
        for (uint32_t more = 0; more < 3; more++) {
            struct world *world = begin(i);
            char expected[64];

            for (uint32_t k = 0; k < most + more; k++)
                world_put_iovec(world, IOVS + 8 * k, 16 + k % 32, 1);
            world->probe.count = most;
            CHECK_EQ(transfer(world, i, most + more, RESULT), 0);
            CHECK_EQ(world_get32(world, RESULT), most);
            if (most > 6) {
                snprintf(expected, sizeof(expected), "[%u of %u]",
                         (unsigned)most, (unsigned)most);
                check_buffers(world, expected);
            }
            /* What was left out was not offered. */
            world->probe.count = most + 1;
            CHECK_EQ(transfer(world, i, most + more, RESULT), WB_ERRNO_IO);
            world_close(world);
        }
    }
}

static void a_count_above_the_room_offered_is_io(void)
{
    static const size_t counts[] = {12, 13, 1000, UINT32_MAX, SIZE_MAX};

    for (size_t i = 0; i < CALLS; i++) {
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            struct world *world = begin(i);

            check_row("%s, count %zu of 11", good_name(calls[i].id), counts[j]);
            world_put_iovec(world, IOVS, 1024, 8);
            world_put_iovec(world, IOVS + 8, 2048, 3);
            world->probe.count = counts[j];
            CHECK_EQ(transfer(world, i, 2, RESULT), WB_ERRNO_IO);
            CHECK_BYTES(world->call.memory, world->before, SIZE);
            world->probe.count = 11;
            CHECK_EQ(transfer(world, i, 2, RESULT), 0);
            CHECK_EQ(world_get32(world, RESULT), 11);
            world_close(world);
        }
    }
}

static void buffers_are_filled_in_order_and_may_overlap(void)
{
    for (size_t i = 0; i < CALLS && calls[i].reads; i++) {
        struct world *world = begin(i);

        world_put_iovec(world, IOVS, 1024, 4);
        world_put_iovec(world, IOVS + 8, 1026, 4);
        world_put_iovec(world, IOVS + 16, 1022, 3);
        world->probe.count = 10;
        CHECK_EQ(transfer(world, i, 3, RESULT), 0);
        CHECK_EQ(world_get32(world, RESULT), 10);
        CHECK_BYTES(world->call.memory + 1020, "??IJ", 4);
        CHECK_BYTES(world->call.memory + 1024, "ABEFGH??", 8);
        world_close(world);
    }
}

static void buffers_are_written_from_in_order(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct world *world = begin(i);

        if (calls[i].reads) {
            world_close(world);
            continue;
        }
        world_put_text(world, 1024, "world");
        world_put_text(world, 2048, "hello ");
        world_put_iovec(world, IOVS, 2048, 6);
        world_put_iovec(world, IOVS + 8, 1024, 5);
        world_put_iovec(world, IOVS + 16, 2048, 2);
        world->probe.count = 13;
        CHECK_EQ(transfer(world, i, 3, RESULT), 0);
        CHECK_EQ(world_get32(world, RESULT), 13);
        CHECK_BYTES(world->probe.taken, "hello worldhe", 13);
        world_changed_only(world, RESULT, 4);
        world_close(world);
    }
}

static void the_result_is_stored_last_where_it_lies_in_a_buffer(void)
{
    for (size_t i = 0; i < CALLS && calls[i].reads; i++) {
        struct world *world = begin(i);

        world_put_iovec(world, IOVS, 1024, 8);
        world->probe.count = 8;
        CHECK_EQ(transfer(world, i, 1, 1026), 0);
        CHECK_BYTES(world->call.memory + 1024, "AB\x08\0\0\0GH", 8);
        world_close(world);
    }
}

static void a_buffer_may_lie_over_the_array_itself(void)
{
    for (size_t i = 0; i < CALLS && calls[i].reads; i++) {
        struct world *world = begin(i);

        world_put_iovec(world, IOVS, IOVS, 16);
        world_put_iovec(world, IOVS + 8, 1024, 2);
        world->probe.count = 18;
        CHECK_EQ(transfer(world, i, 2, IOVS), 0);
        check_buffers(world, "[256+16 1024+2]");
        CHECK_BYTES(world->call.memory + IOVS, "\x12\0\0\0EFGHIJKLMNOP", 16);
        CHECK_BYTES(world->call.memory + 1024, "QR?", 3);
        world_close(world);
    }
}

/* Another thread of the guest's, changing the array once it has been read. */
static void change_the_array(struct probe *probe)
{
    memset(probe->call->memory + IOVS, 0xff, 16);
}

static void the_array_is_read_once(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct world *world = begin(i);

        world_put_iovec(world, IOVS, 1024, 4);
        world_put_iovec(world, IOVS + 8, 2048, 4);
        world->probe.during = change_the_array;
        world->probe.count = 8;
        CHECK_EQ(transfer(world, i, 2, RESULT), 0);
        check_buffers(world, "[1024+4 2048+4]");
        CHECK_EQ(world_get32(world, RESULT), 8);
        world_close(world);
    }
}

static const struct check_test iovecs_tests[] = {
    CHECK_TEST(none_is_a_transfer_of_0_bytes),
    CHECK_TEST(empty_ones_are_dropped_and_may_carry_any_address),
    CHECK_TEST(more_empty_ones_than_scratch_holds_leave_room_for_a_full_one),
    CHECK_TEST(each_element_is_checked_before_the_slot_runs),
    CHECK_TEST(more_than_scratch_holds_are_a_short_transfer),
    CHECK_TEST(a_count_above_the_room_offered_is_io),
    CHECK_TEST(buffers_are_filled_in_order_and_may_overlap),
    CHECK_TEST(buffers_are_written_from_in_order),
    CHECK_TEST(the_result_is_stored_last_where_it_lies_in_a_buffer),
    CHECK_TEST(a_buffer_may_lie_over_the_array_itself),
    CHECK_TEST(the_array_is_read_once),
};
CHECK_SUITE(iovecs);
