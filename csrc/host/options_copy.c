/* A copy of struct wb_options: see options_copy.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "options_copy.h"

#include <stdlib.h>
#include <string.h>

/* Where the next piece goes. Without a block it only measures, so that the same
 * steps first find the size and then fill it. */
struct piece {
    char *block;
    size_t used;
};

static void *put(struct piece *piece, const void *from, size_t size)
{
    char *to = piece->block ? piece->block + piece->used : NULL;

    if (to && size > 0)
        memcpy(to, from, size);
    /* Every piece begins where anything may begin. */
    piece->used += (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    return to;
}

static const char *put_string(struct piece *piece, const char *string)
{
    return string ? put(piece, string, strlen(string) + 1) : NULL;
}

static const char *const *put_strings(struct piece *piece,
                                      const char *const *strings, size_t count)
{
    const char **copy = put(piece, strings, count * sizeof(*strings));

    for (size_t i = 0; i < count; i++) {
        const char *string = put_string(piece, strings[i]);

        if (copy)
            copy[i] = string;
    }
    return copy;
}

static struct wb_options *put_options(struct piece *piece,
                                      const struct wb_options *from)
{
    struct wb_options *to = put(piece, from, sizeof(*from));
    const char *const *argv = put_strings(piece, from->argv, from->argc);
    const char *const *envp = put_strings(piece, from->envp, from->envc);
    struct wb_preopen *preopens =
        put(piece, from->preopens, from->preopens_len * sizeof(*preopens));
    struct wb_listen *listens =
        put(piece, from->listens, from->listens_len * sizeof(*listens));
    struct wb_extra *extras =
        put(piece, from->extras, from->extras_len * sizeof(*extras));

    for (size_t i = 0; i < from->preopens_len; i++) {
        const char *guest = put_string(piece, from->preopens[i].guest_name);
        const char *host = put_string(piece, from->preopens[i].host_path);

        if (to) {
            preopens[i].guest_name = guest;
            preopens[i].host_path = host;
        }
    }
    for (size_t i = 0; i < from->listens_len; i++) {
        const char *address = put_string(piece, from->listens[i].address);

        if (to)
            listens[i].address = address;
    }
    for (size_t i = 0; i < from->extras_len; i++) {
        const char *key = put_string(piece, from->extras[i].key);
        const char *value = put_string(piece, from->extras[i].value);

        if (to) {
            extras[i].key = key;
            extras[i].value = value;
        }
    }
    if (to) {
        to->size = sizeof(*to);
        to->argv = argv;
        to->envp = envp;
        to->preopens = preopens;
        to->listens = listens;
        to->extras = extras;
    }
    return to;
}

struct wb_options *wb_options_copy(const struct wb_options *options)
{
    struct piece piece = {NULL, 0};

    put_options(&piece, options);
    piece.block = malloc(piece.used);
    piece.used = 0;
    return piece.block ? put_options(&piece, options) : NULL;
}
