/* What the uvwasi backing uses that only Linux has; see portability.h.
 *
 * System calls: getdents64, eventfd2, ppoll, fallocate, accept4, open of
 * /proc/self/fd; and sigaction, pthread_sigmask, sigpending, sigtimedwait.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "portability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

ssize_t uvw_host_getdents(int fd, void *buffer, size_t size)
{
    return syscall(SYS_getdents64, fd, buffer, size);
}

int uvw_host_wake_open(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void uvw_host_wake(int fd)
{
    const uint64_t one = 1;
    int before = errno;
    /* It can only fail when it is readable already. */
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
    errno = before;
}

int uvw_host_poll(struct pollfd *fds, size_t count, uint64_t timeout)
{
    struct timespec limit = {(time_t)(timeout / 1000000000),
                             (long)(timeout % 1000000000)};
    return ppoll(fds, count, timeout == UINT64_MAX ? NULL : &limit, NULL);
}

int uvw_host_allocate(int fd, off_t offset, off_t len)
{
    return fallocate(fd, 0, offset, len);
}

int uvw_host_reopen(int fd, int flags)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return open(name, flags | O_CLOEXEC | O_NOCTTY);
}

int uvw_host_accept(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void uvw_guard_begin(struct uvw_guard *guard, int signal)
{
    sigset_t pending;
    struct sigaction action;
    guard->needed =
        sigaction(signal, NULL, &action) || action.sa_handler != SIG_IGN;
    if (!guard->needed)
        return;
    sigemptyset(&guard->signal);
    sigaddset(&guard->signal, signal);
    /* One that is waiting already is not ours to take. */
    guard->pending = !sigpending(&pending) && sigismember(&pending, signal);
    pthread_sigmask(SIG_BLOCK, &guard->signal, &guard->before);
}

void uvw_guard_end(struct uvw_guard *guard)
{
    static const struct timespec at_once = {0, 0};
    int before = errno;
    if (!guard->needed)
        return;
    if (!guard->pending)
        while (sigtimedwait(&guard->signal, NULL, &at_once) < 0 &&
               errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    errno = before;
}
