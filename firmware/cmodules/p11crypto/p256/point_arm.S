// SPDX-License-Identifier: MIT
// Doubling and addition of points: the formulas of point.c on the accumulator r4..r11
// (field_arm.S, mul_arm.S), which saves loading, storing and saving registers between the field
// operations.
#include "word_arm.inc"
#if P256_ARM

// The frame: addresses of the coordinates (and of those of b), then three field elements.
#define A_X     [sp, #0]
#define A_Y     [sp, #4]
#define A_Z     [sp, #8]
#define B_X     [sp, #12]
#define B_Y     [sp, #16]
#define R       sp, #20
#define S       sp, #52
#define T       sp, #84
#define FRAME   116

.macro KEEP place:vararg                    // a local = acc
    add     r0, \place
    stm     r0, {r4-r11}
.endm

.macro KEEP_AT place:vararg                 // *(address in the frame) = acc
    ldr     r0, \place
    stm     r0, {r4-r11}
.endm

.macro ENTER
    push    {r4-r11, lr}
    add     r2, r0, #32
    add     r3, r0, #64
    sub     sp, sp, #FRAME
    strd    r0, r2, A_X
    str     r3, A_Z
.endm

.macro LEAVE
    add     sp, sp, #FRAME
    pop     {r4-r11, pc}
.endm

// void p256_double(r0 = a)
// 8 multiplications, 8 additions and the like.
FUNCTION p256_double
    ENTER
    mov     r1, r3
    mov     r2, r3
    bl      p256_acc_mul                    // z^2
    KEEP    R
    ldr     r0, A_X
    ldm     r0, {r4-r11}
    add     r2, R
    bl      p256_acc_sub                    // x - z^2
    KEEP    S
    ldr     r0, A_X
    ldm     r0, {r4-r11}
    add     r2, R
    bl      p256_acc_add                    // x + z^2
    KEEP    T
    add     r1, S
    add     r2, T
    bl      p256_acc_mul
    KEEP    S
    bl      p256_acc_half
    add     r2, S
    bl      p256_acc_add                    // A = 3/2 (x - z^2)(x + z^2)
    KEEP    S
    ldrd    r1, r2, A_Y
    bl      p256_acc_mul                    // z' = y z
    KEEP_AT A_Z
    ldr     r1, A_Y
    mov     r2, r1
    bl      p256_acc_mul                    // y^2
    KEEP    R
    ldr     r1, A_X
    add     r2, R
    bl      p256_acc_mul                    // B = x y^2
    KEEP    T
    add     r1, R
    mov     r2, r1
    bl      p256_acc_mul                    // y^4
    KEEP    R
    add     r1, S
    mov     r2, r1
    bl      p256_acc_mul
    add     r2, T
    bl      p256_acc_sub
    add     r2, T
    bl      p256_acc_sub                    // x' = A^2 - 2 B
    KEEP_AT A_X
    add     r2, T
    bl      p256_acc_from
    KEEP    T
    add     r1, S
    add     r2, T
    bl      p256_acc_mul
    add     r2, R
    bl      p256_acc_sub                    // y' = A (B - x') - y^4
    KEEP_AT A_Y
    LEAVE
END p256_double

// void p256_add(r0 = a, r1 = b)
// 11 multiplications, 7 subtractions.
FUNCTION p256_add
    ENTER
    add     r2, r1, #32
    strd    r1, r2, B_X
    mov     r1, r3
    mov     r2, r3
    bl      p256_acc_mul                    // z^2
    KEEP    R
    ldr     r1, B_X
    add     r2, R
    bl      p256_acc_mul
    ldr     r2, A_X
    bl      p256_acc_sub                    // H = x2 z^2 - x
    KEEP    S
    ldr     r1, A_Z
    add     r2, R
    bl      p256_acc_mul
    KEEP    R
    ldr     r1, B_Y
    add     r2, R
    bl      p256_acc_mul
    ldr     r2, A_Y
    bl      p256_acc_sub                    // R = y2 z^3 - y
    KEEP    R
    ldr     r1, A_Z
    add     r2, S
    bl      p256_acc_mul                    // z' = z H
    KEEP_AT A_Z
    add     r1, S
    mov     r2, r1
    bl      p256_acc_mul
    KEEP    T
    add     r1, S
    add     r2, T
    bl      p256_acc_mul                    // H^3
    KEEP    S
    ldr     r1, A_X
    add     r2, T
    bl      p256_acc_mul                    // x H^2
    KEEP    T
    add     r1, R
    mov     r2, r1
    bl      p256_acc_mul
    add     r2, S
    bl      p256_acc_sub
    add     r2, T
    bl      p256_acc_sub
    add     r2, T
    bl      p256_acc_sub                    // x' = R^2 - H^3 - 2 x H^2
    KEEP_AT A_X
    add     r2, T
    bl      p256_acc_from
    KEEP    T
    add     r1, R
    add     r2, T
    bl      p256_acc_mul
    KEEP    T
    add     r1, S
    ldr     r2, A_Y
    bl      p256_acc_mul
    add     r2, T
    bl      p256_acc_from                   // y' = R (x H^2 - x') - y H^3
    KEEP_AT A_Y
    LEAVE
END p256_add

#endif
