/* Checks that print both values, and a runner that prints TAP: one line for each
 * test, named as a sentence. NDEBUG does not switch anything off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>

/* A file of tests ends in a suite: its tests, by function. */
struct check_test {
    const char *name;
    void (*run)(void);
};

struct check_suite {
    const char *name;
    const struct check_test *tests;
    size_t count;
};

#define CHECK_TEST(function) {#function, function}
#define CHECK_SUITE(suite)                       \
    const struct check_suite suite##_suite = {   \
        #suite, suite##_tests,                   \
        sizeof(suite##_tests) / sizeof(suite##_tests[0])}

/* Run every suite, or the tests whose name holds `filter`. Returns how many
 * failed. */
int check_run(const struct check_suite *const *suites, size_t count,
              const char *filter);

/* Say which row of a table the next checks are about; printed when one fails. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void check_row(const char *format, ...);

/* Say that the rest of a test cannot run here, and why. */
void check_skip(const char *why);

/* Each prints where, what, and both values, and returns 0 if they differ. */
#define CHECK_EQ(actual, expected)                                     \
    check_numbers(__FILE__, __LINE__, #actual, (uint64_t)(actual),     \
                  (uint64_t)(expected))
#define CHECK_TEXT(actual, expected) \
    check_texts(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_BYTES(actual, expected, length) \
    check_bytes(__FILE__, __LINE__, #actual, (actual), (expected), (length))

int check_numbers(const char *file, int line, const char *what, uint64_t actual,
                  uint64_t expected);
int check_texts(const char *file, int line, const char *what,
                const char *actual, const char *expected);
int check_bytes(const char *file, int line, const char *what,
                const void *actual, const void *expected, size_t length);

#endif
