// SPDX-License-Identifier: MIT
// Addition, subtraction and halving modulo p, and the table scan. Constant time: no branch but on
// the public length of the table, no address from a secret. Inputs and outputs below p.
#include "word_arm.inc"
#if P256_ARM

// p256_acc_add, _sub, _from, _half: the accumulator r4..r11 = acc + b, acc - b, b - acc, acc / 2,
// where r2 points to b. Clobber r0-r3 and r12, use no stack.

// acc + b - p is in -p .. p - 1; p is added again if that is negative.
FUNCTION p256_acc_add
    ldm     r2!, {r0, r1, r3, r12}
    adds    r4, r4, r0
    adcs    r5, r5, r1
    adcs    r6, r6, r3
    adcs    r7, r7, r12
    ldm     r2, {r0, r1, r3, r12}
    adcs    r8, r8, r0
    adcs    r9, r9, r1
    adcs    r10, r10, r3
    adcs    r11, r11, r12
    sbc     r0, r0, r0                      // carry - 1
    subs    r4, r4, #-1
    sbcs    r5, r5, #-1
    sbcs    r6, r6, #-1
    sbcs    r7, r7, #0
    sbcs    r8, r8, #0
    sbcs    r9, r9, #0
    sbcs    r10, r10, #1
    sbcs    r11, r11, #-1
    adc     r0, r0, #0                      // all ones if negative, else 0
    b       add_p
END p256_acc_add

FUNCTION p256_acc_sub, p256_acc_add
    ldm     r2!, {r0, r1, r3, r12}
    subs    r4, r4, r0
    sbcs    r5, r5, r1
    sbcs    r6, r6, r3
    sbcs    r7, r7, r12
    ldm     r2, {r0, r1, r3, r12}
    sbcs    r8, r8, r0
    sbcs    r9, r9, r1
    sbcs    r10, r10, r3
    sbcs    r11, r11, r12
    sbc     r0, r0, r0                      // all ones if negative, else 0
add_p:
    adds    r4, r4, r0
    adcs    r5, r5, r0
    adcs    r6, r6, r0
    adcs    r7, r7, #0
    adcs    r8, r8, #0
    adcs    r9, r9, #0
    adcs    r10, r10, r0, lsr #31
    adc     r11, r11, r0
    bx      lr
END p256_acc_sub

FUNCTION p256_acc_from
    ldm     r2!, {r0, r1, r3, r12}
    subs    r4, r0, r4
    sbcs    r5, r1, r5
    sbcs    r6, r3, r6
    sbcs    r7, r12, r7
    ldm     r2, {r0, r1, r3, r12}
    sbcs    r8, r0, r8
    sbcs    r9, r1, r9
    sbcs    r10, r3, r10
    sbcs    r11, r12, r11
    sbc     r0, r0, r0                      // all ones if negative, else 0
    adds    r4, r4, r0
    adcs    r5, r5, r0
    adcs    r6, r6, r0
    adcs    r7, r7, #0
    adcs    r8, r8, #0
    adcs    r9, r9, #0
    adcs    r10, r10, r0, lsr #31
    adc     r11, r11, r0
    bx      lr
END p256_acc_from

// (acc + p) / 2 for an odd number, with the 257th bit in the carry.
FUNCTION p256_acc_half
    sbfx    r0, r4, #0, #1                  // all ones if odd
    adds    r4, r4, r0
    adcs    r5, r5, r0
    adcs    r6, r6, r0
    adcs    r7, r7, #0
    adcs    r8, r8, #0
    adcs    r9, r9, #0
    adcs    r10, r10, r0, lsr #31
    adcs    r11, r11, r0
    rrxs    r11, r11
    rrxs    r10, r10
    rrxs    r9, r9
    rrxs    r8, r8
    rrxs    r7, r7
    rrxs    r6, r6
    rrxs    r5, r5
    rrx     r4, r4
    bx      lr
END p256_acc_half

// The same for C: void p256_fe_add, _sub(r0 = r, r1 = a, r2 = b), p256_fe_half(r0 = r, r1 = a).
.macro FOR_C name, routine
FUNCTION \name
    push    {r0, r4-r11, lr}
    ldm     r1, {r4-r11}
    bl      \routine
    pop     {r0}
    stm     r0, {r4-r11}
    pop     {r4-r11, pc}
END \name
.endm

FOR_C   p256_fe_add, p256_acc_add
FOR_C   p256_fe_sub, p256_acc_sub
FOR_C   p256_fe_half, p256_acc_half

// Eight entries of 32 bytes from r1 on into r4..r11: r3 holds the same 16 bits twice, of which the
// top one says whether the next entry is the one. UADD16 shifts it out into the GE flags, SEL
// obeys them.
.macro SCAN_EIGHT
    .rept   8
    uadd16  r3, r3, r3
    ldm     r1!, {r0, r2, r12, lr}
    sel     r4, r0, r4
    sel     r5, r2, r5
    sel     r6, r12, r6
    sel     r7, lr, r7
    ldm     r1!, {r0, r2, r12, lr}
    sel     r8, r0, r8
    sel     r9, r2, r9
    sel     r10, r12, r10
    sel     r11, lr, r11
    .endr
.endm

// void p256_scan(r0 = out, r1 = table, r2 = count, r3 = index, [sp] = negate) out = entry `index`
// of the first half of the table, then that of the second half, negated modulo p (p - y, y not 0)
// if negate is all ones. count is a multiple of 8 up to 16, index < count: so each word of the
// table is read once, in order, and the registers r4..r11 are replaced once.
FUNCTION p256_scan
    push    {r0, r4-r11, lr}
    mov     r12, #0x8000
    lsr     r12, r12, r3
    orr     r3, r12, r12, lsl #16
    add     lr, r1, r2, lsl #5              // end of the first half
    add     r12, lr, r2, lsl #5             // end of the second
    push    {r3, r12, lr}
1:  SCAN_EIGHT
    ldr     r0, [sp, #8]
    cmp     r1, r0
    bne     1b
    ldr     r0, [sp, #12]
    stm     r0, {r4-r11}
    ldr     r3, [sp]
2:  SCAN_EIGHT
    ldr     r0, [sp, #4]
    cmp     r1, r0
    bne     2b
    // p - y = (p + 1) + ~y modulo 2^256, p + 1 = 0, 0, 0, 1, 0, 0, 1, -1
    ldr     r1, [sp, #52]
    ldr     r0, [sp, #12]
    add     r0, r0, #32
    eor     r4, r4, r1
    eor     r5, r5, r1
    eor     r6, r6, r1
    eor     r7, r7, r1
    eor     r8, r8, r1
    eor     r9, r9, r1
    eor     r10, r10, r1
    eor     r11, r11, r1
    adds    r7, r7, r1, lsr #31
    adcs    r8, r8, #0
    adcs    r9, r9, #0
    adcs    r10, r10, r1, lsr #31
    adc     r11, r11, r1
    stm     r0, {r4-r11}
    add     sp, sp, #16
    pop     {r4-r11, pc}
END p256_scan

#endif
