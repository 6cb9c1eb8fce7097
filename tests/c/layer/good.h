/* One good call of each entry point: its arguments, what the probe hears of it,
 * and which spans of memory it uses. The edge tables, the comparison of wb_invoke
 * with the direct entry points and the fuzz target start from here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GOOD_H
#define GOOD_H

#include "world.h"

enum good_kind {
    GOOD_OUT,           /* is stored to */
    GOOD_TEXT,          /* holds a path */
    GOOD_IOVECS,        /* holds iovecs to write from */
    GOOD_FILLED_IOVECS, /* holds iovecs to read into */
    GOOD_SUBSCRIPTIONS  /* holds subscriptions */
};

/* A span of memory: `element` bytes, or as many times that as the argument
 * `count` says (0: no argument does). */
struct good_region {
    uint8_t arg;
    uint8_t element;
    uint8_t align;
    uint8_t count;
    uint8_t kind;     /* enum good_kind */
    uint8_t if_empty; /* the outcome when the count is 0 */
};

struct good_call {
    uint32_t id; /* WB_CALL_*, perhaps with WB_UNSTABLE */
    uint64_t args[9];
    const char *said;
    struct good_region regions[4]; /* up to one whose element is 0 */
    const char *said_first; /* of a slot that must run to know the sizes */
    uint32_t outcome;
};

/* 46 of preview 1, then 45 of wasi_unstable. */
enum { GOOD_COUNT = 2 * WB_CALL_COUNT - 1 };
const struct good_call *good_calls(void);

/* Where the iovecs of a good call point to. */
enum { GOOD_BUFFER = 16, GOOD_BUFFER_LEN = 8 };

/* Fresh memory, and a probe that answers what the table expects. */
void good_prepare(struct world *world);

/* Write what the spans of a call must hold, wherever `args` puts them; those that
 * do not fit are left out. */
void good_place(struct world *world, const struct good_call *good,
                const uint64_t *args);

/* How many bytes a region has. */
uint64_t good_length(const struct good_region *region, const uint64_t *args);

/* Check that a call with these arguments stored nowhere but in its regions. */
void good_stored_inside(const struct world *world, const struct good_call *good,
                        const uint64_t *args);

/* The call's name, for check_row. */
const char *good_name(uint32_t id);

#endif
