/* poll_oneoff: waiting for clocks and descriptors together.
 *
 * All subscriptions are looked at in passes, with no state for each of them,
 * until a pass finds one that is due; in between it waits for the earliest
 * time. Files are always ready.
 *
 * How time passes while waiting is told by the platform's monotonic clock, or
 * by the embedder's if the platform has none. A point in time of the
 * embedder's clock is waited for as long as it is from that clock's time to
 * it, at the call.
 *
 * Left out: CPU-time clocks (INVAL in their event: they stand still in a
 * wait). nbytes of a write is 1, "at least one". Streams of the embedder's are
 * asked one at a time: in a mix, every 10 ms. The time of day may be set
 * during a wait: it is looked at every second.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

#define MILLISECONDS ((uint64_t)1000 * 1000)

struct wait {
    struct mem_context *context;
    const wb_subscription *subscriptions;
    size_t count;
    struct wb_event_sink *sink;
    wb_timestamp begin;     /* of the clock that tells how time passes, */
    wb_timestamp now;       /* and in this pass */
    wb_timestamp called[2]; /* the embedder's clocks when the call was made */

    /* What a pass found. */
    size_t due;
    uint64_t timeout; /* until the earliest time */
    size_t streams;   /* that are not ready; the last of them: */
    const struct wb_stream *stream;
    uint32_t stream_writing;
    struct mem_wait hosts[3]; /* stdio has lent no more */
    size_t hosts_len;
};

uint16_t mem_wait(struct mem_context *context, const struct mem_wait *waits,
                  size_t count, uint64_t timeout)
{
    const uint64_t slice = 10 * MILLISECONDS;
    if (!mem_platform.wait) {
        if (mem_platform.yield)
            mem_platform.yield();
        return mem_interrupted(context) ? WB_STOP_GUEST : WB_ERRNO_SUCCESS;
    }
    if (context->wake.write < 0 &&
        (!mem_platform.wake_begin ||
         mem_platform.wake_begin(&context->wake)) &&
        timeout > slice)
        timeout = slice; /* nobody can wake us */
    if (mem_interrupted(context))
        return WB_STOP_GUEST;
    uint16_t error =
        mem_platform.wait(&context->wake, waits, count, timeout);
    return mem_interrupted(context) ? WB_STOP_GUEST : error;
}

/* ---- clocks ------------------------------------------------------------- */

static uint16_t look_at_clock(const struct wait *wait, wb_timestamp *now)
{
    const struct wb_options *options = wait->context->options;
    if (mem_platform.clock)
        return mem_platform.clock(WB_CLOCKID_MONOTONIC, 0, now);
    if (options->clock)
        return options->clock(options->clock_self, WB_CLOCKID_MONOTONIC, 0,
                              now);
    return WB_ERRNO_INVAL;
}

/* How long it is until a clock's subscription is due; 0: it is. */
static uint16_t time_left(const struct wait *wait,
                          const wb_subscription_clock *clock, uint64_t *left)
{
    const wb_timestamp passed =
        wait->now > wait->begin ? wait->now - wait->begin : 0;
    uint64_t timeout = clock->timeout, since = passed;
    if (clock->id > WB_CLOCKID_MONOTONIC ||
        (!mem_platform.clock && !wait->context->options->clock))
        return WB_ERRNO_INVAL;
    if (clock->flags & WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) {
        if (wait->context->options->clock) {
            wb_timestamp called = wait->called[clock->id];
            timeout = timeout > called ? timeout - called : 0;
        } else if (clock->id == WB_CLOCKID_MONOTONIC) {
            since = wait->now;
        } else {
            uint16_t error = mem_platform.clock(clock->id, 0, &since);
            if (error)
                return error;
        }
    }
    *left = timeout > since ? timeout - since : 0;
    /* The time of day may be set meanwhile. */
    if (clock->id == WB_CLOCKID_REALTIME && *left > 1000 * MILLISECONDS &&
        clock->flags & WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME)
        *left = 1000 * MILLISECONDS;
    return WB_ERRNO_SUCCESS;
}

/* ---- descriptors -------------------------------------------------------- */

static void wait_for_host(struct wait *wait, int descriptor, int writing)
{
    size_t i = 0;
    while (i < wait->hosts_len && wait->hosts[i].descriptor != descriptor)
        i++;
    if (i == wait->hosts_len)
        wait->hosts[wait->hosts_len++] = (struct mem_wait){descriptor, 0, 0};
    if (writing)
        wait->hosts[i].writing = 1;
    else
        wait->hosts[i].reading = 1;
}

/* Whether a descriptor is ready, and then how much; AGAIN: not yet. */
static uint16_t look_at_descriptor(struct wait *wait,
                                   const struct mem_file *file, int writing,
                                   wb_event *event)
{
    uint16_t error = WB_ERRNO_SUCCESS;
    int hangup = 0;
    event->nbytes = writing ? 1 : 0;
    if (file->io == MEM_IO_NODE && !writing) {
        wb_filesize size = mem_regular_of(file)->size;
        event->nbytes = size > file->position ? size - file->position : 0;
    } else if (file->io == MEM_IO_STREAM && file->is.stream->ready) {
        const struct wb_stream *stream = file->is.stream;
        error = stream->ready(stream->self, writing ? 1 : 0, 0, &event->nbytes);
        if (error == WB_ERRNO_AGAIN) {
            wait->streams++;
            wait->stream = stream;
            wait->stream_writing = writing ? 1 : 0;
        }
    } else if (file->io == MEM_IO_HOST) {
        error = mem_platform.ready(file->is.host, writing, &event->nbytes,
                                   &hangup);
        if (error == WB_ERRNO_AGAIN)
            wait_for_host(wait, file->is.host, writing);
        if (hangup)
            event->flags = WB_EVENTRWFLAGS_FD_READWRITE_HANGUP;
    } else if (file->io == MEM_IO_STREAM) {
        event->nbytes = 1;
    }
    return error;
}

/* ---- passes ------------------------------------------------------------- */

/* Look at one subscription: SUCCESS when its event is due, AGAIN when it is
 * not, or WB_STOP_GUEST. */
static uint16_t look(struct wait *wait, const wb_subscription *subscription,
                     wb_event *event)
{
    struct mem_file *file;
    uint64_t left = 0;
    uint16_t error;
    *event = (wb_event){.userdata = subscription->userdata,
                        .type = subscription->type};
    switch (subscription->type) {
    case WB_EVENTTYPE_CLOCK:
        error = time_left(wait, &subscription->u.clock, &left);
        if (left < wait->timeout)
            wait->timeout = left;
        if (!error && left > 0)
            return WB_ERRNO_AGAIN;
        break;
    case WB_EVENTTYPE_FD_READ:
        error = MEM_USE(wait->context, poll_oneoff_fd_read, subscription->u.fd,
                        &file);
        if (!error)
            error = look_at_descriptor(wait, file, 0, event);
        break;
    default:
        error = MEM_USE(wait->context, poll_oneoff_fd_write, subscription->u.fd,
                        &file);
        if (!error)
            error = look_at_descriptor(wait, file, 1, event);
        break;
    }
    if (error == WB_ERRNO_AGAIN || error == WB_STOP_GUEST)
        return error;
    if (error)
        event->nbytes = 0;
    event->error = error;
    return WB_ERRNO_SUCCESS;
}

static uint16_t pass(struct wait *wait)
{
    wait->due = wait->streams = wait->hosts_len = 0;
    wait->timeout = UINT64_MAX;
    for (size_t i = 0; i < wait->count; i++) {
        wb_event event;
        uint16_t error = look(wait, &wait->subscriptions[i], &event);
        if (error == WB_STOP_GUEST)
            return error;
        if (error)
            continue;
        wait->due++;
        if (wait->sink->add(wait->sink, &event))
            break;
    }
    return WB_ERRNO_SUCCESS;
}

static uint16_t sleep_once(struct wait *wait)
{
    const uint64_t slice = 10 * MILLISECONDS;
    uint64_t timeout = wait->timeout;
    if (mem_interrupted(wait->context))
        return WB_STOP_GUEST;
    if (wait->streams == 1 && wait->hosts_len == 0) {
        /* Nothing else to hear from than one stream, and interrupt. */
        wb_filesize bytes;
        uint16_t error = wait->stream->ready(
            wait->stream->self, wait->stream_writing,
            timeout < 5 * slice ? timeout : 5 * slice, &bytes);
        return error == WB_STOP_GUEST ? WB_STOP_GUEST : WB_ERRNO_SUCCESS;
    }
    if (wait->streams > 0 && timeout > slice)
        timeout = slice;
    return mem_wait(wait->context, wait->hosts, wait->hosts_len, timeout);
}

uint16_t mem_poll_oneoff(void *self, const wb_subscription *subscriptions,
                         size_t nsubscriptions, struct wb_event_sink *sink)
{
    const struct wb_options *options = ((struct mem_context *)self)->options;
    struct wait wait = {.context = self,
                        .subscriptions = subscriptions,
                        .count = nsubscriptions,
                        .sink = sink};
    int clocks = 0;
    uint16_t error = WB_ERRNO_SUCCESS;
    for (size_t i = 0; i < nsubscriptions; i++)
        clocks |= subscriptions[i].type == WB_EVENTTYPE_CLOCK;
    if (clocks && !look_at_clock(&wait, &wait.begin) && options->clock)
        for (wb_clockid id = 0; id < 2; id++)
            options->clock(options->clock_self, id, 0, &wait.called[id]);
    wait.now = wait.begin;
    for (;;) {
        error = pass(&wait);
        if (error || wait.due > 0)
            return error;
        error = sleep_once(&wait);
        if (error)
            return error;
        if (clocks)
            look_at_clock(&wait, &wait.now);
    }
}
