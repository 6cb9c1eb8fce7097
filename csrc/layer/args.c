/* args_get, args_sizes_get, environ_get, environ_sizes_get.
 *
 * The sizes come from the host and not from the guest, so both regions are
 * checked against what the backing tells, and the backing is then held to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

/* What a backing's strings are packed into. */
struct string_packer {
    struct wb_string_sink sink; /* first: the sink's address is the packer's */
    struct wb_guest *guest;
    struct wb_call *call;
    uint32_t pointers; /* where the next pointer goes, */
    uint32_t strings;  /* and the next string */
    size_t pointers_left;
    size_t bytes_left;
    int overrun; /* there was more than was told */
};

static uint16_t add_string(struct wb_string_sink *sink, const char *string,
                           size_t len)
{
    struct string_packer *packer = (struct string_packer *)sink;
    struct wb_call *call = packer->call;

    if (packer->pointers_left == 0 || len >= packer->bytes_left) {
        packer->overrun = 1;
        return WB_SINK_FULL;
    }
    if (packer->guest->embedder && call->refresh)
        call->refresh(call);
    wb__store32(call, packer->pointers, packer->strings);
    WB_MEMCPY(wb__at(call, packer->strings), string, len);
    *wb__at(call, packer->strings + (uint32_t)len) = 0;
    packer->pointers += 4;
    packer->pointers_left -= 1;
    packer->strings += (uint32_t)len + 1;
    packer->bytes_left -= len + 1;
    return 0;
}

/* Check the guest's two regions against the sizes, and aim a packer at them. */
static uint32_t begin_strings(struct wb_guest *guest, struct wb_call *call,
                              uint32_t pointers, uint32_t strings, size_t count,
                              size_t bytes, struct string_packer *packer)
{
    if (count > UINT32_MAX || bytes > UINT32_MAX)
        return WB_ERRNO_OVERFLOW;
    WB_TRY(wb__check(guest, call, pointers, (uint64_t)4 * count, 4));
    WB_TRY(wb__check(guest, call, strings, bytes, 1));
    packer->sink.add = add_string;
    packer->guest = guest;
    packer->call = call;
    packer->pointers = pointers;
    packer->strings = strings;
    packer->pointers_left = count;
    packer->bytes_left = bytes;
    packer->overrun = 0;
    return WB_ERRNO_SUCCESS;
}

/* IO unless the backing added exactly what it had told. */
static uint32_t end_strings(const struct string_packer *packer)
{
    if (packer->overrun || packer->pointers_left || packer->bytes_left)
        return WB_ERRNO_IO;
    return WB_ERRNO_SUCCESS;
}

static uint32_t store_sizes(struct wb_call *call, uint32_t count_at,
                            uint32_t bytes_at, size_t count, size_t bytes)
{
    if (count > UINT32_MAX || bytes > UINT32_MAX)
        return WB_ERRNO_OVERFLOW;
    wb__store32(call, count_at, (uint32_t)count);
    return wb__store32(call, bytes_at, (uint32_t)bytes);
}

static uint32_t do_args_sizes_get(struct wb_guest *guest, struct wb_call *call,
                                  uint32_t argc, uint32_t argv_buf_size)
{
    size_t count = 0, bytes = 0;

    WB_TRY(wb__check(guest, call, argc, 4, 4));
    WB_TRY(wb__check(guest, call, argv_buf_size, 4, 4));
    WB_TRY(WB_DISPATCH(guest, call, args_sizes_get, &count, &bytes));
    return store_sizes(call, argc, argv_buf_size, count, bytes);
}
WB_ENTRY(args_sizes_get, ii)

static uint32_t do_args_get(struct wb_guest *guest, struct wb_call *call,
                            uint32_t argv, uint32_t argv_buf)
{
    struct string_packer packer;
    size_t count = 0, bytes = 0;

    WB_TRY(WB_DISPATCH(guest, call, args_sizes_get, &count, &bytes));
    WB_TRY(begin_strings(guest, call, argv, argv_buf, count, bytes, &packer));
    WB_TRY(WB_DISPATCH(guest, call, args_get, &packer.sink));
    return end_strings(&packer);
}
WB_ENTRY(args_get, ii)

static uint32_t do_environ_sizes_get(struct wb_guest *guest,
                                     struct wb_call *call,
                                     uint32_t environ_count,
                                     uint32_t environ_buf_size)
{
    size_t count = 0, bytes = 0;

    WB_TRY(wb__check(guest, call, environ_count, 4, 4));
    WB_TRY(wb__check(guest, call, environ_buf_size, 4, 4));
    WB_TRY(WB_DISPATCH(guest, call, environ_sizes_get, &count, &bytes));
    return store_sizes(call, environ_count, environ_buf_size, count, bytes);
}
WB_ENTRY(environ_sizes_get, ii)

static uint32_t do_environ_get(struct wb_guest *guest, struct wb_call *call,
                               uint32_t environ, uint32_t environ_buf)
{
    struct string_packer packer;
    size_t count = 0, bytes = 0;

    WB_TRY(WB_DISPATCH(guest, call, environ_sizes_get, &count, &bytes));
    WB_TRY(begin_strings(guest, call, environ, environ_buf, count, bytes,
                         &packer));
    WB_TRY(WB_DISPATCH(guest, call, environ_get, &packer.sink));
    return end_strings(&packer);
}
WB_ENTRY(environ_get, ii)
