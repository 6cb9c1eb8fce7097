/* The layer: the manual for people who connect an engine.
 *
 * An engine needs three things for a guest: a struct wb_guest (where its calls
 * go), a struct wb_call for each of its threads (scratch space, and a view of its
 * memory), and one entry point per call:
 *
 *     wb_guest_open(&guest, &options, (const struct wb_backing *[]){&mine}, 1);
 *     call.memory = base; call.memory_size = bytes;         // before each call
 *     uint32_t outcome = wb_fd_write(&guest, &call, fd, iovs, iovs_len, nwritten);
 *     ...
 *     wb_guest_close(&guest);
 *
 * Nothing here allocates, locks, prints, or uses more of the C library than
 * memcpy, memmove, memset and memcmp.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_LAYER_H
#define WASI_BACKING_LAYER_H

#include "backing.h"
#include "config.h"
#include "signatures.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- outcomes ------------------------------------------------------------ */

/* What an entry point returns: 0 to 76, an errno that the guest gets as the
 * call's result; or one of these, after which the guest must not run on. The
 * engine does the unwinding, after the entry point has returned. */
#define WB_TRAP 0x10000u /* the guest did what traps; see wb_guest.trap */
#define WB_EXIT 0x20000u /* the guest has ended; see wb_guest.exit_code */
#define WB_STOP 0x30000u /* interrupted, or stopped by its backing */

/* Why a guest trapped. */
enum {
    WB_TRAP_NONE = 0,
    WB_TRAP_OUT_OF_BOUNDS = 1, /* a span of memory ends past the memory's end */
    WB_TRAP_MISALIGNED = 2,    /* with WB_POLICY_ALIGNED only */
    WB_TRAP_REENTERED = 3,     /* a call while one on the same wb_call runs */
    WB_TRAP_NO_MEMORY = 4      /* the engine found no memory for a pointer */
};

struct wb_trap {
    uint32_t reason;  /* WB_TRAP_* */
    uint32_t call;    /* WB_CALL_* */
    uint64_t offset;  /* the guest's offset ... */
    uint64_t length;  /* ... and how many bytes were to be used from there */
};

/* ---- guests -------------------------------------------------------------- */

/* How a guest is treated. 0: out of bounds traps, any alignment is accepted. */
#define WB_POLICY_FAULT 1u   /* out of bounds is the errno FAULT, and no trap */
#define WB_POLICY_ALIGNED 2u /* a misaligned offset traps */

/* A guest: where its calls go, and how it ended. The memory is the caller's; the
 * fields marked (read) may be looked at, the others are the layer's. */
struct wb_guest {
    struct wb_pairs pairs;
    const struct wb_options *options; /* (read) what wb_guest_open got */
    uint32_t policy;                  /* WB_POLICY_*; set after open */
    uint32_t embedder; /* a slot may run the embedder's code: see
                          WB_FACT_EMBEDDER, struct wb_stream, and the hooks */
    uint32_t max_path;
    uint32_t max_subscriptions;
    uint32_t interrupted;    /* set by wb_guest_interrupt */
    wb_exitcode exit_code;   /* (read) after WB_EXIT */
    struct wb_trap trap;     /* (read) after WB_TRAP */
    uint64_t names_skipped;  /* (read) entries that fd_readdir left out because
                                their names are not UTF-8 */
    size_t depth;
    struct {
        const struct wb_backing *backing;
        void *self;
    } stack[WB_MAX_STACK]; /* outermost first */
};

/* Make contexts of a stack of backings, outermost first (wrappers, then the
 * backing they wrap), innermost made first, and resolve where each call goes.
 * `options` must stay as it is until wb_guest_close.
 *
 * On failure nothing is left to close, options->error says why, and the errno is
 * the failing context_init's, or: NOTSUP for a backing of another ABI; INVAL for
 * a stack that is empty, too deep, or has a wrapper where a backing belongs, or
 * for options that are shorter than this layer's (then without a text). */
wb_errno wb_guest_open(struct wb_guest *guest, const struct wb_options *options,
                       const struct wb_backing *const *stack, size_t depth);

/* Destroy the contexts, outermost first. No call may be running, and none may be
 * made any more; how the guest ended can still be read. A guest whose memory is
 * zero, or that is closed, may be closed (again). */
void wb_guest_close(struct wb_guest *guest);

/* End the guest soon: its running call if that blocks, else its next call,
 * returns WB_STOP. From any thread or signal handler; sticky. A guest that only
 * computes makes no calls: stopping it is the engine's business. Not while
 * wb_guest_open or wb_guest_close runs: the contexts come and go then. */
void wb_guest_interrupt(struct wb_guest *guest);

/* ---- calls --------------------------------------------------------------- */

/* What one guest thread needs to make calls. Zero the first four members; the
 * scratch space needs no initialisation. The memory is the caller's: about 64
 * KiB with the default limits. */
struct wb_call {
    /* The guest's linear memory. The engine sets both before every call that
     * calls.def marks as using memory, since memory may have moved. */
    uint8_t *memory;      /* NULL if the engine found none; then the size is 0 */
    uint64_t memory_size; /* bytes; up to 4 GiB */

    /* Read the two members above afresh, after a slot that may have let the
     * memory grow; NULL if it cannot move during a call. An engine whose memory
     * moves keeps the old one readable until the call has returned, since a slot
     * may hold pointers into it. */
    void (*refresh)(struct wb_call *call);

    uint32_t busy; /* 0, or 1 + the number of the call that is running */

    union {
        wb_iovec iovecs[WB_MAX_IOVECS];
        wb_ciovec ciovecs[WB_MAX_IOVECS];
        struct {
            wb_subscription subscriptions[WB_MAX_SUBSCRIPTIONS];
            wb_event events[WB_MAX_SUBSCRIPTIONS];
        } poll;
        char paths[2][WB_MAX_PATH + 1];
    } scratch;
};

/* The entry points of wasi_snapshot_preview1: wb_<call>(guest, call, ...), with
 * the core parameters as uint32_t and uint64_t in the specification's order. */
#define WB_PARAMETER_I32(n) uint32_t a##n
#define WB_PARAMETER_I64(n) uint64_t a##n
#define WB_CALL(name, signature, memory, fallback, unstable) \
    uint32_t wb_##name(struct wb_guest *guest,               \
                       struct wb_call *call WB_SIGNATURE_##signature( \
                           WB_PARAMETER_I32, WB_PARAMETER_I64));
#include "calls.def"

/* The entry points of wasi_unstable that differ; its 41 others are the ones
 * above, and it has no sock_accept. */
uint32_t wb_unstable_fd_filestat_get(struct wb_guest *guest,
                                     struct wb_call *call, uint32_t fd,
                                     uint32_t filestat);
uint32_t wb_unstable_fd_seek(struct wb_guest *guest, struct wb_call *call,
                             uint32_t fd, uint64_t offset, uint32_t whence,
                             uint32_t newoffset);
uint32_t wb_unstable_path_filestat_get(struct wb_guest *guest,
                                       struct wb_call *call, uint32_t fd,
                                       uint32_t flags, uint32_t path,
                                       uint32_t path_len, uint32_t filestat);
uint32_t wb_unstable_poll_oneoff(struct wb_guest *guest, struct wb_call *call,
                                 uint32_t in, uint32_t out,
                                 uint32_t nsubscriptions, uint32_t nevents);

/* Make a call by number, for interpreters and for tests: args[n] is the n-th core
 * parameter, the upper half of an i32's is ignored. `id` is WB_CALL_*, plus
 * WB_UNSTABLE for the call of that name in wasi_unstable. An id that is none
 * answers NOSYS. */
#define WB_UNSTABLE 0x8000u
uint32_t wb_invoke(struct wb_guest *guest, struct wb_call *call, uint32_t id,
                   const uint64_t *args);

/* What is known of a call without making it. */
struct wb_call_info {
    const char *name;
    const char *signature; /* as in calls.def: "iiIi", or "v" */
    uint8_t memory;        /* 1: uses the guest's memory */
    uint8_t unstable;      /* 1: wasi_unstable has it too */
};

/* WB_CALL_COUNT rows, by call number. */
extern const struct wb_call_info wb_call_infos[];

/* The specification's name of an errno in capitals, such as "BADF"; NULL for a
 * number that is none. */
const char *wb_errno_name(wb_errno error);

/* What a WB_TRAP_* reason means, in a few words; never NULL. */
const char *wb_trap_reason(uint32_t reason);

#ifdef __cplusplus
}
#endif
#endif
