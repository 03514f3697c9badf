// SPDX-License-Identifier: MIT
// Multiples of the generator. An odd k < n is written with 260 digits +1 or -1: digit i is 2 b_i -
// 1, where b = (k - 1) / 2 + 2^259. Column c of comb j has the digits 52 t + 13 j + c of the teeth
// t = 0..4; the sign of the top tooth is taken out, which leaves 16 entries and no zero. Twelve
// doublings and 51 additions add it all up.
//
// In each column comb 0 comes last. In this order no addition meets its own summand or its
// negative for any odd k < n; docs/P256.md has the proof and host_tests/p256/test_exceptions.py
// the search it rests on. (With another comb last, one k exists that does.)
#include "point.h"

void p256_comb_digits(p256_digits_t *digits, const p256_scalar_t *k) {
    // block 4 t + j: digits 52 t + 13 j .. 52 t + 13 j + 12, that is, bits from 13 (4 t + j) + 1
    // of k on
    for (unsigned block = 0; block < P256_COMB_BLOCKS; block++) {
        unsigned bit = P256_COMB_COLUMNS * block + 1;
        uint32_t word = bit < 256 ? k->w[bit >> 5] >> (bit & 31) : 0;
        if (bit < 224) {
            word |= k->w[(bit >> 5) + 1] << 1 << (31 - (bit & 31));
        }
        digits->block[block] = (uint16_t)(word & 0x1fff);
    }
    digits->block[P256_COMB_BLOCKS - 1] |= 0x1000;
}

uint32_t p256_comb_digit(uint32_t *negate, const p256_digits_t *digits, unsigned comb,
    unsigned column) {
    const uint16_t *block = digits->block + comb;
    uint32_t index = 0;
    for (unsigned tooth = 0; tooth < P256_COMB_TEETH - 1; tooth++) {
        index |= ((uint32_t)block[P256_COMBS * tooth] >> column & 1) << tooth;
    }
    uint32_t top = (uint32_t)block[P256_COMBS * (P256_COMB_TEETH - 1)] >> column & 1;
    *negate = p256_hide(top - 1);
    return index ^ (*negate & (P256_COMB_ENTRIES - 1));
}

void p256_comb(p256_jacobian_t *a, const p256_scalar_t *k, const uint8_t blind[32]) {
    p256_digits_t digits;
    p256_fe_t entry[2];
    p256_comb_digits(&digits, k);
    bool first = true;
    for (unsigned column = P256_COMB_COLUMNS; column-- > 0;) {
        if (!first) {
            p256_double(a);
        }
        for (unsigned comb = P256_COMBS; comb-- > 0;) {
            uint32_t negate;
            uint32_t index = p256_comb_digit(&negate, &digits, comb, column);
            p256_scan(entry, p256_combs[comb].x, P256_COMB_ENTRIES, index, negate);
            if (first) {
                p256_blind(a, (const p256_affine_t *)entry, blind);
                first = false;
            } else {
                p256_add(a, (const p256_affine_t *)entry);
            }
        }
    }
    p256_wipe(&digits, sizeof(digits));
}
