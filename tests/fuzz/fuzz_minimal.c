/* A libFuzzer target: a guest that makes any calls on the minimal backing, in a
 * fresh directory, with a file beside that directory that must stay as it is.
 *
 * What waits for others is left out (poll_oneoff, and there is no socket to accept
 * from), and what fills a disk is kept small.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "input.h"
#include "wasi_backing/layer.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct wb_backing min_backing;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                               \
    do {                                                 \
        if (!(condition)) {                              \
            fprintf(stderr, "not so: %s\n", #condition); \
            abort();                                     \
        }                                                \
    } while (0)

enum { MEMORY = 2048, MOST_CALLS = 24, NAMES_AT = 1024, NAME_ROOM = 32 };

/* Paths that calls mostly use; each lies in NAME_ROOM bytes of memory. */
static const char *const names[] = {
    "a",       "b",     "d",       "d/a",    "d/b",   "d/d",     ".",   "..",
    "../out",  "d/..",  "d/../..", "a/",     "d/",    "/",       "/a",  "l",
    "l/out",   "l/",    "d/../b",  "./a",    "a/b",   "d//a",    "b/",  "",
    "d/../../out", "\xff", "l/../out", "d/./d/../a", "../root/a",
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

static char place[1024]; /* holds "root", the guest's, and "out" */
static struct wb_call call;

static int remove_below(const char *path, const struct stat *facts, int kind,
                        struct FTW *where)
{
    (void)facts, (void)kind;
    return where->level > 0 ? remove(path) : 0;
}

static void make_place(void)
{
    static const char text[] = "untouched";
    const char *directory = getenv("TMPDIR");
    int out;

    if (!place[0]) {
        snprintf(place, sizeof(place), "%s/fuzz.XXXXXX",
                 directory ? directory : "/tmp");
        REQUIRE(mkdtemp(place));
        REQUIRE(chdir(place) == 0);
    }
    nftw(".", remove_below, 16, FTW_DEPTH | FTW_PHYS);
    REQUIRE(mkdir("root", 0777) == 0 && mkdir("root/d", 0777) == 0);
    REQUIRE(symlink("..", "root/l") == 0);
    out = open("out", O_WRONLY | O_CREAT | O_EXCL, 0666);
    REQUIRE(out >= 0 && write(out, text, sizeof(text)) == sizeof(text));
    close(out);
}

static void check_place(void)
{
    char text[16] = "";
    int out = open("out", O_RDONLY | O_NOFOLLOW);

    REQUIRE(out >= 0 && read(out, text, sizeof(text)) == 10);
    REQUIRE(strcmp(text, "untouched") == 0);
    close(out);
}

/* An i64: mostly small, sometimes all that a rights or an offset can be. */
static uint64_t wide(struct input *input)
{
    uint64_t how = input_number(input, 1);

    return how < 64 ? how : how < 192 ? WB_RIGHTS_ALL
                                      : input_argument(input, MEMORY);
}

/* Take a call's arguments; an i32 that is followed by another may become a path
 * and its length. */
static void take_arguments(struct input *input, const char *signature,
                           uint64_t *args)
{
    for (size_t i = 0; signature[i] && signature[i] != 'v'; i++) {
        uint64_t how = input_number(input, 1);

        if (signature[i] == 'I') {
            args[i] = wide(input);
        } else if (how < 96 && signature[i + 1] == 'i') {
            size_t name = how % NAMES;

            args[i] = NAMES_AT + name * NAME_ROOM;
            args[++i] = strlen(names[name]);
        } else if (how < 224) {
            args[i] = how & 7;
        } else {
            args[i] = input_argument(input, MEMORY);
        }
    }
}

static void make_call(struct wb_guest *guest, struct input *input)
{
    uint32_t id = (uint32_t)input_number(input, 1) % WB_CALL_COUNT;
    uint64_t args[WB_MAX_PARAMETERS] = {0};
    uint32_t outcome;

    take_arguments(input, wb_call_infos[id].signature, args);
    if (id == WB_CALL_poll_oneoff)
        return;
    if (id == WB_CALL_fd_allocate)
        args[1] &= 0xffff, args[2] &= 0xffff;
    memset(call.memory, 0, MEMORY);
    for (size_t i = 0; i < NAMES; i++)
        memcpy(call.memory + NAMES_AT + i * NAME_ROOM, names[i],
               strlen(names[i]));
    /* Two iovecs at 0, which is where many pointers go. */
    call.memory[1] = 2, call.memory[4] = 9, call.memory[9] = 2;
    call.memory[12] = 100;
    outcome = wb_invoke(guest, &call, id, args);
    REQUIRE(outcome < WB_ERRNO_COUNT || outcome == WB_TRAP ||
            outcome == WB_EXIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wb_preopen preopens[] = {
        {.guest_name = "/", .host_path = "root"},
        {.guest_name = "/d", .host_path = "root/d",
         .flags = WB_PREOPEN_READ_ONLY}};
    const struct wb_options options = {.size = sizeof(options),
                                       .preopens = preopens,
                                       .preopens_len = 2,
                                       .max_fds = 12};
    const struct wb_backing *backing = &min_backing;
    struct input input = {data, size};
    struct wb_guest guest;

    make_place();
    call.memory = malloc(MEMORY);
    call.memory_size = MEMORY;
    REQUIRE(call.memory);
    REQUIRE(wb_guest_open(&guest, &options, &backing, 1) == 0);
    for (int i = 0; i < MOST_CALLS && input.left > 0; i++)
        make_call(&guest, &input);
    wb_guest_close(&guest);
    free(call.memory);
    check_place();
    return 0;
}
