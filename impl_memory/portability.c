/* The POSIX platform: the one file of the memory backing that calls a system.
 *
 * System calls: clock_gettime, clock_getres, getrandom, sched_yield, poll,
 * pipe (once, when a call first waits), and for stdio that the host lends
 * fstat, fcntl, isatty, read, write, recv, send and ioctl(FIONREAD).
 *
 * Lent descriptors are left as they are: nothing is set on them. That a
 * transfer does not wait is made sure of by asking poll first, and by writing
 * no more than a pipe takes at once. Two readers of one descriptor can still
 * make one wait.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE /* clock_gettime's coarse clock, getrandom, pipe2 */
#include "portability.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/errno_host.h"

#ifndef CLOCK_REALTIME_COARSE
#define CLOCK_REALTIME_COARSE CLOCK_REALTIME
#endif

static void *host_reallocate(void *pointer, size_t size)
{
    if (size > 0)
        return realloc(pointer, size);
    free(pointer);
    return NULL;
}

/* ---- clocks and random bytes -------------------------------------------- */

static wb_timestamp nanoseconds(struct timespec time)
{
    return (wb_timestamp)time.tv_sec * 1000000000 + (wb_timestamp)time.tv_nsec;
}

static uint16_t host_clock(wb_clockid id, uint32_t resolution,
                           wb_timestamp *time)
{
    static const clockid_t clocks[WB_CLOCKID_COUNT] = {
        [WB_CLOCKID_REALTIME] = CLOCK_REALTIME,
        [WB_CLOCKID_MONOTONIC] = CLOCK_MONOTONIC,
        [WB_CLOCKID_PROCESS_CPUTIME_ID] = CLOCK_PROCESS_CPUTIME_ID,
        [WB_CLOCKID_THREAD_CPUTIME_ID] = CLOCK_THREAD_CPUTIME_ID,
    };
    struct timespec answer;
    if (resolution ? clock_getres(clocks[id], &answer)
                   : clock_gettime(clocks[id], &answer))
        return wb_errno_of_host(errno);
    if (answer.tv_sec < 0)
        return WB_ERRNO_OVERFLOW;
    *time = nanoseconds(answer);
    if (resolution && *time == 0)
        *time = 1;
    return WB_ERRNO_SUCCESS;
}

static wb_timestamp host_stamp(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME_COARSE, &now) || now.tv_sec < 0
               ? 0
               : nanoseconds(now);
}

static uint16_t host_random(void *buf, size_t len)
{
    unsigned char *at = buf;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            return wb_errno_of_host(errno);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
    return WB_ERRNO_SUCCESS;
}

static void host_yield(void)
{
    sched_yield();
}

/* ---- waiting ------------------------------------------------------------ */

static uint16_t host_wake_begin(struct mem_wake *wake)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        return wb_errno_of_host(errno);
    wake->read = ends[0];
    /* Whoever interrupts from now on finds it; the caller looks at the flag of
     * those who came before. */
    __atomic_store_n(&wake->write, ends[1], __ATOMIC_SEQ_CST);
    return WB_ERRNO_SUCCESS;
}

static void host_wake_end(struct mem_wake *wake)
{
    int before = errno, end = __atomic_load_n(&wake->write, __ATOMIC_SEQ_CST);
    /* A full pipe is readable, too. */
    if (end >= 0 && write(end, "", 1) < 0)
        errno = before;
}

static void host_wake_close(struct mem_wake *wake)
{
    if (wake->write < 0)
        return;
    close(wake->read);
    close(wake->write);
}

static uint16_t host_wait(struct mem_wake *wake, const struct mem_wait *waits,
                          size_t count, uint64_t timeout)
{
    const uint64_t longest = (uint64_t)INT_MAX * 1000000;
    struct pollfd fds[4];
    size_t used = 0;
    struct timespec time = {(time_t)(timeout / 1000000000),
                            (long)(timeout % 1000000000)};
    for (size_t i = 0; i < count && i < 3; i++)
        fds[used++] = (struct pollfd){
            waits[i].descriptor,
            (short)((waits[i].reading ? POLLIN : 0) |
                    (waits[i].writing ? POLLOUT : 0)),
            0};
    if (wake->write >= 0)
        fds[used++] = (struct pollfd){wake->read, POLLIN, 0};
    if (ppoll(fds, used, timeout > longest ? NULL : &time, NULL) < 0 &&
        errno != EINTR)
        return wb_errno_of_host(errno);
    return WB_ERRNO_SUCCESS;
}

/* ---- stdio that the host lends ------------------------------------------ */

/* A terminal is a character device. Everything else is a stream of bytes,
 * since it is not told that a file could seek. */
static uint16_t host_describe(int descriptor, wb_filetype *filetype, int *reads,
                              int *writes)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0)
        return wb_errno_of_host(errno);
    *filetype = isatty(descriptor) ? WB_FILETYPE_CHARACTER_DEVICE
                                   : WB_FILETYPE_UNKNOWN;
    *reads = (flags & O_ACCMODE) != O_WRONLY;
    *writes = (flags & O_ACCMODE) != O_RDONLY;
    return WB_ERRNO_SUCCESS;
}

/* poll's answer for one descriptor, at once; 0: not ready. */
static uint16_t look(int descriptor, short events, short *revents)
{
    struct pollfd fd = {descriptor, events, 0};
    int result;
    do
        result = poll(&fd, 1, 0);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return wb_errno_of_host(errno);
    if (fd.revents & POLLNVAL)
        return WB_ERRNO_BADF;
    *revents = fd.revents;
    return fd.revents ? WB_ERRNO_SUCCESS : WB_ERRNO_AGAIN;
}

/* After a transfer: its count or its error. */
static uint16_t told(ssize_t result, size_t *count)
{
    if (result < 0)
        return errno == EINTR || errno == EWOULDBLOCK ? WB_ERRNO_AGAIN
                                                      : wb_errno_of_host(errno);
    *count = (size_t)result;
    return WB_ERRNO_SUCCESS;
}

static uint16_t host_read(int descriptor, void *buf, size_t len, size_t *count)
{
    short revents;
    uint16_t error = look(descriptor, POLLIN, &revents);
    if (error)
        return error;
    if (len > SSIZE_MAX)
        len = SSIZE_MAX;
    return told(read(descriptor, buf, len), count);
}

/* Write, and keep the signals of a pipe without readers and of a file that is
 * too large from everyone. */
static ssize_t write_quietly(int descriptor, const void *buf, size_t len)
{
    static const struct timespec at_once = {0, 0};
    sigset_t signals, before, pending;
    sigemptyset(&pending);
    sigpending(&pending);
    sigemptyset(&signals);
    /* One that is waiting already is not ours to take. */
    if (!sigismember(&pending, SIGPIPE))
        sigaddset(&signals, SIGPIPE);
    if (!sigismember(&pending, SIGXFSZ))
        sigaddset(&signals, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    ssize_t result = write(descriptor, buf, len);
    int error = errno;
    if (result < 0 && (error == EPIPE || error == EFBIG))
        while (sigtimedwait(&signals, NULL, &at_once) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return result;
}

static uint16_t host_write(int descriptor, const void *buf, size_t len,
                           size_t *count)
{
    struct stat facts;
    short revents;
    uint16_t error;
    if (fstat(descriptor, &facts))
        return wb_errno_of_host(errno);
    if (S_ISREG(facts.st_mode))
        return told(
            write_quietly(descriptor, buf, len > SSIZE_MAX ? SSIZE_MAX : len),
            count);
    error = look(descriptor, POLLOUT, &revents);
    if (error)
        return error;
    if (S_ISSOCK(facts.st_mode))
        return told(send(descriptor, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL),
                    count);
    return told(write_quietly(descriptor, buf, len < PIPE_BUF ? len : PIPE_BUF),
                count);
}

static uint16_t host_ready(int descriptor, int writing, wb_filesize *count,
                           int *hangup)
{
    short revents;
    int bytes;
    uint16_t error = look(descriptor, writing ? POLLOUT : POLLIN, &revents);
    if (error)
        return error;
    *hangup = (revents & (POLLHUP | POLLERR)) != 0;
    *count = writing ? 1 : 0;
    if (!writing && !ioctl(descriptor, FIONREAD, &bytes) && bytes > 0)
        *count = (wb_filesize)bytes;
    return WB_ERRNO_SUCCESS;
}

const struct mem_platform mem_platform = {
    .reallocate = host_reallocate,
    .clock = host_clock,
    .stamp = host_stamp,
    .random = host_random,
    .yield = host_yield,
    .wait = host_wait,
    .wake_begin = host_wake_begin,
    .wake_end = host_wake_end,
    .wake_close = host_wake_close,
    .describe = host_describe,
    .read = host_read,
    .write = host_write,
    .ready = host_ready,
};
