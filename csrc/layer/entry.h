/* What every entry point has in common: the way in, the way to the slot, the way
 * out. A family's file writes a function do_<call> for what is particular to a
 * call, and WB_ENTRY(<call>, <signature>) makes its entry point wb_<call>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_LAYER_ENTRY_H
#define WB_LAYER_ENTRY_H

#include "mem.h"

/* 0, or an outcome for a call that must not begin. */
static inline uint32_t wb__enter(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t id)
{
    if (call->busy) {
        /* Scratch space is in use: a slot ran embedder code, which ran the
         * guest. The fields are the inner call's own. */
        guest->trap.reason = WB_TRAP_REENTERED;
        guest->trap.call = id;
        guest->trap.offset = guest->trap.length = 0;
        return WB_TRAP;
    }
    if (WB_LOAD_FLAG(&guest->interrupted))
        return WB_STOP;
    call->busy = id + 1;
    return WB_ERRNO_SUCCESS;
}

/* After a slot: its answer as an outcome. Memory is looked at afresh if the slot
 * may have run code that let it grow. */
static inline uint32_t wb__settle(struct wb_guest *guest, struct wb_call *call,
                                  uint16_t answer)
{
    if (guest->embedder && call->refresh)
        call->refresh(call);
    if (answer == WB_STOP_GUEST)
        return WB_STOP;
    return answer < WB_ERRNO_COUNT ? answer : WB_ERRNO_IO;
}

/* Call a slot: WB_DISPATCH(guest, call, fd_tell, fd, &offset). */
#define WB_DISPATCH(guest, state, name, ...)                              \
    ((guest)->pairs.name.call                                             \
         ? wb__settle((guest), (state),                                   \
                      (guest)->pairs.name.call((guest)->pairs.name.self,  \
                                               __VA_ARGS__))              \
         : (uint32_t)WB_ERRNO_NOSYS)

/* The same for a slot that takes nothing but its context. */
#define WB_DISPATCH_BARE(guest, state, name)                              \
    ((guest)->pairs.name.call                                             \
         ? wb__settle((guest), (state),                                   \
                      (guest)->pairs.name.call((guest)->pairs.name.self)) \
         : (uint32_t)WB_ERRNO_NOSYS)

/* Define the entry point wb_<name> around do_<name>; `id` is the call's. */
#define WB_ENTRY_AS(name, id, signature)                                   \
    uint32_t wb_##name(struct wb_guest *guest,                             \
                       struct wb_call *call WB_SIGNATURE_##signature(      \
                           WB_PARAMETER_I32, WB_PARAMETER_I64))            \
    {                                                                      \
        uint32_t outcome = wb__enter(guest, call, WB_CALL_##id);           \
        if (outcome == WB_ERRNO_SUCCESS) {                                 \
            outcome = do_##name(guest, call WB_SIGNATURE_##signature(      \
                                           WB_ARGUMENT, WB_ARGUMENT));     \
            call->busy = 0;                                                \
        }                                                                  \
        return outcome;                                                    \
    }
#define WB_ENTRY(name, signature) WB_ENTRY_AS(name, name, signature)
#define WB_ARGUMENT(n) a##n

/* INVAL unless `value` has only bits of `all`, or is below `count`. Both take the
 * whole i32, so that stray upper bits of a narrow type are refused as well. */
static inline uint32_t wb__flags(uint64_t value, uint64_t all)
{
    return value & ~all ? WB_ERRNO_INVAL : WB_ERRNO_SUCCESS;
}

static inline uint32_t wb__enum(uint32_t value, uint32_t count)
{
    return value < count ? WB_ERRNO_SUCCESS : WB_ERRNO_INVAL;
}

/* A file type as a backing tells it; a number that is none means nothing. */
static inline uint8_t wb__filetype(wb_filetype filetype)
{
    return filetype < WB_FILETYPE_COUNT ? filetype : WB_FILETYPE_UNKNOWN;
}

/* A time is set to a value or to now, not to both. */
static inline uint32_t wb__fst_flags(uint32_t flags)
{
    const uint32_t atim = WB_FSTFLAGS_ATIM | WB_FSTFLAGS_ATIM_NOW;
    const uint32_t mtim = WB_FSTFLAGS_MTIM | WB_FSTFLAGS_MTIM_NOW;

    if ((flags & atim) == atim || (flags & mtim) == mtim)
        return WB_ERRNO_INVAL;
    return wb__flags(flags, WB_FSTFLAGS_ALL);
}

/* ---- shared by preview 1 and wasi_unstable -------------------------------- */

/* Which of the two layouts of `filestat` and `subscription` a guest uses. */
enum { WB__PREVIEW1, WB__UNSTABLE };

uint32_t wb__fd_filestat_get(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint32_t filestat, int version);
uint32_t wb__fd_seek(struct wb_guest *guest, struct wb_call *call, uint32_t fd,
                     uint64_t offset, uint32_t whence, uint32_t newoffset);
uint32_t wb__path_filestat_get(struct wb_guest *guest, struct wb_call *call,
                               uint32_t fd, uint32_t flags, uint32_t path,
                               uint32_t path_len, uint32_t filestat,
                               int version);
uint32_t wb__poll_oneoff(struct wb_guest *guest, struct wb_call *call,
                         uint32_t in, uint32_t out, uint32_t nsubscriptions,
                         uint32_t nevents, int version);

/* The image of a filestat: its size, and how it is stored. */
uint32_t wb__filestat_size(int version);
void wb__put_filestat(uint8_t *to, const wb_filestat *filestat, int version);

#endif
