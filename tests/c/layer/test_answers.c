/* What becomes of a slot's answer, and of a slot that is not there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

/* Make each good call with a slot's answer. proc_exit ends the guest whatever is
 * answered, so it is left to its own test. */
static void each_call(void run(struct world *world,
                               const struct good_call *good))
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        if ((good->id & ~WB_UNSTABLE) == WB_CALL_proc_exit)
            continue;
        check_row("%s%s", good->id & WB_UNSTABLE ? "unstable " : "",
                  good_name(good->id));
        good_prepare(world);
        good_place(world, good, good->args);
        world_keep(world);
        run(world, good);
    }
    world_close(world);
}

/* The calls that pack what a slot adds as it adds it may have stored some of that
 * when the slot then fails; no other result is stored. */
static void check_nothing_stored(const struct world *world,
                                 const struct good_call *good)
{
    switch (good->id & ~WB_UNSTABLE) {
    case WB_CALL_fd_read:
    case WB_CALL_fd_pread:
    case WB_CALL_sock_recv:
        memcpy(world->before + GOOD_BUFFER, world->call.memory + GOOD_BUFFER,
               GOOD_BUFFER_LEN);
        break;
    case WB_CALL_fd_readdir: /* its buffer, at 128 */
        memcpy(world->before + 128, world->call.memory + 128, 40);
        break;
    case WB_CALL_random_get:
        memcpy(world->before + 64, world->call.memory + 64, 12);
        break;
    }
    CHECK_BYTES(world->call.memory, world->before, (size_t)world->size);
}

static void run_errors(struct world *world, const struct good_call *good)
{
    for (uint16_t error = 1; error < WB_ERRNO_COUNT; error++) {
        world->probe.answer = error;
        CHECK_EQ(world_invoke(world, good->id, good->args), error);
        check_nothing_stored(world, good);
    }
}

static void an_errno_reaches_the_guest_and_nothing_is_stored(void)
{
    each_call(run_errors);
}

static void run_unknown(struct world *world, const struct good_call *good)
{
    static const uint16_t answers[] = {77, 78, 0x100, 0x8000, 0xfffe};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        world->probe.answer = answers[i];
        CHECK_EQ(world_invoke(world, good->id, good->args), WB_ERRNO_IO);
        check_nothing_stored(world, good);
    }
}

static void an_answer_that_is_no_errno_is_io(void)
{
    each_call(run_unknown);
}

static void run_stop(struct world *world, const struct good_call *good)
{
    world->probe.answer = WB_STOP_GUEST;
    CHECK_EQ(world_invoke(world, good->id, good->args), WB_STOP);
    check_nothing_stored(world, good);
    /* It is the slot's word, not the guest's state: nothing sticks. */
    world->probe.answer = WB_ERRNO_SUCCESS;
    CHECK_EQ(world_invoke(world, good->id, good->args), good->outcome);
}

static void wb_stop_guest_stops_the_guest(void)
{
    each_call(run_stop);
}

/* ---- slots that are not there ------------------------------------------------ */

static void a_missing_slot_is_nosys_or_its_fallback(void)
{
    struct world *world = world_open(WORLD_SIZE, 1);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint32_t expected = WB_ERRNO_NOSYS;
        uint32_t number = good->id & ~WB_UNSTABLE;

        switch (number) {
        case WB_CALL_args_get:
        case WB_CALL_args_sizes_get:
        case WB_CALL_environ_get:
        case WB_CALL_environ_sizes_get:
        case WB_CALL_sched_yield:
            expected = WB_ERRNO_SUCCESS;
            break;
        case WB_CALL_fd_prestat_get:
        case WB_CALL_fd_prestat_dir_name:
            expected = WB_ERRNO_BADF;
            break;
        case WB_CALL_proc_exit:
            expected = WB_EXIT;
            break;
        }
        check_row("%s", good_name(good->id));
        good_prepare(world);
        good_place(world, good, good->args);
        world_keep(world);
        CHECK_EQ(world_invoke(world, good->id, good->args), expected);
        CHECK_TEXT(world->probe.said, "");
        if (expected != WB_ERRNO_SUCCESS)
            CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

static void a_missing_slot_still_has_its_pointers_checked(void)
{
    struct world *world = world_open(WORLD_SIZE, 1);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint32_t number = good->id & ~WB_UNSTABLE;
        uint64_t args[9];

        /* Without arguments nothing is stored, so any region will do. */
        if (!good->regions[0].element || number == WB_CALL_args_get ||
            number == WB_CALL_environ_get)
            continue;
        check_row("%s", good_name(good->id));
        memcpy(args, good->args, sizeof(args));
        args[good->regions[0].arg] = UINT32_MAX;
        good_prepare(world);
        CHECK_EQ(world_invoke(world, good->id, args), WB_TRAP);
    }
    world_close(world);
}

/* Open a guest on a table of one or two slots. */
static struct world *open_on(const struct wb_backing *table)
{
    struct world *world = world_open(WORLD_SIZE, 1);

    wb_guest_close(&world->guest);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, &table, 1), 0);
    good_prepare(world);
    return world;
}

static void fd_datasync_becomes_fd_sync(void)
{
    struct wb_backing table = probe_bare_backing;
    struct world *world;

    table.fd_sync = probe_backing.fd_sync;
    world = open_on(&table);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_datasync, 9), 0);
    CHECK_TEXT(world->probe.said, "fd_sync 9");
    world->probe.answer = WB_ERRNO_SPIPE;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_datasync, 9), WB_ERRNO_SPIPE);
    world->probe.answer = WB_STOP_GUEST;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_datasync, 9), WB_STOP);
    world->probe.answer = 500;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_datasync, 9), WB_ERRNO_IO);
    world_close(world);
}

/* ---- ending ------------------------------------------------------------------ */

static void proc_exit_ends_the_guest_whatever_is_answered(void)
{
    static const uint16_t answers[] = {0, WB_ERRNO_NOSYS, 77, 0xfffe};
    static const uint32_t codes[] = {0, 1, 42, 255, 256, 0x80000000,
                                     0xffffffff};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        for (size_t j = 0; j < sizeof(codes) / sizeof(codes[0]); j++) {
            world->probe.answer = answers[i];
            CHECK_EQ(WORLD_CALL(world, WB_CALL_proc_exit, codes[j]), WB_EXIT);
            CHECK_EQ(world->guest.exit_code, codes[j]);
        }
    }
    world->probe.answer = WB_STOP_GUEST;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_proc_exit, 5), WB_STOP);
    world_close(world);
}

/* What the layer does with each signal. */
static uint32_t expected_of(uint32_t sig)
{
    switch (sig) {
    case WB_SIGNAL_NONE:
    case WB_SIGNAL_CHLD:
    case WB_SIGNAL_CONT:
    case WB_SIGNAL_URG:
    case WB_SIGNAL_WINCH:
        return WB_ERRNO_SUCCESS;
    case WB_SIGNAL_STOP:
    case WB_SIGNAL_TSTP:
    case WB_SIGNAL_TTIN:
    case WB_SIGNAL_TTOU:
        return WB_ERRNO_NOTSUP;
    default:
        return WB_EXIT;
    }
}

static void a_signal_that_ends_a_process_ends_the_guest_with_128_more(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (uint32_t sig = 0; sig < WB_SIGNAL_COUNT; sig++) {
        check_row("signal %u", (unsigned)sig);
        good_prepare(world);
        world->guest.exit_code = 7;
        CHECK_EQ(WORLD_CALL(world, WB_CALL_proc_raise, sig), expected_of(sig));
        CHECK_EQ(world->guest.exit_code,
                 expected_of(sig) == WB_EXIT ? 128 + sig : 7);
        CHECK_EQ(world->probe.calls, 1);
        /* A backing that refuses one is heard. */
        world->guest.exit_code = 7;
        world->probe.answer = WB_ERRNO_NOTSUP;
        CHECK_EQ(WORLD_CALL(world, WB_CALL_proc_raise, sig), WB_ERRNO_NOTSUP);
        CHECK_EQ(world->guest.exit_code, 7);
    }
    world_close(world);
}

/* ---- slots that succeed and store nothing --------------------------------------- */

/* One for each signature that ends in results; they differ in what comes before,
 * which a macro leaves to its caller. */
#define IDLE(name, ...)                   \
    static uint16_t idle_##name(__VA_ARGS__) \
    {                                     \
        (void)self;                       \
        return WB_ERRNO_SUCCESS;          \
    }

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
IDLE(sizes, void *self, size_t *count, size_t *bytes)
IDLE(clock_res, void *self, wb_clockid id, wb_timestamp *resolution)
IDLE(clock_time, void *self, wb_clockid id, wb_timestamp precision,
     wb_timestamp *time)
IDLE(fdstat, void *self, wb_fd fd, wb_fdstat *fdstat)
IDLE(filestat, void *self, wb_fd fd, wb_filestat *filestat)
IDLE(prestat, void *self, wb_fd fd, wb_prestat *prestat)
IDLE(read, void *self, wb_fd fd, const wb_iovec *iovs, size_t iovs_len,
     size_t *nread)
IDLE(write, void *self, wb_fd fd, const wb_ciovec *iovs, size_t iovs_len,
     size_t *nwritten)
IDLE(pread, void *self, wb_fd fd, const wb_iovec *iovs, size_t iovs_len,
     wb_filesize offset, size_t *nread)
IDLE(pwrite, void *self, wb_fd fd, const wb_ciovec *iovs, size_t iovs_len,
     wb_filesize offset, size_t *nwritten)
IDLE(seek, void *self, wb_fd fd, wb_filedelta offset, wb_whence whence,
     wb_filesize *newoffset)
IDLE(tell, void *self, wb_fd fd, wb_filesize *offset)
IDLE(open, void *self, wb_fd fd, wb_lookupflags dirflags, const char *path,
     size_t path_len, wb_oflags oflags, wb_rights base, wb_rights inheriting,
     wb_fdflags fdflags, wb_fd *opened_fd)
IDLE(path_filestat, void *self, wb_fd fd, wb_lookupflags flags,
     const char *path, size_t path_len, wb_filestat *filestat)
IDLE(readlink, void *self, wb_fd fd, const char *path, size_t path_len,
     char *buf, size_t buf_len, size_t *bufused)
IDLE(accept, void *self, wb_fd fd, wb_fdflags flags, wb_fd *new_fd)
IDLE(recv, void *self, wb_fd fd, const wb_iovec *ri_data, size_t ri_data_len,
     wb_riflags ri_flags, size_t *ro_datalen, wb_roflags *ro_flags)
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const struct wb_backing idle_backing = {
    WB_BACKING_INIT,
    .args_sizes_get = idle_sizes,
    .environ_sizes_get = idle_sizes,
    .clock_res_get = idle_clock_res,
    .clock_time_get = idle_clock_time,
    .fd_fdstat_get = idle_fdstat,
    .fd_filestat_get = idle_filestat,
    .fd_pread = idle_pread,
    .fd_prestat_get = idle_prestat,
    .fd_pwrite = idle_pwrite,
    .fd_read = idle_read,
    .fd_seek = idle_seek,
    .fd_tell = idle_tell,
    .fd_write = idle_write,
    .path_filestat_get = idle_path_filestat,
    .path_open = idle_open,
    .path_readlink = idle_readlink,
    .sock_accept = idle_accept,
    .sock_recv = idle_recv,
    .sock_send = idle_write,
};

static void a_result_that_was_not_stored_is_0_and_nothing_of_the_hosts(void)
{
    struct world *world = open_on(&idle_backing);

    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];
        uint32_t outcome;

        good_prepare(world);
        good_place(world, good, good->args);
        world_keep(world);
        outcome = world_invoke(world, good->id, good->args);
        if (outcome != WB_ERRNO_SUCCESS)
            continue;
        check_row("%s", good_name(good->id));
        /* Fixed results become zeros; buffers stay as they were. */
        for (const struct good_region *region = good->regions; region->element;
             region++)
            if (region->kind == GOOD_OUT && !region->count &&
                !good->said_first)
                memset(world->before + good->args[region->arg], 0,
                       region->element);
        if ((good->id & ~WB_UNSTABLE) == WB_CALL_clock_res_get)
            world->before[good->args[1]] = 1;
        CHECK_BYTES(world->call.memory, world->before, WORLD_SIZE);
    }
    world_close(world);
}

/* ---- odd results ------------------------------------------------------------- */

static void unknown_flags_of_a_message_are_not_passed_on(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.roflags = 0xffff;
    world->probe.count = 0;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_sock_recv, 3, 0, 0, 0, 64, 128), 0);
    CHECK_EQ(world->call.memory[128], WB_ROFLAGS_RECV_DATA_TRUNCATED);
    CHECK_EQ(world->call.memory[129], 0);
    world_close(world);
}

static void a_preopens_name_is_offered_its_own_length(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    for (uint32_t told = 0; told < 8; told++) {
        for (uint32_t room = 0; room < 8; room++) {
            check_row("a name of %u bytes, room for %u", (unsigned)told,
                      (unsigned)room);
            good_prepare(world);
            world->probe.prestat.pr_name_len = told;
            CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_prestat_dir_name, 3, 64,
                                room),
                     told > room ? WB_ERRNO_NAMETOOLONG : 0);
            world_changed_only(world, 64, told > room ? 0 : told);
            CHECK_EQ(world->call.memory[64], told && told <= room ? 'N' : '?');
        }
    }
    world->probe.prestat.pr_name_len = UINT32_MAX;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_prestat_dir_name, 3, 64, 100),
             WB_ERRNO_NAMETOOLONG);
    world_close(world);
}

static const struct check_test answers_tests[] = {
    CHECK_TEST(an_errno_reaches_the_guest_and_nothing_is_stored),
    CHECK_TEST(an_answer_that_is_no_errno_is_io),
    CHECK_TEST(wb_stop_guest_stops_the_guest),
    CHECK_TEST(a_missing_slot_is_nosys_or_its_fallback),
    CHECK_TEST(a_missing_slot_still_has_its_pointers_checked),
    CHECK_TEST(fd_datasync_becomes_fd_sync),
    CHECK_TEST(proc_exit_ends_the_guest_whatever_is_answered),
    CHECK_TEST(a_signal_that_ends_a_process_ends_the_guest_with_128_more),
    CHECK_TEST(a_result_that_was_not_stored_is_0_and_nothing_of_the_hosts),
    CHECK_TEST(unknown_flags_of_a_message_are_not_passed_on),
    CHECK_TEST(a_preopens_name_is_offered_its_own_length),
};
CHECK_SUITE(answers);
