/* Random calls, through the layer, on two guests at once: one on the uvwasi
 * backing and one on the minimal one, each on its own thread. Built with
 * sanitizers, this is how the delegate and the library behind it are looked at.
 *
 *     random_calls DIR SEED COUNT on|off
 *
 * DIR is empty and stays the only place that is written to: the guests' roots are
 * DIR/N/uvwasi/root and DIR/N/minimal/root, since uvwasi lets a path out to what
 * is beside its root. The last argument switches uvwasi's fix-ups. Prints, for
 * each guest, how often each call was tried and succeeded.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasi_backing/layer.h"
#include "wasi_backing/rights.h"

extern const struct wb_backing min_backing, uvw_backing;

enum { MEMORY = 65536, PATHS = 0x8000, IOVECS = 0x9000, ROUND = 2000 };

/* What each parameter of a call is, in order:
 *   f  descriptor          o  where an output goes      c  clock
 *   P  path, length        v  iovecs, how many          b  buffer, length
 *   u  0 to 5              m  flags, 0 to 31            r  rights
 *   L  offset or size      t  time                      s  subscriptions, events,
 *   x  exit code, signal                                   how many
 */
static const struct {
    const char *name, *parameters;
} calls[] = {
    {"args_get", "oo"},
    {"args_sizes_get", "oo"},
    {"environ_get", "oo"},
    {"environ_sizes_get", "oo"},
    {"clock_res_get", "co"},
    {"clock_time_get", "cto"},
    {"fd_advise", "fLLu"},
    {"fd_allocate", "fLL"},
    {"fd_close", "f"},
    {"fd_datasync", "f"},
    {"fd_fdstat_get", "fo"},
    {"fd_fdstat_set_flags", "fm"},
    {"fd_fdstat_set_rights", "frr"},
    {"fd_filestat_get", "fo"},
    {"fd_filestat_set_size", "fL"},
    {"fd_filestat_set_times", "fttm"},
    {"fd_pread", "fvLo"},
    {"fd_prestat_get", "fo"},
    {"fd_prestat_dir_name", "fb"},
    {"fd_pwrite", "fvLo"},
    {"fd_read", "fvo"},
    {"fd_readdir", "fbLo"},
    {"fd_renumber", "ff"},
    {"fd_seek", "fLuo"},
    {"fd_sync", "f"},
    {"fd_tell", "fo"},
    {"fd_write", "fvo"},
    {"path_create_directory", "fP"},
    {"path_filestat_get", "fuPo"},
    {"path_filestat_set_times", "fuPttm"},
    {"path_link", "fuPfP"},
    {"path_open", "fuPmrrmo"},
    {"path_readlink", "fPbo"},
    {"path_remove_directory", "fP"},
    {"path_rename", "fPfP"},
    {"path_symlink", "PfP"},
    {"path_unlink_file", "fP"},
    {"poll_oneoff", "so"},
    {"proc_exit", "x"},
    {"proc_raise", "x"},
    {"sched_yield", ""},
    {"random_get", "b"},
    {"sock_accept", "fmo"},
    {"sock_recv", "fvmoo"},
    {"sock_send", "fvmo"},
    {"sock_shutdown", "fu"},
};

static const char *const paths[] = {
    "a",      "b",         "d",     "d/a",     "d/e",     "d/e/f", "link",
    "d/link", ".",         "..",    "../root", "./a",     "d/../a", "d/",
    "a/",     "link/",     "a/b",   "e",       "e/..",    "//a",   "d//a",
    "",       "link/../a", "/a",    "d/.",     "d/e/../../b",
};

struct tally {
    unsigned long tried, succeeded;
};

struct guest_thread {
    const struct wb_backing *backing;
    const char *directory, *fixups;
    uint64_t random;
    unsigned long count;
    struct tally tallies[WB_CALL_COUNT];
    int failed;
};

static uint32_t below(struct guest_thread *thread, uint32_t limit)
{
    /* xorshift64 */
    thread->random ^= thread->random << 13;
    thread->random ^= thread->random >> 7;
    thread->random ^= thread->random << 17;
    return (uint32_t)(thread->random >> 32) % limit;
}

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* Mostly inside, sometimes across the end. */
static uint32_t offset(struct guest_thread *thread)
{
    return below(thread, 50) ? below(thread, PATHS - 4096)
                             : MEMORY - 64 + below(thread, 128);
}

static uint32_t subscriptions(struct guest_thread *thread, uint8_t *memory)
{
    uint32_t count = below(thread, 4);
    memset(memory, 0, 4 * 48);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *at = memory + 48 * i;
        at[0] = (uint8_t)i;
        at[8] = (uint8_t)below(thread, 3);
        if (at[8] == 0) {
            put(at + 16, below(thread, 2), 4);
            put(at + 24, below(thread, 2000000), 8);
        } else {
            put(at + 16, below(thread, 14), 4);
        }
    }
    /* One that is sure to end the wait. */
    uint8_t *last = memory + 48 * count;
    memset(last, 0, 48);
    put(last + 16, 1, 4);
    put(last + 24, 1000000, 8);
    return count + 1;
}

static void choose(struct guest_thread *thread, uint32_t id, uint8_t *memory,
                   uint64_t *args)
{
    size_t n = 0;
    int destructive = id == WB_CALL_fd_close || id == WB_CALL_fd_renumber ||
                      id == WB_CALL_fd_fdstat_set_rights;
    for (const char *p = calls[id].parameters; *p; p++) {
        uint32_t which = below(thread, sizeof paths / sizeof *paths);
        switch (*p) {
        case 'f': /* keep the first five for the most part */
            args[n++] = below(thread, 40) == 0 ? 9999
                        : destructive && below(thread, 8)
                            ? 5 + below(thread, 8)
                        : strchr(calls[id].parameters, 'P') &&
                                below(thread, 4)
                            ? 3
                            : below(thread, 14);
            break;
        case 'o':
            args[n++] = offset(thread);
            break;
        case 'c':
            args[n++] = below(thread, 5);
            break;
        case 'P':
            args[n++] = PATHS + 64 * which;
            args[n++] = strlen(paths[which]);
            break;
        case 'v':
            for (uint32_t i = 0; i < 4; i++) {
                put(memory + IOVECS + 8 * i, offset(thread), 4);
                put(memory + IOVECS + 8 * i + 4, below(thread, 300), 4);
            }
            args[n++] = IOVECS;
            args[n++] = below(thread, 5);
            break;
        case 'b':
            args[n++] = offset(thread);
            args[n++] = below(thread, 1000);
            break;
        case 'u':
            args[n++] = below(thread, 8) ? below(thread, 2) : below(thread, 6);
            break;
        case 'm':
            args[n++] = below(thread, 3) ? 0 : below(thread, 32);
            break;
        case 'r':
            args[n++] = below(thread, 8) == 0 ? thread->random & WB_RIGHTS_ALL
                        : id == WB_CALL_fd_fdstat_set_rights
                            ? WB_RIGHTS_OF_FILE &
                                  ~(UINT64_C(1) << below(thread, 30))
                        : below(thread, 3) ? WB_RIGHTS_OF_FILE
                                           : WB_RIGHTS_FD_READDIR;
            break;
        case 'L':
            args[n++] = below(thread, 30) ? below(thread, 5000)
                                          : UINT64_MAX - below(thread, 5);
            break;
        case 't':
            args[n++] = thread->random >> below(thread, 40);
            break;
        case 's':
            args[n++] = 0;
            args[n++] = 1024;
            args[n++] = subscriptions(thread, memory);
            break;
        default:
            args[n++] = below(thread, 40);
        }
    }
}

/* Open a file, so that there is one. */
static void open_first(struct wb_guest *guest, struct wb_call *call,
                       uint8_t *memory)
{
    const uint64_t args[] = {3, 0, PATHS, 1, WB_OFLAGS_CREAT,
                             WB_RIGHTS_OF_FILE, 0, 0, 0};
    memory[PATHS] = 'a';
    call->memory = memory;
    call->memory_size = MEMORY;
    wb_invoke(guest, call, WB_CALL_path_open, args);
}

/* Make ROUND calls with a guest of its own; 0 if it could not start. */
static int one_guest(struct guest_thread *thread, unsigned round)
{
    char root[512], error[256] = "?";
    const char *argv[] = {"guest", "one", ""}, *envp[] = {"A=1"};
    struct wb_extra extra = {"fixups", thread->fixups};
    int ends[2], reader[2];
    snprintf(root, sizeof root, "%s/%u/%s", thread->directory, round,
             thread->backing->name);
    mkdir(root, 0700);
    strcat(root, "/root");
    mkdir(root, 0700);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || pipe(reader))
        return 0;
    close(ends[1]);
    close(reader[0]); /* writing is EPIPE from the start */

    struct wb_preopen preopens[] = {{"/", root, 0, 0}, {"sub", root, 0, 0}};
    struct wb_options options = {
        .size = sizeof options,
        .argv = argv,
        .argc = 3,
        .envp = envp,
        .envc = 1,
        .preopens = preopens,
        .preopens_len = 2,
        .stdio = {{WB_STDIO_DESCRIPTOR, ends[0], NULL},
                  {WB_STDIO_DESCRIPTOR, reader[1], NULL},
                  {WB_STDIO_NONE, 0, NULL}},
        .max_fds = 14,
        .extras = thread->backing == &uvw_backing ? &extra : NULL,
        .extras_len = thread->backing == &uvw_backing ? 1 : 0,
        .error = error,
        .error_len = sizeof error,
    };
    struct wb_guest guest;
    struct wb_call *call = calloc(1, sizeof *call);
    uint8_t *memory = malloc(MEMORY); /* its end is a sanitizer's red zone */
    int started = call && memory &&
                  !wb_guest_open(&guest, &options,
                                 (const struct wb_backing *[]){thread->backing},
                                 1);
    if (!started)
        fprintf(stderr, "%s: %s\n", thread->backing->name, error);
    for (unsigned n = 0; started && n < ROUND; n++) {
        if (n == 0)
            open_first(&guest, call, memory);
        uint64_t args[WB_MAX_PARAMETERS] = {0};
        uint32_t id = below(thread, WB_CALL_COUNT);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            strcpy((char *)memory + PATHS + 64 * i, paths[i]);
        call->memory = memory;
        call->memory_size = MEMORY;
        choose(thread, id, memory, args);
        uint32_t outcome = wb_invoke(&guest, call, id, args);
        thread->tallies[id].tried++;
        if (outcome == 0 || outcome == WB_EXIT)
            thread->tallies[id].succeeded++;
        else if (outcome > 76 && outcome != WB_TRAP) {
            fprintf(stderr, "%s: %s: outcome %x\n", thread->backing->name,
                    calls[id].name, outcome);
            thread->failed = 1;
        }
    }
    if (started)
        wb_guest_close(&guest);
    free(memory);
    free(call);
    close(ends[0]);
    close(reader[1]);
    return started;
}

static void *run(void *argument)
{
    struct guest_thread *thread = argument;
    for (unsigned round = 0; round * ROUND < thread->count; round++) {
        if (!one_guest(thread, round)) {
            thread->failed = 1;
            break;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    uint64_t seed = strtoull(argv[2], NULL, 10) * 2 + 1;
    unsigned long count = strtoul(argv[3], NULL, 10);
    struct guest_thread threads[2] = {
        {.backing = &uvw_backing, .random = seed},
        {.backing = &min_backing, .random = seed},
    };
    pthread_t ids[2];
    char path[512];
    int failed = 0;
    for (unsigned round = 0; round * ROUND < count; round++) {
        snprintf(path, sizeof path, "%s/%u", argv[1], round);
        mkdir(path, 0700);
    }
    for (size_t i = 0; i < WB_CALL_COUNT; i++)
        if (strcmp(calls[i].name, wb_call_infos[i].name))
            return 3;
    for (int i = 0; i < 2; i++) {
        threads[i].directory = argv[1];
        threads[i].fixups = argv[4];
        threads[i].count = count;
        if (pthread_create(&ids[i], NULL, run, &threads[i]))
            return 4;
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(ids[i], NULL);
        failed |= threads[i].failed;
        for (size_t n = 0; n < WB_CALL_COUNT; n++)
            printf("%s %s %lu %lu\n", threads[i].backing->name, calls[n].name,
                   threads[i].tallies[n].tried,
                   threads[i].tallies[n].succeeded);
    }
    return failed;
}
