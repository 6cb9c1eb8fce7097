/* A backing for tests: it writes down what each slot was given, as a line of
 * text, and answers what the test told it to.
 *
 *     fd_pread 3 [64+8 80+4] 7
 *
 * is fd_pread on descriptor 3 with two buffers, of 8 bytes at offset 64 of the
 * guest's memory and of 4 bytes at 80, from position 7. Several calls are
 * separated by "; ".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROBE_H
#define PROBE_H

#include "wasi_backing/layer.h"

/* An entry for fd_readdir. */
struct probe_dirent {
    wb_dirent entry;
    const char *name; /* entry.d_namlen bytes */
};

struct probe {
    /* Where the guest's memory is, to write pointers down as offsets. */
    const struct wb_call *call;

    /* What every slot returns. A slot stores its results whatever it returns,
     * so that a test sees that the layer drops them. */
    uint16_t answer;

    /* What slots tell. */
    size_t count;          /* bytes of a transfer, of a link's target */
    uint64_t number;       /* clocks, positions */
    wb_fd opened;          /* path_open, sock_accept */
    wb_fdstat fdstat;
    wb_filestat filestat;
    wb_prestat prestat;
    wb_roflags roflags;
    const char *target;    /* what path_readlink stores: `count` bytes of it */
    const char *const *strings; /* what args_get and environ_get add, ... */
    const size_t *string_lens;  /* ... their lengths if they hold a NUL, ... */
    size_t strings_len;
    size_t told_strings, told_bytes; /* ... and what the sizes calls tell */
    const struct probe_dirent *dirents;
    size_t dirents_len;
    const wb_event *events;
    size_t events_len;

    /* Runs inside each slot, before it stores anything; NULL: nothing. */
    void (*during)(struct probe *probe);
    void *during_data;

    /* What was seen. */
    char said[1024];
    unsigned calls;        /* how many slots ran */
    unsigned added;        /* how many elements the sink took */
    unsigned refused;      /* how many it did not */
    uint8_t taken[256];    /* the first bytes that a write offered */
    wb_subscription subscriptions[WB_MAX_SUBSCRIPTIONS];
    size_t subscriptions_len;

    unsigned created, destroyed, interrupted;
};

/* All 46 slots. Its context is the struct probe at options->arena. */
extern const struct wb_backing probe_backing;

/* The same without any slot. */
extern const struct wb_backing probe_bare_backing;

/* Forget what was seen. */
void probe_forget(struct probe *probe);

#endif
