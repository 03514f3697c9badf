// SPDX-License-Identifier: MIT
// Runs every test of the suites, each from power-on, and prints "ok NAME" or "not ok NAME".
// With an argument: only the tests whose names contain it. Exit status 1 when one failed.
#include <stdlib.h>

#include "check.h"

bool check_failed;

#ifndef SUITES
#error "SUITES names the suites of this binary"
#endif
#define EACH(name) extern const test_t name[];
SUITES
#undef EACH

const uint8_t *hex(const char *text) {
    static uint8_t rings[4][512];
    static unsigned turn;
    uint8_t *out = rings[turn++ % 4];
    for (size_t i = 0; text[2 * i] != '\0'; i++) {
        char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return out;
}

bool contains(const void *memory, size_t len, const void *needle, size_t needle_len) {
    const uint8_t *p = memory;
    for (size_t i = 0; i + needle_len <= len; i++) {
        if (memcmp(p + i, needle, needle_len) == 0) {
            return true;
        }
    }
    return false;
}

static int run(const test_t *tests, const char *filter) {
    int failures = 0;
    for (; tests->name != NULL; tests++) {
        if (filter != NULL && strstr(tests->name, filter) == NULL) {
            continue;
        }
        host_source(NULL);
        host_device_secret(NULL);
        host_seed(1);
        p11_test_no_source(false);
        p11_test_power_on();
        check_failed = false;
        tests->run();
        printf("%s %s\n", check_failed ? "not ok" : "ok", tests->name);
        fflush(stdout);
        failures += check_failed;
    }
    return failures;
}

int main(int argc, char **argv) {
    const char *filter = argc > 1 ? argv[1] : NULL;
    int failures = 0;
#define EACH(name) failures += run(name, filter);
    SUITES
    return failures == 0 ? 0 : 1;
}
