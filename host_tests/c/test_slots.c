// SPDX-License-Identifier: MIT
#include "check.h"
#include "slots.h"

static const uint8_t value[32] = "a key value of thirty-two bytes";

static p11_slot_t take(void) {
    p11_slot_t slot;
    return p11_slot_take(&slot, P11_SECRET, value, sizeof(value)) == P11_OK ? slot : 0;
}

TEST(a_slot_keeps_its_value_until_it_is_released) {
    p11_slot_t slot = take();
    const p11_key_t *key = p11_slot_get(slot, P11_OBJECT_KINDS);
    CHECK(key != NULL && key->len == 32 && memcmp(key->value, value, 32) == 0);
    CHECK(p11_slots_used() == 1);
    CHECK(p11_release(slot) == P11_OK);
    CHECK(p11_slots_used() == 0);
}

TEST(a_released_handle_is_stale_even_when_the_slot_is_taken_again) {
    p11_slot_t old = take();
    CHECK(p11_release(old) == P11_OK);
    p11_slot_t new = take();
    CHECK((old & 0xff) == (new & 0xff) && old != new);
    CHECK(p11_slot_get(old, P11_OBJECT_KINDS) == NULL);
    CHECK(p11_release(old) == P11_BAD_SLOT);
    CHECK(p11_slot_get(new, P11_OBJECT_KINDS) != NULL);
}

TEST(foreign_handles_are_refused) {
    p11_slot_t slot = take();
    CHECK(p11_release(0) == P11_BAD_SLOT);
    CHECK(p11_release(slot + 1) == P11_BAD_SLOT);     // free neighbour
    CHECK(p11_release(slot | 0x40) == P11_BAD_SLOT);  // outside the array
    CHECK(p11_release(slot + 0x100) == P11_BAD_SLOT); // a generation to come
    CHECK(p11_release(slot & 0xff) == P11_BAD_SLOT);  // no generation
    CHECK(p11_release(0xffffffff) == P11_BAD_SLOT);
    CHECK(p11_release(slot) == P11_OK);
}

TEST(a_key_is_found_only_under_the_kinds_asked_for) {
    p11_slot_t slot = take();
    CHECK(p11_slot_get(slot, P11_EC_KINDS) == NULL);
    CHECK(p11_slot_get(slot, P11_KIND(P11_MASTER)) == NULL);
    CHECK(p11_slot_get(slot, P11_KIND(P11_SECRET)) != NULL);
}

TEST(the_sixty_fifth_key_finds_no_slot) {
    p11_slot_t slot;
    for (int i = 0; i < P11_SLOTS; i++) {
        CHECK(take() != 0);
    }
    CHECK(!p11_slot_vacant());
    CHECK(p11_slot_take(&slot, P11_SECRET, value, 1) == P11_FULL && slot == 0);
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_FULL && slot == 0);
    CHECK(p11_master_new(&slot) == P11_FULL);
    uint8_t scalar[32] = { 1 };
    CHECK(p11_ec_import(&slot, P11_P256, scalar, 32) == P11_FULL);
    CHECK(scalar[0] == 0); // wiped all the same
    CHECK(p11_slots_used() == P11_SLOTS);
}

TEST(a_value_longer_than_a_slot_is_refused) {
    uint8_t big[P11_SECRET_MAX + 1] = { 0 };
    p11_slot_t slot;
    CHECK(p11_slot_take(&slot, P11_SECRET, big, sizeof(big)) == P11_INTERNAL && slot == 0);
    CHECK(p11_slots_used() == 0);
}

TEST(release_and_wipe_all_leave_no_byte_of_a_key) {
    size_t len;
    const void *memory = p11_test_slots(&len);
    p11_slot_t slot = take();
    CHECK(contains(memory, len, value, 4));
    p11_release(slot);
    CHECK(!contains(memory, len, value, 4));
    for (int i = 0; i < 5; i++) {
        take();
    }
    CHECK(contains(memory, len, value, 4));
    p11_wipe_all();
    CHECK(!contains(memory, len, value, 4) && p11_slots_used() == 0);
}

TEST(handles_from_before_a_soft_reset_stay_stale) {
    p11_slot_t slot = take();
    p11crypto_soft_reset();
    CHECK(p11_slots_used() == 0);
    take();
    CHECK(p11_release(slot) == P11_BAD_SLOT);
}

TEST(a_handle_is_a_positive_small_int_through_all_generations) {
    for (uint32_t i = 0; i < (1u << 22) + 3; i++) {
        p11_slot_t slot = take();
        if (slot == 0 || slot >= (1u << 30) || p11_release(slot) != P11_OK) {
            CHECK(false);
        }
    }
}

TEST(equal_looks_at_every_byte) {
    uint8_t a[33] = { 0 };
    uint8_t b[33] = { 0 };
    CHECK(p11_equal(a, b, 0) && p11_equal(a, b, 33));
    for (size_t i = 0; i < sizeof(a); i++) {
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(1 << bit);
            CHECK(!p11_equal(a, b, 33));
        }
        b[i] = 0;
    }
}

TEST(every_status_has_its_word) {
    for (int i = 0; i < P11_CODES; i++) {
        CHECK(p11_word(i) != NULL && p11_word(i)[0] != '\0');
    }
    CHECK(strcmp(p11_word(P11_BAD_SLOT), "slot") == 0);
    CHECK(strcmp(p11_word(-1), "crypto") == 0 && strcmp(p11_word(P11_CODES), "crypto") == 0);
}

// clang-format off
SUITE(slots_suite,
    LIST(a_slot_keeps_its_value_until_it_is_released)
    LIST(a_released_handle_is_stale_even_when_the_slot_is_taken_again)
    LIST(foreign_handles_are_refused)
    LIST(a_key_is_found_only_under_the_kinds_asked_for)
    LIST(the_sixty_fifth_key_finds_no_slot)
    LIST(a_value_longer_than_a_slot_is_refused)
    LIST(release_and_wipe_all_leave_no_byte_of_a_key)
    LIST(handles_from_before_a_soft_reset_stay_stale)
    LIST(a_handle_is_a_positive_small_int_through_all_generations)
    LIST(equal_looks_at_every_byte)
    LIST(every_status_has_its_word)
);
// clang-format on
