/* Every call reaches its slot with its arguments in their places, by its entry
 * point and by number alike.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <string.h>

/* Call an entry point as an engine's glue does. */
static uint32_t direct(struct world *world, uint32_t id, const uint64_t *a)
{
    struct wb_guest *guest = &world->guest;
    struct wb_call *call = &world->call;

    switch (id) {
    case WB_UNSTABLE | WB_CALL_fd_filestat_get:
        return wb_unstable_fd_filestat_get(guest, call, (uint32_t)a[0],
                                           (uint32_t)a[1]);
    case WB_UNSTABLE | WB_CALL_fd_seek:
        return wb_unstable_fd_seek(guest, call, (uint32_t)a[0], a[1],
                                   (uint32_t)a[2], (uint32_t)a[3]);
    case WB_UNSTABLE | WB_CALL_path_filestat_get:
        return wb_unstable_path_filestat_get(
            guest, call, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
            (uint32_t)a[3], (uint32_t)a[4]);
    case WB_UNSTABLE | WB_CALL_poll_oneoff:
        return wb_unstable_poll_oneoff(guest, call, (uint32_t)a[0],
                                       (uint32_t)a[1], (uint32_t)a[2],
                                       (uint32_t)a[3]);
    }
    switch (id & ~WB_UNSTABLE) {
#define I32(n) (uint32_t)a[n]
#define I64(n) a[n]
#define WB_CALL(name, signature, memory, fallback, unstable) \
    case WB_CALL_##name:                                     \
        return wb_##name(guest, call WB_SIGNATURE_##signature(I32, I64));
#include "wasi_backing/calls.def"
    }
    return 0;
}

static void each_call_reaches_its_slot_with_its_arguments(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        check_row("%zu, %s", i, good_name(good->id));
        good_prepare(world);
        good_place(world, good, good->args);
        world_keep(world);
        CHECK_EQ(direct(world, good->id, good->args), good->outcome);
        CHECK_TEXT(world->probe.said, good->said);
        good_stored_inside(world, good, good->args);
    }
    world_close(world);
}

static void wb_invoke_does_what_the_entry_point_does(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);
    static uint8_t image[WORLD_SIZE];

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint32_t outcome;

        check_row("%zu, %s", i, good_name(good->id));
        good_prepare(world);
        good_place(world, good, good->args);
        outcome = direct(world, good->id, good->args);
        memcpy(image, world->call.memory, sizeof(image));

        good_prepare(world);
        good_place(world, good, good->args);
        CHECK_EQ(world_invoke(world, good->id, good->args), outcome);
        CHECK_TEXT(world->probe.said, good->said);
        CHECK_BYTES(world->call.memory, image, sizeof(image));
    }
    world_close(world);
}

static void the_upper_half_of_an_i32_is_ignored(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint32_t number = good->id & ~WB_UNSTABLE;
        const char *signature = wb_call_infos[number].signature;
        uint64_t args[9];

        check_row("%zu, %s", i, good_name(good->id));
        memcpy(args, good->args, sizeof(args));
        for (size_t j = 0; signature[j]; j++)
            if (signature[j] == 'i')
                args[j] |= UINT64_C(0xdeadbeef00000000);
        good_prepare(world);
        good_place(world, good, good->args);
        CHECK_EQ(world_invoke(world, good->id, args), good->outcome);
        CHECK_TEXT(world->probe.said, good->said);
    }
    world_close(world);
}

static void a_number_that_is_no_call_is_nosys(void)
{
    static const uint32_t ids[] = {
        WB_CALL_COUNT,
        WB_UNSTABLE - 1,
        WB_UNSTABLE | WB_CALL_COUNT,
        WB_UNSTABLE | WB_CALL_sock_accept,
        WB_UNSTABLE << 1,
        UINT32_MAX,
    };
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        check_row("%x", (unsigned)ids[i]);
        CHECK_EQ(WORLD_CALL(world, ids[i], 64, 64, 64), WB_ERRNO_NOSYS);
        world_untouched(world);
    }
    world_close(world);
}

static void every_call_is_in_the_table_once(void)
{
    for (uint32_t i = 0; i < WB_CALL_COUNT; i++) {
        CHECK_EQ(good_calls()[i].id, i);
        CHECK_EQ(wb_call_infos[i].memory, good_calls()[i].regions[0].element > 0);
        CHECK_EQ(wb_call_infos[i].unstable, i != WB_CALL_sock_accept);
    }
    CHECK_EQ(WB_CALL_COUNT, 46);
}

static void errnos_and_traps_have_names(void)
{
    CHECK_TEXT(wb_errno_name(0), "SUCCESS");
    CHECK_TEXT(wb_errno_name(1), "2BIG");
    CHECK_TEXT(wb_errno_name(76), "NOTCAPABLE");
    for (wb_errno error = 0; error < WB_ERRNO_COUNT; error++)
        CHECK_EQ(wb_errno_name(error) != NULL, 1);
    CHECK_EQ(wb_errno_name(77) == NULL, 1);
    CHECK_EQ(wb_errno_name(0xffff) == NULL, 1);
    CHECK_TEXT(wb_trap_reason(WB_TRAP_NONE), "no trap");
    CHECK_TEXT(wb_trap_reason(WB_TRAP_NO_MEMORY), "no exported memory");
    CHECK_TEXT(wb_trap_reason(UINT32_MAX), "no trap");
}

static const struct check_test invoke_tests[] = {
    CHECK_TEST(each_call_reaches_its_slot_with_its_arguments),
    CHECK_TEST(wb_invoke_does_what_the_entry_point_does),
    CHECK_TEST(the_upper_half_of_an_i32_is_ignored),
    CHECK_TEST(a_number_that_is_no_call_is_nosys),
    CHECK_TEST(every_call_is_in_the_table_once),
    CHECK_TEST(errnos_and_traps_have_names),
};
CHECK_SUITE(invoke);
