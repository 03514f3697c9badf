// SPDX-License-Identifier: MIT
// Montgomery multiplication modulo p with UMAAL (Cortex-M4, M7, M33 with DSP).
#include "word_arm.inc"
#if P256_ARM

// p256_acc_mul(r1 = a, r2 = b):  r4..r11 = a b / 2^256 mod p. Clobbers all other registers.
//
// Needs a, b < p; the result is below p. Constant time: straight code. Stack 48 bytes.
//
// Write p = 2^256 - 2^224 + 2^192 + 2^96 - 1. Modulo 2^96 it is -1, so with m0..m3 the four lowest
// words of a number t, where t3 has been increased by m0, t + m p has four zero words below
//     m 2^96 + m 2^192 + (2^32 - 1) m 2^224,
// which is all that is added (to words 3, 6 and 7 and up). The product is made of two blocks of
// eight rows, a0..a7 times b0..b3 and then times b4..b7, each followed by such a reduction. A row
// is (x0..x3, h) = (x0..x3) + a_j (b0..b3) + h; the word h it starts with, at the place of x0, is
// free for a summand, so m 2^96 costs nothing in block one, and block two brings in the words of
// block one this way. The result would be below 2p; p is subtracted by words added on the way
// (2^256 - p = 1, 0, 0, -1, -1, -1, -2, 0) and added again under a mask. Bounds: docs/P256.md.

.macro ROW x0, x1, x2, x3, h, a, b0, b1, b2, b3
    umaal   \x0, \h, \a, \b0
    umaal   \x1, \h, \a, \b1
    umaal   \x2, \h, \a, \b2
    umaal   \x3, \h, \a, \b3
.endm

FUNCTION p256_acc_mul
    push    {r1, r2, lr}
    ldm     r2, {r3-r6}                     // b0..b3
    ldm     r1!, {r9-r11, lr}               // a0..a3
    // row 0
    umull   r12, r0, r9, r3
    mov     r2, #0
    umlal   r0, r2, r9, r4
    mov     r7, #0
    umlal   r2, r7, r9, r5
    mov     r8, #0
    umlal   r7, r8, r9, r6
    // rows 1, 2, 3; m0 = r12 comes in at word 3
    mov     r9, #0
    ROW     r0, r2, r7, r8, r9, r10, r3, r4, r5, r6
    mov     r10, #0
    ROW     r2, r7, r8, r9, r10, r11, r3, r4, r5, r6
    mov     r11, r12
    ROW     r7, r8, r9, r10, r11, lr, r3, r4, r5, r6
    push    {r0, r2, r7, r12}               // m1, m2, m3, m0
    // rows 4..7; m1, m2, m3 come in at words 4, 5, 6
    ldm     r1!, {r12, lr}
    ROW     r8, r9, r10, r11, r0, r12, r3, r4, r5, r6
    ROW     r9, r10, r11, r0, r2, lr, r3, r4, r5, r6
    ldm     r1, {r12, lr}
    ROW     r10, r11, r0, r2, r7, r12, r3, r4, r5, r6
    subs    r12, r12, r12                   // 0, and sets the carry for the adcs below
    ROW     r11, r0, r2, r7, r12, lr, r3, r4, r5, r6
    // words 4..11 are r8, r9, r10, r11, r0, r2, r7, r12
    pop     {r3-r6}                         // m1, m2, m3, m0
    mvn     lr, #0
    mov     r1, r3                          // m1 at word 7, for m 2^192
    umaal   r11, r1, r6, lr                 // (2^32 - 1) m at word 7
    umaal   r0, r1, r3, lr
    umaal   r2, r1, r4, lr
    umaal   r7, r1, r5, lr
    adcs    r0, r0, r4                      // m2 at word 8, and 1, the lowest word of -p
    adcs    r2, r2, r5                      // m3 at word 9
    adcs    r7, r7, #0
    adcs    r12, r12, r1
    sbc     r3, r3, r3                      // the carry into word 12, minus 1
    push    {r0, r2, r3, r7, r12}           // words 8, 9, that carry, words 10, 11
    ldrd    r1, r2, [sp, #20]
    ldrd    r3, r4, [r2, #16]               // b4..b7
    ldrd    r5, r7, [r2, #24]
    ldm     r1!, {r0, r2, r12}              // a0..a2
    // rows 0..3 of block two; m0 of block one, still to come for m 2^192, at word 6, the new m0 at
    // 7
    mov     lr, #0
    ROW     r8, r9, r10, r11, lr, r0, r3, r4, r5, r7
    mov     r0, #0
    ROW     r9, r10, r11, lr, r0, r2, r3, r4, r5, r7
    ROW     r10, r11, lr, r0, r6, r12, r3, r4, r5, r7
    ldr     r12, [r1], #4
    mov     r2, r8
    ROW     r11, lr, r0, r6, r2, r12, r3, r4, r5, r7
    push    {r8-r11}                        // the new m0..m3
    // rows 4..7; words 8..11 of block one come in
    ldm     r1, {r8-r11}
    ldrd    r1, r12, [sp, #16]
    ROW     lr, r0, r6, r2, r1, r8, r3, r4, r5, r7
    ROW     r0, r6, r2, r1, r12, r9, r3, r4, r5, r7
    ldrd    r8, r9, [sp, #28]
    ROW     r6, r2, r1, r12, r8, r10, r3, r4, r5, r7
    ROW     r2, r1, r12, r8, r9, r11, r3, r4, r5, r7
    // words 8..15 are lr, r0, r6, r2, r1, r12, r8, r9
    pop     {r3-r5, r7}                     // m0..m3
    mvn     r10, #0
    mov     r11, #0
    umaal   r2, r11, r3, r10                // (2^32 - 1) m at word 11
    umaal   r1, r11, r4, r10
    umaal   r12, r11, r5, r10
    umaal   r8, r11, r7, r10
    ldr     r10, [sp, #8]                   // carry into word 12, minus 1, and its sign above
    adds    r6, r6, r3                      // m0, m1 at words 10, 11, for m 2^192
    adcs    r2, r2, r4
    adcs    r1, r1, r10
    adcs    r12, r12, r10
    adcs    r8, r8, r10
    adcs    r9, r9, r10
    adc     r10, r10, #-1                   // word 16, with that of -p
    adds    lr, lr, r4                      // m1, m2, m3 at words 8, 9, 10, for m 2^96
    adcs    r0, r0, r5
    adcs    r6, r6, r7
    adcs    r2, r2, #-1                     // -p
    adcs    r1, r1, r5                      // m2, m3 at words 12, 13, for m 2^192
    adcs    r12, r12, r7
    adcs    r3, r8, #-1                     // -p
    adcs    r11, r9, r11
    adc     r10, r10, #0                    // all ones if negative, else 0
    // add p back under the mask, into registers in order
    adds    r4, lr, r10
    adcs    r5, r0, r10
    mov     r0, r10
    adcs    r6, r6, r10
    adcs    r7, r2, #0
    adcs    r8, r1, #0
    adcs    r9, r12, #0
    adcs    r10, r3, r0, lsr #31
    adc     r11, r11, r0
    add     sp, sp, #28
    pop     {pc}
END p256_acc_mul

// void p256_fe_mul(r0 = r, r1 = a, r2 = b):  the same for C, r = a b / 2^256 mod p.
FUNCTION p256_fe_mul
    push    {r0, r4-r11, lr}
    bl      p256_acc_mul
    pop     {r0}
    stm     r0, {r4-r11}
    pop     {r4-r11, pc}
END p256_fe_mul

#endif
