/* Making and taking down a guest: contexts in order, what is refused and in which
 * words, tables of an older make, and limits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "good.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- contexts that write down what happens to them --------------------------- */

static char story[1024];
static const char *failing; /* "init B", "wrap A": what is to fail */
static uint16_t failure;    /* and its answer */

static uint16_t tell(const char *what, const char *name)
{
    char line[32];
    size_t used = strlen(story);

    snprintf(line, sizeof(line), "%s %s", what, name);
    snprintf(story + used, sizeof(story) - used, "%s%s", used ? ", " : "",
             line);
    return failing && strcmp(failing, line) == 0 ? failure : 0;
}

#define CONTEXT(letter)                                                     \
    static char letter##_self[] = #letter;                                  \
    static uint16_t letter##_init(const struct wb_options *options,         \
                                  void **self)                              \
    {                                                                       \
        uint16_t answer = tell("init", #letter);                            \
                                                                            \
        (void)options;                                                      \
        *self = answer ? NULL : letter##_self;                              \
        return answer;                                                      \
    }
#define WRAPPER_CONTEXT(letter)                                             \
    CONTEXT(letter)                                                         \
    static uint16_t letter##_wrap(void *self, const struct wb_pairs *behind) \
    {                                                                       \
        CHECK_EQ(behind->size, sizeof(*behind));                            \
        CHECK_TEXT(self, #letter);                                          \
        return tell("wrap", #letter);                                       \
    }

WRAPPER_CONTEXT(A)
WRAPPER_CONTEXT(B)
CONTEXT(C)

static void destroy(void *self)
{
    tell("destroy", self ? self : "nothing");
}

static void interrupt(void *self)
{
    tell("interrupt", self);
}

static uint16_t close_fd(void *self, wb_fd fd)
{
    (void)fd;
    return tell("close", self);
}

#define TABLE(letter, ...)                                       \
    {WB_BACKING_INIT, .name = #letter,                           \
     .context_init = letter##_init, .context_destroy = destroy,  \
     .interrupt = interrupt, __VA_ARGS__}

static struct wb_options options = {.size = sizeof(options)};
static char error[300];
static struct wb_guest guest;
static struct wb_call call;

static uint16_t open_stack(const struct wb_backing *const *stack, size_t depth)
{
    story[0] = '\0';
    strcpy(error, "untouched");
    options.error = error;
    options.error_len = sizeof(error);
    memset(&guest, 0xa5, sizeof(guest));
    return wb_guest_open(&guest, &options, stack, depth);
}

static const struct wb_backing inner = TABLE(C, .fd_close = close_fd);
static const struct wb_backing middle = TABLE(B, .wrap = B_wrap);
static const struct wb_backing outer =
    TABLE(A, .wrap = A_wrap, .fd_sync = close_fd);
static const struct wb_backing *const three[] = {&outer, &middle, &inner};

/* ---- order ------------------------------------------------------------------- */

static void contexts_are_made_inside_out_and_destroyed_outside_in(void)
{
    failing = NULL;
    CHECK_EQ(open_stack(three, 3), 0);
    CHECK_TEXT(story, "init C, init B, wrap B, init A, wrap A");
    CHECK_TEXT(error, "untouched");
    story[0] = '\0';
    wb_guest_interrupt(&guest);
    CHECK_TEXT(story, "interrupt A, interrupt B, interrupt C");
    story[0] = '\0';
    wb_guest_close(&guest);
    CHECK_TEXT(story, "destroy A, destroy B, destroy C");
    wb_guest_close(&guest);
    CHECK_TEXT(story, "destroy A, destroy B, destroy C");
}

static void closing_a_zeroed_guest_does_nothing(void)
{
    struct wb_guest zero;

    memset(&zero, 0, sizeof(zero));
    story[0] = '\0';
    wb_guest_close(&zero);
    CHECK_TEXT(story, "");
}

static void a_failure_at_any_depth_leaves_nothing_open(void)
{
    static const struct {
        const char *failing, *story;
    } rows[] = {
        {"init C", "init C"},
        {"init B", "init C, init B, destroy C"},
        {"wrap B", "init C, init B, wrap B, destroy B, destroy C"},
        {"init A", "init C, init B, wrap B, init A, destroy B, destroy C"},
        {"wrap A", "init C, init B, wrap B, init A, wrap A, destroy A, "
                   "destroy B, destroy C"},
    };
    static const uint16_t answers[][2] = {
        {WB_ERRNO_NOENT, WB_ERRNO_NOENT}, {76, 76},
        {77, WB_ERRNO_IO}, {0xffff, WB_ERRNO_IO}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < 4; j++) {
            check_row("%s fails with %d", rows[i].failing, answers[j][0]);
            failing = rows[i].failing;
            failure = answers[j][0];
            CHECK_EQ(open_stack(three, 3), answers[j][1]);
            CHECK_TEXT(story, rows[i].story);
            /* What is wrong is the backing's to say. */
            CHECK_TEXT(error, "untouched");
            wb_guest_close(&guest);
            CHECK_TEXT(story, rows[i].story);
            wb_guest_interrupt(&guest);
            CHECK_TEXT(story, rows[i].story);
        }
    }
    failing = NULL;
}

static void a_backing_without_a_context_gets_null(void)
{
    static const struct wb_backing table = {WB_BACKING_INIT,
                                            .context_destroy = destroy};
    static const struct wb_backing *const stack[] = {&table};

    CHECK_EQ(open_stack(stack, 1), 0);
    wb_guest_close(&guest);
    CHECK_TEXT(story, "destroy nothing");
}

/* ---- wrappers ---------------------------------------------------------------- */

/* A wrapper that passes fd_close on, as "close A" and then what is behind. */
static struct wb_pairs behind_A;

static uint16_t keep_behind(void *self, const struct wb_pairs *behind)
{
    (void)self;
    memcpy(&behind_A, behind, sizeof(behind_A));
    return 0;
}

static uint16_t pass_close(void *self, wb_fd fd)
{
    tell("around", self);
    return behind_A.fd_close.call(behind_A.fd_close.self, fd);
}

static void a_wrapper_takes_the_calls_that_it_has_and_no_other(void)
{
    static const struct wb_backing wrapper =
        TABLE(A, .wrap = keep_behind, .fd_close = pass_close);
    static const struct wb_backing both = TABLE(C, .fd_close = close_fd,
                                                .fd_sync = close_fd);
    static const struct wb_backing *const stack[] = {&wrapper, &middle, &both};

    CHECK_EQ(open_stack(stack, 3), 0);
    story[0] = '\0';
    CHECK_EQ(wb_fd_close(&guest, &call, 3), 0);
    CHECK_TEXT(story, "around A, close C");
    story[0] = '\0';
    CHECK_EQ(wb_fd_sync(&guest, &call, 3), 0);
    CHECK_TEXT(story, "close C");
    /* What none of them has is the fallback, for the wrapper as well. */
    CHECK_EQ(wb_fd_renumber(&guest, &call, 3, 4), WB_ERRNO_NOSYS);
    CHECK_EQ(behind_A.fd_renumber.call == NULL, 1);
    CHECK_EQ(wb_sched_yield(&guest, &call), 0);
    CHECK_EQ(behind_A.sched_yield.call(behind_A.sched_yield.self), 0);
    CHECK_EQ(behind_A.fd_prestat_get.call(behind_A.fd_prestat_get.self, 3,
                                          NULL), WB_ERRNO_BADF);
    wb_guest_close(&guest);
}

/* ---- refusals ---------------------------------------------------------------- */

static void a_stack_that_cannot_be_is_inval_and_says_why(void)
{
    const struct wb_backing *deep[WB_MAX_STACK + 1];
    const struct wb_backing *const two[] = {&inner, &inner};
    const struct wb_backing *const open[] = {&outer, &middle};

    CHECK_EQ(open_stack(three, 0), WB_ERRNO_INVAL);
    CHECK_TEXT(error, "a guest needs a backing");
    for (size_t i = 0; i < WB_MAX_STACK; i++)
        deep[i] = &middle;
    deep[WB_MAX_STACK] = &inner;
    CHECK_EQ(open_stack(deep, WB_MAX_STACK + 1), WB_ERRNO_INVAL);
    CHECK_TEXT(error, "too many backings in front of each other");
    CHECK_EQ(open_stack(two, 2), WB_ERRNO_INVAL);
    CHECK_TEXT(error,
               "a backing that is no wrapper stands in front of another one");
    CHECK_EQ(open_stack(open, 2), WB_ERRNO_INVAL);
    CHECK_TEXT(error, "a wrapper has no backing behind it");
    CHECK_TEXT(story, "");
    CHECK_EQ(open_stack(deep + 1, WB_MAX_STACK), 0);
    wb_guest_close(&guest);
}

static void a_backing_of_another_abi_is_notsup_and_says_why(void)
{
    const uint32_t smallest =
        (uint32_t)offsetof(struct wb_backing, args_get);
    const struct {
        uint32_t abi, size;
    } rows[] = {
        {0, sizeof(struct wb_backing)}, {WB_ABI + 1, sizeof(struct wb_backing)},
        {UINT32_MAX, UINT32_MAX}, {WB_ABI, 0}, {WB_ABI, smallest - 1}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wb_backing table = inner;
        const struct wb_backing *const stack[] = {&outer, &table};
        char expected[300];

        table.abi = rows[i].abi;
        table.size = rows[i].size;
        CHECK_EQ(open_stack(stack, 2), WB_ERRNO_NOTSUP);
        snprintf(expected, sizeof(expected),
                 "the backing has ABI %lu and a table of %lu bytes; this layer "
                 "has ABI %d and takes tables from %lu bytes on, up to %lu",
                 (unsigned long)rows[i].abi, (unsigned long)rows[i].size,
                 WB_ABI, (unsigned long)smallest,
                 (unsigned long)sizeof(struct wb_backing));
        CHECK_TEXT(error, expected);
        CHECK_TEXT(story, "");
    }
}

static void error_text_is_cut_to_its_room(void)
{
    for (size_t room = 0; room < 30; room++) {
        char expected[30] = "a guest needs a backing";

        memset(error, '#', sizeof(error));
        options.error = error;
        options.error_len = room;
        CHECK_EQ(wb_guest_open(&guest, &options, three, 0), WB_ERRNO_INVAL);
        if (room > 0) {
            expected[room - 1] = '\0';
            CHECK_TEXT(error, expected);
        }
        CHECK_EQ(error[room > 24 ? 24 : room], '#');
    }
    options.error = NULL;
    options.error_len = 100;
    CHECK_EQ(wb_guest_open(&guest, &options, three, 0), WB_ERRNO_INVAL);
}

static void options_of_another_size_are_inval_or_read_as_far_as_known(void)
{
    options.size = sizeof(options) - 1;
    CHECK_EQ(open_stack(three, 3), WB_ERRNO_INVAL);
    CHECK_TEXT(story, "");
    wb_guest_close(&guest);
    options.size = sizeof(options) + 64;
    CHECK_EQ(open_stack(three, 3), 0);
    wb_guest_close(&guest);
    options.size = sizeof(options);
}

/* ---- tables of another make -------------------------------------------------- */

static void a_shorter_table_has_no_slots_behind_its_end(void)
{
    const size_t size = offsetof(struct wb_backing, fd_tell);
    struct wb_backing whole = probe_backing;
    /* As long as it says, so that a sanitizer sees what reads on. */
    void *table = malloc(size);
    const struct wb_backing *stack[] = {table};
    struct world *world = world_open(WORLD_SIZE, 1);

    CHECK_EQ(table != NULL, 1);
    if (!table)
        return;
    whole.size = (uint32_t)size;
    memcpy(table, &whole, size);
    wb_guest_close(&world->guest);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, stack, 1), 0);
    good_prepare(world);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_sync, 3), 0);
    CHECK_TEXT(world->probe.said, "fd_sync 3");
    CHECK_EQ(WORLD_CALL(world, WB_CALL_fd_tell, 3, 64), WB_ERRNO_NOSYS);
    CHECK_EQ(WORLD_CALL(world, WB_CALL_sched_yield, 0), 0);
    CHECK_TEXT(world->probe.said, "fd_sync 3");
    world_close(world);
    free(table);
}

static void the_shortest_table_has_no_slot_at_all(void)
{
    const size_t size = offsetof(struct wb_backing, args_get);
    struct wb_backing whole = probe_backing;
    void *table = malloc(size);
    const struct wb_backing *stack[] = {table};
    struct world *world = world_open(WORLD_SIZE, 1);

    CHECK_EQ(table != NULL, 1);
    if (!table)
        return;
    whole.size = (uint32_t)size;
    memcpy(table, &whole, size);
    wb_guest_close(&world->guest);
    CHECK_EQ(wb_guest_open(&world->guest, &world->options, stack, 1), 0);
    for (uint32_t i = 0; i < WB_CALL_COUNT; i++)
        CHECK_EQ(WORLD_CALL(world, i, 0, 0, 0) != WB_ERRNO_IO, 1);
    CHECK_TEXT(world->probe.said, "");
    world_close(world);
    free(table);
}

static void a_longer_table_is_read_as_far_as_it_is_known(void)
{
    static struct {
        struct wb_backing known;
        void *unknown[8];
    } table;
    const struct wb_backing *const stack[] = {&table.known};

    table.known = inner;
    table.known.size = sizeof(table);
    memset(table.unknown, 0xff, sizeof(table.unknown));
    CHECK_EQ(open_stack(stack, 1), 0);
    CHECK_EQ(wb_fd_close(&guest, &call, 3), 0);
    CHECK_TEXT(story, "init C, close C");
    wb_guest_close(&guest);
}

/* ---- limits ------------------------------------------------------------------ */

static void limits_are_the_options_but_never_above_the_layers(void)
{
    const struct {
        uint32_t asked, path, subscriptions;
    } rows[] = {
        {0, WB_MAX_PATH, WB_MAX_SUBSCRIPTIONS},
        {1, 1, 1},
        {UINT32_MAX, WB_MAX_PATH, WB_MAX_SUBSCRIPTIONS},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        options.max_path = options.max_subscriptions = rows[i].asked;
        CHECK_EQ(open_stack(three, 3), 0);
        CHECK_EQ(guest.max_path, rows[i].path);
        CHECK_EQ(guest.max_subscriptions, rows[i].subscriptions);
        wb_guest_close(&guest);
    }
    options.max_path = options.max_subscriptions = 0;
}

static const struct check_test guest_tests[] = {
    CHECK_TEST(contexts_are_made_inside_out_and_destroyed_outside_in),
    CHECK_TEST(closing_a_zeroed_guest_does_nothing),
    CHECK_TEST(a_failure_at_any_depth_leaves_nothing_open),
    CHECK_TEST(a_backing_without_a_context_gets_null),
    CHECK_TEST(a_wrapper_takes_the_calls_that_it_has_and_no_other),
    CHECK_TEST(a_stack_that_cannot_be_is_inval_and_says_why),
    CHECK_TEST(a_backing_of_another_abi_is_notsup_and_says_why),
    CHECK_TEST(error_text_is_cut_to_its_room),
    CHECK_TEST(options_of_another_size_are_inval_or_read_as_far_as_known),
    CHECK_TEST(a_shorter_table_has_no_slots_behind_its_end),
    CHECK_TEST(the_shortest_table_has_no_slot_at_all),
    CHECK_TEST(a_longer_table_is_read_as_far_as_it_is_known),
    CHECK_TEST(limits_are_the_options_but_never_above_the_layers),
};
CHECK_SUITE(guest);
