/* The glue between wasmtime and the layer: see wasmtime.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wasmtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/options_copy.h"

struct wb_wasmtime {
    const struct wb_wasmtime_api *api;
    struct wb_options *options; /* our copy */
    struct wb_guest guest;
    uint32_t references;
    uint32_t memory_mode;
    uint32_t bound;      /* `memory` is known */
    uint32_t outcome;    /* how the guest has ended */
    uint32_t owned_len;  /* descriptors to close behind the guest */
    int32_t owned[3];
    const void *context; /* the one store that may call; NULL before it does */
    union {
        uint64_t alignment;
        unsigned char bytes[WB_WASMTIME_EXTERN_MAX];
    } memory;            /* a wasmtime_memory_t */
    struct wb_call call; /* last: mostly scratch, and large */
};

/* What is rare, and kept out of the way of what is not. */
#define COLD __attribute__((cold, noinline))
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* With its callees inside, which is possible when optimising across files. */
#define FLAT __attribute__((flatten))

/* A wasmtime_val_raw_t, of which i32 and i64 are used. */
struct raw {
    unsigned char bytes[WB_WASMTIME_VAL_RAW];
};

/* ---- unwinding ---------------------------------------------------------------- */

/* Whose guest ended last on this thread: see wb_wasmtime_take_ended. */
static _Thread_local const struct wb_wasmtime *last_ended;

static void note_end(struct wb_wasmtime *environment, uint32_t outcome)
{
    environment->outcome = outcome;
    last_ended = environment;
}

/* A trap that ends the guest with this outcome. Whoever started the guest asks
 * wb_wasmtime_outcome, so that the text is for people only. */
static void *end(struct wb_wasmtime *environment, uint32_t outcome,
                 const char *message)
{
    note_end(environment, outcome);
    return environment->api->trap_new(message, strlen(message));
}

static void *end_trap(struct wb_wasmtime *environment, uint32_t id,
                      uint32_t reason, const char *why)
{
    char message[200];

    environment->guest.trap = (struct wb_trap){.reason = reason, .call = id};
    snprintf(message, sizeof(message), "%s: %s", wb_call_infos[id].name, why);
    return end(environment, WB_TRAP, message);
}

COLD static void *unwind(struct wb_wasmtime *environment, uint32_t outcome)
{
    const struct wb_guest *guest = &environment->guest;
    const struct wb_trap *trap = &guest->trap;
    char message[200];

    switch (outcome) {
    case WB_EXIT:
        snprintf(message, sizeof(message), "the guest exited with code %lu",
                 (unsigned long)guest->exit_code);
        break;
    case WB_TRAP:
        if (trap->reason == WB_TRAP_OUT_OF_BOUNDS ||
            trap->reason == WB_TRAP_MISALIGNED)
            snprintf(message, sizeof(message),
                     "%s: %s: %llu bytes at %llu, of %llu",
                     wb_call_infos[trap->call].name,
                     wb_trap_reason(trap->reason),
                     (unsigned long long)trap->length,
                     (unsigned long long)trap->offset,
                     (unsigned long long)environment->call.memory_size);
        else
            snprintf(message, sizeof(message), "%s: %s",
                     wb_call_infos[trap->call].name,
                     wb_trap_reason(trap->reason));
        break;
    default:
        snprintf(message, sizeof(message), "the guest was stopped");
        break;
    }
    return end(environment, outcome, message);
}

/* ---- memory --------------------------------------------------------------------- */

static void view_memory(struct wb_wasmtime *environment)
{
    const struct wb_wasmtime_api *api = environment->api;
    const void *memory = environment->memory.bytes;

    environment->call.memory = api->memory_data(environment->context, memory);
    environment->call.memory_size =
        api->memory_data_size(environment->context, memory);
}

/* wb_call.refresh: memory may have grown, and moved, while a slot ran. */
static void refresh(struct wb_call *call)
{
    view_memory((struct wb_wasmtime *)((char *)call -
                                       offsetof(struct wb_wasmtime, call)));
}

/* Find the caller's memory by name. NULL, or why there is none to use. */
static const char *find_memory(struct wb_wasmtime *environment, void *caller,
                               const void *context)
{
    const struct wb_wasmtime_api *api = environment->api;
    const char *problem = NULL;
    union {
        uint64_t alignment;
        unsigned char bytes[WB_WASMTIME_EXTERN_MAX];
    } item;
    const unsigned char *of = item.bytes + api->extern_of;
    uint32_t kind;

    if (!api->caller_export_get(caller, "memory", 6, item.bytes))
        return "the module exports no \"memory\"";
    kind = item.bytes[0];
    if (kind == api->extern_sharedmemory) {
        problem = "the exported \"memory\" is shared, which is not supported";
    } else if (kind != api->extern_memory) {
        problem = "the exported \"memory\" is no memory";
    } else {
        void *type = api->memory_type(context, of);

        if (api->memorytype_is64(type))
            problem = "the exported \"memory\" is a 64-bit one, which is not "
                      "supported";
        else
            memcpy(environment->memory.bytes, of, api->memory_size);
        api->memorytype_delete(type);
    }
    api->extern_delete(item.bytes);
    return problem;
}

/* A context and its scratch space serve one store. NULL, or the trap that ends a
 * guest in another one. */
static void *check_store(struct wb_wasmtime *environment, const void *context,
                         uint32_t id)
{
    if (environment->context == context)
        return NULL;
    if (environment->context)
        return end_trap(environment, id, WB_TRAP_NO_MEMORY,
                        "a call from a second store: each store needs a WASI "
                        "of its own");
    environment->context = context;
    return NULL;
}

COLD static void *prepare_store_of_linker(struct wb_wasmtime *environment,
                                          void *caller, uint32_t id)
{
    if (environment->call.busy)
        return NULL;
    return check_store(environment, environment->api->caller_context(caller),
                       id);
}

/* Before a call without pointers. NULL, or the trap that ends the guest. The
 * functions of an instance are of one store. */
static inline void *prepare_store(struct wb_wasmtime *environment, void *caller,
                                  uint32_t id)
{
    if (UNLIKELY(environment->memory_mode != WB_WASMTIME_INSTANCE))
        return prepare_store_of_linker(environment, caller, id);
    return NULL;
}

COLD static void *look_up_memory(struct wb_wasmtime *environment, void *caller,
                                 uint32_t id)
{
    const void *context = environment->api->caller_context(caller);
    void *trap = check_store(environment, context, id);
    const char *problem;

    if (trap)
        return trap;
    if (!environment->bound) {
        problem = find_memory(environment, caller, context);
        if (problem)
            return end_trap(environment, id, WB_TRAP_NO_MEMORY, problem);
        environment->bound = environment->memory_mode == WB_WASMTIME_INSTANCE;
    }
    view_memory(environment);
    return NULL;
}

/* Before a call that uses memory. NULL, or the trap that ends the guest. Memory
 * moves only when it grows, so that while its size is the same, so is its base;
 * and the context of a store stays where it is. */
static inline void *prepare_memory(struct wb_wasmtime *environment,
                                   void *caller, uint32_t id)
{
    if (UNLIKELY(environment->call.busy))
        return NULL; /* refused by the layer; the outer call needs its view */
    if (UNLIKELY(!environment->bound ||
                 environment->memory_mode != WB_WASMTIME_INSTANCE))
        return look_up_memory(environment, caller, id);
    if (UNLIKELY(environment->api->memory_data_size(
                     environment->context, environment->memory.bytes) !=
                 environment->call.memory_size))
        view_memory(environment);
    return NULL;
}

/* ---- callbacks -------------------------------------------------------------------- */

static uint32_t raw_i32(const struct raw *raw)
{
    const unsigned char *from = raw->bytes;

    return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
           (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint64_t raw_i64(const struct raw *raw)
{
    struct raw high;

    memcpy(high.bytes, raw->bytes + 4, 4);
    return (uint64_t)raw_i32(raw) | (uint64_t)raw_i32(&high) << 32;
}

/* Store an errno as an i32. The guest loads all four bytes at once, and a load
 * waits long for bytes that several stores have left: so this is one store. */
static inline void *answer(struct wb_wasmtime *environment, struct raw *raw,
                           uint32_t outcome)
{
    if (UNLIKELY(outcome >= WB_TRAP))
        return unwind(environment, outcome);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    outcome = __builtin_bswap32(outcome);
#endif
    memcpy(raw->bytes, &outcome, sizeof(outcome));
    return NULL;
}

#define PREPARE_1 prepare_memory
#define PREPARE_0 prepare_store

#define ARGUMENT_I32(n) raw_i32(&raw[n])
#define ARGUMENT_I64(n) raw_i64(&raw[n])
#define CALLBACK(entry, id, signature, memory)                              \
    FLAT static void *callback_##entry(void *data, void *caller, void *values,   \
                                  size_t values_len)                        \
    {                                                                       \
        struct wb_wasmtime *environment = data;                             \
        struct raw *raw = values;                                           \
        void *trap = PREPARE_##memory(environment, caller, (id));           \
        (void)values_len;                                                   \
        if (UNLIKELY(trap))                                                 \
            return trap;                                                    \
        return answer(environment, raw,                                     \
                      wb_##entry(&environment->guest,                       \
                                 &environment->call WB_SIGNATURE_##signature( \
                                     ARGUMENT_I32, ARGUMENT_I64)));         \
    }

#define UNSTABLE_SAME(name, signature, memory)
#define UNSTABLE_NONE(name, signature, memory)
#define UNSTABLE_OWN(name, signature, memory) \
    CALLBACK(unstable_##name, WB_CALL_##name, signature, memory)
#define WB_CALL(name, signature, memory, fallback, unstable) \
    CALLBACK(name, WB_CALL_##name, signature, memory)        \
    UNSTABLE_##unstable(name, signature, memory)
#include "wasi_backing/calls.def"

wb_wasmtime_callback *wb_wasmtime_callback_of(uint32_t id)
{
#define CALLBACK_SAME(name) callback_##name
#define CALLBACK_OWN(name) callback_unstable_##name
#define CALLBACK_NONE(name) NULL
    static wb_wasmtime_callback *const preview1[WB_CALL_COUNT] = {
#define WB_CALL(name, signature, memory, fallback, unstable) callback_##name,
#include "wasi_backing/calls.def"
    };
    static wb_wasmtime_callback *const unstable[WB_CALL_COUNT] = {
#define WB_CALL(name, signature, memory, fallback, unstable) \
    CALLBACK_##unstable(name),
#include "wasi_backing/calls.def"
    };
    uint32_t n = id & ~WB_UNSTABLE;

    if (n >= WB_CALL_COUNT)
        return NULL;
    return id & WB_UNSTABLE ? unstable[n] : preview1[n];
}

void *wb_wasmtime_epoch(void *context, void *data, uint64_t *delta,
                        uint8_t *kind)
{
    struct wb_wasmtime *environment = data;

    (void)context;
    if (WB_LOAD_FLAG(&environment->guest.interrupted)) {
        note_end(environment, WB_STOP);
        return environment->api->error_new("the guest was interrupted");
    }
    *delta = 1;
    *kind = 0; /* WASMTIME_UPDATE_DEADLINE_CONTINUE */
    return NULL;
}

/* ---- the environment ---------------------------------------------------------------- */

struct wb_wasmtime *wb_wasmtime_new(const struct wb_wasmtime_api *api,
                                    const struct wb_options *options,
                                    const struct wb_backing *const *stack,
                                    size_t depth, uint32_t policy,
                                    uint32_t memory_mode, wb_errno *error)
{
    /* The scratch space is not zeroed: it would touch 64 KiB for nothing. */
    struct wb_wasmtime *environment = malloc(sizeof(*environment));

    *error = WB_ERRNO_NOMEM;
    if (!environment)
        return NULL;
    memset(environment, 0, offsetof(struct wb_wasmtime, call.scratch));
    environment->api = api;
    environment->references = 1;
    environment->memory_mode = memory_mode;
    environment->call.refresh = refresh;
    environment->options = wb_options_copy(options);
    if (environment->options)
        *error = wb_guest_open(&environment->guest, environment->options,
                               stack, depth);
    if (*error) {
        free(environment->options);
        free(environment);
        return NULL;
    }
    environment->guest.policy = policy;
    environment->options->error = NULL; /* the caller's, and about to go */
    return environment;
}

void wb_wasmtime_retain(struct wb_wasmtime *environment)
{
    __atomic_add_fetch(&environment->references, 1, __ATOMIC_RELAXED);
}

void wb_wasmtime_release(void *data)
{
    struct wb_wasmtime *environment = data;

    if (__atomic_sub_fetch(&environment->references, 1, __ATOMIC_ACQ_REL))
        return;
    wb_wasmtime_close(environment);
    free(environment->options);
    free(environment);
}

uint32_t wb_wasmtime_references(const struct wb_wasmtime *environment)
{
    return __atomic_load_n(&environment->references, __ATOMIC_RELAXED);
}

void wb_wasmtime_close(struct wb_wasmtime *environment)
{
    wb_guest_interrupt(&environment->guest);
    wb_guest_close(&environment->guest);
    while (environment->owned_len > 0)
        close(environment->owned[--environment->owned_len]);
}

void wb_wasmtime_own(struct wb_wasmtime *environment, int32_t descriptor)
{
    environment->owned[environment->owned_len++] = descriptor;
}

void wb_wasmtime_bind(struct wb_wasmtime *environment, const void *context,
                      const void *memory)
{
    memcpy(environment->memory.bytes, memory, environment->api->memory_size);
    environment->context = context;
    environment->bound = 1;
}

struct wb_guest *wb_wasmtime_guest(struct wb_wasmtime *environment)
{
    return &environment->guest;
}

uint32_t wb_wasmtime_outcome(const struct wb_wasmtime *environment)
{
    return environment->outcome;
}

const struct wb_wasmtime *wb_wasmtime_take_ended(void)
{
    const struct wb_wasmtime *ended = last_ended;

    last_ended = NULL;
    return ended;
}
