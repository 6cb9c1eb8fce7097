/* What a guest costs before its first call: a context of the minimal backing
 * with one preopened directory, made and destroyed. Its twin in native.c opens
 * and closes that directory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "harness.h"

#include <stddef.h>
#include <time.h>
#include <wasi_backing/layer.h>

extern const struct wb_backing min_backing;

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int run_context(uint64_t turns)
{
    static const struct wb_preopen preopen = {.guest_name = "/",
                                              .host_path = "."};
    static const char *const argv[] = {"context"};
    const struct wb_options options = {
        .size = sizeof options,
        .argv = argv,
        .argc = 1,
        .preopens = &preopen,
        .preopens_len = 1,
        .stdio =
            {
                {.kind = WB_STDIO_DESCRIPTOR, .descriptor = 0},
                {.kind = WB_STDIO_DESCRIPTOR, .descriptor = 1},
                {.kind = WB_STDIO_DESCRIPTOR, .descriptor = 2},
            },
    };
    const struct wb_backing *stack[] = {&min_backing};

    for (uint64_t i = 0; i < turns; i++) {
        struct wb_guest guest;
        wb_errno error = wb_guest_open(&guest, &options, stack, 1);
        if (error)
            return error;
        wb_guest_close(&guest);
    }
    return 0;
}

const struct row rows[] = {
    {"context", NULL, run_context},
    {NULL, NULL, NULL},
};
