/* A guest on the probe backing, with a plain array as its memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WORLD_H
#define WORLD_H

#include "check.h"
#include "probe.h"

/* How much memory a guest has when a test says nothing else. */
enum { WORLD_SIZE = 2048 };

struct world {
    struct probe probe;
    struct wb_options options;
    struct wb_guest guest;
    struct wb_call call;
    char error[256];
    uint8_t *before; /* what was in memory when world_fresh was done */
    uint64_t size;
};

/* A guest on probe_backing, or on probe_bare_backing if `bare`, with `size` bytes
 * of memory, allocated so that a sanitizer notices a byte too far. */
struct world *world_open(size_t size, int bare);
void world_close(struct world *world);

/* Fill memory with '?' and forget what was seen. */
void world_fresh(struct world *world);

/* Remember memory as it is, for world_changed_only. */
void world_keep(struct world *world);

/* Make a call by number; id is WB_CALL_*, perhaps with WB_UNSTABLE. */
uint32_t world_invoke(struct world *world, uint32_t id, const uint64_t *args);

/* The same with the arguments in line. */
#define WORLD_CALL(world, id, ...) \
    world_invoke((world), (id), (const uint64_t[9]){__VA_ARGS__})

/* Little-endian integers in the guest's memory. */
void world_put32(struct world *world, uint32_t offset, uint32_t value);
void world_put64(struct world *world, uint32_t offset, uint64_t value);
uint32_t world_get32(const struct world *world, uint32_t offset);
void world_put_text(struct world *world, uint32_t offset, const char *text);
void world_put_iovec(struct world *world, uint32_t at, uint32_t buf,
                     uint32_t buf_len);

/* Check that memory is as it was kept, but for [offset, offset + length). */
void world_changed_only(const struct world *world, uint64_t offset,
                        uint64_t length);

/* Check that nothing was stored and no slot was called. */
void world_untouched(const struct world *world);

#endif
