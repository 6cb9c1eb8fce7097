/* Ctrl-C for guests: see sigint.h.
 *
 * SPDX-License-Identifier: MIT
 */
#define _XOPEN_SOURCE 700

#include "sigint.h"

#include <signal.h>
#include <stddef.h>

/* The innermost one; read by the handler, which may run on any thread. */
static struct wb_sigint *innermost;
static struct sigaction before;

static void on_sigint(int number, siginfo_t *info, void *context)
{
    struct wb_sigint *sigint = __atomic_load_n(&innermost, __ATOMIC_ACQUIRE);

    for (; sigint; sigint = sigint->outer) {
        wb_guest_interrupt(sigint->guest);
        if (sigint->wake)
            sigint->wake(sigint->wake_self);
    }
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(number, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(number);
}

int wb_sigint_enter(struct wb_sigint *sigint)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigint->outer = innermost;
    if (!innermost) {
        if (sigaction(SIGINT, NULL, &before))
            return -1;
        sigemptyset(&action.sa_mask);
        action.sa_sigaction = on_sigint;
        __atomic_store_n(&innermost, sigint, __ATOMIC_RELEASE);
        if (sigaction(SIGINT, &action, NULL)) {
            __atomic_store_n(&innermost, NULL, __ATOMIC_RELEASE);
            return -1;
        }
        return 0;
    }
    __atomic_store_n(&innermost, sigint, __ATOMIC_RELEASE);
    return 0;
}

void wb_sigint_leave(void)
{
    struct wb_sigint *outer = innermost->outer;

    if (!outer)
        sigaction(SIGINT, &before, NULL);
    __atomic_store_n(&innermost, outer, __ATOMIC_RELEASE);
}
