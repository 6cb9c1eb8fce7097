/* Arguments, environment, randomness, and each way to end: the first argument
 * says which. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void first(void)
{
    printf("first handler\n");
}

static void second(void)
{
    printf("second handler\n");
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "tell";
    if (strcmp(how, "exit") == 0) {
        atexit(first);
        atexit(second);
        printf("leaving\n");
        exit(atoi(argv[2]));
    }
    if (strcmp(how, "_exit") == 0) {
        atexit(first);
        printf("never flushed");
        _Exit(atoi(argv[2]));
    }
    if (strcmp(how, "return") == 0)
        return atoi(argv[2]);
    if (strcmp(how, "abort") == 0) {
        printf("never flushed");
        abort();
    }
    if (strcmp(how, "null") == 0) {
        volatile int *far = (int *)0xfffffff0u;
        return *far;
    }
    if (strcmp(how, "isatty") == 0) {
        for (int fd = 0; fd < 3; fd++)
            printf("isatty(%d) = %d\n", fd, isatty(fd));
        return 0;
    }
    for (int i = 0; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    for (char **variable = environ; *variable; variable++)
        printf("variable: %s\n", *variable);
    printf("getenv: %s, %s\n", getenv("NAME"),
           getenv("MISSING") ? "?" : "not set");
    setenv("NAME", "changed", 1);
    printf("setenv: %s\n", getenv("NAME"));

    unsigned char bytes[256] = {0}, others[256] = {0};
    int different = 0;
    printf("getentropy: %d %d\n", getentropy(bytes, 256), getentropy(others, 256));
    for (int i = 0; i < 256; i++)
        different += bytes[i] != others[i];
    printf("different: %d\n", different > 200);
    printf("too much: %d %s\n", getentropy(bytes, 257), strerror(errno));
    return 0;
}
