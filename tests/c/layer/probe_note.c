/* See probe_note.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "probe_note.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void probe_note(struct probe *probe, const char *format, ...)
{
    size_t used = strlen(probe->said);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(probe->said + used, sizeof(probe->said) - used, format,
              arguments);
    va_end(arguments);
}

struct probe *probe_begin(void *self, const char *name)
{
    struct probe *probe = self;

    probe_note(probe, "%s%s", probe->said[0] ? "; " : "", name);
    probe->calls++;
    if (probe->during)
        probe->during(probe);
    return probe;
}

void probe_note_u32(struct probe *probe, uint32_t value)
{
    probe_note(probe, " %" PRIu32, value);
}

void probe_note_u64(struct probe *probe, uint64_t value)
{
    probe_note(probe, " %" PRIu64, value);
}

/* A path in quotes, with what is not printable in hex. */
void probe_note_path(struct probe *probe, const char *path, size_t length)
{
    probe_note(probe, " '");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)path[i];

        if (i == 24 && length > 32) {
            probe_note(probe, "...' of %zu", length);
            break;
        }
        probe_note(probe, byte >= ' ' && byte < 0x7f ? "%c" : "\\x%02x", byte);
    }
    if (length <= 32)
        probe_note(probe, "'");
    if (path[length] != '\0')
        probe_note(probe, " (no NUL behind)");
}

uint64_t probe_offset_of(const struct probe *probe, const void *pointer)
{
    return (uint64_t)((uintptr_t)pointer - (uintptr_t)probe->call->memory);
}

uint64_t probe_note_iovecs(struct probe *probe, const wb_iovec *iovs,
                            size_t count)
{
    uint64_t room = 0;

    probe_note(probe, " [");
    for (size_t i = 0; i < count; i++) {
        room += iovs[i].buf_len;
        if (count <= 6)
            probe_note(probe, "%s%" PRIu64 "+%zu", i ? " " : "",
                 probe_offset_of(probe, iovs[i].buf), iovs[i].buf_len);
    }
    if (count > 6)
        probe_note(probe, "%zu of %" PRIu64, count, room);
    probe_note(probe, "]");
    return room;
}

/* Both have one layout; see abi.c of the tests. */
uint64_t probe_note_ciovecs(struct probe *probe, const wb_ciovec *iovs,
                             size_t count)
{
    return probe_note_iovecs(probe, (const wb_iovec *)(const void *)iovs, count);
}

