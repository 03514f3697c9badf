// SPDX-License-Identifier: MIT
// Loops for p256_engine.py: many field operations per call.
#include <stddef.h>
#include <stdint.h>

typedef void unary_t(uint32_t r[8], const uint32_t a[8]);
typedef void binary_t(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);
void batch_unary(unary_t *f, uint32_t *r, const uint32_t *a, size_t count);
void batch_binary(binary_t *f, uint32_t *r, const uint32_t *a, const uint32_t *b, size_t count);

void batch_unary(unary_t *f, uint32_t *r, const uint32_t *a, size_t count) {
    for (size_t i = 0; i < 8 * count; i += 8) {
        f(r + i, a + i);
    }
}

void batch_binary(binary_t *f, uint32_t *r, const uint32_t *a, const uint32_t *b, size_t count) {
    for (size_t i = 0; i < 8 * count; i += 8) {
        f(r + i, a + i, b + i);
    }
}
