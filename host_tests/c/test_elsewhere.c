// SPDX-License-Identifier: MIT
// The arena in a section of its own, with whatever the RAM holds after power-on.
#define P11_ARENA_PLACE __attribute__((section("elsewhere")))
#define p11_calloc elsewhere_calloc
#define p11_free elsewhere_free
#define p11_arena_wipe elsewhere_wipe
#define p11_test_arena_deepest elsewhere_deepest
#define p11_test_arena elsewhere_arena
#include "arena.c"

#include "check.h"

static void power_on(void) {
    memset(arena.bytes, 0xa5, sizeof(arena.bytes));
    blank = false;
}

static bool arena_is_zero(void) {
    for (size_t i = 0; i < sizeof(arena.bytes); i++) {
        if (arena.bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(what_the_ram_held_is_never_handed_out) {
    power_on();
    uint8_t *a = p11_calloc(1, 1000);
    CHECK(a != NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK(a[i] == 0);
    }
    memset(a, 0xaa, 1000);
    p11_free(a);
    CHECK(p11_arena_wipe() && arena_is_zero());
}

TEST(what_the_ram_held_is_wiped_at_start) {
    power_on();
    CHECK(p11_arena_wipe() && arena_is_zero());
    uint8_t *a = p11_calloc(1, 10);
    memset(a, 0xaa, 10);
    CHECK(!p11_arena_wipe() && arena_is_zero());
}

// clang-format off
SUITE(elsewhere_suite,
    LIST(what_the_ram_held_is_never_handed_out)
    LIST(what_the_ram_held_is_wiped_at_start)
);
// clang-format on
