/* Clocks, sleep and poll; standard input is a pipe with "ready" in it.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        return -1;
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void slept(const char *how, long long start, long long at_least)
{
    long long took = now(CLOCK_MONOTONIC) - start;
    printf("%s: %s\n", how,
           took < at_least                 ? "too short"
           : took > at_least + 10000000000 ? "too long"
                                           : "slept");
}

int main(void)
{
    struct timespec t = {0, 20000000};
    struct timespec resolution;
    struct pollfd fds[2] = {{.fd = 0, .events = POLLIN},
                            {.fd = 1, .events = POLLOUT}};
    char text[10] = "";
    long long start, before;

    before = now(CLOCK_MONOTONIC);
    printf("monotonic: %d\n", now(CLOCK_MONOTONIC) >= before);
    printf("realtime: %d\n", now(CLOCK_REALTIME) > 1600000000000000000);
    printf("resolution: %d\n", clock_getres(CLOCK_MONOTONIC, &resolution) == 0 &&
                                   resolution.tv_sec == 0 &&
                                   resolution.tv_nsec > 0);
    start = now(CLOCK_MONOTONIC);
    nanosleep(&t, NULL);
    slept("nanosleep", start, 20000000);
    start = now(CLOCK_MONOTONIC);
    usleep(20000);
    slept("usleep", start, 20000000);
    start = now(CLOCK_MONOTONIC);
    clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL);
    slept("clock_nanosleep", start, 20000000);
    clock_gettime(CLOCK_MONOTONIC, &t);
    start = now(CLOCK_MONOTONIC);
    t.tv_sec += (t.tv_nsec + 20000000) / 1000000000;
    t.tv_nsec = (t.tv_nsec + 20000000) % 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    slept("until", start, 19000000);

    printf("poll: %d", poll(fds, 2, 1000));
    printf(" in %d, out %d\n", fds[0].revents & POLLIN ? 1 : 0,
           fds[1].revents & POLLOUT ? 1 : 0);
    printf("read: %zd", read(0, text, 5));
    printf(" %s\n", text);
    start = now(CLOCK_MONOTONIC);
    fds[1].events = 0;
    printf("poll: %d\n", poll(fds, 1, 20));
    slept("poll", start, 20000000);
    printf("yield: %d\n", sched_yield());
    return 0;
}
