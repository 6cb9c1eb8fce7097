/* What the minimal backing uses that only Linux has. Each function names what
 * stands in for it on another POSIX system; no other file is specific to Linux.
 *
 * Like system calls, they return -1 and set errno on failure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINIMAL_PORTABILITY_H
#define MINIMAL_PORTABILITY_H

/* For what POSIX itself does not have, and 64-bit offsets on 32-bit systems;
 * both must come before any header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* open(2) by a path that never leaves `directory`; the kernel sees to it.
 * Fails with EXDEV when the path does leave, EAGAIN when somebody else renames
 * things meanwhile, ENOSYS on kernels before 5.6.
 * Elsewhere: ENOSYS; the component walk of resolve.c needs nothing special. */
int min_host_open_beneath(int directory, const char *path, int flags,
                          mode_t mode);

/* Whether a link read through the directory `directory`, with this text, is one
 * of procfs that leads elsewhere than its text says. Elsewhere: 0. */
int min_host_magic_link(int directory, const char *text);

/* One entry as getdents64(2) stores it. */
struct min_host_dirent {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

/* Fill `buffer` with entries from the descriptor's position on; 0 at the end.
 * Elsewhere: fdopendir, readdir and telldir. */
ssize_t min_host_getdents(int fd, void *buffer, size_t size);

/* How min_host_transfer moves bytes. */
enum {
    MIN_HOST_WRITE = 1,
    MIN_HOST_NOWAIT = 2,   /* EAGAIN, not blocking; EOPNOTSUPP if unknown */
    MIN_HOST_NOSIGNAL = 4, /* EPIPE without SIGPIPE; EOPNOTSUPP if unknown */
    MIN_HOST_APPEND = 8,
    MIN_HOST_DSYNC = 16,
    MIN_HOST_SYNC = 32
};

/* Read or write at `offset`, or at the descriptor's own position for -1, which
 * then advances. APPEND, DSYNC and SYNC hold for this transfer only, and are
 * made up for by lseek, fdatasync and fsync where the kernel lacks them.
 * Elsewhere: those three, and EOPNOTSUPP for NOWAIT and NOSIGNAL. */
ssize_t min_host_transfer(int fd, const struct iovec *iovs, size_t iovs_len,
                          off_t offset, int how);

/* A descriptor that min_host_wake makes readable for good. The latter may run
 * in a signal handler. Elsewhere: a pipe. */
int min_host_wake_open(void);
void min_host_wake(int fd);

/* A descriptor that turns readable when the real-time clock shows `time`, even
 * if it is set meanwhile. Elsewhere: -1, and poll.c looks every second. */
int min_host_alarm_open(uint64_t time);

/* poll(2) with a timeout in nanoseconds; UINT64_MAX: none.
 * Elsewhere: poll, rounding up to milliseconds. */
int min_host_poll(struct pollfd *fds, size_t count, uint64_t timeout);

/* Make sure that a file has storage. Elsewhere: fcntl(F_PREALLOCATE). */
int min_host_allocate(int fd, off_t offset, off_t len);

/* Random bytes, as many as come at once. Elsewhere: getentropy. */
ssize_t min_host_random(void *buffer, size_t size);

/* accept(2), with O_CLOEXEC and O_NONBLOCK set. Elsewhere: accept and fcntl. */
int min_host_accept(int fd);

/* Keep a signal that the calling thread causes itself from reaching anyone:
 * hold it back, then take it if `raised`. Needs sigtimedwait; elsewhere
 * sigwait, if sigpending shows it. */
struct min_guard {
    sigset_t signal, before;
    int pending;
};
void min_guard_begin(struct min_guard *guard, int signal);
void min_guard_end(struct min_guard *guard, int raised);

#endif
