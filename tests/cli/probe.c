/* A guest that does what its first argument says, for the tests of the command.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

/* Say that the next call is the one that blocks. */
static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

static int fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

__attribute__((noinline)) static void run_aground(void)
{
    __builtin_trap();
}

__attribute__((export_name("greet"))) void greet(void)
{
    puts("greetings");
    fflush(stdout);
}

static int do_args(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        puts(argv[i]);
    return 0;
}

static int do_environment(void)
{
    for (char **variable = environ; variable && *variable; variable++)
        puts(*variable);
    return 0;
}

static int do_cat(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return fail(path);
    for (int c; (c = getc(file)) != EOF;)
        putchar(c);
    fclose(file);
    return 0;
}

static int do_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return fail(path);
    fputs(text, file);
    return fclose(file) ? fail(path) : 0;
}

/* Greet whoever connects to a listening socket. */
static int do_greet_client(int listener)
{
    ready();
    int client = accept(listener, NULL, NULL);
    if (client < 0)
        return fail("accept");
    const char text[] = "hello, client\n";
    if (send(client, text, sizeof text - 1, 0) < 0)
        return fail("send");
    close(client);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "args";
    if (!strcmp(what, "environment"))
        return do_environment();
    if (!strcmp(what, "cat"))
        return do_cat(argv[2]);
    if (!strcmp(what, "write"))
        return do_write(argv[2], argv[3]);
    if (!strcmp(what, "greet-client"))
        return do_greet_client(atoi(argv[2]));
    if (!strcmp(what, "exit"))
        exit(atoi(argv[2]));
    if (!strcmp(what, "trap"))
        run_aground();
    if (!strcmp(what, "errors"))
        fputs("on standard error\n", stderr);
    if (!strcmp(what, "echo"))
        for (int c; (c = getchar()) != EOF;)
            putchar(c);
    if (!strcmp(what, "block-in-read")) {
        char byte;
        ready();
        printf("read %zd\n", read(0, &byte, 1));
    }
    if (!strcmp(what, "block-in-sleep")) {
        ready();
        sleep(1000);
    }
    if (!strcmp(what, "compute")) {
        ready();
        for (volatile unsigned n = 0;; n++)
            ;
    }
    return do_args(argc, argv);
}
