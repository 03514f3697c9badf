// SPDX-License-Identifier: MIT
#include "arena.h"
#include "check.h"

static bool all_zero(const uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(memory_is_zero_aligned_and_apart) {
    uint8_t *a = p11_calloc(1, 1);
    uint8_t *b = p11_calloc(3, 5);
    CHECK(a != NULL && b != NULL && b >= a + 1);
    CHECK((uintptr_t)a % 8 == 0 && (uintptr_t)b % 8 == 0 && all_zero(b, 15));
    p11_free(a);
    p11_free(b);
    p11_free(NULL);
    CHECK(p11_arena_wipe());
}

TEST(freed_memory_is_zero_at_once) {
    uint8_t *a = p11_calloc(1, 100);
    memset(a, 0xaa, 100);
    p11_free(a);
    CHECK(all_zero(a, 100));
    CHECK(p11_arena_wipe());
}

TEST(a_leak_is_noticed_and_wiped) {
    uint8_t *a = p11_calloc(1, 100);
    memset(a, 0xaa, 100);
    CHECK(!p11_arena_wipe());
    CHECK(all_zero(a, 100));
    CHECK(p11_arena_wipe());
}

TEST(the_whole_arena_can_be_taken_and_not_a_byte_more) {
    CHECK(p11_calloc(1, P11_ARENA_BYTES) == NULL);
    CHECK(p11_calloc(SIZE_MAX, 2) == NULL && p11_calloc(2, SIZE_MAX) == NULL);
    CHECK(p11_calloc(SIZE_MAX / 2 + 1, 2) == NULL);
    uint8_t *a = p11_calloc(1, P11_ARENA_BYTES - 8);
    CHECK(a != NULL && p11_calloc(1, 1) == NULL);
    p11_free(a);
    CHECK(p11_arena_wipe());
}

TEST(freed_neighbours_become_one_block_again) {
    void *blocks[16];
    for (int i = 0; i < 16; i++) {
        blocks[i] = p11_calloc(1, P11_ARENA_BYTES / 16 - 8);
        CHECK(blocks[i] != NULL);
    }
    CHECK(p11_calloc(1, 1) == NULL);
    for (int i = 0; i < 16; i++) {
        p11_free(blocks[(i * 7) % 16]);
    }
    uint8_t *a = p11_calloc(1, P11_ARENA_BYTES - 8);
    CHECK(a != NULL && all_zero(a, P11_ARENA_BYTES - 8));
    p11_free(a);
    CHECK(p11_arena_wipe());
}

TEST(random_use_never_overlaps) {
    struct {
        uint8_t *p;
        size_t len;
        uint8_t fill;
    } live[40] = { 0 };
    for (int step = 0; step < 20000; step++) {
        size_t i = host_number() % 40;
        if (live[i].p != NULL) {
            for (size_t j = 0; j < live[i].len; j++) {
                CHECK(live[i].p[j] == live[i].fill);
            }
            p11_free(live[i].p);
            live[i].p = NULL;
        } else {
            live[i].len = host_number() % 400;
            live[i].fill = (uint8_t)host_number();
            live[i].p = p11_calloc(1, live[i].len);
            CHECK(live[i].p == NULL || all_zero(live[i].p, live[i].len));
            if (live[i].p != NULL) {
                memset(live[i].p, live[i].fill, live[i].len);
            }
        }
    }
    p11_arena_wipe();
    size_t len;
    CHECK(all_zero(p11_test_arena(&len), len) || len == 0);
}

// clang-format off
SUITE(arena_suite,
    LIST(memory_is_zero_aligned_and_apart)
    LIST(freed_memory_is_zero_at_once)
    LIST(a_leak_is_noticed_and_wiped)
    LIST(the_whole_arena_can_be_taken_and_not_a_byte_more)
    LIST(freed_neighbours_become_one_block_again)
    LIST(random_use_never_overlaps)
);
// clang-format on
