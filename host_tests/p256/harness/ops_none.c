// SPDX-License-Identifier: MIT
// No operation but known numbers of instructions: what the harness itself costs, and the check of
// its clock.
#include "harness.h"

void prepare(const request_t *request) {
    (void)request;
}

uint32_t run(uint8_t out[64], const request_t *request) {
    (void)out;
    if (request->op == OP_NOPS) {
// 2 instructions per round
#if defined(__arm__)
        uint32_t n = request->number;
        __asm__ volatile("1: subs %0, %0, #1 \n bne 1b" : "+l"(n) : : "cc");
#elif defined(__riscv)
        uint32_t n = request->number;
        __asm__ volatile("1: addi %0, %0, -1 \n bnez %0, 1b" : "+r"(n));
#endif
    }
    return 1;
}
