/* What happens while a slot runs: calls inside a call, interruption, and memory
 * that moves.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

/* ---- calls inside calls ------------------------------------------------------ */

static uint32_t inner_outcome;
static unsigned inner_reason, inner_call;

/* A slot runs the embedder's code, which runs the guest. */
static void call_again(struct probe *probe)
{
    struct world *world = probe->during_data;
    static const uint64_t args[9] = {7};

    probe->during = NULL;
    inner_outcome = wb_invoke(&world->guest, &world->call, WB_CALL_fd_close,
                              args);
    inner_reason = world->guest.trap.reason;
    inner_call = world->guest.trap.call;
}

static void a_call_inside_a_call_traps_and_the_outer_one_goes_on(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        check_row("%s", good_name(good->id));
        good_prepare(world);
        good_place(world, good, good->args);
        world->probe.during = call_again;
        world->probe.during_data = world;
        inner_outcome = 0;
        CHECK_EQ(world_invoke(world, good->id, good->args), good->outcome);
        CHECK_TEXT(world->probe.said, good->said);
        CHECK_EQ(inner_outcome, WB_TRAP);
        CHECK_EQ(inner_reason, WB_TRAP_REENTERED);
        CHECK_EQ(inner_call, WB_CALL_fd_close);
    }
    world_close(world);
}

/* The guest's second thread has a wb_call of its own. */
static void call_beside(struct probe *probe)
{
    struct world *world = probe->during_data;
    static struct wb_call other;

    probe->during = NULL;
    other.memory = world->call.memory;
    other.memory_size = world->call.memory_size;
    inner_outcome = wb_random_get(&world->guest, &other, 128, 4);
}

static void a_call_on_another_wb_call_is_no_reentry(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    world->probe.during = call_beside;
    world->probe.during_data = world;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_random_get, 64, 4), 0);
    CHECK_EQ(inner_outcome, 0);
    CHECK_BYTES(world->call.memory + 64, "RRRR", 4);
    CHECK_BYTES(world->call.memory + 128, "RRRR", 4);
    world_close(world);
}

static void a_call_that_traps_or_fails_can_be_followed_by_another(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint64_t args[9];

        if (!good->regions[0].element)
            continue;
        memcpy(args, good->args, sizeof(args));
        args[good->regions[0].arg] = UINT32_MAX;
        good_prepare(world);
        CHECK_EQ(world_invoke(world, good->id, args), WB_TRAP);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_close, 3), 0);
    }
    world_close(world);
}

/* ---- interruption ------------------------------------------------------------ */

static void an_interrupted_guest_makes_no_more_calls(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    wb_guest_interrupt(&world->guest);
    CHECK_EQ(world->probe.interrupted, 1);
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < GOOD_COUNT; i++) {
            const struct good_call *good = &good_calls()[i];

            check_row("%s", good_name(good->id));
            good_prepare(world);
            CHECK_EQ(world_invoke(world, good->id, good->args), WB_STOP);
            world_untouched(world);
        }
    }
    wb_guest_interrupt(&world->guest);
    CHECK_EQ(world->probe.interrupted, 2);
    world_close(world);
}

static void interrupt_now(struct probe *probe)
{
    struct world *world = probe->during_data;

    probe->during = NULL;
    wb_guest_interrupt(&world->guest);
}

static void a_call_that_ends_by_itself_still_tells_its_result(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.during = interrupt_now;
    world->probe.during_data = world;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_tell, 3, 64), 0);
    CHECK_EQ(world_get32(world, 64), 0x55667788);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_tell, 3, 64), WB_STOP);
    world_close(world);
}

static void opening_a_guest_again_clears_the_interruption(void)
{
    const struct wb_backing *backing = &probe_backing;
    struct world *world = world_open(WORLD_SIZE, 0);

    wb_guest_interrupt(&world->guest);
    wb_guest_close(&world->guest);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, &backing, 1), 0);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_close, 3), 0);
    world_close(world);
}

/* ---- memory that moves ------------------------------------------------------- */

/* Where memory will be found by the next refresh. */
static uint8_t *moved;
static unsigned refreshed;

static void refresh(struct wb_call *call)
{
    refreshed++;
    if (moved) {
        call->memory = moved;
        call->memory_size = (uint64_t)2 * WORLD_SIZE;
    }
}

/* What memory.grow may do: a larger copy elsewhere, and the old one is gone (to a
 * sanitizer, at least its bytes are not to be used any more). */
static void grow(struct probe *probe)
{
    struct world *world = probe->during_data;

    probe->during = NULL;
    moved = malloc((size_t)2 * WORLD_SIZE);
    if (!moved)
        abort();
    memset(moved, '?', (size_t)2 * WORLD_SIZE);
    memcpy(moved, world->call.memory, WORLD_SIZE);
    free(world->call.memory);
}

/* Slots that hold pointers into memory themselves cannot have it moved. */
static int holds_memory(const struct good_call *good)
{
    for (const struct good_region *region = good->regions; region->element;
         region++)
        if (region->kind == GOOD_IOVECS || region->kind == GOOD_FILLED_IOVECS)
            return 1;
    return (good->id & ~WB_UNSTABLE) == WB_CALL_random_get ||
           (good->id & ~WB_UNSTABLE) == WB_CALL_fd_prestat_dir_name;
}

static void results_go_to_where_memory_is_after_the_slot(void)
{
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        struct world *world;
        uint8_t image[WORLD_SIZE];

        if (holds_memory(good))
            continue;
        check_row("%s%s", good->id & WB_UNSTABLE ? "unstable " : "",
                  good_name(good->id));
        world = world_open(WORLD_SIZE, 0);
        good_prepare(world);
        good_place(world, good, good->args);
        CHECK_EQ(world_invoke(world, good->id, good->args), good->outcome);
        memcpy(image, world->call.memory, sizeof(image));

        good_prepare(world);
        good_place(world, good, good->args);
        moved = NULL;
        world->guest.embedder = 1;
        world->call.refresh = refresh;
        world->probe.during = grow;
        world->probe.during_data = world;
        CHECK_EQ(world_invoke(world, good->id, good->args), good->outcome);
        CHECK_TEXT(world->probe.said, good->said);
        CHECK_EQ(world->call.memory == moved, 1);
        CHECK_BYTES(world->call.memory, image, sizeof(image));
        world_close(world);
    }
}

static uint16_t no_clock(void *self, wb_clockid id, uint32_t resolution,
                         wb_timestamp *time)
{
    (void)self, (void)id, (void)resolution, (void)time;
    return 0;
}

static uint16_t no_random(void *self, void *buf, size_t len)
{
    (void)self, (void)buf, (void)len;
    return 0;
}

static void memory_is_looked_at_afresh_only_if_embedder_code_may_run(void)
{
    struct wb_backing table = probe_backing;
    const struct wb_backing *stack = &table;
    struct world *world = world_open(WORLD_SIZE, 0);

    for (int why = 0; why < 7; why++) {
        struct wb_options *options = &world->options;

        check_row("reason %d", why);
        wb_guest_close(&world->guest);
        table.facts = why == 1 ? WB_FACT_EMBEDDER
                               : WB_FACT_NO_HEAP | WB_FACT_CONTAINED;
        options->clock = why == 2 ? no_clock : NULL;
        options->random = why == 3 ? no_random : NULL;
        for (int i = 0; i < 3; i++)
            options->stdio[i].kind =
                why == 4 + i ? WB_STDIO_STREAM : WB_STDIO_DESCRIPTOR;
        CHECK_EQ(wb_guest_open(&world->guest, options, &stack, 1), 0);
        moved = NULL;
        refreshed = 0;
        world->call.refresh = refresh;
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_tell, 3, 64), 0);
        CHECK_EQ(refreshed, why != 0);
        good_prepare(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_args_get, 64, 128), 0);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_readdir, 3, 64, 9, 0, 128), 0);
        CHECK_EQ(refreshed > 1, why != 0);
        /* NULL where it cannot move during a call. */
        world->call.refresh = NULL;
        good_prepare(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_tell, 3, 64), 0);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_args_get, 64, 128), 0);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_readdir, 3, 64, 9, 0, 128), 0);
    }
    world_close(world);
}

static const struct check_test state_tests[] = {
    CHECK_TEST(a_call_inside_a_call_traps_and_the_outer_one_goes_on),
    CHECK_TEST(a_call_on_another_wb_call_is_no_reentry),
    CHECK_TEST(a_call_that_traps_or_fails_can_be_followed_by_another),
    CHECK_TEST(an_interrupted_guest_makes_no_more_calls),
    CHECK_TEST(a_call_that_ends_by_itself_still_tells_its_result),
    CHECK_TEST(opening_a_guest_again_clears_the_interruption),
    CHECK_TEST(results_go_to_where_memory_is_after_the_slot),
    CHECK_TEST(memory_is_looked_at_afresh_only_if_embedder_code_may_run),
};
CHECK_SUITE(state);
