/* The edges of memory, for every pointer that a call can be given: what fits is
 * used, what does not traps (or is FAULT, by policy) before any slot has run, and
 * nothing is stored beside the span.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t policies[] = {
    0,
    WB_POLICY_FAULT,
    WB_POLICY_ALIGNED,
    WB_POLICY_FAULT | WB_POLICY_ALIGNED,
};

enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

/* What a row expects. */
enum verdict { INSIDE, OUTSIDE, MISALIGNED };

struct row {
    const char *name;
    uint64_t offset;
    uint64_t count;
    enum verdict verdict;
};

static void check_trap(const struct world *world, uint32_t outcome,
                       const struct good_call *good, enum verdict verdict)
{
    const struct wb_trap *trap = &world->guest.trap;
    int fault = verdict == OUTSIDE && world->guest.policy & WB_POLICY_FAULT;

    CHECK_TEXT(world->probe.said, good->said_first ? good->said_first : "");
    CHECK_BYTES(world->call.memory, world->before, (size_t)world->size);
    if (fault) {
        CHECK_EQ(outcome, WB_ERRNO_FAULT);
        CHECK_EQ(trap->reason, WB_TRAP_NONE);
        return;
    }
    CHECK_EQ(outcome, WB_TRAP);
    CHECK_EQ(trap->reason, verdict == MISALIGNED ? WB_TRAP_MISALIGNED
                                                 : WB_TRAP_OUT_OF_BOUNDS);
    CHECK_EQ(trap->call, good->id & ~WB_UNSTABLE);
}

/* Make a good call with one pointer moved. */
static void run_row(struct world *world, const struct good_call *good,
                    const struct good_region *region, const struct row *row)
{
    uint64_t args[9];
    uint32_t outcome;

    check_row("%s%s, argument %d, %s, policy %u",
              good->id & WB_UNSTABLE ? "unstable " : "", good_name(good->id),
              region->arg, row->name, (unsigned)world->guest.policy);
    memcpy(args, good->args, sizeof(args));
    args[region->arg] = row->offset;
    if (region->count)
        args[region->count] = row->count;
    good_prepare(world);
    good_place(world, good, args);
    world_keep(world);
    if (region->kind == GOOD_IOVECS || region->kind == GOOD_FILLED_IOVECS)
        world->probe.count = row->count > 0; /* no more than there is room */
    outcome = world_invoke(world, good->id, args);
    if (row->verdict != INSIDE) {
        check_trap(world, outcome, good, row->verdict);
    } else if (region->count && row->count == 0) {
        CHECK_EQ(outcome, region->if_empty);
        CHECK_EQ(world->guest.trap.reason, WB_TRAP_NONE);
        good_stored_inside(world, good, args);
    } else {
        CHECK_EQ(outcome, good->outcome);
        CHECK_EQ(world->probe.calls > 0, 1);
        good_stored_inside(world, good, args);
    }
}

typedef void run_region(struct world *world, const struct good_call *good,
                        const struct good_region *region);

/* For each pointer of each call. */
static void each_region(struct world *world, run_region *run)
{
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        for (const struct good_region *region = good->regions; region->element;
             region++)
            run(world, good, region);
    }
}

/* ... under each policy, with WORLD_SIZE bytes of memory. */
static void each_region_and_policy(run_region *run)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < POLICIES; i++) {
        world->guest.policy = policies[i];
        each_region(world, run);
    }
    world_close(world);
}

/* ---- the rows --------------------------------------------------------------- */

static void run_ends(struct world *world, const struct good_call *good,
                     const struct good_region *region)
{
    uint64_t count = good->args[region->count];
    uint64_t length = good_length(region, good->args);
    uint64_t size = world->call.memory_size;
    /* The last offset that is aligned, where that is asked for. */
    uint64_t last = (size - length) & ~(uint64_t)(region->align - 1);
    const struct row rows[] = {
        {"last fit", last, count, INSIDE},
        {"one too far", size - length + 1, count, OUTSIDE},
        {"last byte", size - 1, count, length > 1 ? OUTSIDE : INSIDE},
        {"at size", size, count, OUTSIDE},
        {"behind size", size + 8, count, OUTSIDE},
        {"negative", UINT32_C(0x80000000), count, OUTSIDE},
        {"sum is 2^32 - 1", UINT32_MAX - length, count, OUTSIDE},
        {"sum wraps to 0", (uint32_t)-length, count, OUTSIDE},
        {"sum wraps to 1", (uint32_t)(1 - length), count, OUTSIDE},
        {"at 2^32 - 1", UINT32_MAX, count, OUTSIDE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        run_row(world, good, region, &rows[i]);
}

static void run_counts(struct world *world, const struct good_call *good,
                       const struct good_region *region)
{
    uint64_t size = world->call.memory_size;
    uint64_t offset = good->args[region->arg];
    uint64_t wraps = (UINT64_C(1) << 32) / region->element + 1;
    const struct row rows[] = {
        {"empty at the end", size, 0, INSIDE},
        {"empty at 0", 0, 0, INSIDE},
        {"empty behind the end", size + 8, 0, OUTSIDE},
        {"empty at 2^32 - 8", UINT32_MAX - 7, 0, OUTSIDE},
        {"one element too many", offset,
         (size - offset) / region->element + 1, OUTSIDE},
        {"2^32 - 1 elements", offset, UINT32_MAX, OUTSIDE},
        {"2^31 elements", offset, UINT32_C(1) << 31, OUTSIDE},
        {"bytes wrap", offset, region->element > 1 ? wraps : UINT32_MAX - 1,
         OUTSIDE},
    };

    if (region->count)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            run_row(world, good, region, &rows[i]);
}

static void run_alignments(struct world *world, const struct good_call *good,
                           const struct good_region *region)
{
    enum verdict odd = world->guest.policy & WB_POLICY_ALIGNED &&
                               region->align > 1
                           ? MISALIGNED
                           : INSIDE;
    uint64_t count = good->args[region->count];
    uint64_t offset = good->args[region->arg];
    const struct row rows[] = {
        {"aligned", offset, count, INSIDE},
        {"off by one", offset + 1, count, odd},
        {"off by half", offset + region->align / 2, count,
         region->align > 1 ? odd : INSIDE},
        {"short by one", offset + region->align - 1, count, odd},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        run_row(world, good, region, &rows[i]);
}

static void run_no_bytes(struct world *world, const struct good_call *good,
                         const struct good_region *region)
{
    const struct row rows[] = {
        {"at 0 of 0", 0, good->args[region->count], OUTSIDE},
        {"at 1 of 0", 1, good->args[region->count], OUTSIDE},
    };

    run_row(world, good, region, &rows[0]);
    run_row(world, good, region, &rows[1]);
}

/* ---- tests ------------------------------------------------------------------ */

static void a_span_ends_at_the_end_of_memory_at_most(void)
{
    each_region_and_policy(run_ends);
}

static void a_counted_span_is_checked_in_64_bits(void)
{
    each_region_and_policy(run_counts);
}

static void misaligned_pointers_trap_in_strict_mode_only(void)
{
    each_region_and_policy(run_alignments);
}

static void a_memory_of_0_bytes_has_no_room(void)
{
    struct world *world = world_open(0, 0);

    for (size_t i = 0; i < POLICIES; i++) {
        world->guest.policy = policies[i];
        each_region(world, run_no_bytes);
    }
    world_close(world);
}

static void a_memory_of_0_bytes_has_room_for_nothing(void)
{
    static const struct {
        uint32_t id;
        uint64_t args[5];
        uint32_t outcome;
    } rows[] = {
        {WB_CALL_random_get, {0, 0}, 0},
        {WB_CALL_path_unlink_file, {3, 0, 0}, WB_ERRNO_NOENT},
        {WB_CALL_args_get, {0, 0}, 0},
        {WB_CALL_environ_get, {0, 0}, 0},
        {WB_CALL_fd_prestat_dir_name, {3, 0, 0}, 0},
    };
    struct world *world = world_open(0, 0);
    uint8_t *memory = world->call.memory;

    for (int without = 0; without < 2; without++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            check_row("%s, %s", good_name(rows[i].id),
                      without ? "no memory" : "0 bytes");
            good_prepare(world);
            world->probe.told_strings = world->probe.told_bytes = 0;
            world->probe.strings_len = 0;
            world->probe.prestat.pr_name_len = 0;
            world->call.memory = without ? NULL : memory;
            CHECK_EQ(world_invoke(world, rows[i].id, rows[i].args),
                     rows[i].outcome);
            world->call.memory = memory;
        }
    }
    world_close(world);
}

static void a_pointer_without_a_memory_traps_by_its_own_reason(void)
{
    struct world *world = world_open(0, 0);
    uint8_t *memory = world->call.memory;

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        check_row("%s", good_name(good->id));
        good_prepare(world);
        world->call.memory = NULL;
        if (good->regions[0].element) {
            CHECK_EQ(world_invoke(world, good->id, good->args), WB_TRAP);
            CHECK_EQ(world->guest.trap.reason, WB_TRAP_NO_MEMORY);
        } else {
            CHECK_EQ(world_invoke(world, good->id, good->args), good->outcome);
        }
        world->call.memory = memory;
    }
    world_close(world);
}

/* 1 if an argument is an offset, or counts elements at one. */
static int is_about_memory(const struct good_call *good, uint8_t arg)
{
    for (const struct good_region *region = good->regions; region->element;
         region++)
        if (region->arg == arg || (region->count && region->count == arg))
            return 1;
    return 0;
}

/* ... with all that can be wrong with the other arguments, but for the iovecs,
 * whose own addresses are out of bounds when they are. */
static void run_judged_first(struct world *world, const struct good_call *good,
                             const struct good_region *region)
{
    uint64_t args[9];

    check_row("%s, argument %d", good_name(good->id), region->arg);
    memcpy(args, good->args, sizeof(args));
    for (uint8_t arg = 0; arg < 9; arg++)
        if (!is_about_memory(good, arg))
            args[arg] = UINT64_MAX;
    args[region->arg] = UINT32_MAX;
    good_prepare(world);
    good_place(world, good, args);
    for (const struct good_region *other = good->regions; other->element;
         other++)
        if (other->kind == GOOD_TEXT && other != region)
            world->call.memory[args[other->arg]] = 0xff;
    world_keep(world);
    check_trap(world, world_invoke(world, good->id, args), good, OUTSIDE);
    /* And with an empty path in place of a bad one. */
    for (const struct good_region *other = good->regions; other->element;
         other++)
        if (other->kind == GOOD_TEXT && other != region)
            args[other->count] = 0;
    probe_forget(&world->probe);
    memset(&world->guest.trap, 0, sizeof(world->guest.trap));
    check_trap(world, world_invoke(world, good->id, args), good, OUTSIDE);
}

static void pointers_are_judged_before_anything_else(void)
{
    each_region_and_policy(run_judged_first);
}

static void a_trap_tells_the_span(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_read, 3, 64, UINT32_MAX, 32),
             WB_TRAP);
    CHECK_EQ(world->guest.trap.call, WB_CALL_fd_read);
    CHECK_EQ(world->guest.trap.offset, 64);
    CHECK_EQ(world->guest.trap.length, UINT64_C(8) * UINT32_MAX);
    world_put_iovec(world, 64, WORLD_SIZE - 3, 4);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_read, 3, 64, 1, 32), WB_TRAP);
    CHECK_EQ(world->guest.trap.offset, WORLD_SIZE - 3);
    CHECK_EQ(world->guest.trap.length, 4);
    world_close(world);
}

static const struct check_test edges_tests[] = {
    CHECK_TEST(a_span_ends_at_the_end_of_memory_at_most),
    CHECK_TEST(a_counted_span_is_checked_in_64_bits),
    CHECK_TEST(misaligned_pointers_trap_in_strict_mode_only),
    CHECK_TEST(a_memory_of_0_bytes_has_no_room),
    CHECK_TEST(a_memory_of_0_bytes_has_room_for_nothing),
    CHECK_TEST(a_pointer_without_a_memory_traps_by_its_own_reason),
    CHECK_TEST(pointers_are_judged_before_anything_else),
    CHECK_TEST(a_trap_tells_the_span),
};
CHECK_SUITE(edges);
