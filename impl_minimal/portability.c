/* What the minimal backing uses that only Linux has; see portability.h.
 *
 * System calls: openat2, fstatfs, getdents64, readv, preadv, preadv2, writev,
 * pwritev, pwritev2, eventfd2, timerfd_create, timerfd_settime, ppoll,
 * fallocate, getrandom, accept4; and pthread_sigmask, sigpending, sigtimedwait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "portability.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

/* As in <linux/openat2.h>, which headers before Linux 5.6 lack. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
struct how_to_open {
    uint64_t flags, mode, resolve;
};
enum { NO_MAGICLINKS = 2, BENEATH = 8 };

#ifndef RWF_APPEND
#define RWF_APPEND 0x10
#endif
#ifndef RWF_NOSIGNAL /* since Linux 6.18 */
#define RWF_NOSIGNAL 0x100
#endif

int min_host_open_beneath(int directory, const char *path, int flags,
                          mode_t mode)
{
    struct how_to_open how = {
        .flags = (unsigned)flags,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = BENEATH | NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int min_host_magic_link(int directory, const char *text)
{
    /* Magic links to what has a path are absolute, and so refused as such. The
     * others read like "pipe:[4711]". */
    struct statfs facts;
    return strstr(text, ":[") && !fstatfs(directory, &facts) &&
           facts.f_type == PROC_SUPER_MAGIC;
}

ssize_t min_host_getdents(int fd, void *buffer, size_t size)
{
    return syscall(SYS_getdents64, fd, buffer, size);
}

/* The transfer as one system call, and the cheapest one that does it. */
static ssize_t transfer(int fd, const struct iovec *iovs, size_t iovs_len,
                        off_t offset, int how)
{
    int flags = (how & MIN_HOST_NOWAIT ? RWF_NOWAIT : 0) |
                (how & MIN_HOST_NOSIGNAL ? RWF_NOSIGNAL : 0) |
                (how & MIN_HOST_APPEND ? RWF_APPEND : 0) |
                (how & MIN_HOST_DSYNC ? RWF_DSYNC : 0) |
                (how & MIN_HOST_SYNC ? RWF_SYNC : 0);
    int n = (int)iovs_len;
    if (how & MIN_HOST_WRITE) {
        if (flags)
            return pwritev2(fd, iovs, n, offset, flags);
        if (n == 1)
            return offset < 0
                       ? write(fd, iovs->iov_base, iovs->iov_len)
                       : pwrite(fd, iovs->iov_base, iovs->iov_len, offset);
        return offset < 0 ? writev(fd, iovs, n) : pwritev(fd, iovs, n, offset);
    }
    if (flags)
        return preadv2(fd, iovs, n, offset, flags);
    if (n == 1)
        return offset < 0 ? read(fd, iovs->iov_base, iovs->iov_len)
                          : pread(fd, iovs->iov_base, iovs->iov_len, offset);
    return offset < 0 ? readv(fd, iovs, n) : preadv(fd, iovs, n, offset);
}

ssize_t min_host_transfer(int fd, const struct iovec *iovs, size_t iovs_len,
                          off_t offset, int how)
{
    const int sync = MIN_HOST_DSYNC | MIN_HOST_SYNC;
    ssize_t count = transfer(fd, iovs, iovs_len, offset, how);
    if (count >= 0 || !(how & (sync | MIN_HOST_APPEND)) ||
        (errno != EOPNOTSUPP && errno != ENOSYS))
        return count;
    /* A kernel before 4.16, or a file system that lacks the flags. */
    if (how & MIN_HOST_APPEND && lseek(fd, 0, SEEK_END) < 0)
        return -1;
    count = transfer(fd, iovs, iovs_len, offset,
                     how & ~(sync | MIN_HOST_APPEND));
    if (count > 0 && how & sync &&
        (how & MIN_HOST_SYNC ? fsync(fd) : fdatasync(fd)))
        return -1;
    return count;
}

int min_host_wake_open(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void min_host_wake(int fd)
{
    const uint64_t one = 1;
    int before = errno;
    /* It can only fail when it is readable already. */
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
    errno = before;
}

int min_host_alarm_open(uint64_t time)
{
    struct itimerspec when = {.it_value = {(time_t)(time / 1000000000),
                                           (long)(time % 1000000000)}};
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int min_host_poll(struct pollfd *fds, size_t count, uint64_t timeout)
{
    struct timespec limit = {(time_t)(timeout / 1000000000),
                             (long)(timeout % 1000000000)};
    return ppoll(fds, count, timeout == UINT64_MAX ? NULL : &limit, NULL);
}

int min_host_allocate(int fd, off_t offset, off_t len)
{
    return fallocate(fd, 0, offset, len);
}

ssize_t min_host_random(void *buffer, size_t size)
{
    return getrandom(buffer, size, 0);
}

int min_host_accept(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void min_guard_begin(struct min_guard *guard, int signal)
{
    sigset_t pending;
    sigemptyset(&guard->signal);
    sigaddset(&guard->signal, signal);
    /* One that is waiting already is not ours to take. */
    guard->pending = !sigpending(&pending) && sigismember(&pending, signal);
    pthread_sigmask(SIG_BLOCK, &guard->signal, &guard->before);
}

void min_guard_end(struct min_guard *guard, int raised)
{
    static const struct timespec at_once = {0, 0};
    int before = errno;
    if (raised && !guard->pending)
        while (sigtimedwait(&guard->signal, NULL, &at_once) < 0 &&
               errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    errno = before;
}
