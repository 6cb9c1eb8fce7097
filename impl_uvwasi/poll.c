/* poll_oneoff: waiting for clocks and descriptors together.
 *
 * uvwasi's knows one clock, reads every absolute time as one of the real-time
 * clock, rounds to milliseconds, tells of a clock only when nothing else happened,
 * refuses regular files, never fills in nbytes, fails as a whole for one bad
 * right, and cannot be interrupted. Those are not to be mended from outside:
 * fix_poll does the wait. With fix-ups off uvwasi's is called, but not with a bad
 * descriptor, after which it reads through NULL.
 *
 * System calls: ppoll, ioctl(FIONREAD), fstat and lseek for a file's rest; an
 * eventfd for interrupt, once. Files are always ready. An absolute time of the
 * real-time clock, which may be set meanwhile, is looked at every second.
 *
 * Left out: CPU-time clocks (INVAL in their event: nobody who sleeps would ever
 * see them advance). nbytes of a write is 1, "at least one": POSIX has no call
 * that tells more. Streams of the embedder's are asked every 10 ms.
 *
 * SPDX-License-Identifier: MIT
 */
#include "uvw.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "portability.h"

/* How far a subscription is. */
enum {
    WAITING, /* for its time, or for its descriptor or stream */
    DUE      /* its event is to be told, with `error` */
};

struct item {
    uint64_t due;      /* of a clock: the time on `clock` */
    clockid_t clock;   /* CLOCK_MONOTONIC or CLOCK_REALTIME */
    struct uvw_file *file; /* of a descriptor */
    wb_filesize nbytes;
    size_t fd; /* its place among the fds; 0: it has none */
    wb_errno error;
    uint8_t state;
    uint8_t hangup;
};

struct wait {
    struct uvw_context *context;
    const wb_subscription *subscriptions;
    size_t count, fds_len;
    struct item *items;
    struct pollfd *fds; /* the first one is the wake-up by interrupt */
};

static uint64_t host_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return uvw_nanoseconds(now);
}

/* ---- before the wait ------------------------------------------------------------- */

static void add_clock(struct wait *wait, const wb_subscription_clock *clock,
                      struct item *item)
{
    uint64_t timeout = clock->timeout;
    int absolute = clock->flags & WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
    item->clock = CLOCK_MONOTONIC;
    if (clock->id != WB_CLOCKID_REALTIME && clock->id != WB_CLOCKID_MONOTONIC) {
        item->error = WB_ERRNO_INVAL;
        item->state = DUE;
        return;
    }
    if (absolute && wait->context->options->clock) {
        /* The embedder's clock: wait as long as it is from its time to that. */
        wb_timestamp now;
        item->error = uvw_clock(wait->context, clock->id, 0, &now);
        if (item->error) {
            item->state = DUE;
            return;
        }
        timeout = timeout > now ? timeout - now : 0;
        absolute = 0;
    }
    if (absolute && clock->id == WB_CLOCKID_REALTIME)
        item->clock = CLOCK_REALTIME;
    if (absolute || timeout == 0) {
        item->due = timeout;
    } else {
        uint64_t now = host_now(CLOCK_MONOTONIC);
        item->due = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
    }
}

static void add_descriptor(struct wait *wait,
                           const wb_subscription *subscription,
                           struct item *item)
{
    int reading = subscription->type == WB_EVENTTYPE_FD_READ;
    wb_fd fd = subscription->u.fd;
    item->error = reading ? UVW_USE(wait->context, poll_oneoff_fd_read, fd,
                                    &item->file)
                          : UVW_USE(wait->context, poll_oneoff_fd_write, fd,
                                    &item->file);
    if (item->error || item->file->io == UVW_IO_PLAIN) {
        item->state = DUE;
    } else if (item->file->io != UVW_IO_STREAM) {
        item->fd = wait->fds_len++;
        wait->fds[item->fd] = (struct pollfd){
            item->file->host, reading ? POLLIN : POLLOUT, 0};
    }
}

/* ---- during the wait ----------------------------------------------------------------- */

/* Ask a stream whether it is ready. */
static uint16_t ask_stream(struct item *item, int writing)
{
    const struct wb_stream *stream = item->file->stream;
    uint16_t error = WB_ERRNO_SUCCESS;
    item->nbytes = 1;
    if (stream->ready)
        error =
            stream->ready(stream->self, writing ? 1 : 0, 0, &item->nbytes);
    if (error == WB_ERRNO_AGAIN)
        return WB_ERRNO_SUCCESS;
    if (error == WB_STOP_GUEST)
        return error;
    item->state = DUE;
    item->error = error;
    return WB_ERRNO_SUCCESS;
}

/* See what is due, and in *timeout how long nothing else can be. */
static uint16_t look(struct wait *wait, int *due, uint64_t *timeout)
{
    const uint64_t millisecond = 1000 * 1000;
    *due = 0;
    *timeout = UINT64_MAX;
    for (size_t i = 0; i < wait->count; i++) {
        struct item *item = &wait->items[i];
        wb_eventtype type = wait->subscriptions[i].type;
        uint64_t left = UINT64_MAX;
        if (item->state == DUE) {
            *due = 1;
            continue;
        }
        if (type == WB_EVENTTYPE_CLOCK) {
            uint64_t now = item->due ? host_now(item->clock) : 0;
            if (item->due <= now)
                item->state = DUE;
            else
                left = item->due - now;
            if (item->clock == CLOCK_REALTIME && left > 1000 * millisecond)
                left = 1000 * millisecond;
        } else if (item->fd) {
            short revents = wait->fds[item->fd].revents;
            if (revents)
                item->state = DUE;
            if (revents & POLLNVAL)
                item->error = WB_ERRNO_BADF;
            item->hangup = revents & (POLLHUP | POLLERR) ? 1 : 0;
        } else {
            if (ask_stream(item, type == WB_EVENTTYPE_FD_WRITE))
                return WB_STOP_GUEST;
            left = 10 * millisecond;
        }
        if (item->state == DUE)
            *due = 1;
        else if (left < *timeout)
            *timeout = left;
    }
    return WB_ERRNO_SUCCESS;
}

static uint16_t wait_until_due(struct wait *wait)
{
    int due;
    uint64_t timeout;
    uint16_t error = look(wait, &due, &timeout);
    while (!error) {
        if (due) {
            if (wait->fds_len == 1)
                return error;
            timeout = 0; /* whatever else is ready is told as well */
        }
        int wake = uvw_wake_descriptor(wait->context);
        if (wake < 0)
            return wb_errno_of_host(errno);
        if (!due && uvw_interrupted(wait->context))
            return WB_STOP_GUEST;
        wait->fds[0] = (struct pollfd){wake, POLLIN, 0};
        if (uvw_host_poll(wait->fds, wait->fds_len, timeout) < 0 &&
            errno != EINTR)
            return wb_errno_of_host(errno);
        int last = due;
        error = look(wait, &due, &timeout);
        if (last)
            return error;
    }
    return error;
}

/* ---- after the wait ------------------------------------------------------------------- */

/* How many bytes can be read at once, as far as that is known. */
static wb_filesize bytes_to_read(const struct uvw_file *file)
{
    struct stat facts;
    int count;
    if (file->filetype == WB_FILETYPE_REGULAR_FILE) {
        off_t position = lseek(file->host, 0, SEEK_CUR);
        if (fstat(file->host, &facts) || position < 0)
            return 0;
        return position < facts.st_size
                   ? (wb_filesize)(facts.st_size - position)
                   : 0;
    }
    if (file->io == UVW_IO_PLAIN || ioctl(file->host, FIONREAD, &count) ||
        count < 0)
        return 0;
    return (wb_filesize)count;
}

static uint16_t tell(struct wait *wait, struct wb_event_sink *sink)
{
    for (size_t i = 0; i < wait->count; i++) {
        const wb_subscription *subscription = &wait->subscriptions[i];
        const struct item *item = &wait->items[i];
        wb_event event = {.userdata = subscription->userdata,
                          .error = item->error,
                          .type = subscription->type};
        if (item->state != DUE)
            continue;
        if (!item->error && item->file) {
            int reading = subscription->type == WB_EVENTTYPE_FD_READ;
            event.nbytes = item->file->io == UVW_IO_STREAM ? item->nbytes
                           : reading ? bytes_to_read(item->file)
                                     : 1;
            event.flags =
                item->hangup ? WB_EVENTRWFLAGS_FD_READWRITE_HANGUP : 0;
        }
        if (sink->add(sink, &event))
            break;
    }
    return WB_ERRNO_SUCCESS;
}

static uint16_t fix_poll(struct uvw_context *context,
                         const wb_subscription *subscriptions, size_t count,
                         struct wb_event_sink *sink)
{
    struct item items[WB_MAX_SUBSCRIPTIONS];
    struct pollfd fds[WB_MAX_SUBSCRIPTIONS + 1];
    struct wait wait = {context, subscriptions, count, 1, items, fds};
    if (count > WB_MAX_SUBSCRIPTIONS)
        return WB_ERRNO_INVAL;
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct item){.state = WAITING};
        if (subscriptions[i].type == WB_EVENTTYPE_CLOCK)
            add_clock(&wait, &subscriptions[i].u.clock, &items[i]);
        else
            add_descriptor(&wait, &subscriptions[i], &items[i]);
    }
    uint16_t error = wait_until_due(&wait);
    return error ? error : tell(&wait, sink);
}

/* ---- uvwasi alone ------------------------------------------------------------------ */

/* Add an error event for each descriptor that is not open, and count them. */
static size_t tell_bad(struct uvw_context *context,
                       const wb_subscription *subscriptions, size_t count,
                       struct wb_event_sink *sink)
{
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        const wb_subscription *subscription = &subscriptions[i];
        wb_event event = {.userdata = subscription->userdata,
                          .error = WB_ERRNO_BADF,
                          .type = subscription->type};
        if (subscription->type == WB_EVENTTYPE_CLOCK ||
            uvw_file(context, subscription->u.fd))
            continue;
        bad++;
        sink->add(sink, &event);
    }
    return bad;
}

static uint16_t poll_by_uvwasi(struct uvw_context *context,
                               const wb_subscription *subscriptions,
                               size_t count, struct wb_event_sink *sink)
{
    uvwasi_size_t told = 0;
    uvwasi_subscription_t *in =
        uvw_allocate(context, count * (sizeof *in + sizeof(uvwasi_event_t)));
    if (!in)
        return WB_ERRNO_NOMEM;
    uvwasi_event_t *out = (void *)(in + count);
    for (size_t i = 0; i < count; i++) {
        const wb_subscription *from = &subscriptions[i];
        in[i].userdata = from->userdata;
        in[i].type = from->type;
        if (from->type == WB_EVENTTYPE_CLOCK) {
            in[i].u.clock.clock_id = from->u.clock.id;
            in[i].u.clock.timeout = from->u.clock.timeout;
            in[i].u.clock.precision = from->u.clock.precision;
            in[i].u.clock.flags = from->u.clock.flags;
        } else {
            in[i].u.fd_readwrite.fd = from->u.fd;
        }
    }
    wb_errno error = uvwasi_poll_oneoff(&context->uvwasi, in, out,
                                        (uvwasi_size_t)count, &told);
    for (size_t i = 0; !error && i < told; i++) {
        wb_event event = {.userdata = out[i].userdata,
                          .error = out[i].error,
                          .type = out[i].type};
        if (event.type != WB_EVENTTYPE_CLOCK) {
            event.nbytes = out[i].u.fd_readwrite.nbytes;
            event.flags = out[i].u.fd_readwrite.flags;
        }
        sink->add(sink, &event);
    }
    uvw_release(context, in);
    return error;
}

uint16_t uvw_poll_oneoff(void *self, const wb_subscription *subscriptions,
                         size_t nsubscriptions, struct wb_event_sink *sink)
{
    struct uvw_context *context = self;
    if (context->fixups)
        return fix_poll(context, subscriptions, nsubscriptions, sink);
    if (tell_bad(context, subscriptions, nsubscriptions, sink))
        return WB_ERRNO_SUCCESS;
    return poll_by_uvwasi(context, subscriptions, nsubscriptions, sink);
}
