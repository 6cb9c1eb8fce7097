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
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *all_tests, **last_test = &all_tests;
static int failures;

/* Tests run in the order in which they are written. */
#define TEST(test_name)                                              \
    static void test_name(void);                                     \
    __attribute__((constructor)) static void register_##test_name(void) \
    {                                                                \
        static struct test test = {#test_name, test_name, NULL};     \
        *last_test = &test;                                          \
        last_test = &test.next;                                      \
    }                                                                \
    static void test_name(void)

#define CHECK_INT(got, want)                                               \
    do {                                                                   \
        long long got_ = (long long)(got), want_ = (long long)(want);      \
        if (got_ != want_) {                                               \
            printf("%s:%d: %s is %lld, not %s = %lld\n", __FILE__,         \
                   __LINE__, #got, got_, #want, want_);                    \
            failures++;                                                    \
        }                                                                  \
    } while (0)

#define CHECK(condition)                                                   \
    do {                                                                   \
        if (!(condition)) {                                                \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                    \
        }                                                                  \
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
        test->run();
        printf("%s %s\n", failures ? "not ok" : "ok", test->name);
        fflush(stdout);
        failed |= failures;
    }
    return failed != 0;
}

#endif
