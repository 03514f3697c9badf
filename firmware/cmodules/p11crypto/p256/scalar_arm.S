// SPDX-License-Identifier: MIT
// Montgomery multiplication modulo n.
#include "word_arm.inc"
#if P256_ARM

// void p256_scalar_montgomery(r0 = r, r1 = a, r2 = b):  r = a b / 2^256 mod n. Needs a, b < n.
// Eight rows t = (t + a b_i + m n) / 2^32, m such that the lowest word vanishes. t stays below 2n
// - 1: (2n - 1 + (n - 1)(2^32 - 1) + n (2^32 - 1)) / 2^32 < 2n - 1. So its ninth word is 0 or 1;
// before the division there are ten. At the end n is subtracted, and added again under a mask.
// Constant time: the loop counts rows.
FUNCTION p256_scalar_montgomery
    push    {r0-r2, r4-r11, lr}
    add     r3, r2, #32
    push    {r3}                            // [sp] end of b, [sp, 4] r, [sp, 8] a, [sp, 12] b
    mov     r3, #0
    mov     r4, #0
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    mov     r8, #0
    mov     r9, #0
    mov     r10, #0
    mov     lr, #0
    // t = r3..r10, lr
1:  ldrd    r0, r1, [sp, #8]
    push    {lr}
    ldr     r2, [r1], #4
    str     r1, [sp, #16]
    mov     r1, #0
    ldm     r0!, {r11, r12, lr}
    umaal   r3, r1, r2, r11
    umaal   r4, r1, r2, r12
    umaal   r5, r1, r2, lr
    ldm     r0!, {r11, r12, lr}
    umaal   r6, r1, r2, r11
    umaal   r7, r1, r2, r12
    umaal   r8, r1, r2, lr
    ldm     r0, {r11, r12}
    pop     {lr}
    umaal   r9, r1, r2, r11
    umaal   r10, r1, r2, r12
    adds    lr, lr, r1                      // ninth word
    mov     r12, #0
    adc     r12, r12, #0                    // tenth word
    ldr     r0, =0xee00bc4f                 // -1/n mod 2^32
    adr     r1, order
    mul     r2, r3, r0                      // m
    ldr     r11, [r1]
    mov     r0, #0
    umaal   r3, r0, r2, r11
    ldr     r11, [r1, #4]
    umaal   r4, r0, r2, r11
    ldr     r11, [r1, #8]
    umaal   r5, r0, r2, r11
    ldr     r11, [r1, #12]
    umaal   r6, r0, r2, r11
    mvn     r11, #0
    umaal   r7, r0, r2, r11
    umaal   r8, r0, r2, r11
    mov     r1, #0
    umaal   r9, r0, r2, r1
    umaal   r10, r0, r2, r11
    adds    r11, lr, r0
    adc     lr, r12, #0
    mov     r3, r4
    mov     r4, r5
    mov     r5, r6
    mov     r6, r7
    mov     r7, r8
    mov     r8, r9
    mov     r9, r10
    mov     r10, r11
    ldr     r0, [sp]
    ldr     r1, [sp, #12]
    cmp     r0, r1
    bne     1b
    // subtract n
    adr     r1, order
    ldm     r1, {r0-r2, r11}
    subs    r3, r3, r0
    sbcs    r4, r4, r1
    sbcs    r5, r5, r2
    sbcs    r6, r6, r11
    sbcs    r7, r7, #-1
    sbcs    r8, r8, #-1
    sbcs    r9, r9, #0
    sbcs    r10, r10, #-1
    sbc     lr, lr, #0                      // all ones if negative, else 0
    and     r0, r0, lr
    and     r1, r1, lr
    and     r2, r2, lr
    and     r11, r11, lr
    adds    r3, r3, r0
    adcs    r4, r4, r1
    adcs    r5, r5, r2
    adcs    r6, r6, r11
    adcs    r7, r7, lr
    adcs    r8, r8, lr
    adcs    r9, r9, #0
    adc     r10, r10, lr
    ldr     r0, [sp, #4]
    stm     r0, {r3-r10}
    add     sp, sp, #16
    pop     {r4-r11, pc}
    .balign 4
order:
    .word   0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad
    .ltorg
END p256_scalar_montgomery

#endif
