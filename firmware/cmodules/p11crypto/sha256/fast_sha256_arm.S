// SPDX-License-Identifier: MIT
// The compression function of SHA-256 for Thumb-2, little-endian. A quarter is sixteen rounds,
// unrolled, run four times per block; before each but the first, sixteen words of the message
// schedule are computed with the working words on the stack. Straight code but for loops over
// quarters and blocks.
#if defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN) && !FAST_SHA256_PORTABLE
    .syntax unified
    .thumb
    .section .text.fast_sha256_blocks, "ax", %progbits
    .balign 4
constants:
    .word   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5
    .word   0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
    .word   0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3
    .word   0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
    .word   0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc
    .word   0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
    .word   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7
    .word   0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
    .word   0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13
    .word   0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
    .word   0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3
    .word   0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
    .word   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5
    .word   0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
    .word   0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208
    .word   0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

// One round; \wk is word plus constant. \bc is b xor c; \ab becomes a xor b, the \bc of the
// next round. The sums of rotations are written as one rotation of three terms.
.macro ROUND a, b, c, d, e, f, g, h, bc, ab, wk
    add     \h, \h, \wk
    eor     \ab, \e, \e, ror #5
    eor     \ab, \ab, \e, ror #19
    add     \h, \h, \ab, ror #6
    eor     \ab, \f, \g
    and     \ab, \ab, \e
    eor     \ab, \ab, \g
    add     \h, \h, \ab
    add     \d, \d, \h
    eor     \ab, \a, \a, ror #11
    eor     \ab, \ab, \a, ror #20
    add     \h, \h, \ab, ror #2
    eor     \ab, \a, \b
    and     \bc, \bc, \ab
    eor     \bc, \bc, \b
    add     \h, \h, \bc
.endm

// Two rounds with words 2 i and 2 i + 1 of the schedule; lr walks through the constants.
.macro PAIR i, a, b, c, d, e, f, g, h
    ldrd    r0, r1, [sp, #8 * \i]
    ldrd    r2, r12, [lr], #8
    add     r0, r0, r2
    add     r1, r1, r12
    ROUND   \a, \b, \c, \d, \e, \f, \g, \h, r3, r2, r0
    ROUND   \h, \a, \b, \c, \d, \e, \f, \g, r2, r3, r1
.endm

// Schedule: x += s0(x1) + y + s1(z), the words 16, 15, 7 and 2 before the new one.
.macro WORD x, x1, y, z
    ror     r1, \x1, #7
    eor     r1, r1, \x1, ror #18
    eor     r1, r1, \x1, lsr #3
    add     \x, \x, r1
    add     \x, \x, \y
    ror     r1, \z, #17
    eor     r1, r1, \z, ror #19
    eor     r1, r1, \z, lsr #10
    add     \x, \x, r1
.endm

// void fast_sha256_blocks(r0 = state, r1 = data, r2 = count). Stack 112 bytes and 32 more.
    .global fast_sha256_blocks
    .type   fast_sha256_blocks, %function
    .thumb_func
fast_sha256_blocks:
    cmp     r2, #0
    it      eq
    bxeq    lr
    add     r2, r1, r2, lsl #6              // end of the data
    push    {r0-r2, r4-r11, lr}
    sub     sp, sp, #64                     // the schedule; [sp, 64] state, 68 data, 72 end
next_block:
    // the message; data may be at any address, so word by word
    mov     r3, sp
    .rept   2
    .irp    r, r4, r5, r6, r7, r8, r9, r10, r11
    ldr     \r, [r1], #4
    rev     \r, \r
    .endr
    stm     r3!, {r4-r11}
    .endr
    ldr     r0, [sp, #64]
    str     r1, [sp, #68]
    ldm     r0, {r4-r11}                    // a..h
    adr     lr, constants
    b       rounds
quarter:
    push    {r4-r11}
    add     r0, sp, #32
    // words 0..3: x in r8..r11, y in r4, r5, r2, r3, the two words before in r6, r7
    ldrd    r6, r7, [sp, #32 + 56]
    ldrd    r4, r5, [sp, #32 + 36]
    ldrd    r2, r3, [sp, #32 + 44]
    ldm     r0, {r8-r11}
    ldr     r12, [r0, #16]
    WORD    r8, r9, r4, r6
    WORD    r9, r10, r5, r7
    WORD    r10, r11, r2, r8
    WORD    r11, r12, r3, r9
    stm     r0!, {r8-r11}
    // words 4..7: x in r4..r7, y in r8, r9, r2, r3
    ldrd    r8, r9, [sp, #32 + 52]
    ldr     r2, [sp, #32 + 60]
    ldr     r3, [sp, #32]
    ldm     r0, {r4-r7}
    ldr     r12, [r0, #16]
    WORD    r4, r5, r8, r10
    WORD    r5, r6, r9, r11
    WORD    r6, r7, r2, r4
    WORD    r7, r12, r3, r5
    stm     r0!, {r4-r7}
    // words 8..11
    ldrd    r4, r5, [sp, #32 + 4]
    ldrd    r2, r3, [sp, #32 + 12]
    ldm     r0, {r8-r11}
    ldr     r12, [r0, #16]
    WORD    r8, r9, r4, r6
    WORD    r9, r10, r5, r7
    WORD    r10, r11, r2, r8
    WORD    r11, r12, r3, r9
    stm     r0!, {r8-r11}
    // words 12..15
    ldrd    r8, r9, [sp, #32 + 20]
    ldrd    r2, r3, [sp, #32 + 28]
    ldm     r0, {r4-r7}
    ldr     r12, [sp, #32]
    WORD    r4, r5, r8, r10
    WORD    r5, r6, r9, r11
    WORD    r6, r7, r2, r4
    WORD    r7, r12, r3, r5
    stm     r0, {r4-r7}
    pop     {r4-r11}
rounds:
    eor     r3, r5, r6                      // b xor c
    PAIR    0, r4, r5, r6, r7, r8, r9, r10, r11
    PAIR    1, r10, r11, r4, r5, r6, r7, r8, r9
    PAIR    2, r8, r9, r10, r11, r4, r5, r6, r7
    PAIR    3, r6, r7, r8, r9, r10, r11, r4, r5
    PAIR    4, r4, r5, r6, r7, r8, r9, r10, r11
    PAIR    5, r10, r11, r4, r5, r6, r7, r8, r9
    PAIR    6, r8, r9, r10, r11, r4, r5, r6, r7
    PAIR    7, r6, r7, r8, r9, r10, r11, r4, r5
    adr     r0, constants + 256
    cmp     lr, r0
    bne     quarter
    ldr     r0, [sp, #64]
    ldm     r0!, {r1, r2, r3, r12}
    add     r4, r4, r1
    add     r5, r5, r2
    add     r6, r6, r3
    add     r7, r7, r12
    ldm     r0, {r1, r2, r3, r12}
    add     r8, r8, r1
    add     r9, r9, r2
    add     r10, r10, r3
    add     r11, r11, r12
    sub     r0, r0, #16
    stm     r0, {r4-r11}
    ldrd    r1, r2, [sp, #68]
    cmp     r1, r2
    bne     next_block
    // forget the schedule
    mov     r4, #0
    mov     r5, #0
    mov     r0, sp
    .rept   8
    strd    r4, r5, [r0], #8
    .endr
    add     sp, sp, #76
    pop     {r4-r11, pc}
    .ltorg
    .size   fast_sha256_blocks, . - fast_sha256_blocks
#endif
