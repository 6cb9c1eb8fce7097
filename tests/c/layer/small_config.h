/* A whole configuration in place of config.h, as firmware has one: small limits,
 * and plain accesses and loops where config.h uses what the compiler offers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SMALL_CONFIG_H
#define SMALL_CONFIG_H

#include <string.h>

#define WB_MAX_IOVECS 4
#define WB_MAX_SUBSCRIPTIONS 3
#define WB_MAX_PATH 16
#define WB_MAX_STACK 3

#define WB_LOAD_FLAG(pointer) (*(const volatile uint32_t *)(pointer))
#define WB_STORE_FLAG(pointer, value) \
    ((void)(*(volatile uint32_t *)(pointer) = (value)))

#define WB_MEMCPY(to, from, length) memcpy((to), (from), (length))
#define WB_MEMSET(to, byte, length) memset((to), (byte), (length))

#endif
