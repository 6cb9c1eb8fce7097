/* A guest that makes the WASI calls that its arguments spell out, one call per
 * argument, and tells on standard output what each answered, one line each.
 *
 *     fd_write root "ab"+"c"          a call; `root` is descriptor 3
 *     f = path_open root 1 "a" 0 ...  names the descriptor that it answers
 *     rights = fd_fdstat_get root     tells the rights as well
 *     !fd_read 3 0xffff 1 0           core parameters, as plain numbers
 *
 * `call_list` has the kinds of argument of each call, `argument` what they look
 * like. What differs from run to run is told only as far as it can be compared:
 * a time is `now` or a number, a descriptor is `fd`.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasi_backing/signatures.h"
#include "wasi_backing/types.h"

/* ---- the calls ------------------------------------------------------------ */

/* Kinds of argument, with the core parameters that they become:
 *
 *     f  a descriptor, by name or number (fd)
 *     n  a number (value)
 *     s  a text (pointer, length)
 *     w  texts to write, joined by + (iovecs, count)
 *     r  sizes of buffers to fill, joined by + (iovecs, count)
 *     b  size of one buffer to fill (pointer, length)
 *     d  the same, for entries of a directory
 *     q  the same, for bytes that cannot be compared
 *     p  subscriptions clock:ID:TIMEOUT:FLAGS, read:FD, write:FD, joined by +
 *        (subscriptions, events, count)
 *
 * and of result, which a script does not mention:
 *
 *     N  a 32-bit number    H  a 16-bit number   L  a 64-bit number
 *     D  a descriptor       T  a time            G  room for strings
 *     X  an fdstat          S  a filestat        P  a prestat
 *
 * proc_exit is not here: it has no result and is made by libc's _Exit.
 */
#define CALL_LIST(X)                                      \
    X(args_get, ii, "GG")                                 \
    X(args_sizes_get, ii, "NN")                           \
    X(environ_get, ii, "GG")                              \
    X(environ_sizes_get, ii, "NN")                        \
    X(clock_res_get, ii, "nT")                            \
    X(clock_time_get, iIi, "nnT")                         \
    X(fd_advise, iIIi, "fnnn")                            \
    X(fd_allocate, iII, "fnn")                            \
    X(fd_close, i, "f")                                   \
    X(fd_datasync, i, "f")                                \
    X(fd_fdstat_get, ii, "fX")                            \
    X(fd_fdstat_set_flags, ii, "fn")                      \
    X(fd_fdstat_set_rights, iII, "fnn")                   \
    X(fd_filestat_get, ii, "fS")                          \
    X(fd_filestat_set_size, iI, "fn")                     \
    X(fd_filestat_set_times, iIIi, "fnnn")                \
    X(fd_pread, iiiIi, "frnN")                            \
    X(fd_prestat_get, ii, "fP")                           \
    X(fd_prestat_dir_name, iii, "fb")                     \
    X(fd_pwrite, iiiIi, "fwnN")                           \
    X(fd_read, iiii, "frN")                               \
    X(fd_readdir, iiiIi, "fdnN")                          \
    X(fd_renumber, ii, "ff")                              \
    X(fd_seek, iIii, "fnnL")                              \
    X(fd_sync, i, "f")                                    \
    X(fd_tell, ii, "fL")                                  \
    X(fd_write, iiii, "fwN")                              \
    X(path_create_directory, iii, "fs")                   \
    X(path_filestat_get, iiiii, "fnsS")                   \
    X(path_filestat_set_times, iiiiIIi, "fnsnnn")         \
    X(path_link, iiiiiii, "fnsfs")                        \
    X(path_open, iiiiiIIii, "fnsnnnnD")                   \
    X(path_readlink, iiiiii, "fsbN")                      \
    X(path_remove_directory, iii, "fs")                   \
    X(path_rename, iiiiii, "fsfs")                        \
    X(path_symlink, iiiii, "sfs")                         \
    X(path_unlink_file, iii, "fs")                        \
    X(poll_oneoff, iiii, "pN")                            \
    X(proc_raise, i, "n")                                 \
    X(sched_yield, v, "")                                 \
    X(random_get, ii, "q")                                \
    X(sock_accept, iii, "fnD")                            \
    X(sock_recv, iiiiii, "frnNH")                         \
    X(sock_send, iiiii, "fwnN")                           \
    X(sock_shutdown, ii, "fn")

#define PARAMETER_I32(n) uint32_t
#define PARAMETER_I64(n) uint64_t
#define ARGUMENT_I32(n) (uint32_t)core[n]
#define ARGUMENT_I64(n) core[n]
#define REST(first, ...) (__VA_ARGS__)
#define EXPAND(...) REST(__VA_ARGS__)

#define IMPORT(name, signature, kinds)                                      \
    __attribute__((import_module("wasi_snapshot_preview1"),                 \
                   import_name(#name))) uint32_t                            \
        raw_##name EXPAND(0 WB_SIGNATURE_##signature(PARAMETER_I32,         \
                                                     PARAMETER_I64));       \
    static uint32_t make_##name(const uint64_t *core)                       \
    {                                                                       \
        (void)core;                                                         \
        return raw_##name EXPAND(                                           \
            0 WB_SIGNATURE_##signature(ARGUMENT_I32, ARGUMENT_I64));        \
    }
CALL_LIST(IMPORT)

static const struct call {
    const char *name;
    const char *signature;
    const char *kinds;
    uint32_t (*make)(const uint64_t *core);
} call_list[] = {
#define ROW(name, signature, kinds) {#name, #signature, kinds, make_##name},
    CALL_LIST(ROW)};

static const char *const errno_names[] = {
#define NAME(name, number, meaning) [number] = #name,
    WB_ERRNO_LIST(NAME)};

/* ---- reading a script ----------------------------------------------------- */

static _Noreturn void refuse(const char *why, const char *what)
{
    fprintf(stderr, "script: %s: %s\n", why, what);
    exit(99);
}

/* Named descriptors; a call that failed leaves a number that is not open. */
static struct {
    char name[16];
    uint32_t fd;
} names[32] = {{"root", 3}, {"other", 4}};
static size_t names_len = 2;

#define NOT_OPEN 4000u

static void name_descriptor(const char *name, uint32_t fd)
{
    size_t i;
    for (i = 0; i < names_len && strcmp(names[i].name, name) != 0; i++)
        ;
    if (i == sizeof names / sizeof *names || strlen(name) >= sizeof names->name)
        refuse("too many or too long names", name);
    if (i == names_len)
        names_len++;
    strcpy(names[i].name, name);
    names[i].fd = fd;
}

static uint64_t number(const char *word)
{
    char *end;
    uint64_t value = *word == '-' ? (uint64_t)strtoll(word, &end, 0)
                                  : strtoull(word, &end, 0);
    if (end == word || *end != '\0')
        refuse("not a number", word);
    return value;
}

static uint32_t descriptor(const char *word)
{
    for (size_t i = 0; i < names_len; i++)
        if (strcmp(names[i].name, word) == 0)
            return names[i].fd;
    return (uint32_t)number(word);
}

/* The next word of a line, or NULL. A word ends at a space outside quotes. */
static char *next_word(char **line)
{
    char *start = *line + strspn(*line, " ");
    char *end = start;
    int quoted = 0;
    if (*start == '\0')
        return NULL;
    for (; *end != '\0' && (quoted || *end != ' '); end++) {
        if (*end == '\\' && end[1] != '\0')
            end++;
        else if (*end == '"')
            quoted = !quoted;
    }
    *line = *end == '\0' ? end : end + 1;
    *end = '\0';
    return start;
}

/* Take what is between quotes, with \xHH for any byte and "a"*N for N times, and
 * move past it. */
static char *text(char **word, size_t *len)
{
    char *at = *word;
    char *out;
    size_t used = 0, times = 1;
    if (*at++ != '"')
        refuse("not a text", *word);
    out = malloc(strlen(at) + 1);
    while (*at != '"') {
        if (*at == '\0')
            refuse("no closing quote", *word);
        if (at[0] == '\\' && at[1] == 'x') {
            char digits[3] = {at[2], at[3], '\0'};
            out[used++] = (char)strtoul(digits, NULL, 16);
            at += 4;
        } else {
            out[used++] = *at++;
        }
    }
    at++;
    if (*at == '*')
        times = strtoul(at + 1, &at, 10);
    out = realloc(out, used * times + 1);
    for (size_t i = used; i < used * times; i++)
        out[i] = out[i - used];
    *word = at;
    *len = used * times;
    return out;
}

/* ---- a call's arguments ---------------------------------------------------- */

struct iovec32 {
    uint8_t *buf;
    uint32_t len;
};

struct subscription {
    uint64_t userdata;
    uint8_t tag;
    _Alignas(8) uint32_t id_or_fd;
    uint64_t timeout;
    uint64_t precision;
    uint16_t flags;
};
_Static_assert(sizeof(struct subscription) == 48, "as the ABI has it");

struct event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint64_t nbytes;
    uint16_t flags;
};
_Static_assert(sizeof(struct event) == 32, "as the ABI has it");

struct fdstat {
    uint8_t filetype;
    uint16_t flags;
    uint64_t base;
    uint64_t inheriting;
};
_Static_assert(sizeof(struct fdstat) == 24, "as the ABI has it");

struct filestat {
    uint64_t dev, ino;
    uint8_t filetype;
    uint64_t nlink, size, atim, mtim, ctim;
};
_Static_assert(sizeof(struct filestat) == 64, "as the ABI has it");

#define MAX_PIECES 8

/* What a call in the making holds: core parameters, and where they point to. */
struct making {
    uint64_t core[WB_MAX_PARAMETERS];
    size_t core_len;
    struct iovec32 pieces[MAX_PIECES]; /* of w, r, b, d and q */
    size_t pieces_len;
    struct subscription subscriptions[MAX_PIECES];
    struct event events[MAX_PIECES];
    union {
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        struct fdstat fdstat;
        struct filestat filestat;
        uint32_t prestat[2];
        uint8_t strings[32768];
    } results[2];
    size_t results_len;
};

static void add_core(struct making *making, uint64_t value)
{
    making->core[making->core_len++] = value;
}

static void add_pointer(struct making *making, const void *pointer)
{
    add_core(making, (uintptr_t)pointer);
}

static void subscriptions(struct making *making, char *word)
{
    size_t n = 0;
    for (char *piece = strtok(word, "+"); piece; piece = strtok(NULL, "+")) {
        struct subscription *s = &making->subscriptions[n];
        char *part = piece;
        char *kind = strsep(&part, ":");
        if (n == MAX_PIECES || !part)
            break;
        *s = (struct subscription){.userdata = 100 + n++};
        if (strcmp(kind, "clock") == 0) {
            s->id_or_fd = (uint32_t)number(strsep(&part, ":"));
            s->timeout = number(strsep(&part, ":"));
            s->flags = (uint16_t)number(part);
        } else {
            s->tag = strcmp(kind, "read") == 0    ? WB_EVENTTYPE_FD_READ
                     : strcmp(kind, "write") == 0 ? WB_EVENTTYPE_FD_WRITE
                                                  : (uint8_t)number(kind);
            s->id_or_fd = descriptor(part);
        }
    }
    add_pointer(making, making->subscriptions);
    add_pointer(making, making->events);
    add_core(making, n);
}

/* Turn one word into core parameters. */
static void argument(struct making *making, char kind, char *word)
{
    size_t len;
    if (kind == 'f') {
        add_core(making, descriptor(word));
    } else if (kind == 'n') {
        add_core(making, number(word));
    } else if (kind == 's') {
        add_pointer(making, text(&word, &len));
        add_core(making, len);
    } else if (kind == 'p') {
        subscriptions(making, word);
    } else {
        while (*word != '\0' && making->pieces_len < MAX_PIECES) {
            struct iovec32 *piece = &making->pieces[making->pieces_len++];
            if (kind == 'w') {
                piece->buf = (uint8_t *)text(&word, &len);
            } else {
                len = strtoul(word, &word, 10);
                piece->buf = malloc(len + 1);
                memset(piece->buf, '?', len + 1);
            }
            piece->len = (uint32_t)len;
            if (*word == '+')
                word++;
            else if (*word != '\0')
                refuse("unexpected", word);
        }
        if (kind == 'w' || kind == 'r') {
            add_pointer(making, making->pieces);
            add_core(making, making->pieces_len);
        } else {
            add_pointer(making, making->pieces[0].buf);
            add_core(making, making->pieces[0].len);
        }
    }
}

/* ---- what a call answered -------------------------------------------------- */

static void tell_bytes(const uint8_t *bytes, size_t len)
{
    printf(" \"");
    for (size_t i = 0; i < len; i++)
        printf(bytes[i] >= ' ' && bytes[i] < 127 ? "%c" : "\\x%02x", bytes[i]);
    printf("\"");
}

static void tell_time(const char *what, uint64_t time)
{
    if (time > 1000000000000000000) /* after 2001: not a time that we set */
        printf(" %s=now", what);
    else
        printf(" %s=%llu", what, time);
}

static void tell_pieces(const struct making *making, size_t len)
{
    for (size_t i = 0; i < making->pieces_len; i++) {
        size_t n = making->pieces[i].len < len ? making->pieces[i].len : len;
        tell_bytes(making->pieces[i].buf, n);
        len -= n;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names, types and whether there is an inode, sorted; an entry that is cut off is
 * left out, as guests do. */
static void tell_entries(const uint8_t *bytes, size_t room, size_t used)
{
    char *entries[256];
    size_t n = 0;
    for (size_t at = 0; at + 24 <= used && n < 256; n++) {
        uint64_t ino;
        uint32_t len;
        memcpy(&ino, bytes + at + 8, 8);
        memcpy(&len, bytes + at + 16, 4);
        if (len > used - at - 24)
            break;
        asprintf(&entries[n], "%.*s:%d%s", (int)len, bytes + at + 24,
                 bytes[at + 20], ino ? "" : "(no inode)");
        at += 24 + len;
    }
    qsort(entries, n, sizeof *entries, by_text);
    for (size_t i = 0; i < n; i++)
        printf(" %s", entries[i]);
    printf(used == room ? " (full)" : "");
}

static void tell_events(const struct making *making, size_t n)
{
    for (size_t i = 0; i < MAX_PIECES; i++)
        for (size_t e = 0; e < n && e < MAX_PIECES; e++)
            if (making->events[e].userdata == 100 + i)
                printf(" %zu:%s", i, errno_names[making->events[e].error]);
}

static void tell_results(const struct call *call, struct making *making,
                         const char *name)
{
    size_t n = 0;
    for (const char *kind = call->kinds; *kind != '\0'; kind++) {
        const void *result = &making->results[n < 2 ? n : 1];
        uint32_t u32;
        uint64_t u64;
        memcpy(&u32, result, sizeof u32);
        memcpy(&u64, result, sizeof u64);
        n += strchr("NHLDTGXSP", *kind) != NULL;
        if (*kind == 'N' || *kind == 'H') {
            printf(" %u", *kind == 'N' ? u32 : u32 & 0xffff);
            if (call->kinds[1] == 'd')
                tell_entries(making->pieces[0].buf, making->pieces[0].len,
                             u32);
            else if (call->kinds[0] == 'p')
                tell_events(making, u32);
            else if (*kind == 'N' && strpbrk(call->kinds, "rb"))
                tell_pieces(making, u32);
        } else if (*kind == 'b' && kind[1] == '\0') {
            tell_pieces(making, making->pieces[0].len);
        } else if (*kind == 'L') {
            printf(" %llu", u64);
        } else if (*kind == 'D') {
            printf(" fd");
            name_descriptor(name, u32);
        } else if (*kind == 'T') {
            printf(u64 ? " some" : " 0");
        } else if (*kind == 'P') {
            printf(" tag=%u len=%u", u32 & 0xff, (uint32_t)(u64 >> 32));
        } else if (*kind == 'X') {
            struct fdstat x;
            memcpy(&x, result, sizeof x);
            printf(" type=%u flags=%u", x.filetype, x.flags);
            if (strcmp(name, "rights") == 0)
                printf(" base=%#llx inheriting=%#llx", x.base, x.inheriting);
        } else if (*kind == 'S') {
            struct filestat s;
            memcpy(&s, result, sizeof s);
            printf(" type=%u", s.filetype);
            if (s.filetype != WB_FILETYPE_DIRECTORY)
                printf(" size=%llu nlink=%llu", s.size, s.nlink);
            if (s.filetype == WB_FILETYPE_REGULAR_FILE)
                tell_time("atim", s.atim);
            tell_time("mtim", s.mtim);
        }
    }
}

/* ---- making a call ---------------------------------------------------------- */

static const struct call *find(const char *name)
{
    for (size_t i = 0; i < sizeof call_list / sizeof *call_list; i++)
        if (strcmp(call_list[i].name, name) == 0)
            return &call_list[i];
    refuse("unknown call", name);
}

static void run_line(char *line)
{
    static struct making making;
    char *rest = line;
    char *word = next_word(&rest);
    const char *name = "_";
    const struct call *call;
    uint32_t error;
    int raw;

    memset(&making, 0, sizeof making);
    if (strncmp(rest, "= ", 2) == 0) {
        name = word;
        rest += 2;
        word = next_word(&rest);
        name_descriptor(name, NOT_OPEN);
    }
    raw = *word == '!';
    fflush(stdout); /* the call may be the last one that this guest makes */
    if (strcmp(word, "proc_exit") == 0)
        _Exit((int)number(next_word(&rest)));
    call = find(word + raw);
    if (raw) {
        while ((word = next_word(&rest)))
            argument(&making, 'f', word);
    } else {
        for (const char *kind = call->kinds; *kind != '\0'; kind++) {
            if (strchr("NHLDTGXSP", *kind)) {
                add_pointer(&making, &making.results[making.results_len++]);
            } else {
                if (!(word = next_word(&rest)))
                    refuse("argument missing", call->name);
                argument(&making, *kind, word);
            }
        }
        if (next_word(&rest))
            refuse("too many arguments", call->name);
    }
    if (making.core_len != strspn(call->signature, "iI"))
        refuse("wrong number of parameters", call->name);
    error = call->make(making.core);
    printf("%s", error < WB_ERRNO_COUNT ? errno_names[error] : "?");
    if (error == WB_ERRNO_SUCCESS && !raw)
        tell_results(call, &making, name);
    printf("\n");
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (int i = 1; i < argc; i++)
        run_line(argv[i]);
    return 0;
}
