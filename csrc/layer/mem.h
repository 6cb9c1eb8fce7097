/* Guest memory: the one gate from a guest's offset to a host pointer, and the
 * little-endian integers behind it.
 *
 * Every span is checked before its pointer is made, by subtraction and in 64
 * bits, so that no sum wraps. wb__at is the only function that makes a pointer.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_LAYER_MEM_H
#define WB_LAYER_MEM_H

#include "wasi_backing/layer.h"

/* Return from the calling function what `expression` says, unless it is 0. */
#define WB_TRY(expression)                 \
    do {                                   \
        uint32_t outcome_ = (expression);  \
        if (outcome_ != WB_ERRNO_SUCCESS)  \
            return outcome_;               \
    } while (0)

/* Record why the guest traps; return what the policy says of it. */
uint32_t wb__trap(struct wb_guest *guest, const struct wb_call *call,
                  uint32_t reason, uint64_t offset, uint64_t length);

/* True when [offset, offset + length) lies inside the guest's memory. An empty
 * span at the very end is inside. */
static inline int wb__inside(const struct wb_call *call, uint32_t offset,
                             uint64_t length)
{
    return length <= call->memory_size &&
           offset <= call->memory_size - length;
}

/* Check a span that is about to be used; `align` is its type's alignment. */
static inline uint32_t wb__check(struct wb_guest *guest,
                                 const struct wb_call *call, uint32_t offset,
                                 uint64_t length, uint32_t align)
{
    if (!wb__inside(call, offset, length))
        return wb__trap(guest, call,
                        call->memory ? WB_TRAP_OUT_OF_BOUNDS
                                     : WB_TRAP_NO_MEMORY,
                        offset, length);
    if (guest->policy & WB_POLICY_ALIGNED && offset & (align - 1))
        return wb__trap(guest, call, WB_TRAP_MISALIGNED, offset, length);
    return WB_ERRNO_SUCCESS;
}

/* The pointer for an offset that wb__check has accepted. It is good until a slot
 * runs: memory may move then. */
static inline uint8_t *wb__at(const struct wb_call *call, uint32_t offset)
{
    return call->memory ? call->memory + offset : call->memory;
}

/* ---- little-endian integers, at any alignment ----------------------------- */

static inline uint16_t wb__get16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t wb__get32(const uint8_t *from)
{
    return (uint32_t)wb__get16(from) | (uint32_t)wb__get16(from + 2) << 16;
}

static inline uint64_t wb__get64(const uint8_t *from)
{
    return (uint64_t)wb__get32(from) | (uint64_t)wb__get32(from + 4) << 32;
}

static inline void wb__put16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void wb__put32(uint8_t *to, uint32_t value)
{
    wb__put16(to, (uint16_t)value);
    wb__put16(to + 2, (uint16_t)(value >> 16));
}

static inline void wb__put64(uint8_t *to, uint64_t value)
{
    wb__put32(to, (uint32_t)value);
    wb__put32(to + 4, (uint32_t)(value >> 32));
}

/* ---- results, stored last -------------------------------------------------- */

/* Each returns SUCCESS, to end an entry point with. */
static inline uint32_t wb__store16(struct wb_call *call, uint32_t offset,
                                   uint16_t value)
{
    wb__put16(wb__at(call, offset), value);
    return WB_ERRNO_SUCCESS;
}

static inline uint32_t wb__store32(struct wb_call *call, uint32_t offset,
                                   uint32_t value)
{
    wb__put32(wb__at(call, offset), value);
    return WB_ERRNO_SUCCESS;
}

static inline uint32_t wb__store64(struct wb_call *call, uint32_t offset,
                                   uint64_t value)
{
    wb__put64(wb__at(call, offset), value);
    return WB_ERRNO_SUCCESS;
}

/* Store how much was transferred: IO if a backing claims more than `room`. */
static inline uint32_t wb__store_count(struct wb_call *call, uint32_t offset,
                                       size_t count, size_t room)
{
    if (count > room)
        return WB_ERRNO_IO;
    return wb__store32(call, offset, (uint32_t)count);
}

/* ---- iovecs and strings ---------------------------------------------------- */

/* What wb__iovecs left in call->scratch.iovecs. */
struct wb__iovecs {
    size_t count; /* at most WB_MAX_IOVECS, none of them empty */
    size_t room;  /* bytes in all, at most UINT32_MAX */
};

/* Read an array of iovecs (or ciovecs: their images are the same), check it and
 * each span, and leave native ones in scratch. What scratch has no room for is
 * left out: the transfer is then short. */
uint32_t wb__iovecs(struct wb_guest *guest, struct wb_call *call, uint32_t iovs,
                    uint32_t iovs_len, struct wb__iovecs *list);

/* Copy a path into scratch.paths[which], check it, and point *path at the copy,
 * which has a NUL behind it. */
uint32_t wb__path(struct wb_guest *guest, struct wb_call *call, size_t which,
                  uint32_t offset, uint32_t length, const char **path);

/* SUCCESS, or INVAL for a NUL inside, or ILSEQ for what is not UTF-8. */
wb_errno wb__text(const char *text, size_t length);

#endif
