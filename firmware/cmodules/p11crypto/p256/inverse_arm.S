// SPDX-License-Identifier: MIT
// Inversion (inverse.h): division steps of eleven instructions each, and the updates by their
// matrix. Straight code on values; the loops count limbs.
#include "word_arm.inc"
#if P256_ARM

// Fifteen steps: r0 = zeta, r1 = f, r2 = g. Leaves the matrix in r3 = u, r5 = v, r4 = q, r6 = r.
// (u, v) and (q, r) are kept as u + 2^16 v and q + 2^16 r in r3 and r4 until the end; all four are
// in -2^14 .. 2^15. odd and swap are masks; t = 2 swap - odd is 0, 1 or -1.
    .section .text.p256_divsteps, "ax", %progbits
    .balign 4
    .thumb_func
divsteps_half:
    mov     r3, #1
    mov     r4, #0x10000
    .rept   15
    sbfx    r5, r2, #0, #1                  // odd: g is
    and     r6, r5, r0, asr #31             // swap: odd, and delta > 0
    rsb     r7, r5, r6, lsl #1              // t
    mla     r2, r7, r1, r2                  // g += t f
    mla     r4, r7, r3, r4
    mls     r1, r6, r2, r1                  // f += g if swap
    mls     r3, r6, r4, r3
    eors    r0, r0, r6
    subs    r0, r0, #1
    asrs    r2, r2, #1
    lsls    r3, r3, #1
    .endr
    add     r3, r3, #0x40004000
    add     r4, r4, #0x40004000
    lsrs    r5, r3, #16
    lsrs    r6, r4, #16
    uxth    r3, r3
    uxth    r4, r4
    sub     r3, r3, #0x4000
    sub     r4, r4, #0x4000
    sub     r5, r5, #0x4000
    sub     r6, r6, #0x4000
    bx      lr

// int32_t p256_divsteps(r0 = zeta, r1 = f, r2 = g, r3 = t)
// Thirty steps, t = (u, v, q, r) the product of the two matrices; entries up to 2^30.
FUNCTION p256_divsteps
    push    {r3-r11, lr}
    bl      divsteps_half
    mov     r8, r3
    mov     r9, r5
    mov     r10, r4
    mov     r11, r6
    bl      divsteps_half
    mul     r1, r3, r8
    mla     r1, r5, r10, r1
    mul     r2, r3, r9
    mla     r2, r5, r11, r2
    mul     r7, r4, r8
    mla     r7, r6, r10, r7
    mul     r8, r4, r9
    mla     r8, r6, r11, r8
    pop     {r3}
    stm     r3, {r1, r2, r7, r8}
    pop     {r4-r11, pc}
END p256_divsteps

// One limb out of the 64-bit sum (lo, hi): out = lowest 30 bits, then an arithmetic shift by 30.
.macro LIMB out, lo, hi
    bic     \out, \lo, #0xc0000000
    lsrs    \lo, \lo, #30
    orr     \lo, \lo, \hi, lsl #2
    asrs    \hi, \hi, #30
.endm

// void p256_update_fg(r0 = pairs, r1 = t)
// Sums stay below 2^30 2^30 + 2^33 in absolute value.
FUNCTION p256_update_fg
    push    {r4-r10, lr}
    ldm     r1, {r1-r4}                     // u, v, q, r
    ldrd    r5, r6, [r0], #8
    smull   r7, r8, r1, r5
    smlal   r7, r8, r2, r6
    smull   r9, r10, r3, r5
    smlal   r9, r10, r4, r6
    LIMB    r5, r7, r8
    LIMB    r6, r9, r10
    mov     lr, #8
1:  ldrd    r5, r6, [r0], #8
    smlal   r7, r8, r1, r5
    smlal   r7, r8, r2, r6
    smlal   r9, r10, r3, r5
    smlal   r9, r10, r4, r6
    LIMB    r5, r7, r8
    LIMB    r6, r9, r10
    subs    lr, lr, #1
    strd    r5, r6, [r0, #-16]
    bne     1b
    strd    r7, r9, [r0, #-8]
    pop     {r4-r10, pc}
END p256_update_fg

// void p256_update_de(r0 = triples, r1 = t, r2 = -1/m mod 2^30)
// Sums stay below 2^30 2^30 + 2^29 2^30 + 2^34 in absolute value.
FUNCTION p256_update_de
    push    {r4-r11, lr}
    mov     lr, r2
    ldm     r1, {r1-r4}                     // u, v, q, r
    ldm     r0!, {r7, r11, r12}             // d, e, m
    smull   r5, r6, r1, r7
    smlal   r5, r6, r2, r11
    smull   r8, r9, r3, r7
    smlal   r8, r9, r4, r11
    mul     r10, r5, lr                     // the multiples, signed numbers of 30 bits
    mul     r11, r8, lr
    sbfx    r10, r10, #0, #30
    sbfx    r11, r11, #0, #30
    smlal   r5, r6, r10, r12
    smlal   r8, r9, r11, r12
    LIMB    r7, r5, r6
    LIMB    r7, r8, r9
    add     lr, r0, #96                     // eight triples
    push    {lr}
1:  ldm     r0!, {r7, r12, lr}
    smlal   r5, r6, r1, r7
    smlal   r5, r6, r2, r12
    smlal   r5, r6, r10, lr
    smlal   r8, r9, r3, r7
    smlal   r8, r9, r4, r12
    smlal   r8, r9, r11, lr
    LIMB    r7, r5, r6
    LIMB    r12, r8, r9
    ldr     lr, [sp]
    strd    r7, r12, [r0, #-24]
    cmp     r0, lr
    bne     1b
    strd    r5, r8, [r0, #-12]
    pop     {r3-r11, pc}
END p256_update_de

#endif
