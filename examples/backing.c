/* A backing of one call, and a guest without an engine: the whole ABI in a page.
 *
 *     cc -Icsrc/include examples/backing.c csrc/layer/[a-z]*.c -o console
 *     ./console
 *
 * A guest on this backing can write to its standard output; its other 45 calls
 * answer NOSYS, or what backing.h names as "without it".
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <wasi_backing/layer.h>

/* The call, with native pointers that the layer has checked. On a device this
 * would feed a UART. */
static uint16_t console_fd_write(void *self, wb_fd fd, const wb_ciovec *iovs,
                                 size_t iovs_len, size_t *nwritten)
{
    (void)self;
    if (fd != 1)
        return WB_ERRNO_BADF;
    *nwritten = 0;
    for (size_t i = 0; i < iovs_len; i++)
        *nwritten += fwrite(iovs[i].buf, 1, iovs[i].buf_len, stdout);
    return WB_ERRNO_SUCCESS;
}

static const struct wb_backing console = {
    WB_BACKING_INIT,
    .name = "console",
    .summary = "standard output and nothing else",
    .facts = WB_FACT_CONTAINED | WB_FACT_NO_HEAP,
    .fd_write = console_fd_write,
};

/* The guest's linear memory: at 0 one iovec {offset 16, length 13}, in the
 * guest's byte order; at 16 its text. The result goes to 8. */
static uint8_t memory[64] = {16, 0, 0, 0, 13, 0, 0, 0};

int main(void)
{
    static struct wb_guest guest;
    static struct wb_call call;
    const struct wb_backing *stack[] = {&console};
    char error[100] = "";
    struct wb_options options = {
        .size = sizeof options,
        .error = error,
        .error_len = sizeof error,
    };

    if (wb_guest_open(&guest, &options, stack, 1)) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    memcpy(memory + 16, "hello, world\n", 13);
    call.memory = memory;
    call.memory_size = sizeof memory;

    uint32_t outcome = wb_fd_write(&guest, &call, 1, 0, 1, 8);
    printf("fd_write: %s, %u bytes\n", wb_errno_name((wb_errno)outcome),
           (unsigned)memory[8]);
    outcome = wb_random_get(&guest, &call, 16, 8);
    printf("random_get: %s\n", wb_errno_name((wb_errno)outcome));
    outcome = wb_fd_write(&guest, &call, 1, 60, 1, 8);
    printf("fd_write with a wild offset: %s\n",
           outcome == WB_TRAP ? wb_trap_reason(guest.trap.reason) : "?");

    wb_guest_close(&guest);
    return 0;
}
