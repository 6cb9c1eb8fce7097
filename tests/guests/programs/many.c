/* A directory of many names: made, listed while names come and go, removed.
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned char *seen;

/* Names are long, so that a read buffer holds few of them. */
static char *name(char kind, int i)
{
    static char text[120];
    snprintf(text, sizeof text, "/many/%c%06d-%080d", kind, i, i);
    return text;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 1000;
    int twice = 0, missing = 0, strange = 0, count = 0;
    struct dirent *entry;
    seen = calloc((size_t)n, 1);
    mkdir("/many", 0777);
    for (int i = 0; i < n; i++)
        close(open(name('k', i), O_CREAT | O_WRONLY, 0666));
    for (int i = 0; i < 100; i++)
        close(open(name('r', i), O_CREAT | O_WRONLY, 0666));

    /* While it is listed, 100 names go and 100 others come. */
    DIR *directory = opendir("/many");
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == 'k') {
            int i = atoi(entry->d_name + 1);
            if (i < 0 || i >= n)
                strange++;
            else if (seen[i]++)
                twice++;
        }
        if (++count % (n / 100) == 0 && count / (n / 100) <= 100) {
            int i = count / (n / 100) - 1;
            unlink(name('r', i));
            close(open(name('a', i), O_CREAT | O_WRONLY, 0666));
        }
    }
    closedir(directory);
    for (int i = 0; i < n; i++)
        missing += !seen[i];
    printf("twice %d, missing %d, strange %d\n", twice, missing, strange);

    /* Removing what one has just read, as rm -r does. */
    directory = opendir("/many");
    for (count = 0; (entry = readdir(directory));) {
        char path[300];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/many/%s", entry->d_name);
        count += unlink(path) == 0;
    }
    closedir(directory);
    printf("removed %d of %d, rmdir %d\n", count, n + 100, rmdir("/many"));
    return 0;
}
