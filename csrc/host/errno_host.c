/* Host errno to WASI errno and back, both from errno_host.def.
 *
 * SPDX-License-Identifier: MIT
 */
#include "errno_host.h"

#include <errno.h>

wb_errno wb_errno_of_host(int error)
{
    switch (error) {
    case 0:
        return WB_ERRNO_SUCCESS;
#define WB_ERRNO_HOST(host, wasi) \
    case host:                    \
        return WB_ERRNO_##wasi;
#include "errno_host.def"
    default:
        return WB_ERRNO_IO;
    }
}

int wb_errno_to_host(wb_errno error)
{
    if (error == WB_ERRNO_SUCCESS)
        return 0;
#define WB_ERRNO_HOST(host, wasi) \
    if (error == WB_ERRNO_##wasi) \
        return host;
#include "errno_host.def"
    return EIO;
}
