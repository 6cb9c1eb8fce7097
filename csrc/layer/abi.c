/* Nothing but assertions: where the members of the structs are by which separately
 * compiled parts meet, for pointers of 32 and of 64 bits. A member that is
 * appended changes a size here, and nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wasi_backing/layer.h"

#define ASSERT(condition) _Static_assert(condition, #condition)
#define ASSERT_SIZE(type, bytes, pointers) \
    ASSERT(sizeof(type) == (bytes) + (pointers) * sizeof(void *))
#define ASSERT_AT(type, member, bytes, pointers) \
    ASSERT(offsetof(type, member) == (bytes) + (pointers) * sizeof(void *))

/* What the layer takes for granted of a machine. */
ASSERT(sizeof(int) >= 4);
ASSERT(sizeof(void *) == 4 || sizeof(void *) == 8);
ASSERT(sizeof(size_t) == sizeof(void *));
ASSERT(sizeof(void (*)(void)) == sizeof(void *));

/* And of its configuration. */
ASSERT(WB_MAX_IOVECS >= 1);
ASSERT(WB_MAX_SUBSCRIPTIONS >= 1);
ASSERT(WB_MAX_PATH >= 1 && WB_MAX_PATH < UINT32_MAX);
ASSERT(WB_MAX_STACK >= 1);

/* ---- options ------------------------------------------------------------- */

ASSERT_SIZE(struct wb_preopen, 8, 2);
ASSERT_AT(struct wb_preopen, flags, 0, 2);

ASSERT_SIZE(struct wb_stream, 8, 4);
ASSERT_AT(struct wb_stream, self, 8, 0);
ASSERT_AT(struct wb_stream, read, 8, 1);
ASSERT_AT(struct wb_stream, ready, 8, 3);

ASSERT_SIZE(struct wb_stdio, 8, 1);
ASSERT_AT(struct wb_stdio, stream, 8, 0);

ASSERT_SIZE(struct wb_listen, 8, 2);
ASSERT_AT(struct wb_listen, bound_port, 8, 1);

ASSERT_SIZE(struct wb_extra, 0, 2);
ASSERT_SIZE(struct wb_allocator, 0, 2);

ASSERT_SIZE(struct wb_options, 48, 22);
ASSERT_AT(struct wb_options, flags, 4, 0);
ASSERT_AT(struct wb_options, argv, 8, 0);
ASSERT_AT(struct wb_options, envp, 8, 2);
ASSERT_AT(struct wb_options, preopens, 8, 4);
ASSERT_AT(struct wb_options, stdio, 8, 6);
ASSERT_AT(struct wb_options, listens, 32, 9);
ASSERT_AT(struct wb_options, clock, 32, 11);
ASSERT_AT(struct wb_options, random, 32, 13);
ASSERT_AT(struct wb_options, max_fds, 32, 15);
ASSERT_AT(struct wb_options, allocator, 48, 15);
ASSERT_AT(struct wb_options, extras, 48, 18);
ASSERT_AT(struct wb_options, error, 48, 20);

/* ---- tables and pairs ---------------------------------------------------- */

ASSERT(WB_CALL_COUNT == 46);

ASSERT_SIZE(struct wb_backing, 16, 52);
ASSERT_AT(struct wb_backing, abi, 0, 0);
ASSERT_AT(struct wb_backing, size, 4, 0);
ASSERT_AT(struct wb_backing, name, 8, 0);
ASSERT_AT(struct wb_backing, facts, 8, 2);
ASSERT_AT(struct wb_backing, context_init, 16, 2);
ASSERT_AT(struct wb_backing, wrap, 16, 5);
#define WB_CALL(name, signature, memory, fallback, unstable) \
    ASSERT_AT(struct wb_backing, name, 16, 6 + WB_CALL_##name);
#include "wasi_backing/calls.def"

ASSERT_SIZE(struct wb_pairs, 0, 93);
#define WB_CALL(name, signature, memory, fallback, unstable) \
    ASSERT_AT(struct wb_pairs, name, 0, 1 + 2 * WB_CALL_##name);
#include "wasi_backing/calls.def"

/* ---- what slots get and fill --------------------------------------------- */

ASSERT_SIZE(wb_iovec, 0, 2);
ASSERT_AT(wb_iovec, buf_len, 0, 1);
ASSERT_SIZE(wb_ciovec, 0, 2);
ASSERT_AT(wb_ciovec, buf_len, 0, 1);

/* Where a 64-bit integer is aligned to 4 bytes (i386), a struct may end earlier. */
#define ASSERT_ENDS(type, end) \
    ASSERT(sizeof(type) == (((end) + _Alignof(uint64_t) - 1) & \
                            ~(_Alignof(uint64_t) - 1)))

ASSERT_ENDS(wb_fdstat, 19);
ASSERT_AT(wb_fdstat, fs_flags, 16, 0);
ASSERT_AT(wb_fdstat, fs_filetype, 18, 0);
ASSERT_ENDS(wb_filestat, 57);
ASSERT_AT(wb_filestat, filetype, 56, 0);
ASSERT_ENDS(wb_dirent, 21);
ASSERT_AT(wb_dirent, d_namlen, 16, 0);
ASSERT_AT(wb_dirent, d_type, 20, 0);
ASSERT(sizeof(wb_prestat) == 8);
ASSERT_AT(wb_prestat, tag, 4, 0);
ASSERT_ENDS(wb_subscription_clock, 22);
ASSERT_AT(wb_subscription, u, 8, 0);
ASSERT_AT(wb_subscription, type, 8 + sizeof(wb_subscription_clock), 0);
ASSERT_ENDS(wb_event, 21);
ASSERT_AT(wb_event, error, 16, 0);
ASSERT_AT(wb_event, type, 20, 0);
