/* Host errno to WASI errno, for everything that runs on a hosted system.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_ERRNO_HOST_H
#define WASI_BACKING_ERRNO_HOST_H

#include "wasi_backing/types.h"

/* The WASI errno of a host errno, SUCCESS of 0, IO of one that WASI lacks. */
wb_errno wb_errno_of_host(int error);

/* A host errno that becomes this WASI errno, 0 of SUCCESS, EIO of one that the
 * host lacks (NOTCAPABLE). For text by strerror(3). */
int wb_errno_to_host(wb_errno error);

#endif
