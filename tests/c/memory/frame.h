/* A test program's frame: named tests, checks that print both sides.
 *
 *     TEST(read_at_the_end_is_zero) { CHECK_INT(f(), 0); }
 *     int main(int argc, char **argv) { return run_tests(argc, argv); }
 *
 * Arguments are names of tests to run; without any, all are run. A check that
 * fails tells so and goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *all_tests, **last_test = &all_tests;
static int failures;
static char row[200]; /* said with a failure, if not empty */

/* Tests run in the order in which they are written. */
#define TEST(test_name)                                                 \
    static void test_name(void);                                        \
    __attribute__((constructor)) static void register_##test_name(void) \
    {                                                                   \
        static struct test test = {#test_name, test_name, NULL};        \
        *last_test = &test;                                             \
        last_test = &test.next;                                         \
    }                                                                   \
    static void test_name(void)

#define FAIL(...)                                                       \
    do {                                                                \
        if (failures++ < 20) {                                          \
            printf("%s:%d: ", __FILE__, __LINE__);                      \
            printf(__VA_ARGS__);                                        \
            printf("%s%s\n", row[0] ? ", at " : "", row);               \
        }                                                               \
    } while (0)

#define CHECK_INT(got, want)                                            \
    do {                                                                \
        long long got_ = (long long)(got), want_ = (long long)(want);   \
        if (got_ != want_)                                              \
            FAIL("%s is %lld, not %lld (%s)", #got, got_, want_, #want); \
    } while (0)

#define CHECK_TEXT(got, want)                                           \
    do {                                                                \
        const char *got_ = (got), *want_ = (want);                      \
        if (strcmp(got_, want_))                                        \
            FAIL("%s is \"%s\", not \"%s\"", #got, got_, want_);        \
    } while (0)

#define CHECK(condition)                                                \
    do {                                                                \
        if (!(condition))                                               \
            FAIL("not true: %s", #condition);                           \
    } while (0)

static int run_tests(int argc, char **argv)
{
    int failed = 0;
    for (struct test *test = all_tests; test; test = test->next) {
        int wanted = argc < 2;
        for (int i = 1; i < argc; i++)
            wanted |= !strcmp(argv[i], test->name);
        if (!wanted)
            continue;
        failures = 0;
        row[0] = '\0';
        test->run();
        printf("%s %s\n", failures ? "not ok" : "ok", test->name);
        fflush(stdout);
        failed |= failures;
    }
    return failed != 0;
}

#endif
