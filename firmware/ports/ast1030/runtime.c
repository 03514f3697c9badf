// SPDX-License-Identifier: MIT
// What MicroPython's runtime wants of the port: a heap, the limit of the stack, the collector's roots,
// an end for exceptions without a handler.

#include "runtime.h"

#include "py/cstack.h"
#include "py/gc.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"

#include "faults.h"

extern uint8_t _heap_start, _heap_end, _stack_bottom, _stack_top;

void runtime_start(void) {
    const size_t stack_size = (size_t)(&_stack_top - &_stack_bottom) - STACK_GUARD_BYTES;
    mp_cstack_init_with_top(&_stack_top, stack_size);
    gc_init(&_heap_start, &_heap_end);
    mp_init();
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *val) {
    (void)val;
    fatal("exception without a handler");
}
