/* How the probe writes down what its slots are given.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROBE_NOTE_H
#define PROBE_NOTE_H

#include "probe.h"

/* Begin a call's line, and let the test's own code run. */
struct probe *probe_begin(void *self, const char *name);

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void probe_note(struct probe *probe, const char *format, ...);
void probe_note_u32(struct probe *probe, uint32_t value);
void probe_note_u64(struct probe *probe, uint64_t value);

/* In quotes, with what is not printable in hex; says so if the NUL that is
 * promised behind it is missing. */
void probe_note_path(struct probe *probe, const char *path, size_t length);

/* Offsets and lengths, or how many and how much in all if they are many; returns
 * the latter. */
uint64_t probe_note_iovecs(struct probe *probe, const wb_iovec *iovs,
                           size_t count);
uint64_t probe_note_ciovecs(struct probe *probe, const wb_ciovec *iovs,
                            size_t count);

/* The guest's offset of a pointer into its memory. */
uint64_t probe_offset_of(const struct probe *probe, const void *pointer);

#endif
