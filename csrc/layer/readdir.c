/* fd_readdir: a backing adds entries, and their images are packed here, one
 * right behind the other, the last one cut where the guest's buffer ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

enum { DIRENT_SIZE = 24 };

/* What a backing's entries are packed into. */
struct dirent_packer {
    struct wb_dirent_sink sink; /* first: the sink's address is the packer's */
    struct wb_guest *guest;
    struct wb_call *call;
    uint32_t buf;
    uint32_t buf_len;
    uint32_t used; /* at most buf_len */
};

/* Store what fits of `length` bytes. */
static void pack(struct dirent_packer *packer, const void *from, size_t length)
{
    uint32_t room = packer->buf_len - packer->used;

    if (length > room)
        length = room;
    if (length > 0)
        WB_MEMCPY(wb__at(packer->call, packer->buf + packer->used), from,
                  length);
    packer->used += (uint32_t)length;
}

static uint16_t add_dirent(struct wb_dirent_sink *sink, const wb_dirent *entry,
                           const char *name)
{
    struct dirent_packer *packer = (struct dirent_packer *)sink;
    struct wb_guest *guest = packer->guest;
    struct wb_call *call = packer->call;
    uint8_t image[DIRENT_SIZE] = {0};

    if (packer->used == packer->buf_len)
        return WB_SINK_FULL;
    if (wb__text(name, entry->d_namlen) != WB_ERRNO_SUCCESS) {
        guest->names_skipped++;
        return 0;
    }
    if (guest->embedder && call->refresh)
        call->refresh(call);
    wb__put64(image, entry->d_next);
    wb__put64(image + 8, entry->d_ino);
    wb__put32(image + 16, entry->d_namlen);
    image[20] = wb__filetype(entry->d_type);
    pack(packer, image, sizeof(image));
    pack(packer, name, entry->d_namlen);
    return packer->used == packer->buf_len ? WB_SINK_FULL : 0;
}

static uint32_t do_fd_readdir(struct wb_guest *guest, struct wb_call *call,
                              uint32_t fd, uint32_t buf, uint32_t buf_len,
                              uint64_t cookie, uint32_t bufused)
{
    struct dirent_packer packer = {{add_dirent}, guest, call, buf, buf_len, 0};

    WB_TRY(wb__check(guest, call, buf, buf_len, 1));
    WB_TRY(wb__check(guest, call, bufused, 4, 4));
    WB_TRY(WB_DISPATCH(guest, call, fd_readdir, fd, cookie, &packer.sink));
    return wb__store32(call, bufused, packer.used);
}
WB_ENTRY(fd_readdir, iiiIi)
