/* poll_oneoff: waiting for clocks and descriptors together.
 *
 * System calls: ppoll, ioctl(FIONREAD), fstat and lseek for a file's rest; an
 * eventfd for interrupt, once; a timerfd for an absolute time of the real-time
 * clock, which follows that clock when it is set. Everything else is turned
 * into one deadline on the monotonic clock. What is due already costs no system
 * call if no descriptor needs one. Files are always ready.
 *
 * Left out: CPU-time clocks (INVAL in their event: nobody who sleeps would ever
 * see them advance). nbytes of a write is 1, "at least one": POSIX has no call
 * that tells more. Streams of the embedder's are asked one at a time: in a mix,
 * every 10 ms.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an item waits for. */
enum {
    DUE,       /* nothing: there is an error, or it is always ready */
    DEADLINE,  /* the monotonic clock to show `value` */
    WALL_TIME, /* the real-time clock to show `value` */
    HOST,      /* fds[index] */
    STREAM
};

struct item {
    uint64_t value; /* the time; of a STREAM that is due, its bytes */
    struct min_file *file;
    uint16_t index;
    wb_errno error;
    uint8_t what;
};

/* fds[0] is the wake-up by interrupt, fds[1] the alarm, -1 if there is none. */
enum { WAKE, ALARM, FIRST };

_Static_assert(WB_MAX_SUBSCRIPTIONS + FIRST <= UINT16_MAX, "fits item.index");

struct wait {
    struct min_context *context;
    const wb_subscription *subscriptions;
    size_t count, fds_len;
    uint64_t deadline;  /* the earliest DEADLINE */
    uint64_t wall_time; /* the earliest WALL_TIME */
    struct item *stream; /* one that is not due */
    size_t streams;      /* how many there are of those */
    int stop;            /* interrupted */
    struct item items[WB_MAX_SUBSCRIPTIONS];
    struct pollfd fds[WB_MAX_SUBSCRIPTIONS + FIRST];
};

static uint64_t clock_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return min_nanoseconds(now);
}

/* ---- before the wait ----------------------------------------------------- */

static void add_clock(struct wait *wait, const wb_subscription_clock *clock,
                      struct item *item)
{
    const struct wb_options *options = wait->context->options;
    uint64_t timeout = clock->timeout;
    int absolute = clock->flags & WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
    if (clock->id != WB_CLOCKID_REALTIME && clock->id != WB_CLOCKID_MONOTONIC) {
        item->error = WB_ERRNO_INVAL;
        return;
    }
    item->what = DEADLINE;
    if (absolute && options->clock) {
        /* The embedder's clock: wait as long as it is from its time to that. */
        wb_timestamp now;
        item->error = options->clock(options->clock_self, clock->id, 0, &now);
        if (item->error) {
            item->what = DUE;
            return;
        }
        timeout = timeout > now ? timeout - now : 0;
    } else if (absolute && clock->id == WB_CLOCKID_REALTIME) {
        item->what = WALL_TIME;
    }
    item->value = absolute && !options->clock ? timeout : min_deadline(timeout);
    uint64_t *earliest =
        item->what == DEADLINE ? &wait->deadline : &wait->wall_time;
    if (item->value < *earliest)
        *earliest = item->value;
}

static void add_descriptor(struct wait *wait,
                           const wb_subscription *subscription,
                           struct item *item)
{
    int reading = subscription->type == WB_EVENTTYPE_FD_READ;
    item->error =
        reading ? MIN_USE(wait->context, poll_oneoff_fd_read,
                          subscription->u.fd, &item->file)
                : MIN_USE(wait->context, poll_oneoff_fd_write,
                          subscription->u.fd, &item->file);
    if (item->error || item->file->io == MIN_IO_PLAIN ||
        item->file->io == MIN_IO_NONE)
        return;
    if (item->file->io == MIN_IO_STREAM) {
        item->what = STREAM;
        return;
    }
    item->what = HOST;
    item->index = (uint16_t)wait->fds_len++;
    wait->fds[item->index] = (struct pollfd){
        item->file->host, reading ? POLLIN : POLLOUT, 0};
}

/* ---- during the wait ----------------------------------------------------- */

/* Ask a stream whether it is ready. */
static int stream_ready(struct wait *wait, struct item *item, uint64_t timeout)
{
    const struct wb_stream *stream = item->file->stream;
    size_t at = (size_t)(item - wait->items);
    uint32_t writing =
        wait->subscriptions[at].type == WB_EVENTTYPE_FD_WRITE ? 1 : 0;
    wb_filesize bytes = 1;
    uint16_t error = WB_ERRNO_SUCCESS;
    if (stream->ready)
        error = stream->ready(stream->self, writing, timeout, &bytes);
    if (error == WB_ERRNO_AGAIN)
        return 0;
    if (error == WB_STOP_GUEST)
        return -1;
    item->what = DUE;
    item->error = error;
    item->value = bytes;
    return 1;
}

static void due_now(struct item *item, int *due)
{
    item->what = DUE;
    *due = 1;
}

/* Whether something is due that needs no poll; -1: a stream stops the guest. */
static int look(struct wait *wait)
{
    int due = 0, found;
    uint64_t now = 0, wall = 0; /* 0: not looked at yet */
    wait->streams = 0;
    for (size_t i = 0; i < wait->count; i++) {
        struct item *item = &wait->items[i];
        switch (item->what) {
        case DUE:
            due = 1;
            break;
        case DEADLINE:
            if (item->value && item->value != UINT64_MAX && !now)
                now = clock_now(CLOCK_MONOTONIC);
            if (item->value <= now)
                due_now(item, &due);
            break;
        case WALL_TIME:
            if (!wall)
                wall = clock_now(CLOCK_REALTIME);
            if (item->value <= wall)
                due_now(item, &due);
            break;
        case STREAM:
            found = stream_ready(wait, item, 0);
            if (found < 0)
                return -1;
            if (found) {
                due = 1;
            } else {
                wait->stream = item;
                wait->streams++;
            }
            break;
        }
    }
    return due;
}

/* Sleep until something may have become due. */
static uint16_t sleep_once(struct wait *wait)
{
    uint64_t timeout = min_time_left(wait->deadline);
    const uint64_t slice = 10 * 1000 * 1000;
    if (wait->streams == 1 && wait->fds_len == FIRST &&
        wait->wall_time == UINT64_MAX) {
        /* Nothing else to hear from than one stream, and interrupt. */
        if (min_interrupted(wait->context))
            return WB_STOP_GUEST;
        return stream_ready(wait, wait->stream,
                            timeout < 5 * slice ? timeout : 5 * slice) < 0
                   ? WB_STOP_GUEST
                   : WB_ERRNO_SUCCESS;
    }
    if (wait->streams && timeout > slice)
        timeout = slice;
    int wake = min_wake_descriptor(wait->context);
    if (wake < 0)
        return wb_errno_of_host(errno);
    /* What is ready is due all the same, as it would not block. */
    int stop = min_interrupted(wait->context);
    if (stop)
        timeout = 0;
    wait->fds[WAKE] = (struct pollfd){wake, POLLIN, 0};
    if (wait->wall_time != UINT64_MAX && wait->fds[ALARM].fd < 0) {
        wait->fds[ALARM].fd = min_host_alarm_open(wait->wall_time);
        wait->fds[ALARM].events = POLLIN;
        /* No alarm to be had: look at the clock now and then. */
        if (wait->fds[ALARM].fd < 0 && timeout > 100 * slice)
            timeout = 100 * slice;
    }
    if (min_host_poll(wait->fds, wait->fds_len, timeout) < 0) {
        if (errno != EINTR)
            return wb_errno_of_host(errno);
        for (size_t i = WAKE; i < wait->fds_len; i++)
            wait->fds[i].revents = 0;
    }
    wait->stop = stop || wait->fds[WAKE].revents;
    return WB_ERRNO_SUCCESS;
}

static int host_ready(const struct wait *wait)
{
    for (size_t i = FIRST; i < wait->fds_len; i++)
        if (wait->fds[i].revents)
            return 1;
    return 0;
}

static uint16_t wait_until_due(struct wait *wait)
{
    for (;;) {
        int due = look(wait);
        if (due < 0)
            return WB_STOP_GUEST;
        if (due) {
            if (wait->fds_len > FIRST &&
                min_host_poll(wait->fds + FIRST, wait->fds_len - FIRST, 0) < 0)
                return wb_errno_of_host(errno);
            return WB_ERRNO_SUCCESS;
        }
        uint16_t error = sleep_once(wait);
        if (error)
            return error;
        if (host_ready(wait)) {
            look(wait);
            return WB_ERRNO_SUCCESS;
        }
        if (wait->stop)
            return WB_STOP_GUEST;
    }
}

/* ---- after the wait ------------------------------------------------------ */

/* How many bytes can be read at once, as far as that is known. */
static wb_filesize bytes_to_read(const struct min_file *file)
{
    struct stat facts;
    int bytes;
    if (file->filetype == WB_FILETYPE_REGULAR_FILE) {
        off_t position = min_position(file);
        if (position < 0 || fstat(file->host, &facts) ||
            facts.st_size <= position)
            return 0;
        return (wb_filesize)(facts.st_size - position);
    }
    if (file->host < 0 || ioctl(file->host, FIONREAD, &bytes))
        return 0;
    return (wb_filesize)bytes;
}

/* Make the event of an item, if it is due. */
static int make_event(const struct wait *wait, size_t i, wb_event *event)
{
    const wb_subscription *subscription = &wait->subscriptions[i];
    const struct item *item = &wait->items[i];
    short revents = item->what == HOST ? wait->fds[item->index].revents : 0;
    if (item->what != DUE && !revents)
        return 0;
    *event = (wb_event){
        .userdata = subscription->userdata,
        .error = revents & POLLNVAL ? WB_ERRNO_BADF : item->error,
        .type = subscription->type,
    };
    if (event->error || event->type == WB_EVENTTYPE_CLOCK)
        return 1;
    if (revents & (POLLHUP | POLLERR))
        event->flags = WB_EVENTRWFLAGS_FD_READWRITE_HANGUP;
    if (item->file->io == MIN_IO_STREAM)
        event->nbytes = item->value;
    else
        event->nbytes = event->type == WB_EVENTTYPE_FD_WRITE
                            ? 1
                            : bytes_to_read(item->file);
    return 1;
}

uint16_t min_poll_oneoff(void *self, const wb_subscription *subscriptions,
                         size_t nsubscriptions, struct wb_event_sink *sink)
{
    struct wait wait; /* some 40 KiB, and only what is used gets touched */
    if (nsubscriptions > WB_MAX_SUBSCRIPTIONS)
        return WB_ERRNO_INVAL;
    wait.context = self;
    wait.subscriptions = subscriptions;
    wait.count = nsubscriptions;
    wait.fds_len = FIRST;
    wait.stop = 0;
    wait.deadline = wait.wall_time = UINT64_MAX;
    wait.fds[WAKE] = wait.fds[ALARM] = (struct pollfd){-1, 0, 0};
    for (size_t i = 0; i < nsubscriptions; i++) {
        wait.items[i] = (struct item){.what = DUE};
        if (subscriptions[i].type == WB_EVENTTYPE_CLOCK)
            add_clock(&wait, &subscriptions[i].u.clock, &wait.items[i]);
        else
            add_descriptor(&wait, &subscriptions[i], &wait.items[i]);
    }
    uint16_t error = wait_until_due(&wait);
    if (wait.fds[ALARM].fd >= 0)
        close(wait.fds[ALARM].fd);
    for (size_t i = 0; !error && i < nsubscriptions; i++) {
        wb_event event;
        if (make_event(&wait, i, &event) && sink->add(sink, &event))
            break;
    }
    return error;
}
