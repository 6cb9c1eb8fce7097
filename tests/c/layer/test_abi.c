/* What hosted backings rely on: an array of wb_iovecs goes to readv(2) as it is.
 * The layout of the structs themselves is asserted in csrc/layer/abi.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"
#include "wasi_backing/layer.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void wb_iovec_is_laid_out_like_struct_iovec(void)
{
    CHECK_EQ(sizeof(wb_iovec), sizeof(struct iovec));
    CHECK_EQ(offsetof(wb_iovec, buf), offsetof(struct iovec, iov_base));
    CHECK_EQ(offsetof(wb_iovec, buf_len), offsetof(struct iovec, iov_len));
    CHECK_EQ(sizeof(wb_ciovec), sizeof(wb_iovec));
    CHECK_EQ(offsetof(wb_ciovec, buf), offsetof(wb_iovec, buf));
    CHECK_EQ(offsetof(wb_ciovec, buf_len), offsetof(wb_iovec, buf_len));
}

static void iovecs_go_through_a_pipe(void)
{
    const wb_ciovec out[] = {{"ab", 2}, {"cde", 3}};
    char first[4] = "", second[4] = "";
    const wb_iovec in[] = {{first, 3}, {second, 2}};
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(writev(ends[1], (const struct iovec *)(const void *)out, 2), 5);
    CHECK_EQ(readv(ends[0], (const struct iovec *)(const void *)in, 2), 5);
    CHECK_TEXT(first, "abc");
    CHECK_TEXT(second, "de");
    close(ends[0]);
    close(ends[1]);
}

static void scratch_is_as_large_as_the_manual_says(void)
{
    const size_t poll = sizeof(wb_subscription) + sizeof(wb_event);
    size_t largest = poll * WB_MAX_SUBSCRIPTIONS;

    CHECK_EQ(poll <= 64, 1);
    if (largest < sizeof(wb_iovec) * WB_MAX_IOVECS)
        largest = sizeof(wb_iovec) * WB_MAX_IOVECS;
    if (largest < (size_t)2 * (WB_MAX_PATH + 1))
        largest = (size_t)2 * (WB_MAX_PATH + 1);
    CHECK_EQ(sizeof(struct wb_call) >= largest, 1);
    CHECK_EQ(sizeof(struct wb_call) <= largest + 64, 1);
}

static const struct check_test abi_tests[] = {
    CHECK_TEST(wb_iovec_is_laid_out_like_struct_iovec),
    CHECK_TEST(iovecs_go_through_a_pipe),
    CHECK_TEST(scratch_is_as_large_as_the_manual_says),
};
CHECK_SUITE(abi);
