/* Walk a directory tree, read its files, and write an index of them into it.
 *
 *     tree DIR
 *
 * prints the tree with the size and the number of lines of each file, and writes
 * the same to DIR/INDEX.txt: first under another name, then renamed, so that a
 * reader never sees half of it. A plain C program: nothing in it is about WASI.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX "INDEX.txt"

static FILE *index_file;
static unsigned files, directories;

/* Print a line of the tree, and write it to the index if that is open. */
static void report(int depth, const char *name, const char *remark)
{
    printf("%*s%-*s %s\n", 2 * depth, "", 24 - 2 * depth, name, remark);
    if (index_file)
        fprintf(index_file, "%*s%-*s %s\n", 2 * depth, "", 24 - 2 * depth,
                name, remark);
}

/* Say on standard error what could not be done, and why. */
static int complain(const char *path)
{
    fprintf(stderr, "tree: %s: %s\n", path, strerror(errno));
    return -1;
}

/* Count the bytes and the lines of a file by reading it. */
static int measure(const char *path, unsigned long *bytes, unsigned long *lines)
{
    char block[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    *bytes = *lines = 0;
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0; *bytes += n)
        for (size_t i = 0; i < n; i++)
            *lines += block[i] == '\n';
    int failed = ferror(file);
    fclose(file);
    return failed ? -1 : 0;
}

static int is_listed(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
           strncmp(entry->d_name, INDEX, strlen(INDEX));
}

/* Report what is in a directory, in the order of names, and below. */
static int walk(const char *path, int depth)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_listed, alphasort);
    int result = count < 0 ? complain(path) : 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char below[1024], remark[64];
        struct stat info;
        unsigned long bytes, lines;
        snprintf(below, sizeof below, "%s/%s", path, name);
        if (lstat(below, &info)) {
            result = complain(below);
        } else if (S_ISDIR(info.st_mode)) {
            directories++;
            report(depth, name, "directory");
            if (walk(below, depth + 1))
                result = -1;
        } else if (!S_ISREG(info.st_mode)) {
            report(depth, name, S_ISLNK(info.st_mode) ? "link" : "special");
        } else if (measure(below, &bytes, &lines)) {
            result = complain(below);
        } else {
            files++;
            snprintf(remark, sizeof remark, "%lu bytes, %lu lines", bytes,
                     lines);
            report(depth, name, remark);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

int main(int argc, char **argv)
{
    char index[1024], unfinished[1040];
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    size_t length = strlen(argv[1]);
    const char *slash = length && argv[1][length - 1] == '/' ? "" : "/";
    snprintf(index, sizeof index, "%s%s" INDEX, argv[1], slash);
    snprintf(unfinished, sizeof unfinished, "%s.new", index);

    index_file = fopen(unfinished, "w");
    if (!index_file)
        complain(unfinished);
    int failed = walk(argv[1], 0);
    printf("%u files in %u directories below %s\n", files, directories,
           argv[1]);
    if (!index_file)
        return 1;
    if (fclose(index_file) || rename(unfinished, index)) {
        complain(index);
        return 1;
    }
    printf("wrote %s\n", index);
    return failed ? 1 : 0;
}
