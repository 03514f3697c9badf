// SPDX-License-Identifier: MIT
// The harness under QEMU without an operating system: start-up, files over semihosting, an
// instruction counter, a painted stack.
//   Cortex-M4  -M ast1030-evb -icount shift=0: 1 ns per instruction, SysTick at 200 MHz
//   RV32IMC    -M virt -icount shift=0: instret
#include "harness.h"

#include <string.h>

extern uint32_t _bss_start[], _bss_end[], _stack_low[], _stack_top[], _heap_start[], _heap_end[];
extern uint8_t _requests[]; // the rest of the memory
void bare_main(void);

// --- semihosting ---------------------------------------------------------------------------

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE 0x05
#define SYS_READ 0x06
#define SYS_FLEN 0x0c
#define SYS_EXIT 0x18
#define STOPPED_EXIT 0x20026
#define STOPPED_ERROR 0x20023

static uint32_t semihost(uint32_t operation, const void *argument) {
#if defined(__arm__)
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#else
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".balign 16 \n .option push \n .option norvc \n"
                     "slli zero, zero, 0x1f \n ebreak \n srai zero, zero, 7 \n .option pop"
        : "+r"(a0) : "r"(a1) : "memory");
    return a0;
#endif
}

static uint32_t open_file(const char *name, uint32_t mode) {
    uint32_t block[3] = { (uint32_t)name, mode, (uint32_t)strlen(name) };
    return semihost(SYS_OPEN, block);
}

static void leave(int bad) {
    semihost(SYS_EXIT, (const void *)(bad ? STOPPED_ERROR : STOPPED_EXIT));
    for (;;) {
    }
}

static uint32_t out;

static void reply(const reply_t *answer) {
    uint32_t block[3] = { out, (uint32_t)answer, sizeof(*answer) };
    semihost(SYS_WRITE, block);
}

// --- the clock -----------------------------------------------------------------------------

#if defined(__arm__)

#define SYST ((volatile uint32_t *)0xe000e010)
#define READS 5

// A tick is five instructions. Five reads, six instructions apart, tell where in its tick the
// first read was: the r last of them are one tick ahead when it was at instruction r.
uint32_t clock_now(void) {
    uint32_t v[READS];
    __asm__ volatile(
        "ldr %0, [%5] \n nop \n nop \n nop \n nop \n nop \n"
        "ldr %1, [%5] \n nop \n nop \n nop \n nop \n nop \n"
        "ldr %2, [%5] \n nop \n nop \n nop \n nop \n nop \n"
        "ldr %3, [%5] \n nop \n nop \n nop \n nop \n nop \n"
        "ldr %4, [%5]"
        : "=&r"(v[0]), "=&r"(v[1]), "=&r"(v[2]), "=&r"(v[3]), "=&r"(v[4])
        : "r"(SYST + 2));
    uint32_t now = 0;
    for (uint32_t i = 0; i < READS; i++) {
        now += ((v[0] - v[i]) & 0xffffff) - i;
    }
    return now + 5 * (0xffffff - v[0]);
}

uint32_t clock_since(uint32_t then) {
    uint32_t now = clock_now();
    return now >= then ? now - then : now + 5 * 0x1000000 - then;
}

static void clock_start(void) {
    // the FPU: compilers copy structures with it
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20;
    SYST[1] = 0xffffff;
    SYST[2] = 0;
    SYST[0] = 5;
}

#else

uint32_t clock_now(void) {
    uint32_t now;
    __asm__ volatile("csrr %0, instret" : "=r"(now));
    return now;
}

uint32_t clock_since(uint32_t then) {
    return clock_now() - then;
}

static void clock_start(void) {
}

#endif

// --- the stack -----------------------------------------------------------------------------

#define PAINT 0xa5c3965au
#define MARGIN 256 // for the painter's own frames

__attribute__((noinline)) void stack_paint(void) {
    volatile uint32_t *end = (volatile uint32_t *)((uint32_t)__builtin_frame_address(0) - MARGIN);
    for (volatile uint32_t *p = _stack_low; p < end; p++) {
        *p = PAINT;
    }
}

__attribute__((noinline)) void stack_look(uint32_t *depth, uint32_t *residue) {
    uint32_t frame = (uint32_t)__builtin_frame_address(0);
    volatile uint32_t *end = (volatile uint32_t *)(frame - MARGIN);
    volatile uint32_t *p = _stack_low;
    while (p < end && *p == PAINT) {
        p++;
    }
    *depth = frame - (uint32_t)p;
    *residue = 0;
    for (; p < end; p++) {
        *residue = *residue * 31 + *p;
    }
}

// --- start ---------------------------------------------------------------------------------

// For the C library's allocator (the reference implementation needs one).
void *_sbrk(int size);
void *sbrk(int size);

void *_sbrk(int size) {
    static uint8_t *end;
    uint8_t *old = end == NULL ? (uint8_t *)_heap_start : end;
    if (old + size > (uint8_t *)_heap_end) {
        return (void *)-1;
    }
    end = old + size;
    return old;
}

void *sbrk(int size) {
    return _sbrk(size);
}

void bare_main(void) {
    memset(_bss_start, 0, (size_t)((uint8_t *)_bss_end - (uint8_t *)_bss_start));
    clock_start();
    uint32_t in = open_file("requests.bin", 1);
    out = open_file("replies.bin", 5);
    uint32_t size = semihost(SYS_FLEN, &in);
    uint32_t block[3] = { in, (uint32_t)_requests, size };
    int bad = in == ~0u || out == ~0u || semihost(SYS_READ, block) != 0;
    bad = bad || serve(_requests, size, reply) != 0;
    semihost(SYS_CLOSE, &out);
    leave(bad);
}

#if defined(__arm__)

static void fault(void) {
    leave(1);
}

__attribute__((used, section(".vectors"))) void (*const vectors[16])(void) = {
    (void (*)(void))_stack_top,
    bare_main,
    fault,
    fault,
    fault,
    fault,
    fault,
};

#else

__attribute__((naked, used, section(".vectors"))) void start(void);

void start(void) {
    __asm__ volatile(
        ".option push \n .option norelax \n la gp, __global_pointer$ \n .option pop \n"
        "la sp, _stack_top \n la t0, trapped \n csrw mtvec, t0 \n j bare_main \n"
        ".balign 4 \n trapped: j trap_exit");
}

void trap_exit(void);

__attribute__((used)) void trap_exit(void) {
    leave(1);
}

#endif
