/* Images: a tree of files that is laid out at build time and can stay in flash.
 *
 *     static const struct mem_image_entry entries[] = {
 *         {"etc", MEM_IMAGE_DIRECTORY, NULL, 0, 0},
 *         {"etc/motd", MEM_IMAGE_FILE, motd, sizeof motd, 1700000000000000000},
 *     };
 *     static const struct mem_image image = {sizeof image, 0, entries, 2};
 *     ...
 *     mem_image_load(guest.stack[0].self, &image, "/");
 *
 * A file's bytes are read where they are. A write copies the one block that it
 * touches and leaves the image alone; with a read-only preopen there is none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_IMAGE_H
#define MEM_IMAGE_H

#include "wasi_backing/types.h"

enum {
    MEM_IMAGE_FILE = 0,
    MEM_IMAGE_DIRECTORY = 1,
    MEM_IMAGE_LINK = 2 /* data is its text */
};

struct mem_image_entry {
    const char *path; /* relative, of plain names; a directory comes before what
                         is in it */
    uint32_t kind;    /* MEM_IMAGE_* */
    const void *data; /* stays as it is while the context lives */
    size_t len;
    wb_timestamp mtim;
};

struct mem_image {
    uint32_t size;     /* sizeof(struct mem_image) */
    uint32_t reserved; /* 0 */
    const struct mem_image_entry *entries;
    size_t entries_len;
};

/* Add an image's tree to the directory `where` of a context of mem_backing,
 * which is made if need be. Between calls of the guest only. What is there
 * already: directories are joined, anything else is EXIST. On NOSPC, EXIST
 * or INVAL (a path as above it should not be) what came before the entry
 * stays. */
wb_errno mem_image_load(void *self, const struct mem_image *image,
                        const char *where);

#endif
