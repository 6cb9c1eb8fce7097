/* What a guest sees of calls that its backing leaves out, where that is not plain
 * NOSYS: the calls that calls.def marks OWN.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_LAYER_FALLBACK_H
#define WB_LAYER_FALLBACK_H

#include "wasi_backing/layer.h"

/* Fill the pairs of those calls; their context is the guest. */
void wb__fallback_fill(struct wb_guest *guest);

#endif
