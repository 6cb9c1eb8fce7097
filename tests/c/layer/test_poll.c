/* poll_oneoff: what is refused as a whole, and how events come back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

/* The size of a subscription in each version, by unstable or not. */
static const uint32_t sizes[2] = {48, 56};

enum { IN = 512, SIZE = 8192, RESULT = 64 };

/* Run a test for both versions, on zeroed subscriptions: clock 0, in 0 ns. */
static void each_version(void run(struct world *world, uint32_t unstable))
{
    for (uint32_t unstable = 0; unstable < 2; unstable++) {
        struct world *world = world_open(SIZE, 0);

        check_row("%s", unstable ? "wasi_unstable" : "preview 1");
        good_prepare(world);
        memset(world->call.memory + IN, 0, 512);
        run(world, unstable);
        world_close(world);
    }
}

static uint32_t poll(struct world *world, uint32_t unstable, uint32_t in,
                     uint32_t out, uint32_t count, uint32_t result)
{
    world_keep(world);
    return WORLD_CALL(world,
                      WB_CALL_poll_oneoff | (unstable ? WB_UNSTABLE : 0), in,
                      out, count, result);
}

static void run_nothing(struct world *world, uint32_t unstable)
{
    CHECK_EQ(poll(world, unstable, IN, 2048, 0, RESULT), WB_ERRNO_INVAL);
    world_untouched(world);
}

static void waiting_for_nothing_is_inval(void)
{
    each_version(run_nothing);
}

static void more_subscriptions_than_the_limit_are_inval(void)
{
    const uint32_t most = WB_MAX_SUBSCRIPTIONS;

    for (uint32_t unstable = 0; unstable < 2; unstable++) {
        struct world *world = world_open((size_t)(most + 2) * 96 + 64, 0);

        check_row("%s", unstable ? "wasi_unstable" : "preview 1");
        good_prepare(world);
        memset(world->call.memory, 0, (size_t)(most + 2) * 96);
        for (int limited = 0; limited < 2; limited++) {
            uint32_t limit = limited ? 2 : most;

            world->guest.max_subscriptions = limit;
            probe_forget(&world->probe);
            CHECK_EQ(poll(world, unstable, 0, 8, limit + 1, 0), WB_ERRNO_INVAL);
            world_untouched(world);
            CHECK_EQ(poll(world, unstable, 0, 8, limit, 0), 0);
            CHECK_EQ(world->probe.subscriptions_len, limit);
        }
        world_close(world);
    }
}

/* One byte of the second of three good subscriptions, replaced. */
static void refuse(struct world *world, uint32_t unstable, uint32_t offset,
                   uint8_t value)
{
    uint8_t *at = world->call.memory + IN + sizes[unstable] + offset;

    *at = value;
    CHECK_EQ(poll(world, unstable, IN, 2048, 3, RESULT), WB_ERRNO_INVAL);
    world_untouched(world);
    *at = 0;
}

static void run_unknown(struct world *world, uint32_t unstable)
{
    uint32_t payload = unstable ? 24 : 16;

    for (unsigned tag = 3; tag < 256; tag++)
        refuse(world, unstable, 8, (uint8_t)tag);
    refuse(world, unstable, payload, 4); /* clock ids */
    refuse(world, unstable, payload, 0xff);
    refuse(world, unstable, payload + 1, 1);
    refuse(world, unstable, payload + 3, 0x80);
    refuse(world, unstable, payload + 24, 2); /* flags */
    refuse(world, unstable, payload + 24, 3);
    refuse(world, unstable, payload + 25, 0x80);
    CHECK_EQ(poll(world, unstable, IN, 2048, 3, RESULT), 0);
    CHECK_EQ(world->probe.calls, 1);
}

static void an_unknown_tag_clock_or_flag_is_inval_for_all(void)
{
    each_version(run_unknown);
}

static void run_descriptors(struct world *world, uint32_t unstable)
{
    /* What would be a bad clock is padding behind a descriptor. */
    memset(world->call.memory + IN + 17, 0xff, sizes[unstable] - 17);
    world->call.memory[IN + 8] = WB_EVENTTYPE_FD_WRITE;
    CHECK_EQ(poll(world, unstable, IN, 2048, 1, RESULT), 0);
    CHECK_EQ(world->probe.subscriptions[0].type, WB_EVENTTYPE_FD_WRITE);
    CHECK_EQ(world->probe.subscriptions[0].u.fd, 0xffffff00);
}

static void any_descriptor_is_the_backings_to_judge(void)
{
    each_version(run_descriptors);
}

static void run_overlap(struct world *world, uint32_t unstable)
{
    static const wb_event events[] = {
        {.userdata = 11, .type = 1, .nbytes = 5},
        {.userdata = 12, .type = 2, .nbytes = 6},
        {.userdata = 13, .type = 0},
    };
    static const int32_t shifts[] = {0, -32, -8, 8, 16, 32, 48, 56};

    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        uint32_t out = (uint32_t)(IN + shifts[i]);

        good_prepare(world);
        memset(world->call.memory + IN, 0, 512);
        world->probe.events = events;
        world->probe.events_len = 3;
        for (uint32_t j = 0; j < 3; j++)
            world_put64(world, IN + sizes[unstable] * j, j + 1);
        CHECK_EQ(poll(world, unstable, IN, out, 3, RESULT), 0);
        for (uint32_t j = 0; j < 3; j++) {
            CHECK_EQ(world->probe.subscriptions[j].userdata, j + 1);
            CHECK_EQ(world_get32(world, out + 32 * j), 11 + j);
        }
        CHECK_EQ(world_get32(world, RESULT), 3);
    }
}

static void the_two_arrays_may_overlap(void)
{
    each_version(run_overlap);
}

static void run_result_in_events(struct world *world, uint32_t unstable)
{
    static const wb_event event = {.userdata = UINT64_MAX, .error = 8};

    world->probe.events = &event;
    world->probe.events_len = 1;
    CHECK_EQ(poll(world, unstable, IN, 2048, 3, 2048 + 4), 0);
    CHECK_EQ(world_get32(world, 2048), UINT32_MAX);
    CHECK_EQ(world_get32(world, 2048 + 4), 1);
}

static void the_number_of_events_is_stored_last(void)
{
    each_version(run_result_in_events);
}

static void run_lies(struct world *world, uint32_t unstable)
{
    wb_event events[5];

    memset(events, 0, sizeof(events));
    for (size_t i = 0; i < 5; i++)
        events[i].userdata = i;
    events[0].error = 77;
    events[1].error = 0xffff;
    events[1].flags = 0xfffe;
    world->probe.events = events;
    world->probe.events_len = 5;
    CHECK_EQ(poll(world, unstable, IN, 2048, 2, RESULT), 0);
    CHECK_EQ(world->probe.added, 2);
    CHECK_EQ(world->probe.refused, 1);
    CHECK_EQ(world_get32(world, RESULT), 2);
    CHECK_EQ(world->call.memory[2048 + 8], WB_ERRNO_IO);
    CHECK_EQ(world->call.memory[2048 + 32 + 8], WB_ERRNO_IO);
    CHECK_EQ(world->call.memory[2048 + 32 + 9], 0);
    CHECK_EQ(world->call.memory[2048 + 32 + 24], 0);
    CHECK_EQ(world->call.memory[2048 + 32 + 25], 0);
    /* Behind two events nothing is stored. */
    CHECK_BYTES(world->call.memory + 2048 + 64, world->before + 2048 + 64, 64);
}

static void there_is_room_for_one_event_each_and_odd_errors_are_io(void)
{
    each_version(run_lies);
}

static void run_none_due(struct world *world, uint32_t unstable)
{
    world->probe.events_len = 0;
    CHECK_EQ(poll(world, unstable, IN, 2048, 1, RESULT), WB_ERRNO_IO);
    CHECK_BYTES(world->call.memory, world->before, SIZE);
}

static void success_without_an_event_is_io(void)
{
    each_version(run_none_due);
}

static void run_error(struct world *world, uint32_t unstable)
{
    world->probe.answer = WB_ERRNO_NOMEM;
    CHECK_EQ(poll(world, unstable, IN, 2048, 1, RESULT), WB_ERRNO_NOMEM);
    CHECK_EQ(world->probe.added, 1);
    CHECK_BYTES(world->call.memory, world->before, SIZE);
}

static void events_of_a_call_that_fails_are_dropped(void)
{
    each_version(run_error);
}

static const struct check_test poll_tests[] = {
    CHECK_TEST(waiting_for_nothing_is_inval),
    CHECK_TEST(more_subscriptions_than_the_limit_are_inval),
    CHECK_TEST(an_unknown_tag_clock_or_flag_is_inval_for_all),
    CHECK_TEST(any_descriptor_is_the_backings_to_judge),
    CHECK_TEST(the_two_arrays_may_overlap),
    CHECK_TEST(the_number_of_events_is_stored_last),
    CHECK_TEST(there_is_room_for_one_event_each_and_odd_errors_are_io),
    CHECK_TEST(success_without_an_event_is_io),
    CHECK_TEST(events_of_a_call_that_fails_are_dropped),
};
CHECK_SUITE(poll);
