/* The guest's native twin: the same loops around the system calls that a host
 * has to make. Runs in the directory that the guest finds as its preopen. Rows
 * that a native program has no system call for are not here.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Defines a row's loop: `turn` is true when a call has failed. */
#define LOOP(name, turn)                                                       \
    static int name(uint64_t turns)                                            \
    {                                                                          \
        for (uint64_t i = 0; i < turns; i++)                                   \
            if (turn)                                                          \
                return errno;                                                  \
        return 0;                                                              \
    }

static struct timespec timespec;
static struct stat status;
static uint8_t buffer[65536];

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

LOOP(run_clock_realtime, clock_gettime(CLOCK_REALTIME, &timespec))
LOOP(run_clock_monotonic, clock_gettime(CLOCK_MONOTONIC, &timespec))
LOOP(run_clock_process, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &timespec))
LOOP(run_clock_thread, clock_gettime(CLOCK_THREAD_CPUTIME_ID, &timespec))
LOOP(run_clock_res_get, clock_getres(CLOCK_MONOTONIC, &timespec))
LOOP(run_poll, poll(NULL, 0, 0))
LOOP(run_sched_yield, sched_yield())
LOOP(run_random_get, getrandom(buffer, 16, 0) != 16)

/* ---- one open file ----------------------------------------------------------
 */

static int directory = AT_FDCWD, file;

static int prepare_directory(void)
{
    directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? errno : 0;
}

static int prepare_data(void)
{
    file = open("data", O_RDWR | O_CLOEXEC);
    return file < 0 ? errno : 0;
}

static int prepare_scratch(void)
{
    file = open("scratch", O_RDWR | O_CLOEXEC);
    return file < 0 ? errno : 0;
}

LOOP(run_fd_fdstat_get, fcntl(file, F_GETFL) < 0)
LOOP(run_fd_filestat_get, fstat(file, &status))
LOOP(run_fd_seek, lseek(file, 1000, SEEK_SET) < 0)
LOOP(run_fd_tell, lseek(file, 0, SEEK_CUR) < 0)

static uint64_t position;

static bool advance(uint32_t length)
{
    position += length;
    if (position < DATA_SIZE)
        return false;
    position = 0;
    return lseek(file, 0, SEEK_SET) < 0;
}

#define TRANSFERS(name, length)                                                \
    LOOP(run_fd_pread_##name, pread(file, buffer, length, 0) < 0)              \
    LOOP(run_fd_pwrite_##name, pwrite(file, buffer, length, 0) < 0)            \
    LOOP(run_fd_read_##name,                                                   \
         read(file, buffer, length) < 0 || advance(length))                    \
    LOOP(run_fd_write_##name,                                                  \
         write(file, buffer, length) < 0 || advance(length))

TRANSFERS(1, 1)
TRANSFERS(4k, 4096)
TRANSFERS(64k, 65536)

/* ---- paths
 * -------------------------------------------------------------------- */

static bool open_close_fails(const char *path)
{
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || close(fd);
}

LOOP(run_open_near, open_close_fails(NEAR_PATH))
LOOP(run_open_far, open_close_fails(FAR_PATH))
LOOP(run_stat_near, fstatat(directory, NEAR_PATH, &status, 0))
LOOP(run_stat_far, fstatat(directory, FAR_PATH, &status, 0))

static bool directory_fails(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || close(fd);
}

LOOP(run_context, directory_fails())

/* ---- locks ---------------------------------------------------------------
 * As uvwasi takes them to look up a descriptor and to use it.
 */

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static bool locks_fail(void)
{
    return pthread_rwlock_wrlock(&table_lock) ||
           pthread_mutex_lock(&file_lock) ||
           pthread_rwlock_unlock(&table_lock) ||
           pthread_mutex_unlock(&file_lock);
}

LOOP(run_locks, locks_fail())

/* ---- directories
 * --------------------------------------------------------------- */

static DIR *stream;
static uint64_t names;

static int open_directory(const char *path, uint64_t expected)
{
    names = expected;
    stream = opendir(path);
    return stream ? 0 : errno;
}

static int prepare_names_2000(void)
{
    return open_directory("names-2000", 2000);
}

static int prepare_names_100000(void)
{
    return open_directory("names-100000", 100000);
}

static bool list_fails(void)
{
    uint64_t seen = 0;
    rewinddir(stream);
    while (readdir(stream))
        seen++;
    errno = EIO;
    return seen != names + 2;
}

LOOP(run_fd_readdir, list_fails())

const struct row rows[] = {
    {"clock_time_get.realtime", NULL, run_clock_realtime},
    {"clock_time_get.monotonic", NULL, run_clock_monotonic},
    {"clock_time_get.process", NULL, run_clock_process},
    {"clock_time_get.thread", NULL, run_clock_thread},
    {"clock_res_get", NULL, run_clock_res_get},
    {"fd_fdstat_get", prepare_data, run_fd_fdstat_get},
    {"fd_seek", prepare_data, run_fd_seek},
    {"fd_tell", prepare_data, run_fd_tell},
    {"poll_oneoff.elapsed", NULL, run_poll},
    {"fd_filestat_get", prepare_data, run_fd_filestat_get},
    {"fd_pread.1", prepare_data, run_fd_pread_1},
    {"fd_pread.4k", prepare_data, run_fd_pread_4k},
    {"fd_pread.64k", prepare_data, run_fd_pread_64k},
    {"fd_read.1", prepare_data, run_fd_read_1},
    {"fd_read.4k", prepare_data, run_fd_read_4k},
    {"fd_read.64k", prepare_data, run_fd_read_64k},
    {"fd_pwrite.1", prepare_scratch, run_fd_pwrite_1},
    {"fd_pwrite.4k", prepare_scratch, run_fd_pwrite_4k},
    {"fd_pwrite.64k", prepare_scratch, run_fd_pwrite_64k},
    {"fd_write.1", prepare_scratch, run_fd_write_1},
    {"fd_write.4k", prepare_scratch, run_fd_write_4k},
    {"fd_write.64k", prepare_scratch, run_fd_write_64k},
    {"open_close.1", prepare_directory, run_open_near},
    {"open_close.4", prepare_directory, run_open_far},
    {"path_filestat_get.1", prepare_directory, run_stat_near},
    {"path_filestat_get.4", prepare_directory, run_stat_far},
    {"fd_readdir.2000", prepare_names_2000, run_fd_readdir},
    {"fd_readdir.100000", prepare_names_100000, run_fd_readdir},
    {"context", NULL, run_context},
    {"sched_yield", NULL, run_sched_yield},
    {"random_get.16", NULL, run_random_get},
    {"locks", NULL, run_locks},
    {NULL, NULL, NULL},
};
