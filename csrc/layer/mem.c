/* The gate's slow side, iovec arrays and text: see mem.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem.h"

uint32_t wb__trap(struct wb_guest *guest, const struct wb_call *call,
                  uint32_t reason, uint64_t offset, uint64_t length)
{
    if (reason == WB_TRAP_OUT_OF_BOUNDS && guest->policy & WB_POLICY_FAULT)
        return WB_ERRNO_FAULT;
    guest->trap.reason = reason;
    guest->trap.call = call->busy - 1;
    guest->trap.offset = offset;
    guest->trap.length = length;
    return WB_TRAP;
}

uint32_t wb__iovecs(struct wb_guest *guest, struct wb_call *call, uint32_t iovs,
                    uint32_t iovs_len, struct wb__iovecs *list)
{
    const uint32_t element = 8;
    size_t count = 0;
    uint32_t room = 0;

    WB_TRY(wb__check(guest, call, iovs, (uint64_t)element * iovs_len, 4));
    for (uint32_t i = 0; i < iovs_len && count < WB_MAX_IOVECS; i++) {
        /* Read once: only these two copies are checked and used. */
        const uint8_t *image = wb__at(call, iovs + element * i);
        uint32_t buf = wb__get32(image);
        uint32_t buf_len = wb__get32(image + 4);

        if (buf_len == 0)
            continue; /* may carry any address */
        WB_TRY(wb__check(guest, call, buf, buf_len, 1));
        /* The guest counts bytes in 32 bits, so offer no more than that. */
        if (buf_len > UINT32_MAX - room)
            buf_len = UINT32_MAX - room;
        if (buf_len == 0)
            break;
        call->scratch.iovecs[count].buf = wb__at(call, buf);
        call->scratch.iovecs[count].buf_len = buf_len;
        room += buf_len;
        count++;
    }
    list->count = count;
    list->room = room;
    return WB_ERRNO_SUCCESS;
}

uint32_t wb__path(struct wb_guest *guest, struct wb_call *call, size_t which,
                  uint32_t offset, uint32_t length, const char **path)
{
    char *copy = call->scratch.paths[which];

    WB_TRY(wb__check(guest, call, offset, length, 1));
    if (length == 0)
        return WB_ERRNO_NOENT;
    if (length > guest->max_path)
        return WB_ERRNO_NAMETOOLONG;
    WB_MEMCPY(copy, wb__at(call, offset), length);
    copy[length] = '\0';
    *path = copy;
    return wb__text(copy, length);
}

/* How many bytes the UTF-8 sequence at `text` has, or 0 if it is none (Unicode,
 * table 3-7: no overlong form, no surrogate, nothing above U+10FFFF). */
static size_t utf8_sequence(const unsigned char *text, size_t length)
{
    unsigned char lead = text[0], low = 0x80, high = 0xbf;
    size_t size;

    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf) {
        size = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        size = 3;
        if (lead == 0xe0)
            low = 0xa0;
        else if (lead == 0xed)
            high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        size = 4;
        if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (length < size || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (text[i] < 0x80 || text[i] > 0xbf)
            return 0;
    return size;
}

wb_errno wb__text(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = UINT64_C(0x8080808080808080);

    while (length > 0) {
        uint64_t word;
        size_t size;

        /* Eight bytes at once while none is NUL or outside ASCII: subtracting
         * ones sets a top bit for a byte that was 0 (and perhaps for others
         * beside it, which the slow way then sorts out). */
        if (length >= sizeof(word)) {
            WB_MEMCPY(&word, at, sizeof(word));
            if (!(((word - ones) | word) & tops)) {
                at += sizeof(word);
                length -= sizeof(word);
                continue;
            }
        }
        if (*at == 0)
            return WB_ERRNO_INVAL;
        size = utf8_sequence(at, length);
        if (size == 0)
            return WB_ERRNO_ILSEQ;
        at += size;
        length -= size;
    }
    return WB_ERRNO_SUCCESS;
}
