/* What the memory backing asks of a platform. Everything else in this folder
 * is freestanding C. One object file has to define mem_platform: portability.c
 * for POSIX systems, bare/portability.c for a device that has nothing to
 * offer, or a file of yours. A member that is NULL is a thing that cannot be
 * had.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_PORTABILITY_H
#define MEM_PORTABILITY_H

#include "wasi_backing/types.h"

/* What ends a wait from another thread; the platform's own. -1: not made
 * yet. */
struct mem_wake {
    int read, write;
};

/* A descriptor of the host to be waited for. */
struct mem_wait {
    int descriptor;
    uint8_t reading, writing; /* what for */
};

struct mem_platform {
    /* As realloc, and free for size 0. Used when options give neither an
     * allocator nor an arena. */
    void *(*reallocate)(void *pointer, size_t size);

    /* Used when options give no clock: as their hook. */
    uint16_t (*clock)(wb_clockid id, uint32_t resolution, wb_timestamp *time);

    /* The time of day for the times of files: quick, and may be coarse. */
    wb_timestamp (*stamp)(void);

    /* Used when options give no random: as their hook, in any length. */
    uint16_t (*random)(void *buf, size_t len);

    /* Let others run. */
    void (*yield)(void);

    /* A wait: until a descriptor may be ready, the time in nanoseconds is over
     * (UINT64_MAX: never is), or wake_end was called. It may return early.
     * Without it, waiting costs processor time. */
    uint16_t (*wait)(struct mem_wake *wake, const struct mem_wait *waits,
                     size_t count, uint64_t timeout);

    /* Prepare for, bring about and clean up after the end of a wait; the second
     * is called by any thread. All of them NULL: waits are short. */
    uint16_t (*wake_begin)(struct mem_wake *wake);
    void (*wake_end)(struct mem_wake *wake);
    void (*wake_close)(struct mem_wake *wake);

    /* Descriptors of the host for stdio: what one is and allows; reading and
     * writing that never wait (AGAIN); how many bytes it has to read or room to
     * write, at least, AGAIN for none. All NULL: stdio takes streams only. */
    uint16_t (*describe)(int descriptor, wb_filetype *filetype,
                         int *reads, int *writes);
    uint16_t (*read)(int descriptor, void *buf, size_t len, size_t *count);
    uint16_t (*write)(int descriptor, const void *buf, size_t len,
                      size_t *count);
    uint16_t (*ready)(int descriptor, int writing, wb_filesize *count,
                      int *hangup);
};

extern const struct mem_platform mem_platform;

#endif
