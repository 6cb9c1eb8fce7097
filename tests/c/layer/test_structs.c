/* The images of structs in the guest's memory, byte by byte: what is stored, with
 * zeros in the padding, and what is read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdlib.h>
#include <string.h>

enum { AT = 256 };

/* Check the bytes at AT, and that nothing else was stored. */
static void check_image(struct world *world, const uint8_t *image,
                        size_t length)
{
    CHECK_BYTES(world->call.memory + AT, image, length);
    world_changed_only(world, AT, length);
}

static void fdstat_has_24_bytes(void)
{
    static const uint8_t image[24] = {
        /* fs_filetype */ 4, 0,
        /* fs_flags */ 0x15, 0x00, 0, 0, 0, 0,
        /* fs_rights_base */ 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
        /* fs_rights_inheriting */ 0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2,
        0xf1};
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.fdstat = (wb_fdstat){
        .fs_filetype = WB_FILETYPE_REGULAR_FILE,
        .fs_flags =
            WB_FDFLAGS_APPEND | WB_FDFLAGS_NONBLOCK | WB_FDFLAGS_SYNC,
        .fs_rights_base = 0x0102030405060708,
        .fs_rights_inheriting = 0xf1f2f3f4f5f6f7f8};
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_fdstat_get, 3, AT), 0);
    check_image(world, image, sizeof(image));
    world_close(world);
}

static const wb_filestat filestat = {.dev = 0x0102030405060708,
                                     .ino = 0x1112131415161718,
                                     .nlink = 0x21222324,
                                     .size = 0x3132333435363738,
                                     .atim = 0x4142434445464748,
                                     .mtim = 0x5152535455565758,
                                     .ctim = 0xe1e2e3e4e5e6e7e8,
                                     .filetype = WB_FILETYPE_SYMBOLIC_LINK};

static void filestat_has_64_bytes(void)
{
    static const uint8_t image[64] = {
        /* dev */ 8, 7, 6, 5, 4, 3, 2, 1,
        /* ino */ 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
        /* filetype */ 7, 0, 0, 0, 0, 0, 0, 0,
        /* nlink */ 0x24, 0x23, 0x22, 0x21, 0x99, 0, 0, 0,
        /* size */ 0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31,
        /* atim */ 0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41,
        /* mtim */ 0x58, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51,
        /* ctim */ 0xe8, 0xe7, 0xe6, 0xe5, 0xe4, 0xe3, 0xe2, 0xe1};
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.filestat = filestat;
    world->probe.filestat.nlink |= UINT64_C(0x99) << 32;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_filestat_get, 3, AT), 0);
    check_image(world, image, sizeof(image));
    world_fresh(world);
    world_put_text(world, 8, "x");
    world_keep(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_filestat_get, 3, 0, 8, 1, AT), 0);
    check_image(world, image, sizeof(image));
    world_close(world);
}

static void filestat_of_wasi_unstable_has_56_bytes(void)
{
    uint8_t image[56] = {
        /* dev */ 8, 7, 6, 5, 4, 3, 2, 1,
        /* ino */ 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
        /* filetype */ 7, 0, 0, 0,
        /* nlink */ 0x24, 0x23, 0x22, 0x21,
        /* size */ 0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31,
        /* atim */ 0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41,
        /* mtim */ 0x58, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51,
        /* ctim */ 0xe8, 0xe7, 0xe6, 0xe5, 0xe4, 0xe3, 0xe2, 0xe1};
    const uint32_t unstable = WB_UNSTABLE;
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.filestat = filestat;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_filestat_get | unstable, 3, AT), 0);
    check_image(world, image, sizeof(image));
    world_fresh(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_filestat_get | unstable, 3, 0, 8,
                        1, AT), 0);
    check_image(world, image, sizeof(image));

    /* More links than the field can hold are as many as it can hold. */
    memset(image + 20, 0xff, 4);
    world_fresh(world);
    world->probe.filestat.nlink = UINT64_C(1) << 32;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_filestat_get | unstable, 3, AT), 0);
    check_image(world, image, sizeof(image));
    world_close(world);
}

static void a_file_type_that_is_none_is_unknown(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);

    world->probe.filestat = (wb_filestat){.filetype = 200};
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_filestat_get, 5, AT), 0);
    CHECK_EQ(world->call.memory[AT + 16], WB_FILETYPE_UNKNOWN);
    world->probe.fdstat = (wb_fdstat){.fs_filetype = 8, .fs_flags = 0xffff};
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_fdstat_get, 5, AT), 0);
    CHECK_EQ(world->call.memory[AT], WB_FILETYPE_UNKNOWN);
    CHECK_EQ(world->call.memory[AT + 2], WB_FDFLAGS_ALL);
    CHECK_EQ(world->call.memory[AT + 3], 0);
    world_close(world);
}

static void prestat_has_8_bytes(void)
{
    static const uint8_t image[8] = {1, 0, 0, 0, 0x04, 0x03, 0x02, 0x01};
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.prestat = (wb_prestat){.tag = WB_PREOPENTYPE_DIR + 1,
                                        .pr_name_len = 0x01020304};
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_prestat_get, 3, AT), 0);
    check_image(world, image, sizeof(image));
    world_close(world);
}

static void plain_results_are_little_endian(void)
{
    static const uint8_t number[8] = {8, 7, 6, 5, 4, 3, 2, 0x81};
    static const uint8_t word[4] = {0xf4, 0xf3, 0xf2, 0xf1};
    static const uint32_t numbers[] = {WB_CALL_clock_res_get, WB_CALL_fd_tell};
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.number = 0x8102030405060708;
    world->probe.opened = 0xf1f2f3f4;
    for (size_t i = 0; i < 2; i++) {
        world_fresh(world);
        CHECK_EQ(WORLD_CALL(world, numbers[i], 1, AT), 0);
        check_image(world, number, 8);
    }
    world_fresh(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_clock_time_get, 1, 0, AT), 0);
    check_image(world, number, 8);
    world_fresh(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_seek, 3, 0, 0, AT), 0);
    check_image(world, number, 8);
    world_fresh(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_sock_accept, 3, 0, AT), 0);
    check_image(world, word, 4);
    world_fresh(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_path_open, 3, 0, 8, 1, 0, 0, 0, 0, AT),
             0);
    check_image(world, word, 4);
    world_close(world);
}

static void sock_recv_stores_a_size_and_16_bits_of_flags(void)
{
    static const uint8_t image[6] = {3, 0, 0, 0, 1, 0};
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.count = 3;
    world->probe.roflags = WB_ROFLAGS_RECV_DATA_TRUNCATED;
    world_put_iovec(world, 64, AT, 3);
    world_keep(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_sock_recv, 3, 64, 1, 0, AT + 8, AT + 12),
             0);
    CHECK_BYTES(world->call.memory + AT, "ABC?????", 8);
    CHECK_BYTES(world->call.memory + AT + 8, image, sizeof(image));
    world_changed_only(world, AT, 14);
    world_close(world);
}

static void a_resolution_of_0_is_told_as_1(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    world->probe.number = 0;
    CHECK_EQ(WORLD_CALL(world, WB_CALL_clock_res_get, 0, AT), 0);
    CHECK_EQ(world_get32(world, AT), 1);
    CHECK_EQ(world_get32(world, AT + 4), 0);
    world_close(world);
}

/* ---- subscriptions and events ------------------------------------------------ */

/* The same subscriptions in both versions: to clock 2, to reading from
 * descriptor 0x0a0b0c0d, to writing to 0xfffffffe. Bytes that mean nothing are
 * 0xee. */
enum { CLOCK, READ, WRITE, TAGS };

static const uint8_t preview1_images[TAGS][48] = {
    {1, 2, 3, 4, 5, 6, 7, 8, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     2, 0, 0, 0, 0xee, 0xee, 0xee, 0xee,
     0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
     0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
     1, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee},
    {0xff, 0, 0, 0, 0, 0, 0, 0xff, 1, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0x0d, 0x0c, 0x0b, 0x0a, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee},
    {0, 0, 0, 0, 0, 0, 0, 0, 2, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0xfe, 0xff, 0xff, 0xff, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
     0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee},
};

/* wasi_unstable has 8 bytes more before a clock's payload, its `identifier`, and
 * so 8 more bytes in each. */
static void unstable_image(size_t tag, uint8_t image[56])
{
    const uint8_t *preview1 = preview1_images[tag];

    memset(image, 0xee, 56);
    memcpy(image, preview1, 16);
    if (tag == CLOCK)
        memcpy(image + 24, preview1 + 16, 32);
    else
        memcpy(image + 16, preview1 + 16, 32);
}

static void check_subscriptions(const struct probe *probe)
{
    const wb_subscription *s = probe->subscriptions;

    CHECK_EQ(probe->subscriptions_len, TAGS);
    CHECK_EQ(s[CLOCK].userdata, 0x0807060504030201);
    CHECK_EQ(s[CLOCK].type, WB_EVENTTYPE_CLOCK);
    CHECK_EQ(s[CLOCK].u.clock.id, WB_CLOCKID_PROCESS_CPUTIME_ID);
    CHECK_EQ(s[CLOCK].u.clock.timeout, 0x1817161514131211);
    CHECK_EQ(s[CLOCK].u.clock.precision, 0x2827262524232221);
    CHECK_EQ(s[CLOCK].u.clock.flags,
             WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
    CHECK_EQ(s[READ].userdata, 0xff000000000000ff);
    CHECK_EQ(s[READ].type, WB_EVENTTYPE_FD_READ);
    CHECK_EQ(s[READ].u.fd, 0x0a0b0c0d);
    CHECK_EQ(s[WRITE].userdata, 0);
    CHECK_EQ(s[WRITE].type, WB_EVENTTYPE_FD_WRITE);
    CHECK_EQ(s[WRITE].u.fd, 0xfffffffe);
}

static void subscriptions_are_read_with_each_tag(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    memcpy(world->call.memory + AT, preview1_images, sizeof(preview1_images));
    CHECK_EQ(WORLD_CALL(world, WB_CALL_poll_oneoff, AT, 1024, TAGS, 8), 0);
    check_subscriptions(&world->probe);
    world_close(world);
}

static void subscriptions_of_wasi_unstable_have_8_bytes_more(void)
{
    struct world *world = world_open(WORLD_SIZE, 0);

    good_prepare(world);
    for (size_t i = 0; i < TAGS; i++)
        unstable_image(i, world->call.memory + AT + 56 * i);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_poll_oneoff | WB_UNSTABLE, AT, 1024,
                        TAGS, 8), 0);
    check_subscriptions(&world->probe);
    world_close(world);
}

static void events_have_32_bytes(void)
{
    static const wb_event events[] = {
        {.userdata = 0x0807060504030201, .error = WB_ERRNO_NOTCAPABLE,
         .type = WB_EVENTTYPE_FD_WRITE, .nbytes = 0xf8f7f6f5f4f3f2f1,
         .flags = WB_EVENTRWFLAGS_FD_READWRITE_HANGUP},
        {.type = WB_EVENTTYPE_CLOCK},
    };
    static const uint8_t image[64] = {
        1, 2, 3, 4, 5, 6, 7, 8, 76, 0, 2, 0, 0, 0, 0, 0,
        0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 1};
    struct world *world = world_open(WORLD_SIZE, 0);

    for (uint32_t unstable = 0; unstable <= WB_UNSTABLE;
         unstable += WB_UNSTABLE) {
        good_prepare(world);
        world->probe.events = events;
        world->probe.events_len = 2;
        memset(world->call.memory + 1024, 0, 3 * 56);
        world_keep(world);
        CHECK_EQ(WORLD_CALL(world, WB_CALL_poll_oneoff | unstable, 1024, AT, 3,
                            AT + 64), 0);
        /* The room of the third event is left alone: nevents lies there. */
        CHECK_EQ(world_get32(world, AT + 64), 2);
        CHECK_BYTES(world->call.memory + AT, image, sizeof(image));
        world_changed_only(world, AT, 68);
    }
    world_close(world);
}

static const struct check_test structs_tests[] = {
    CHECK_TEST(fdstat_has_24_bytes),
    CHECK_TEST(filestat_has_64_bytes),
    CHECK_TEST(filestat_of_wasi_unstable_has_56_bytes),
    CHECK_TEST(a_file_type_that_is_none_is_unknown),
    CHECK_TEST(prestat_has_8_bytes),
    CHECK_TEST(plain_results_are_little_endian),
    CHECK_TEST(sock_recv_stores_a_size_and_16_bits_of_flags),
    CHECK_TEST(a_resolution_of_0_is_told_as_1),
    CHECK_TEST(subscriptions_are_read_with_each_tag),
    CHECK_TEST(subscriptions_of_wasi_unstable_have_8_bytes_more),
    CHECK_TEST(events_have_32_bytes),
};
CHECK_SUITE(structs);
