/* See world.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory is 8-aligned at offset 0, as an engine's is; malloc aligns as much. */
static uint8_t *allocate(size_t size)
{
    uint8_t *memory = malloc(size ? size : 1);

    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

struct world *world_open(size_t size, int bare)
{
    struct world *world = calloc(1, sizeof(*world));
    const struct wb_backing *backing =
        bare ? &probe_bare_backing : &probe_backing;

    if (!world) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    /* The scratch space needs no initialisation. */
    memset(&world->call.scratch, 0xa5, sizeof(world->call.scratch));
    world->size = size;
    world->before = allocate(size);
    world->call.memory = allocate(size);
    world->call.memory_size = size;
    world->probe.call = &world->call;
    world->options.size = sizeof(world->options);
    world->options.arena = &world->probe;
    world->options.error = world->error;
    world->options.error_len = sizeof(world->error);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, &backing, 1),
             WB_ERRNO_SUCCESS);
    world_fresh(world);
    return world;
}

void world_close(struct world *world)
{
    wb_guest_close(&world->guest);
    free(world->call.memory);
    free(world->before);
    free(world);
}

void world_keep(struct world *world)
{
    memcpy(world->before, world->call.memory, world->size);
}

void world_fresh(struct world *world)
{
    memset(world->call.memory, '?', world->size);
    world_keep(world);
    probe_forget(&world->probe);
    memset(&world->guest.trap, 0, sizeof(world->guest.trap));
}

uint32_t world_invoke(struct world *world, uint32_t id, const uint64_t *args)
{
    uint32_t outcome = wb_invoke(&world->guest, &world->call, id, args);

    CHECK_EQ(world->call.busy, 0);
    return outcome;
}

void world_put32(struct world *world, uint32_t offset, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        world->call.memory[offset + i] = (uint8_t)(value >> 8 * i);
}

void world_put64(struct world *world, uint32_t offset, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        world->call.memory[offset + i] = (uint8_t)(value >> 8 * i);
}

uint32_t world_get32(const struct world *world, uint32_t offset)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)world->call.memory[offset + i] << 8 * i;
    return value;
}

void world_put_text(struct world *world, uint32_t offset, const char *text)
{
    memcpy(world->call.memory + offset, text, strlen(text));
}

void world_put_iovec(struct world *world, uint32_t at, uint32_t buf,
                     uint32_t buf_len)
{
    world_put32(world, at, buf);
    world_put32(world, at + 4, buf_len);
}

void world_changed_only(const struct world *world, uint64_t offset,
                        uint64_t length)
{
    CHECK_BYTES(world->call.memory, world->before, (size_t)offset);
    CHECK_BYTES(world->call.memory + offset + length,
                world->before + offset + length,
                (size_t)(world->size - offset - length));
}

void world_untouched(const struct world *world)
{
    CHECK_TEXT(world->probe.said, "");
    CHECK_BYTES(world->call.memory, world->before, (size_t)world->size);
}
