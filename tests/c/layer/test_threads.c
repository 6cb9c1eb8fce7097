/* Guests in threads of their own, interrupted from another: nothing is shared but
 * the flag, as a thread sanitizer can tell.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <pthread.h>

enum { GUESTS = 2 };

struct runner {
    struct world *world;
    pthread_t thread;
    uint64_t calls;   /* made before the guest was stopped */
    uint32_t outcome; /* of the last */
};

/* A guest that makes calls until it is told to stop. */
static void *run(void *argument)
{
    struct runner *runner = argument;
    struct world *world = runner->world;

    do {
        probe_forget(&world->probe);
        runner->outcome = wb_fd_tell(&world->guest, &world->call, 3, 64);
        runner->calls++;
    } while (runner->outcome == WB_ERRNO_SUCCESS);
    return NULL;
}

static void each_guest_runs_until_another_thread_interrupts_it(void)
{
    struct runner runners[GUESTS] = {{0}};

    for (int i = 0; i < GUESTS; i++) {
        runners[i].world = world_open(WORLD_SIZE, 0);
        good_prepare(runners[i].world);
        CHECK_EQ(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (int i = GUESTS; i-- > 0;) {
        wb_guest_interrupt(&runners[i].world->guest);
        CHECK_EQ(pthread_join(runners[i].thread, NULL), 0);
        CHECK_EQ(runners[i].outcome, WB_STOP);
        CHECK_EQ(runners[i].calls > 0, 1);
        CHECK_EQ(runners[i].world->probe.interrupted, 1);
        world_close(runners[i].world);
    }
}

static const struct check_test threads_tests[] = {
    CHECK_TEST(each_guest_runs_until_another_thread_interrupts_it),
};
CHECK_SUITE(threads);
