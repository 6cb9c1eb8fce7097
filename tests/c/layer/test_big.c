/* The largest memory there is: 4 GiB, where the host can reserve that much
 * without using it. And transfers of more bytes than a guest can count.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <string.h>
#include <sys/mman.h>

#define GIB_4 (UINT64_C(1) << 32)

/* Address space for a guest's memory; NULL if the host has none. */
static uint8_t *reserve(uint64_t size)
{
    void *memory;

    if (size > SIZE_MAX)
        return NULL;
    memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* A world whose guest sees a reservation in place of its own memory. */
struct big {
    struct world *world;
    uint8_t *own;
    uint64_t size;
};

static int begin(struct big *big, uint64_t size)
{
    uint8_t *memory = reserve(size);

    if (!memory) {
        check_skip("no address space for it");
        return 0;
    }
    big->world = world_open(WORLD_SIZE, 0);
    good_prepare(big->world);
    big->own = big->world->call.memory;
    big->size = size;
    big->world->call.memory = memory;
    big->world->call.memory_size = size;
    return 1;
}

static void end(struct big *big)
{
    munmap(big->world->call.memory, (size_t)big->size);
    big->world->call.memory = big->own;
    world_close(big->world);
}

static void the_last_byte_of_4_gib_can_be_used_and_none_behind_it(void)
{
    struct big big;

    if (!begin(&big, GIB_4))
        return;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        for (const struct good_region *region = good->regions; region->element;
             region++) {
            uint64_t length = good_length(region, good->args);
            uint64_t args[9];

            check_row("%s, argument %d", good_name(good->id), region->arg);
            memcpy(args, good->args, sizeof(args));
            args[region->arg] = GIB_4 - length;
            probe_forget(&big.world->probe);
            good_place(big.world, good, args);
            CHECK_EQ(world_invoke(big.world, good->id, args), good->outcome);
            CHECK_EQ(big.world->probe.calls > 0, 1);
            args[region->arg] = GIB_4 - length + 1;
            CHECK_EQ(world_invoke(big.world, good->id, args), WB_TRAP);
        }
    }
    end(&big);
}

static void strings_may_end_with_the_last_byte_of_4_gib(void)
{
    struct big big;

    if (!begin(&big, GIB_4))
        return;
    CHECK_EQ(WORLD_CALL(big.world, WB_CALL_args_get, 64, GIB_4 - 5), 0);
    CHECK_BYTES(big.world->call.memory + GIB_4 - 5, "ab\0c", 5);
    CHECK_EQ(world_get32(big.world, 64), 0xfffffffb);
    CHECK_EQ(world_get32(big.world, 68), 0xfffffffe);
    end(&big);
}

static void no_more_bytes_are_offered_than_a_guest_can_count(void)
{
    static const uint32_t ids[] = {WB_CALL_fd_write, WB_CALL_sock_send};
    /* One more than needed, and still few enough for scratch. */
    const uint32_t count = WB_MAX_IOVECS < 16 ? WB_MAX_IOVECS : 16;
    const uint64_t each = GIB_4 / (count - 1);
    struct big big;

    if (!begin(&big, each + 65536))
        return;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = big.world;
        uint32_t result = 64;

        for (uint32_t j = 0; j < count; j++)
            world_put_iovec(world, 256 + 8 * j, 4096, (uint32_t)each);
        world->probe.count = UINT32_MAX;
        CHECK_EQ(ids[i] == WB_CALL_fd_write
                     ? WORLD_CALL(world, ids[i], 3, 256, count, result)
                     : WORLD_CALL(world, ids[i], 3, 256, count, 0, result), 0);
        CHECK_EQ(world_get32(world, result), UINT32_MAX);
    }
    end(&big);
}

static void a_sum_of_2_to_the_32_is_one_byte_short(void)
{
    struct big big;

    if (!begin(&big, UINT64_C(3) << 30))
        return;
    world_put_iovec(big.world, 256, 65536, UINT32_C(1) << 31);
    world_put_iovec(big.world, 264, 65536, UINT32_C(1) << 31);
    world_put_iovec(big.world, 272, 0, 1);
    CHECK_EQ(WORLD_CALL(big.world, WB_CALL_fd_pwrite, 3, 256, 3, 0, 64), 0);
    CHECK_TEXT(big.world->probe.said,
               "fd_pwrite 3 [65536+2147483648 65536+2147483647] 0");
    end(&big);
}

static void random_get_may_cover_4_gib_but_for_one_byte(void)
{
    struct big big;

    if (!begin(&big, GIB_4))
        return;
    CHECK_EQ(WORLD_CALL(big.world, WB_CALL_random_get, 1, UINT32_MAX), 0);
    CHECK_TEXT(big.world->probe.said, "random_get 1 4294967295");
    end(&big);
}

static const struct check_test big_tests[] = {
    CHECK_TEST(the_last_byte_of_4_gib_can_be_used_and_none_behind_it),
    CHECK_TEST(strings_may_end_with_the_last_byte_of_4_gib),
    CHECK_TEST(no_more_bytes_are_offered_than_a_guest_can_count),
    CHECK_TEST(a_sum_of_2_to_the_32_is_one_byte_short),
    CHECK_TEST(random_get_may_cover_4_gib_but_for_one_byte),
};
CHECK_SUITE(big);
