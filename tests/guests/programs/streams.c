/* Standard streams: `echo` copies input to output, `flood N` writes N numbered
 * lines to output and as many to the error stream. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char line[1 << 16];
    if (argc > 1 && strcmp(argv[1], "flood") == 0) {
        for (int i = 0; i < atoi(argv[2]); i++) {
            printf("output line %d\n", i);
            fprintf(stderr, "error line %d\n", i);
        }
        return 0;
    }
    int lines = 0;
    while (fgets(line, sizeof line, stdin)) {
        fputs(line, stdout);
        lines++;
    }
    fflush(stdout);
    fprintf(stderr, "%d lines\n", lines);
    return ferror(stdin) || ferror(stdout);
}
