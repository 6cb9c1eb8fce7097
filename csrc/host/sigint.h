/* Ctrl-C for guests that run on a thread of an interpreter.
 *
 * An interpreter's own signal handler sets a flag that it looks at between its
 * instructions: as long as a guest runs in C, nothing happens. This one, put in
 * front of it for that time, ends the guest as well.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WB_HOST_SIGINT_H
#define WB_HOST_SIGINT_H

#include "wasi_backing/layer.h"

/* Whom SIGINT ends while it is entered; guests that run inside each other form a
 * chain, and all of it ends. */
struct wb_sigint {
    struct wb_guest *guest;

    /* NULL, or what makes an engine look at once whether its guest is interrupted:
     * must be safe in a signal handler. */
    void (*wake)(void *wake_self);
    void *wake_self;

    struct wb_sigint *outer; /* set by wb_sigint_enter */
};

/* From now on SIGINT also interrupts this guest. On one thread only, the one that
 * the interpreter handles signals on: a SIGINT that another thread gets is passed
 * on to it. `sigint` must stay until wb_sigint_leave. Returns 0, or -1 when the
 * signal's handler cannot be set. */
int wb_sigint_enter(struct wb_sigint *sigint);

/* Undo wb_sigint_enter, on the same thread; nothing happens to one that was not
 * entered, so that an interpreter need not know how far it had come. */
void wb_sigint_leave(struct wb_sigint *sigint);

#endif
