/* The tests of the layer, as one program: every test, or those whose name holds
 * the first argument. With --pointers: which pointers have edge rows, for a
 * comparison with the specification.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"
#include "good.h"

#include <stdio.h>
#include <string.h>

#define SUITES(X) \
    X(invoke) X(edges) X(structs) X(scalars) X(paths) X(iovecs) \
    X(poll) X(big) X(answers) X(strings) X(readdir) X(guest) X(state) \
    X(abi) X(threads)

#define DECLARE(name) extern const struct check_suite name##_suite;
SUITES(DECLARE)

static const struct check_suite *const suites[] = {
#define POINT(name) &name##_suite,
    SUITES(POINT)
};

/* One line for each: version, call, argument, element size, alignment, and which
 * argument counts elements, or - if there is one, or host. */
static void print_pointers(void)
{
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good_call *good = &good_calls()[i];

        for (const struct good_region *region = good->regions; region->element;
             region++) {
            int element = region->element;
            char count[8] = "-";

            if (region->count)
                snprintf(count, sizeof(count), "%d", region->count);
            if (good->said_first) { /* the host knows how many */
                element = region->align;
                strcpy(count, "host");
            }
            printf("%s %s %d %d %d %s\n",
                   good->id & WB_UNSTABLE ? "unstable" : "preview1",
                   good_name(good->id), region->arg, element, region->align,
                   count);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--pointers") == 0) {
        print_pointers();
        return 0;
    }
    return check_run(suites, sizeof(suites) / sizeof(suites[0]),
                     argc > 1 ? argv[1] : NULL) != 0;
}
