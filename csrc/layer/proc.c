/* proc_exit, proc_raise, sched_yield.
 *
 * No slot ends or signals anything: what a guest asks for is an outcome, which
 * the engine carries out on the guest alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entry.h"

static uint32_t do_proc_exit(struct wb_guest *guest, struct wb_call *call,
                             uint32_t rval)
{
    if (WB_DISPATCH(guest, call, proc_exit, rval) == WB_STOP)
        return WB_STOP;
    guest->exit_code = rval;
    return WB_EXIT;
}
WB_ENTRY(proc_exit, i)

/* What a signal does to a process that has not asked for anything else (POSIX,
 * <signal.h>). */
enum action { END, IGNORE, HALT };

static enum action default_action(uint32_t sig)
{
    switch (sig) {
    case WB_SIGNAL_NONE:
    case WB_SIGNAL_CHLD:
    case WB_SIGNAL_CONT:
    case WB_SIGNAL_URG:
    case WB_SIGNAL_WINCH:
        return IGNORE;
    case WB_SIGNAL_STOP:
    case WB_SIGNAL_TSTP:
    case WB_SIGNAL_TTIN:
    case WB_SIGNAL_TTOU:
        return HALT;
    default:
        return END;
    }
}

static uint32_t do_proc_raise(struct wb_guest *guest, struct wb_call *call,
                              uint32_t sig)
{
    WB_TRY(wb__enum(sig, WB_SIGNAL_COUNT));
    WB_TRY(WB_DISPATCH(guest, call, proc_raise, (wb_signal)sig));
    switch (default_action(sig)) {
    case IGNORE:
        return WB_ERRNO_SUCCESS;
    case HALT:
        return WB_ERRNO_NOTSUP; /* nobody could let it go on */
    default:
        guest->exit_code = 128 + sig;
        return WB_EXIT;
    }
}
WB_ENTRY(proc_raise, i)

static uint32_t do_sched_yield(struct wb_guest *guest, struct wb_call *call)
{
    return WB_DISPATCH_BARE(guest, call, sched_yield);
}
WB_ENTRY(sched_yield, v)
