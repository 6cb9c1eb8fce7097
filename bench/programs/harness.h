/* Times rows: what the guest and its native twin have in common.
 *
 *     bench ROW BATCH_MICROSECONDS BATCHES [ANYTHING...]
 *     bench --rows
 *
 * The first form runs one row and prints, for each batch, a line
 * `ROW TURNS NANOSECONDS`. A turn is one call, unless the row says otherwise. A
 * row whose turn takes too long prints `ROW part DONE WHOLE NANOSECONDS`, for
 * the part of it that was done. A row that a host refuses prints `ROW errno
 * NUMBER`. The second form lists the rows.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

/* What the files in the preopened directory are; the driver makes them. */
#define DATA_SIZE (1024 * 1024) /* bytes of "data" and of "scratch" */
#define NEAR_PATH "near"
#define FAR_PATH "a/b/c/far"

struct row {
    const char *name;

    /* Prepare, outside the measured time; NULL if there is nothing to do.
     * Returns an errno. */
    int (*prepare)(void);

    /* Make `turns` turns. Returns 0, or the errno of a turn that failed. */
    int (*run)(uint64_t turns);
};

/* The rows of this program, the last one without a name. */
extern const struct row rows[];

/* Nanoseconds on a clock that never goes back. */
uint64_t now(void);

/* For rows whose single turn may take minutes: true when the turn should be cut
 * short. The row then says how much it did. */
bool out_of_time(void);
void cut_short(uint64_t done, uint64_t whole);

#endif
