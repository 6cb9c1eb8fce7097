/* The platform that has nothing: memory, clocks, random bytes and stdio all come
 * in through the options, and a wait looks at the clock again and again. Copy this
 * file to put in what a device has.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../portability.h"

const struct mem_platform mem_platform = {0};
