/* A copy of struct wb_options that lives as long as a guest needs it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_HOST_OPTIONS_COPY_H
#define WB_HOST_OPTIONS_COPY_H

#include "wasi_backing/backing.h"

/* Copy options and all strings and arrays that they point to into one block, which
 * free() releases; NULL when there is no memory. What the embedder implements or
 * gives away is not copied: streams, hooks, the allocator, the arena, the places
 * of bound ports, and the error text. */
struct wb_options *wb_options_copy(const struct wb_options *options);

#endif
