/* A libFuzzer target: a guest that makes any calls with any arguments on any
 * memory, and a backing that answers anything. Sanitizers watch for a byte beside
 * the memory; the checks below watch what an engine relies on.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Icsrc/include -Itests/c/layer \
 *         tests/fuzz/fuzz_layer.c tests/c/layer/probe.c tests/c/layer/probe_note.c \
 *         csrc/layer/[a-z]*.c -o fuzz_layer && ./fuzz_layer
 *
 * SPDX-License-Identifier: MIT
 */
#include "input.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Survives NDEBUG, and ends in a report with the input. */
#define REQUIRE(condition)                                    \
    do {                                                      \
        if (!(condition)) {                                   \
            fprintf(stderr, "not so: %s\n", #condition);      \
            abort();                                          \
        }                                                     \
    } while (0)

enum { MOST_MEMORY = 4096, MOST_CALLS = 16, NAMES = 4 };

static struct wb_call call; /* too large for a stack */

/* Let the backing tell something, true or not. */
static void lie(struct probe *probe, struct input *input)
{
    static const char *const strings[NAMES] = {"", "a", "PATH=/bin", "\xff"};
    static struct probe_dirent dirents[NAMES];
    static wb_event events[WB_MAX_SUBSCRIPTIONS];

    probe->answer = (uint16_t)input_argument(input, WB_ERRNO_COUNT);
    if (probe->answer < 32)
        probe->answer = WB_ERRNO_SUCCESS;
    probe->count = (size_t)input_argument(input, 64);
    probe->number = input_argument(input, 0);
    probe->opened = (wb_fd)input_argument(input, 0);
    input_bytes(input, &probe->fdstat, sizeof(probe->fdstat));
    input_bytes(input, &probe->filestat, sizeof(probe->filestat));
    input_bytes(input, &probe->prestat, sizeof(probe->prestat));
    probe->roflags = (wb_roflags)input_number(input, 2);
    probe->target = NULL; /* what scratch holds by chance */
    probe->strings = strings;
    probe->strings_len = input_number(input, 1) % (NAMES + 1);
    probe->told_strings = (size_t)input_argument(input, 0);
    probe->told_bytes = (size_t)input_argument(input, 0);
    for (size_t i = 0; i < NAMES; i++) {
        dirents[i].entry.d_next = i;
        dirents[i].entry.d_namlen = (uint32_t)strlen(strings[i]);
        dirents[i].name = strings[i];
    }
    probe->dirents = dirents;
    probe->dirents_len = input_number(input, 1) % (NAMES + 1);
    input_bytes(input, &events[0], sizeof(events[0]));
    probe->events = events;
    probe->events_len = input_number(input, 1) % WB_MAX_SUBSCRIPTIONS;
}

static void check_outcome(const struct wb_guest *guest, uint32_t outcome)
{
    REQUIRE(call.busy == 0);
    switch (outcome) {
    case WB_TRAP:
        REQUIRE(guest->trap.reason == WB_TRAP_OUT_OF_BOUNDS ||
                guest->trap.reason == WB_TRAP_MISALIGNED);
        REQUIRE(guest->trap.reason != WB_TRAP_OUT_OF_BOUNDS ||
                !(guest->policy & WB_POLICY_FAULT));
        REQUIRE(guest->trap.reason != WB_TRAP_OUT_OF_BOUNDS ||
                guest->trap.offset + guest->trap.length > call.memory_size);
        break;
    case WB_EXIT:
    case WB_STOP:
        break;
    default:
        REQUIRE(outcome < WB_ERRNO_COUNT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct probe probe = {.call = &call};
    const struct wb_options options = {.size = sizeof(options),
                                       .arena = &probe};
    const struct wb_backing *backing = &probe_backing;
    struct wb_guest guest;

    call.memory_size = input_number(&input, 2) % (MOST_MEMORY + 1);
    /* As large as it says, so that a byte too far is seen. */
    call.memory = malloc(call.memory_size ? call.memory_size : 1);
    REQUIRE(call.memory);
    REQUIRE(wb_guest_open(&guest, &options, &backing, 1) == 0);
    guest.policy = (uint32_t)input_number(&input, 1) & 3;
    for (int i = 0; i < MOST_CALLS && input.left > 0; i++) {
        uint32_t id = (uint32_t)input_number(&input, 1);
        uint64_t args[WB_MAX_PARAMETERS];
        uint64_t at = input_number(&input, 2);

        id = (id & 0x80 ? WB_UNSTABLE : 0) | (id & 0x7f) % WB_CALL_COUNT;
        for (size_t j = 0; j < WB_MAX_PARAMETERS; j++)
            args[j] = input_argument(&input, call.memory_size);
        lie(&probe, &input);
        if (at < call.memory_size) {
            size_t room = (size_t)(call.memory_size - at);

            input_bytes(&input, call.memory + at, room < 64 ? room : 64);
        }
        probe_forget(&probe);
        check_outcome(&guest, wb_invoke(&guest, &call, id, args));
    }
    wb_guest_close(&guest);
    REQUIRE(probe.created == 1 && probe.destroyed == 1);
    free(call.memory);
    return 0;
}
