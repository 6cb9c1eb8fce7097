/* Guests: making the contexts of a stack of backings, resolving where each call
 * goes, and taking it all down again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fallback.h"

/* A table must reach at least to its first slot to be of use. */
enum { SMALLEST_TABLE = offsetof(struct wb_backing, args_get) };

/* ---- error text ------------------------------------------------------------ */

/* A line that is built up at options->error and cut to its size. */
struct line {
    char *text;
    size_t used, size;
};

static struct line begin_line(const struct wb_options *options)
{
    struct line line = {options->error, 0, options->error_len};

    if (!line.text)
        line.size = 0;
    if (line.size > 0)
        line.text[0] = '\0';
    return line;
}

static void say(struct line *line, const char *words)
{
    while (*words && line->used + 1 < line->size)
        line->text[line->used++] = *words++;
    if (line->size > 0)
        line->text[line->used] = '\0';
}

static void say_number(struct line *line, uint32_t number)
{
    char digits[11];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    say(line, &digits[at]);
}

static wb_errno refuse(const struct wb_options *options, const char *why)
{
    struct line line = begin_line(options);

    say(&line, why);
    return WB_ERRNO_INVAL;
}

static wb_errno refuse_version(const struct wb_options *options,
                               const struct wb_backing *backing)
{
    struct line line = begin_line(options);

    say(&line, "the backing has ABI ");
    say_number(&line, backing->abi);
    say(&line, " and a table of ");
    say_number(&line, backing->size);
    say(&line, " bytes; this layer has ABI ");
    say_number(&line, WB_ABI);
    say(&line, " and takes tables from ");
    say_number(&line, SMALLEST_TABLE);
    say(&line, " bytes on, up to ");
    say_number(&line, (uint32_t)sizeof(struct wb_backing));
    return WB_ERRNO_NOTSUP;
}

/* ---- resolving -------------------------------------------------------------- */

/* Put one backing in front of what the pairs hold so far. A table that is shorter
 * than ours, of an older make, reads as NULL where it ends. */
static void resolve(struct wb_pairs *pairs, const struct wb_backing *backing,
                    void *self)
{
    struct wb_backing table = {0};

    WB_MEMCPY(&table, backing,
              backing->size < sizeof(table) ? backing->size : sizeof(table));
#define WB_CALL(name, signature, memory, fallback, unstable) \
    if (table.name) {                                        \
        pairs->name.call = table.name;                       \
        pairs->name.self = self;                             \
    }
#include "wasi_backing/calls.def"
    if (!pairs->fd_datasync.call) {
        pairs->fd_datasync.call = pairs->fd_sync.call;
        pairs->fd_datasync.self = pairs->fd_sync.self;
    }
}

/* A table that ends at a slot's end, and not before the first. */
static int whole(uint32_t size)
{
    return size >= SMALLEST_TABLE &&
           (size - SMALLEST_TABLE) % sizeof(void (*)(void)) == 0;
}

static wb_errno check_stack(const struct wb_options *options,
                            const struct wb_backing *const *stack, size_t depth)
{
    if (depth == 0)
        return refuse(options, "a guest needs a backing");
    if (depth > WB_MAX_STACK)
        return refuse(options, "too many backings in front of each other");
    for (size_t i = 0; i < depth; i++) {
        if (stack[i]->abi != WB_ABI || !whole(stack[i]->size))
            return refuse_version(options, stack[i]);
        if (i + 1 < depth && !stack[i]->wrap)
            return refuse(options, "a backing that is no wrapper stands in "
                                   "front of another one");
        if (i + 1 == depth && stack[i]->wrap)
            return refuse(options, "a wrapper has no backing behind it");
    }
    return WB_ERRNO_SUCCESS;
}

/* Streams and hooks are the embedder's code, whatever backing runs them. */
static uint32_t runs_embedder_code(const struct wb_options *options)
{
    for (size_t i = 0; i < 3; i++)
        if (options->stdio[i].kind == WB_STDIO_STREAM)
            return 1;
    return options->clock || options->random;
}

static uint32_t limit(uint32_t asked, uint32_t most)
{
    return asked == 0 || asked > most ? most : asked;
}

/* A context_init's or a wrap's answer, which may be anything. */
static wb_errno init_error(uint16_t answer)
{
    return answer < WB_ERRNO_COUNT ? answer : WB_ERRNO_IO;
}

wb_errno wb_guest_open(struct wb_guest *guest, const struct wb_options *options,
                       const struct wb_backing *const *stack, size_t depth)
{
    wb_errno error;

    WB_MEMSET(guest, 0, sizeof(*guest));
    if (options->size < sizeof(*options))
        return WB_ERRNO_INVAL; /* and no telling where error text could go */
    error = check_stack(options, stack, depth);
    if (error)
        return error;

    guest->options = options;
    guest->max_path = limit(options->max_path, WB_MAX_PATH);
    guest->max_subscriptions =
        limit(options->max_subscriptions, WB_MAX_SUBSCRIPTIONS);
    guest->embedder = runs_embedder_code(options);
    guest->pairs.size = sizeof(guest->pairs);
    wb__fallback_fill(guest);

    /* Filled from the end, so that the list always begins at `first`. */
    for (size_t first = depth; first-- > 0;) {
        const struct wb_backing *backing = stack[first];
        void *self = NULL;

        if (backing->context_init) {
            error = init_error(backing->context_init(options, &self));
            if (error)
                goto undo;
        }
        guest->stack[first].backing = backing;
        guest->stack[first].self = self;
        if (backing->facts & WB_FACT_EMBEDDER)
            guest->embedder = 1;
        if (backing->wrap) {
            error = init_error(backing->wrap(self, &guest->pairs));
            if (error)
                goto undo;
        }
        resolve(&guest->pairs, backing, self);
    }
    guest->depth = depth;
    return WB_ERRNO_SUCCESS;

undo:
    guest->depth = depth;
    wb_guest_close(guest);
    return error;
}

void wb_guest_close(struct wb_guest *guest)
{
    for (size_t i = 0; i < guest->depth; i++) {
        const struct wb_backing *backing = guest->stack[i].backing;

        if (backing && backing->context_destroy)
            backing->context_destroy(guest->stack[i].self);
    }
    guest->depth = 0;
    WB_MEMSET(&guest->pairs, 0, sizeof(guest->pairs));
}

void wb_guest_interrupt(struct wb_guest *guest)
{
    WB_STORE_FLAG(&guest->interrupted, 1u);
    for (size_t i = 0; i < guest->depth; i++)
        if (guest->stack[i].backing->interrupt)
            guest->stack[i].backing->interrupt(guest->stack[i].self);
}
