/* The glue between wasmtime and the layer.
 *
 * Each call of WASI has a callback of the shape that wasmtime_linker_define_func_
 * unchecked takes. All callbacks of one guest share an environment: the guest, its
 * scratch space, and what is known of its memory. No Python runs here, and nothing
 * of wasmtime is linked: the functions come in as addresses, out of the library
 * that the `wasmtime` package has loaded.
 *
 * What is assumed of wasmtime is what its public headers say: the functions below,
 * that wasmtime_val_raw_t is a union that begins with its value in little-endian
 * order, that wasmtime_extern_t is a kind and a union `of`, and that a
 * wasmtime_memory_t may be copied. The sizes are checked by the caller against
 * the package's own declarations.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_ENGINES_WASMTIME_H
#define WB_ENGINES_WASMTIME_H

#include "wasi_backing/layer.h"

/* wasmtime's functions, each of the name behind its prefix, and a few numbers that
 * its headers define. Filled once; must outlive every environment. */
struct wb_wasmtime_api {
    uint32_t extern_of;           /* offsetof(wasmtime_extern_t, of) */
    uint32_t memory_size;         /* sizeof(wasmtime_memory_t) */
    uint32_t extern_memory;       /* WASMTIME_EXTERN_MEMORY */
    uint32_t extern_sharedmemory; /* WASMTIME_EXTERN_SHAREDMEMORY */

    void *(*caller_context)(void *caller);
    uint8_t (*caller_export_get)(void *caller, const char *name,
                                 size_t name_len, void *item);
    void (*extern_delete)(void *item);
    uint8_t *(*memory_data)(const void *context, const void *memory);
    size_t (*memory_data_size)(const void *context, const void *memory);
    void *(*memory_type)(const void *context, const void *memory);
    uint8_t (*memorytype_is64)(const void *type);
    void (*memorytype_delete)(void *type); /* wasm_memorytype_delete */
    void *(*trap_new)(const char *message, size_t message_len);
    void *(*error_new)(const char *message);
};

/* What the glue asks for room for, at the most: see wb_wasmtime_new. */
#define WB_WASMTIME_EXTERN_MAX 64 /* sizeof(wasmtime_extern_t) */
#define WB_WASMTIME_VAL_RAW 16    /* sizeof(wasmtime_val_raw_t), exactly */

/* One guest and its functions. Counted references: one for the maker, and one for
 * each function that is defined with it, which wasmtime gives back through the
 * finalizer; a linker may outlive the maker. */
struct wb_wasmtime;

/* How an environment finds the guest's memory. */
enum {
    WB_WASMTIME_INSTANCE = 0, /* one instance: found by name at the first call
                                 that needs it, and kept */
    WB_WASMTIME_LINKER = 1    /* any instance of one store: looked up on each
                                 call, until wb_wasmtime_bind */
};

/* Make an environment with a guest on this stack of backings (see wb_guest_open;
 * the options are copied, all but streams, hooks and allocators, which must live
 * until the environment is gone). NULL and *error on failure; options->error then
 * says why. `api` must fit the _MAX above. */
struct wb_wasmtime *wb_wasmtime_new(const struct wb_wasmtime_api *api,
                                    const struct wb_options *options,
                                    const struct wb_backing *const *stack,
                                    size_t depth, uint32_t policy,
                                    uint32_t memory_mode, wb_errno *error);

/* Take and give back a reference. The last one destroys the guest's context. */
void wb_wasmtime_retain(struct wb_wasmtime *environment);
void wb_wasmtime_release(void *environment);

/* How many references there are: 1 if only the maker's is left. */
uint32_t wb_wasmtime_references(const struct wb_wasmtime *environment);

/* Destroy the guest's context now; calls that still come are stopped. No call may
 * be running. */
void wb_wasmtime_close(struct wb_wasmtime *environment);

/* Close a descriptor of the host when the guest's context has been destroyed: one
 * of those that the options lend to it. At most three. */
void wb_wasmtime_own(struct wb_wasmtime *environment, int32_t descriptor);

/* Use this memory (a wasmtime_memory_t) of this store (a wasmtime_context_t) from
 * now on, and look up none. */
void wb_wasmtime_bind(struct wb_wasmtime *environment, const void *context,
                      const void *memory);

/* The guest, to interrupt it and to read how it ended. */
struct wb_guest *wb_wasmtime_guest(struct wb_wasmtime *environment);

/* How the guest has ended: 0 while it has not, else WB_TRAP, WB_EXIT or WB_STOP. */
uint32_t wb_wasmtime_outcome(const struct wb_wasmtime *environment);

/* The environment whose guest was the last to end on this thread, or NULL; asking
 * makes it NULL. It says whose trap an engine reports. It is only to be compared
 * with others: it may be gone. */
const struct wb_wasmtime *wb_wasmtime_take_ended(void);

/* A wasmtime_func_unchecked_callback_t for call `id` (plus WB_UNSTABLE), whose
 * data is an environment; NULL for a call that there is not. */
typedef void *wb_wasmtime_callback(void *environment, void *caller, void *values,
                                   size_t values_len);
wb_wasmtime_callback *wb_wasmtime_callback_of(uint32_t id);

/* For wasmtime_store_epoch_deadline_callback, whose data is an environment: ends
 * the guest if it is interrupted, and otherwise gives it one more epoch. */
void *wb_wasmtime_epoch(void *context, void *environment, uint64_t *delta,
                        uint8_t *kind);

#endif
