/* Compile-time switches. Override one with -D, or replace this whole file with
 * -DWB_CONFIG='"my_config.h"', which must then define every name below.
 *
 * The layer and everything that includes its headers must agree on these
 * values: they decide the size of struct wb_call.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_CONFIG_H
#define WASI_BACKING_CONFIG_H

#ifdef WB_CONFIG
#include WB_CONFIG
#else

/* How many non-empty iovecs one call hands to a backing; the rest of a longer
 * array is left for the guest's next call (a short transfer, which the ABI
 * allows). Costs 2 pointers each in struct wb_call. */
#ifndef WB_MAX_IOVECS
#define WB_MAX_IOVECS 1024
#endif

/* How many subscriptions one poll_oneoff may have; more is INVAL. Costs 64
 * bytes each in struct wb_call, shared with the iovecs. */
#ifndef WB_MAX_SUBSCRIPTIONS
#define WB_MAX_SUBSCRIPTIONS 1024
#endif

/* The longest path in bytes, without a terminator; more is NAMETOOLONG. Costs
 * 2 bytes for each byte in struct wb_call, shared with the iovecs. */
#ifndef WB_MAX_PATH
#define WB_MAX_PATH 4096
#endif

/* How many backings may be stacked in one guest: wrappers, then the backing
 * that they wrap. Costs 2 pointers each in struct wb_guest. */
#ifndef WB_MAX_STACK
#define WB_MAX_STACK 8
#endif

/* The flag that wb_guest_interrupt sets is the one thing that other threads and
 * signal handlers touch. The defaults are the compiler's atomics, which are
 * plain loads and stores on every target that has 32-bit ones. */
#ifndef WB_LOAD_FLAG
#define WB_LOAD_FLAG(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)
#define WB_STORE_FLAG(pointer, value) \
    __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
#endif

/* The layer's only calls of a C library. Compilers turn them into instructions,
 * or into calls of the functions that every freestanding target must have. */
#ifndef WB_MEMCPY
#define WB_MEMCPY(to, from, length) __builtin_memcpy((to), (from), (length))
#define WB_MEMSET(to, byte, length) __builtin_memset((to), (byte), (length))
#endif

#endif /* WB_CONFIG */
#endif
