/* See check.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* After so many a test goes on in silence. */
enum { MOST_REPORTS = 20 };

static unsigned long checks, failures;
static char row[160];
static const char *skipped;

void check_row(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(row, sizeof(row), format, arguments);
    va_end(arguments);
}

void check_skip(const char *why)
{
    skipped = why;
}

/* Count a check; 1 if it is to be reported. */
static int failed(const char *file, int line, const char *what, int same)
{
    checks++;
    if (same)
        return 0;
    if (++failures > MOST_REPORTS)
        return 0;
    printf("# %s:%d: %s%s%s: %s\n", file, line, row[0] ? "in row " : "", row,
           row[0] ? "" : "check", what);
    return 1;
}

int check_numbers(const char *file, int line, const char *what, uint64_t actual,
                  uint64_t expected)
{
    if (failed(file, line, what, actual == expected))
        printf("#   actual   %" PRIu64 " (0x%" PRIx64 ")\n"
               "#   expected %" PRIu64 " (0x%" PRIx64 ")\n",
               actual, actual, expected, expected);
    return actual == expected;
}

int check_texts(const char *file, int line, const char *what,
                const char *actual, const char *expected)
{
    int same = strcmp(actual, expected) == 0;

    if (failed(file, line, what, same))
        printf("#   actual   \"%s\"\n#   expected \"%s\"\n", actual, expected);
    return same;
}

static void print_bytes(const char *label, const uint8_t *bytes, size_t length)
{
    printf("#   %s", label);
    for (size_t i = 0; i < length; i++)
        printf(" %02x", bytes[i]);
    printf("\n");
}

int check_bytes(const char *file, int line, const char *what,
                const void *actual, const void *expected, size_t length)
{
    const uint8_t *left = actual, *right = expected;
    size_t at = 0, shown;

    while (at < length && left[at] == right[at])
        at++;
    if (failed(file, line, what, at == length)) {
        shown = length - at < 24 ? length - at : 24;
        printf("#   first difference at byte %zu of %zu\n", at, length);
        print_bytes("actual  ", left + at, shown);
        print_bytes("expected", right + at, shown);
    }
    return at == length;
}

static void print_sentence(const char *name)
{
    for (; *name; name++)
        putchar(*name == '_' ? ' ' : *name);
}

int check_run(const struct check_suite *const *suites, size_t count,
              const char *filter)
{
    int number = 0, failed_tests = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < suites[i]->count; j++) {
            const struct check_test *test = &suites[i]->tests[j];
            unsigned long checks_before = checks;

            if (filter && !strstr(test->name, filter))
                continue;
            failures = 0;
            row[0] = '\0';
            skipped = NULL;
            test->run();
            if (!skipped && checks == checks_before)
                check_numbers(test->name, 0, "a test without a check", 0, 1);
            if (failures)
                failed_tests++;
            printf("%sok %d - %s: ", failures ? "not " : "", ++number,
                   suites[i]->name);
            print_sentence(test->name);
            if (skipped)
                printf(" # SKIP %s", skipped);
            printf("\n");
            fflush(stdout);
        }
    }
    printf("1..%d\n# %lu checks, %d of %d tests failed\n", number, checks,
           failed_tests, number);
    return failed_tests;
}
