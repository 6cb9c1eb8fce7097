/* Ctrl-C for guests: see sigint.h.
 *
 * SPDX-License-Identifier: MIT
 */
#define _XOPEN_SOURCE 700

#include "sigint.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* Changed and read on one thread alone, but also by the handler in between. */
static struct wb_sigint *innermost;
static pthread_t thread;
static struct sigaction before;

static void set(struct wb_sigint **place, struct wb_sigint *sigint)
{
    __atomic_store_n(place, sigint, __ATOMIC_RELEASE);
}

static void on_sigint(int number, siginfo_t *info, void *context)
{
    struct wb_sigint *sigint;
    int saved = errno;

    if (!pthread_equal(pthread_self(), thread)) {
        /* Entries come and go there while we would look at them here. */
        pthread_kill(thread, number);
        return;
    }
    sigint = __atomic_load_n(&innermost, __ATOMIC_ACQUIRE);
    for (; sigint; sigint = sigint->outer) {
        wb_guest_interrupt(sigint->guest);
        if (sigint->wake)
            sigint->wake(sigint->wake_self);
    }
    errno = saved;
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(number, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(number);
}

int wb_sigint_enter(struct wb_sigint *sigint)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigint->outer = innermost;
    if (innermost) {
        set(&innermost, sigint);
        return 0;
    }
    if (sigaction(SIGINT, NULL, &before))
        return -1;
    thread = pthread_self();
    set(&innermost, sigint);
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = on_sigint;
    if (sigaction(SIGINT, &action, NULL)) {
        set(&innermost, NULL);
        return -1;
    }
    return 0;
}

void wb_sigint_leave(struct wb_sigint *sigint)
{
    struct wb_sigint **place = &innermost;

    while (*place && *place != sigint)
        place = &(*place)->outer;
    if (!*place)
        return;
    set(place, sigint->outer);
    if (!innermost)
        sigaction(SIGINT, &before, NULL);
}
