/* See good.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <string.h>

#define OUT(arg, element, align) {arg, element, align, 0, GOOD_OUT, 0}
#define BYTES_OUT(arg, count, if_empty) \
    {arg, 1, 1, count, GOOD_OUT, WB_ERRNO_##if_empty}
#define PATH(arg) {arg, 1, 1, (arg) + 1, GOOD_TEXT, WB_ERRNO_NOENT}
#define IOVECS(arg) {arg, 8, 4, (arg) + 1, GOOD_IOVECS, 0}
#define FILLED_IOVECS(arg) {arg, 8, 4, (arg) + 1, GOOD_FILLED_IOVECS, 0}
#define IN(name) WB_CALL_##name

/* Spans of the baseline lie at 64, 128, ..., so that a shift by some bytes brings
 * none into another. */
static const struct good_call preview1[WB_CALL_COUNT] = {
    {IN(args_get), {64, 128}, "args_sizes_get; args_get",
     {OUT(0, 8, 4), OUT(1, 5, 1)}, "args_sizes_get", 0},
    {IN(args_sizes_get), {64, 128}, "args_sizes_get",
     {OUT(0, 4, 4), OUT(1, 4, 4)}, NULL, 0},
    {IN(environ_get), {64, 128}, "environ_sizes_get; environ_get",
     {OUT(0, 8, 4), OUT(1, 5, 1)}, "environ_sizes_get", 0},
    {IN(environ_sizes_get), {64, 128}, "environ_sizes_get",
     {OUT(0, 4, 4), OUT(1, 4, 4)}, NULL, 0},
    {IN(clock_res_get), {1, 64}, "clock_res_get 1", {OUT(1, 8, 8)}, NULL, 0},
    {IN(clock_time_get), {3, 5000000000, 64}, "clock_time_get 3 5000000000",
     {OUT(2, 8, 8)}, NULL, 0},
    {IN(fd_advise), {3, 1ULL << 40, 1ULL << 41, 4},
     "fd_advise 3 1099511627776 2199023255552 4", {{0}}, NULL, 0},
    {IN(fd_allocate), {4, 1ULL << 40, 1ULL << 41},
     "fd_allocate 4 1099511627776 2199023255552", {{0}}, NULL, 0},
    {IN(fd_close), {0xffffffff}, "fd_close 4294967295", {{0}}, NULL, 0},
    {IN(fd_datasync), {5}, "fd_datasync 5", {{0}}, NULL, 0},
    {IN(fd_fdstat_get), {6, 64}, "fd_fdstat_get 6", {OUT(1, 24, 8)}, NULL, 0},
    {IN(fd_fdstat_set_flags), {7, 31}, "fd_fdstat_set_flags 7 31", {{0}},
     NULL, 0},
    {IN(fd_fdstat_set_rights), {8, 0x3fffffff, 0x20000000},
     "fd_fdstat_set_rights 8 1073741823 536870912", {{0}}, NULL, 0},
    {IN(fd_filestat_get), {9, 64}, "fd_filestat_get 9", {OUT(1, 64, 8)}, NULL,
     0},
    {IN(fd_filestat_set_size), {10, 1ULL << 63},
     "fd_filestat_set_size 10 9223372036854775808", {{0}}, NULL, 0},
    {IN(fd_filestat_set_times), {11, 1ULL << 40, 1ULL << 41, 5},
     "fd_filestat_set_times 11 1099511627776 2199023255552 5", {{0}}, NULL, 0},
    {IN(fd_pread), {12, 256, 1, 1ULL << 63, 64},
     "fd_pread 12 [16+8] 9223372036854775808",
     {FILLED_IOVECS(1), OUT(4, 4, 4)}, NULL, 0},
    {IN(fd_prestat_get), {13, 64}, "fd_prestat_get 13", {OUT(1, 8, 4)}, NULL,
     0},
    {IN(fd_prestat_dir_name), {14, 64, 6},
     "fd_prestat_get 14; fd_prestat_dir_name 14 4",
     {BYTES_OUT(1, 2, NAMETOOLONG)}, NULL, 0},
    {IN(fd_pwrite), {15, 256, 1, 7, 64}, "fd_pwrite 15 [16+8] 7",
     {IOVECS(1), OUT(4, 4, 4)}, NULL, 0},
    {IN(fd_read), {16, 256, 1, 64}, "fd_read 16 [16+8]",
     {FILLED_IOVECS(1), OUT(3, 4, 4)}, NULL, 0},
    {IN(fd_readdir), {17, 128, 40, 1ULL << 63, 64},
     "fd_readdir 17 9223372036854775808",
     {BYTES_OUT(1, 2, SUCCESS), OUT(4, 4, 4)}, NULL, 0},
    {IN(fd_renumber), {18, 19}, "fd_renumber 18 19", {{0}}, NULL, 0},
    {IN(fd_seek), {20, (uint64_t)-5, 2, 64}, "fd_seek 20 -5 2",
     {OUT(3, 8, 8)}, NULL, 0},
    {IN(fd_sync), {21}, "fd_sync 21", {{0}}, NULL, 0},
    {IN(fd_tell), {22, 64}, "fd_tell 22", {OUT(1, 8, 8)}, NULL, 0},
    {IN(fd_write), {23, 256, 1, 64}, "fd_write 23 [16+8]",
     {IOVECS(1), OUT(3, 4, 4)}, NULL, 0},
    {IN(path_create_directory), {24, 64, 3}, "path_create_directory 24 'abc'",
     {PATH(1)}, NULL, 0},
    {IN(path_filestat_get), {25, 1, 64, 3, 128},
     "path_filestat_get 25 1 'abc'", {PATH(2), OUT(4, 64, 8)}, NULL, 0},
    {IN(path_filestat_set_times), {26, 1, 64, 3, 1ULL << 40, 1ULL << 41, 10},
     "path_filestat_set_times 26 1 'abc' 1099511627776 2199023255552 10",
     {PATH(2)}, NULL, 0},
    {IN(path_link), {27, 1, 64, 3, 28, 128, 4}, "path_link 27 1 'abc' 28 'abcd'",
     {PATH(2), PATH(5)}, NULL, 0},
    {IN(path_open), {29, 1, 64, 3, 15, 0x3fffffff, 0x20000000, 31, 128},
     "path_open 29 1 'abc' 15 1073741823 536870912 31",
     {PATH(2), OUT(8, 4, 4)}, NULL, 0},
    {IN(path_readlink), {30, 64, 3, 128, 9, 256}, "path_readlink 30 'abc'",
     {PATH(1), BYTES_OUT(3, 4, SUCCESS), OUT(5, 4, 4)}, NULL, 0},
    {IN(path_remove_directory), {31, 64, 3}, "path_remove_directory 31 'abc'",
     {PATH(1)}, NULL, 0},
    {IN(path_rename), {32, 64, 3, 33, 128, 4}, "path_rename 32 'abc' 33 'abcd'",
     {PATH(1), PATH(4)}, NULL, 0},
    {IN(path_symlink), {64, 3, 34, 128, 4}, "path_symlink 'abc' 34 'abcd'",
     {PATH(0), PATH(3)}, NULL, 0},
    {IN(path_unlink_file), {35, 64, 3}, "path_unlink_file 35 'abc'", {PATH(1)},
     NULL, 0},
    {IN(poll_oneoff), {256, 512, 2, 64}, "poll_oneoff 2",
     {{0, 48, 8, 2, GOOD_SUBSCRIPTIONS, WB_ERRNO_INVAL},
      {1, 32, 8, 2, GOOD_OUT, WB_ERRNO_INVAL}, OUT(3, 4, 4)}, NULL, 0},
    {IN(proc_exit), {36}, "proc_exit 36", {{0}}, NULL, WB_EXIT},
    {IN(proc_raise), {15}, "proc_raise 15", {{0}}, NULL, WB_EXIT},
    {IN(sched_yield), {0}, "sched_yield", {{0}}, NULL, 0},
    {IN(random_get), {64, 12}, "random_get 64 12", {BYTES_OUT(0, 1, SUCCESS)},
     NULL, 0},
    {IN(sock_accept), {37, 31, 64}, "sock_accept 37 31", {OUT(2, 4, 4)}, NULL,
     0},
    {IN(sock_recv), {38, 256, 1, 3, 64, 128}, "sock_recv 38 [16+8] 3",
     {FILLED_IOVECS(1), OUT(4, 4, 4), OUT(5, 2, 2)}, NULL, 0},
    {IN(sock_send), {39, 256, 1, 0, 64}, "sock_send 39 [16+8]",
     {IOVECS(1), OUT(4, 4, 4)}, NULL, 0},
    {IN(sock_shutdown), {40, 3}, "sock_shutdown 40 3", {{0}}, NULL, 0},
};

static const struct good_call unstable_own[] = {
    {IN(fd_filestat_get), {9, 64}, "fd_filestat_get 9", {OUT(1, 56, 8)}, NULL,
     0},
    {IN(fd_seek), {20, (uint64_t)-5, 1, 64}, "fd_seek 20 -5 2",
     {OUT(3, 8, 8)}, NULL, 0},
    {IN(path_filestat_get), {25, 1, 64, 3, 128},
     "path_filestat_get 25 1 'abc'", {PATH(2), OUT(4, 56, 8)}, NULL, 0},
    {IN(poll_oneoff), {256, 512, 2, 64}, "poll_oneoff 2",
     {{0, 56, 8, 2, GOOD_SUBSCRIPTIONS, WB_ERRNO_INVAL},
      {1, 32, 8, 2, GOOD_OUT, WB_ERRNO_INVAL}, OUT(3, 4, 4)}, NULL, 0},
};

/* How wasi_unstable has a call of preview 1. */
static struct good_call unstable(const struct good_call *same)
{
    struct good_call good = *same;

    for (size_t i = 0; i < sizeof(unstable_own) / sizeof(unstable_own[0]); i++)
        if (unstable_own[i].id == same->id)
            good = unstable_own[i];
    good.id |= WB_UNSTABLE;
    return good;
}

const struct good_call *good_calls(void)
{
    static struct good_call all[GOOD_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < WB_CALL_COUNT; i++)
        all[count++] = preview1[i];
    for (size_t i = 0; i < WB_CALL_COUNT; i++)
        if (preview1[i].id != WB_CALL_sock_accept)
            all[count++] = unstable(&preview1[i]);
    return all;
}

const char *good_name(uint32_t id)
{
    return wb_call_infos[id & ~WB_UNSTABLE].name;
}

void good_prepare(struct world *world)
{
    static const char *const strings[] = {"ab", "c"};
    static const struct probe_dirent dirent = {
        {.d_next = 1, .d_ino = 2, .d_namlen = 1,
         .d_type = WB_FILETYPE_REGULAR_FILE}, "f"};
    static const wb_event event = {.type = WB_EVENTTYPE_CLOCK};
    struct probe *probe = &world->probe;

    world_fresh(world);
    probe->answer = WB_ERRNO_SUCCESS;
    probe->during = NULL;
    probe->count = 4;
    probe->target = "link";
    probe->number = 0x1122334455667788;
    probe->opened = 7;
    probe->prestat.pr_name_len = 4;
    probe->strings = strings;
    probe->strings_len = probe->told_strings = 2;
    probe->string_lens = NULL;
    probe->told_bytes = 5;
    probe->dirents = &dirent;
    probe->dirents_len = 1;
    probe->events = &event;
    probe->events_len = 1;
}

uint64_t good_length(const struct good_region *region, const uint64_t *args)
{
    uint64_t count = region->count ? (uint32_t)args[region->count] : 1;

    return region->element * count;
}

static int fits(const struct world *world, uint64_t offset, uint64_t length)
{
    return offset + length <= world->call.memory_size;
}

void good_place(struct world *world, const struct good_call *good,
                const uint64_t *args)
{
    for (const struct good_region *region = good->regions; region->element;
         region++) {
        uint32_t offset = (uint32_t)args[region->arg];
        uint64_t length = good_length(region, args);

        if (!fits(world, offset, length))
            continue;
        if (region->kind == GOOD_SUBSCRIPTIONS)
            memset(world->call.memory + offset, 0, (size_t)length);
        if (region->kind == GOOD_TEXT)
            for (uint64_t at = 0; at < length; at++)
                world->call.memory[offset + at] = (uint8_t)('a' + at % 26);
        if (region->kind != GOOD_IOVECS && region->kind != GOOD_FILLED_IOVECS)
            continue;
        for (uint64_t at = 0; at < length; at += 8)
            world_put_iovec(world, offset + (uint32_t)at, GOOD_BUFFER,
                            GOOD_BUFFER_LEN);
    }
}

void good_stored_inside(const struct world *world, const struct good_call *good,
                        const uint64_t *args)
{
    uint8_t *before = world->before;

    /* Accept what is in those spans, then compare everything. */
    for (const struct good_region *region = good->regions; region->element;
         region++) {
        uint32_t offset = (uint32_t)args[region->arg];
        uint64_t length = good_length(region, args);

        if (region->kind == GOOD_FILLED_IOVECS) {
            offset = GOOD_BUFFER;
            length = GOOD_BUFFER_LEN;
        } else if (region->kind != GOOD_OUT) {
            continue;
        }
        if (fits(world, offset, length))
            memcpy(before + offset, world->call.memory + offset,
                   (size_t)length);
    }
    CHECK_BYTES(world->call.memory, before, (size_t)world->size);
}
