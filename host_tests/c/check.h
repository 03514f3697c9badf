// SPDX-License-Identifier: MIT
// A test is TEST(name) { … CHECK(condition); … } listed in one of the tables of main.c's suites.
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "p11crypto.h"

typedef struct {
    const char *name;
    void (*run)(void);
} test_t;

extern bool check_failed;

#define TEST(name) static void name(void)
#define SUITE(name, ...) const test_t name[] = { __VA_ARGS__{ NULL, NULL } }
#define LIST(name) { #name, name },

// Leaves the test at the first failure.
#define CHECK(condition)                                             \
    do {                                                             \
        if (!(condition)) {                                          \
            printf("  %s:%d: %s\n", __FILE__, __LINE__, #condition); \
            check_failed = true;                                     \
            return;                                                  \
        }                                                            \
    } while (0)

// Bytes of a hexadecimal literal; the result lives until the fourth call after.
const uint8_t *hex(const char *text);
// Whether needle occurs in memory.
bool contains(const void *memory, size_t len, const void *needle, size_t needle_len);

#endif
