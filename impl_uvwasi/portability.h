/* What the uvwasi backing uses that only Linux has. Each function names what
 * stands in for it on another POSIX system; no other file is specific to Linux.
 *
 * Like system calls, they return -1 and set errno on failure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef UVW_PORTABILITY_H
#define UVW_PORTABILITY_H

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/* One entry as getdents64(2) stores it. */
struct uvw_host_dirent {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

/* Fill `buffer` with entries from the descriptor's position on; 0 at the end.
 * Elsewhere: fdopendir, readdir and telldir. */
ssize_t uvw_host_getdents(int fd, void *buffer, size_t size);

/* A descriptor that uvw_host_wake makes readable for good. The latter may run in
 * a signal handler. Elsewhere: a pipe. */
int uvw_host_wake_open(void);
void uvw_host_wake(int fd);

/* poll(2) with a timeout in nanoseconds; UINT64_MAX: none.
 * Elsewhere: poll, rounding up to milliseconds. */
int uvw_host_poll(struct pollfd *fds, size_t count, uint64_t timeout);

/* Make sure that a file has storage. Elsewhere: fcntl(F_PREALLOCATE). */
int uvw_host_allocate(int fd, off_t offset, off_t len);

/* Open what a descriptor stands for once more, with a description of its own.
 * Only for pipes and terminals. Elsewhere: ENOSYS, and the lent one is shared. */
int uvw_host_reopen(int fd, int flags);

/* accept(2), with O_CLOEXEC and O_NONBLOCK set. Elsewhere: accept and fcntl. */
int uvw_host_accept(int fd);

/* Keep a signal that the calling thread causes itself from reaching anyone:
 * hold it back, then take it if it came, as it may even when libuv reports what it
 * had written before. Nothing to do while the process ignores the signal, as
 * Python does. Needs sigtimedwait; elsewhere sigwait, if sigpending shows it. */
struct uvw_guard {
    sigset_t signal, before;
    int needed, pending;
};
void uvw_guard_begin(struct uvw_guard *guard, int signal);
void uvw_guard_end(struct uvw_guard *guard);

#endif
