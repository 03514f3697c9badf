// SPDX-License-Identifier: MIT
// What the engine needs from the machine: 32-bit words with carries, hidden masks, wiping, byte
// order.
//
// Carries are 32-bit and explicit. With 64-bit accumulators compilers are free to turn a carry
// into a branch, and gcc 12 for RV32 does; "sum < addend" on 32-bit words becomes sltu, sbb or adc
// on every target that is tested.
#ifndef P256_WORD_H
#define P256_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Assembly for cores with UMAAL and SEL (Cortex-M4, M7, M33 with DSP) in Thumb-2, little-endian.
// P256_PORTABLE=1 selects the C path on them too.
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN) \
    && !P256_PORTABLE
#define P256_ARM 1
#else
#define P256_ARM 0
#endif

// Under valgrind, secrets are marked undefined and P256_PUBLIC marks what may be branched on (host
// tests only).
#if P256_VALGRIND
#include <valgrind/memcheck.h>
#endif
#if P256_VALGRIND && !P256_NOTHING_PUBLIC
#define P256_PUBLIC(x) VALGRIND_MAKE_MEM_DEFINED(&(x), sizeof(x))
#else
#define P256_PUBLIC(x) ((void)0)
#endif

// Short functions on secrets are always inlined: called, they would cost more than they do.
#define P256_INLINE static inline __attribute__((always_inline))

// Work on secrets whose frame the caller's p256_wipe_stack is to reach: not inlined into it.
#define P256_BELOW static __attribute__((noinline))

// Returns x, of which the compiler then knows nothing: it cannot turn a mask back into a
// condition.
P256_INLINE uint32_t p256_hide(uint32_t x) {
    __asm__("" : "+r"(x));
    return x;
}

// All ones when x is 0, else 0.
P256_INLINE uint32_t p256_mask_zero(uint32_t x) {
    return p256_hide(((x | (0 - x)) >> 31) - 1);
}

// a + b + *carry; *carry is 0 or 1 before and after. Arm compilers know the carry flag from 64-bit
// sums, and make conditional instructions of the comparisons.
P256_INLINE uint32_t p256_add_carry(uint32_t *carry, uint32_t a, uint32_t b) {
#if defined(__arm__)
    uint64_t sum = (uint64_t)a + b + *carry;
    *carry = (uint32_t)(sum >> 32);
    return (uint32_t)sum;
#else
    uint32_t sum = a + b;
    uint32_t out = sum < a;
    uint32_t total = sum + *carry;
    *carry = out + (total < sum);
    return total;
#endif
}

// a - b - *borrow; *borrow is 0 or 1 before and after.
P256_INLINE uint32_t p256_sub_borrow(uint32_t *borrow, uint32_t a, uint32_t b) {
#if defined(__arm__)
    uint64_t difference = (uint64_t)a - b - *borrow;
    *borrow = (uint32_t)(difference >> 32) & 1;
    return (uint32_t)difference;
#else
    uint32_t difference = a - b;
    uint32_t out = a < b;
    uint32_t total = difference - *borrow;
    *borrow = out + (difference < *borrow);
    return total;
#endif
}

// a * b, signed or not. Cores without a long multiplication (Cortex-M0+) call a library for it
// that branches on the operands, so it is put together from 16-bit pieces there.
#if defined(__arm__) && defined(__thumb__) && !defined(__thumb2__)
P256_INLINE uint64_t p256_product(uint32_t a, uint32_t b) {
    uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
    uint32_t low = a0 * b0;
    uint32_t middle = a1 * b0 + (low >> 16); // at most (2^16 - 1) 2^16
    uint32_t other = a0 * b1 + (middle & 0xffff);
    uint32_t high = a1 * b1 + (middle >> 16) + (other >> 16);
    return (uint64_t)high << 32 | other << 16 | (low & 0xffff);
}

P256_INLINE int64_t p256_signed_product(int32_t a, int32_t b) {
    uint32_t x = (uint32_t)a, y = (uint32_t)b;
    uint32_t over = (y & (0 - (x >> 31))) + (x & (0 - (y >> 31)));
    return (int64_t)(p256_product(x, y) - ((uint64_t)over << 32));
}
#else
P256_INLINE uint64_t p256_product(uint32_t a, uint32_t b) {
    return (uint64_t)a * b;
}

P256_INLINE int64_t p256_signed_product(int32_t a, int32_t b) {
    return (int64_t)a * b;
}
#endif

// (*high : *low) = a * b + *low + *high. It cannot overflow: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 -
// 1.
P256_INLINE void p256_mac(uint32_t *low, uint32_t *high, uint32_t a, uint32_t b) {
#if P256_ARM
    __asm__("umaal %0, %1, %2, %3" : "+r"(*low), "+r"(*high) : "r"(a), "r"(b));
#else
    uint64_t product = p256_product(a, b);
    uint32_t l = (uint32_t)product;
    uint32_t h = (uint32_t)(product >> 32);
    l += *low;
    h += l < *low;
    l += *high;
    h += l < *high;
    *low = l;
    *high = h;
#endif
}

// Eight words, least significant first, from and to 32 big-endian bytes at any address.
void p256_words(uint32_t out[8], const uint8_t in[32]);
void p256_bytes(uint8_t out[32], const uint32_t in[8]);

// r = a + b, returns the carry; r = a - b, returns the borrow. Eight words.
uint32_t p256_add8(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);
uint32_t p256_sub8(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);
// r = mask ? a : r, mask 0 or all ones.
void p256_move8(uint32_t r[8], const uint32_t a[8], uint32_t mask);
// All ones when all eight words are 0, else 0.
uint32_t p256_zero8(const uint32_t a[8]);

// Zeros that the compiler cannot optimise away.
void p256_wipe(void *buffer, size_t size);
// Zeros in the stack below the caller: frames that the functions of this engine have left.
void p256_wipe_stack(void);

#endif
