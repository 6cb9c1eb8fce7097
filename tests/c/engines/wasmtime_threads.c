/* Guests under wasmtime, each in a thread of its own: built with the thread
 * sanitizer, which reports what they share.
 *
 *     wasmtime_threads LIBRARY MODULE EXTERN_OF MEMORY_SIZE KIND KIND_SHARED \
 *                      one-engine|own-engines
 *
 * MODULE imports the functions of `imported` below. `work` makes many calls,
 * `_start` gives 7 to proc_exit, `sleep` sleeps for ever. The numbers are what
 * struct wb_wasmtime_api wants to know. Says "passed" at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engines/wasmtime.h"

#define CHECK(condition)                                                  \
    do {                                                                  \
        if (!(condition)) {                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                     \
        }                                                                 \
    } while (0)

enum { GUESTS = 2, ROUNDS = 20 };

/* ---- what we need of wasmtime --------------------------------------------- */

/* A vector of owned pointers, and a value or item of wasmtime's that is larger
 * than any that it has. */
struct vector {
    size_t size;
    void **data;
};

struct room {
    _Alignas(16) unsigned char bytes[WB_WASMTIME_EXTERN_MAX];
};

static struct {
    void *(*engine_new)(void);
    void (*engine_delete)(void *engine);
    void *(*store_new)(void *engine, void *data, void (*finalizer)(void *));
    void *(*store_context)(void *store);
    void (*store_delete)(void *store);
    void *(*module_new)(void *engine, const uint8_t *wasm, size_t len,
                        void **module);
    void (*module_delete)(void *module);
    void *(*linker_new)(void *engine);
    void (*linker_delete)(void *linker);
    void *(*define)(void *linker, const char *module, size_t module_len,
                    const char *name, size_t name_len, void *type,
                    wb_wasmtime_callback *callback, void *data,
                    void (*finalizer)(void *));
    void *(*instantiate)(void *linker, void *context, void *module,
                         struct room *instance, void **trap);
    uint8_t (*export_get)(void *context, struct room *instance,
                          const char *name, size_t name_len,
                          struct room *item);
    void *(*call)(void *context, void *function, void *arguments,
                  size_t arguments_len, struct room *results,
                  size_t results_len, void **trap);
    void (*error_delete)(void *error);
    void (*trap_delete)(void *trap);
    void *(*valtype_new)(uint8_t kind);
    void (*valtype_vec_new)(struct vector *out, size_t size, void *const *data);
    void *(*functype_new)(struct vector *parameters, struct vector *results);
    void (*functype_delete)(void *type);
} wt;

static struct wb_wasmtime_api api;

/* ISO C has no conversion from an object's address to a function's. */
static void resolve(void *library, void *where, const char *name)
{
    void *address = dlsym(library, name);

    CHECK(address);
    memcpy(where, &address, sizeof(address));
}

static void load(const char *path, char **numbers)
{
    void *library = dlopen(path, RTLD_NOW);

    CHECK(library);
#define RESOLVE(field, name) resolve(library, &field, name)
    RESOLVE(wt.engine_new, "wasm_engine_new");
    RESOLVE(wt.engine_delete, "wasm_engine_delete");
    RESOLVE(wt.store_new, "wasmtime_store_new");
    RESOLVE(wt.store_context, "wasmtime_store_context");
    RESOLVE(wt.store_delete, "wasmtime_store_delete");
    RESOLVE(wt.module_new, "wasmtime_module_new");
    RESOLVE(wt.module_delete, "wasmtime_module_delete");
    RESOLVE(wt.linker_new, "wasmtime_linker_new");
    RESOLVE(wt.linker_delete, "wasmtime_linker_delete");
    RESOLVE(wt.define, "wasmtime_linker_define_func_unchecked");
    RESOLVE(wt.instantiate, "wasmtime_linker_instantiate");
    RESOLVE(wt.export_get, "wasmtime_instance_export_get");
    RESOLVE(wt.call, "wasmtime_func_call");
    RESOLVE(wt.error_delete, "wasmtime_error_delete");
    RESOLVE(wt.trap_delete, "wasm_trap_delete");
    RESOLVE(wt.valtype_new, "wasm_valtype_new");
    RESOLVE(wt.valtype_vec_new, "wasm_valtype_vec_new");
    RESOLVE(wt.functype_new, "wasm_functype_new");
    RESOLVE(wt.functype_delete, "wasm_functype_delete");
    RESOLVE(api.caller_context, "wasmtime_caller_context");
    RESOLVE(api.caller_export_get, "wasmtime_caller_export_get");
    RESOLVE(api.extern_delete, "wasmtime_extern_delete");
    RESOLVE(api.memory_data, "wasmtime_memory_data");
    RESOLVE(api.memory_data_size, "wasmtime_memory_data_size");
    RESOLVE(api.memory_type, "wasmtime_memory_type");
    RESOLVE(api.memorytype_is64, "wasmtime_memorytype_is64");
    RESOLVE(api.memorytype_delete, "wasm_memorytype_delete");
    RESOLVE(api.trap_new, "wasmtime_trap_new");
    RESOLVE(api.error_new, "wasmtime_error_new");
#undef RESOLVE
    api.extern_of = (uint32_t)strtoul(numbers[0], NULL, 10);
    api.memory_size = (uint32_t)strtoul(numbers[1], NULL, 10);
    api.extern_memory = (uint32_t)strtoul(numbers[2], NULL, 10);
    api.extern_sharedmemory = (uint32_t)strtoul(numbers[3], NULL, 10);
}

/* ---- guests --------------------------------------------------------------- */

static uint8_t *wasm;
static size_t wasm_len;

static const struct {
    uint32_t id;
    const char *parameters; /* i, or I for 64 bits */
} imported[] = {
    {WB_CALL_clock_time_get, "iIi"}, {WB_CALL_fd_write, "iiii"},
    {WB_CALL_poll_oneoff, "iiii"},   {WB_CALL_proc_exit, "i"},
    {WB_CALL_random_get, "ii"},      {WB_CALL_sched_yield, ""},
};

struct guest {
    pthread_t thread;
    void *engine;
    int descriptor;                  /* of its stdout */
    struct wb_wasmtime *environment; /* while it runs */
    void *store;
    struct room instance;
};

static void *function_type(const char *parameters, int has_result)
{
    struct vector kinds[2];
    void *kind[8];
    size_t n = 0;

    for (; parameters[n]; n++)
        kind[n] = wt.valtype_new(parameters[n] == 'I');
    wt.valtype_vec_new(&kinds[0], n, kind);
    kind[0] = wt.valtype_new(0);
    wt.valtype_vec_new(&kinds[1], has_result ? 1 : 0, kind);
    return wt.functype_new(&kinds[0], &kinds[1]);
}

/* The memory that one guest leaves may become the other one's, inside wasmtime,
 * where nobody watches: what makes guests and ends them is ordered here. */
static pthread_mutex_t stores = PTHREAD_MUTEX_INITIALIZER;

static void guest_open(struct guest *guest)
{
    extern const struct wb_backing min_backing;
    static const struct wb_backing *const stack[] = {&min_backing};
    char why[200] = "";
    struct wb_options options = {
        .size = sizeof(options), .error = why, .error_len = sizeof(why)};
    void *linker = wt.linker_new(guest->engine);
    void *module = NULL;
    void *trap = NULL;
    wb_errno error;

    for (int i = 0; i < 3; i++) {
        options.stdio[i].kind = WB_STDIO_DESCRIPTOR;
        options.stdio[i].descriptor = i == 1 ? guest->descriptor : i;
    }
    guest->environment = wb_wasmtime_new(&api, &options, stack, 1, 0,
                                         WB_WASMTIME_INSTANCE, &error);
    CHECK(guest->environment && !error);
    for (size_t i = 0; i < sizeof(imported) / sizeof(imported[0]); i++) {
        const char *where = "wasi_snapshot_preview1";
        const char *name = wb_call_infos[imported[i].id].name;
        void *type = function_type(imported[i].parameters,
                                   imported[i].id != WB_CALL_proc_exit);

        wb_wasmtime_retain(guest->environment);
        CHECK(!wt.define(linker, where, strlen(where), name, strlen(name), type,
                         wb_wasmtime_callback_of(imported[i].id),
                         guest->environment, wb_wasmtime_release));
        wt.functype_delete(type);
    }
    CHECK(!wt.module_new(guest->engine, wasm, wasm_len, &module));
    pthread_mutex_lock(&stores);
    guest->store = wt.store_new(guest->engine, NULL, NULL);
    CHECK(!wt.instantiate(linker, wt.store_context(guest->store), module,
                          &guest->instance, &trap));
    pthread_mutex_unlock(&stores);
    CHECK(!trap);
    wt.module_delete(module);
    wt.linker_delete(linker);
}

/* Call a function without parameters; returns how its guest ended, or 0. */
static uint32_t guest_call(struct guest *guest, const char *name)
{
    void *context = wt.store_context(guest->store);
    struct room item;
    void *trap = NULL;
    void *error;

    CHECK(wt.export_get(context, &guest->instance, name, strlen(name), &item));
    error = wt.call(context, item.bytes + api.extern_of, NULL, 0, NULL, 0,
                    &trap);
    api.extern_delete(&item);
    if (!error && !trap)
        return 0;
    if (error)
        wt.error_delete(error);
    if (trap)
        wt.trap_delete(trap);
    CHECK(wb_wasmtime_take_ended() == guest->environment);
    return wb_wasmtime_outcome(guest->environment);
}

/* The functions of the store hold the last references. */
static void guest_close(struct guest *guest)
{
    wb_wasmtime_release(guest->environment);
    pthread_mutex_lock(&stores);
    wt.store_delete(guest->store);
    pthread_mutex_unlock(&stores);
}

static void *work(void *argument)
{
    struct guest *guest = argument;

    for (int i = 0; i < ROUNDS; i++) {
        guest_open(guest);
        CHECK(guest_call(guest, "work") == 0);
        CHECK(guest_call(guest, "_start") == WB_EXIT);
        CHECK(wb_wasmtime_guest(guest->environment)->exit_code == 7);
        guest_close(guest);
    }
    return NULL;
}

static void *sleep_for_ever(void *argument)
{
    struct guest *guest = argument;

    CHECK(guest_call(guest, "sleep") == WB_STOP);
    CHECK(guest_call(guest, "sleep") == WB_STOP);
    return NULL;
}

static void start(struct guest *guests, void *(*body)(void *))
{
    for (int i = 0; i < GUESTS; i++)
        CHECK(!pthread_create(&guests[i].thread, NULL, body, &guests[i]));
}

static void join(struct guest *guests)
{
    for (int i = 0; i < GUESTS; i++)
        CHECK(!pthread_join(guests[i].thread, NULL));
}

static void read_module(const char *path)
{
    FILE *file = fopen(path, "rb");

    CHECK(file);
    wasm = malloc(1 << 16);
    CHECK(wasm);
    wasm_len = fread(wasm, 1, 1 << 16, file);
    CHECK(wasm_len > 0 && wasm_len < 1 << 16);
    fclose(file);
}

int main(int argc, char **argv)
{
    struct guest guests[GUESTS] = {{0}};
    int pipes[GUESTS][2];
    int shared;

    CHECK(argc == 8);
    load(argv[1], argv + 3);
    read_module(argv[2]);
    shared = !strcmp(argv[7], "one-engine");
    for (int i = 0; i < GUESTS; i++) {
        CHECK(!pipe(pipes[i]));
        guests[i].descriptor = pipes[i][1];
        guests[i].engine = i && shared ? guests[0].engine : wt.engine_new();
    }

    start(guests, work);
    join(guests);

    /* Each guest says with a byte that it is about to sleep. */
    for (int i = 0; i < GUESTS; i++)
        guest_open(&guests[i]);
    start(guests, sleep_for_ever);
    for (int i = 0; i < GUESTS; i++) {
        char byte;

        while (read(pipes[i][0], &byte, 1) == 1 && byte != 's')
            ;
        wb_guest_interrupt(wb_wasmtime_guest(guests[i].environment));
    }
    join(guests);

    for (int i = 0; i < GUESTS; i++) {
        guest_close(&guests[i]);
        if (!i || !shared)
            wt.engine_delete(guests[i].engine);
    }
    free(wasm);
    puts("passed");
    return 0;
}
