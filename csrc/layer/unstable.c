/* wasi_unstable, the snapshot before preview 1. Its signatures are the same, so a
 * mix-up would be silent; four calls differ in layout or numbering. They end in
 * the same slots.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_unstable_fd_filestat_get(struct wb_guest *guest,
                                            struct wb_call *call, uint32_t fd,
                                            uint32_t filestat)
{
    return wb__fd_filestat_get(guest, call, fd, filestat, WB__UNSTABLE);
}
WB_ENTRY_AS(unstable_fd_filestat_get, fd_filestat_get, ii)

static uint32_t do_unstable_fd_seek(struct wb_guest *guest,
                                    struct wb_call *call, uint32_t fd,
                                    uint64_t offset, uint32_t whence,
                                    uint32_t newoffset)
{
    static const uint8_t preview1[] = {WB_WHENCE_CUR, WB_WHENCE_END,
                                       WB_WHENCE_SET};

    /* A number that is none stays one, for the check behind to refuse. */
    if (whence < WB_WHENCE_COUNT)
        whence = preview1[whence];
    return wb__fd_seek(guest, call, fd, offset, whence, newoffset);
}
WB_ENTRY_AS(unstable_fd_seek, fd_seek, iIii)

static uint32_t do_unstable_path_filestat_get(struct wb_guest *guest,
                                              struct wb_call *call, uint32_t fd,
                                              uint32_t flags, uint32_t path,
                                              uint32_t path_len,
                                              uint32_t filestat)
{
    return wb__path_filestat_get(guest, call, fd, flags, path, path_len,
                                 filestat, WB__UNSTABLE);
}
WB_ENTRY_AS(unstable_path_filestat_get, path_filestat_get, iiiii)

static uint32_t do_unstable_poll_oneoff(struct wb_guest *guest,
                                        struct wb_call *call, uint32_t in,
                                        uint32_t out, uint32_t nsubscriptions,
                                        uint32_t nevents)
{
    return wb__poll_oneoff(guest, call, in, out, nsubscriptions, nevents,
                           WB__UNSTABLE);
}
WB_ENTRY_AS(unstable_poll_oneoff, poll_oneoff, iiii)
