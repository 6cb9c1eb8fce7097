/* poll_oneoff: subscriptions are read into scratch first, events are collected
 * there and stored last, so that the two arrays may overlap.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

enum { EVENT_SIZE = 32 };

/* What a backing's events are collected in. */
struct event_collector {
    struct wb_event_sink sink; /* first: the sink's address is the collector's */
    wb_event *events;
    size_t count;
    size_t room;
};

static uint16_t add_event(struct wb_event_sink *sink, const wb_event *event)
{
    struct event_collector *collector = (struct event_collector *)sink;

    if (collector->count == collector->room)
        return WB_SINK_FULL;
    collector->events[collector->count++] = *event;
    return 0;
}

/* The image of a subscription: a tag at 8 and its payload at 16. A clock's
 * payload begins with an identifier of 8 bytes in wasi_unstable alone, which
 * nothing uses. */
static uint32_t get_subscription(const uint8_t *from, int version,
                                 wb_subscription *subscription)
{
    const uint8_t *payload = from + 16;
    wb_subscription_clock *clock = &subscription->u.clock;

    subscription->userdata = wb__get64(from);
    subscription->type = from[8];
    switch (subscription->type) {
    case WB_EVENTTYPE_CLOCK:
        if (version == WB__UNSTABLE)
            payload += 8;
        clock->id = wb__get32(payload);
        clock->timeout = wb__get64(payload + 8);
        clock->precision = wb__get64(payload + 16);
        clock->flags = wb__get16(payload + 24);
        WB_TRY(wb__enum(clock->id, WB_CLOCKID_COUNT));
        return wb__flags(clock->flags, WB_SUBCLOCKFLAGS_ALL);
    case WB_EVENTTYPE_FD_READ:
    case WB_EVENTTYPE_FD_WRITE:
        subscription->u.fd = wb__get32(payload);
        return WB_ERRNO_SUCCESS;
    default:
        return WB_ERRNO_INVAL;
    }
}

static void put_event(uint8_t *to, const wb_event *event)
{
    WB_MEMSET(to, 0, EVENT_SIZE);
    wb__put64(to, event->userdata);
    wb__put16(to + 8, event->error < WB_ERRNO_COUNT ? event->error
                                                    : WB_ERRNO_IO);
    to[10] = event->type < WB_EVENTTYPE_COUNT ? event->type : 0;
    wb__put64(to + 16, event->nbytes);
    wb__put16(to + 24, event->flags & WB_EVENTRWFLAGS_ALL);
}

uint32_t wb__poll_oneoff(struct wb_guest *guest, struct wb_call *call,
                         uint32_t in, uint32_t out, uint32_t nsubscriptions,
                         uint32_t nevents, int version)
{
    const uint32_t element = version == WB__UNSTABLE ? 56 : 48;
    wb_subscription *subscriptions = call->scratch.poll.subscriptions;
    struct event_collector collector = {
        {add_event}, call->scratch.poll.events, 0, nsubscriptions};

    WB_TRY(wb__check(guest, call, in, (uint64_t)element * nsubscriptions, 8));
    WB_TRY(wb__check(guest, call, out, (uint64_t)EVENT_SIZE * nsubscriptions,
                     8));
    WB_TRY(wb__check(guest, call, nevents, 4, 4));
    if (nsubscriptions == 0 || nsubscriptions > guest->max_subscriptions)
        return WB_ERRNO_INVAL;
    for (uint32_t i = 0; i < nsubscriptions; i++)
        WB_TRY(get_subscription(wb__at(call, in + element * i), version,
                                &subscriptions[i]));
    WB_TRY(WB_DISPATCH(guest, call, poll_oneoff, subscriptions, nsubscriptions,
                       &collector.sink));
    if (collector.count == 0)
        return WB_ERRNO_IO; /* nothing was due, so there was no success */
    for (uint32_t i = 0; i < collector.count; i++)
        put_event(wb__at(call, out + EVENT_SIZE * i), &collector.events[i]);
    return wb__store32(call, nevents, (uint32_t)collector.count);
}

static uint32_t do_poll_oneoff(struct wb_guest *guest, struct wb_call *call,
                               uint32_t in, uint32_t out,
                               uint32_t nsubscriptions, uint32_t nevents)
{
    return wb__poll_oneoff(guest, call, in, out, nsubscriptions, nevents,
                           WB__PREVIEW1);
}
WB_ENTRY(poll_oneoff, iiii)
