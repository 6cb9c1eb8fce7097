/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No turn runs longer than this. */
#define LONGEST_TURN UINT64_C(2000000000)

static uint64_t deadline = UINT64_MAX;
static uint64_t part_done, part_whole;

bool out_of_time(void)
{
    return now() >= deadline;
}

void cut_short(uint64_t done, uint64_t whole)
{
    part_done = done;
    part_whole = whole;
}

static const struct row *find(const char *name)
{
    for (const struct row *row = rows; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* Run one batch and store how long it took. */
static int time_batch(const struct row *row, uint64_t turns, uint64_t *elapsed)
{
    uint64_t start = now();
    deadline = start + LONGEST_TURN;
    int error = row->run(turns);
    *elapsed = now() - start;
    return error;
}

static int measure(const struct row *row, uint64_t batch, unsigned batches)
{
    uint64_t turns = 1, elapsed = 0;
    int error = row->prepare ? row->prepare() : 0;

    /* How many turns fill a batch? The first turns also warm things up. */
    while (!error) {
        error = time_batch(row, turns, &elapsed);
        if (error || elapsed >= batch / 8)
            break;
        turns *= 4;
    }
    if (error)
        return error;

    if (part_whole) {
        printf("%s part %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", row->name,
               part_done, part_whole, elapsed);
        return 0;
    }
    if (turns == 1 && elapsed > batch) {
        /* The turn that was meant as a warm-up is long enough to be counted. */
        printf("%s %" PRIu64 " %" PRIu64 "\n", row->name, turns, elapsed);
        if (elapsed > batch * batches)
            return 0;
    } else {
        turns = turns * batch / (elapsed ? elapsed : 1);
        if (turns == 0)
            turns = 1;
    }
    for (unsigned i = 0; i < batches; i++) {
        error = time_batch(row, turns, &elapsed);
        if (error)
            return error;
        printf("%s %" PRIu64 " %" PRIu64 "\n", row->name, turns, elapsed);
    }
    return 0;
}

int main(int argc, char **argv)
{
    /* Host and guest may share a pipe: lines leave whole, at the end. */
    static char output[4096];
    setvbuf(stdout, output, _IOFBF, sizeof output);

    if (argc == 2 && strcmp(argv[1], "--rows") == 0) {
        for (const struct row *row = rows; row->name; row++)
            puts(row->name);
        return 0;
    }
    const struct row *row = argc >= 4 ? find(argv[1]) : NULL;
    if (!row) {
        fprintf(stderr, "usage: bench ROW BATCH_MICROSECONDS BATCHES\n");
        return 2;
    }
    uint64_t batch = strtoull(argv[2], NULL, 10) * 1000;
    int error = measure(row, batch, (unsigned)strtoul(argv[3], NULL, 10));
    if (error)
        printf("%s errno %d\n", row->name, error);
    return fflush(stdout) ? 1 : 0;
}
