// SPDX-License-Identifier: MIT
// The end of a run that went wrong: one line on the console, then a reset.
#ifndef FAULTS_H
#define FAULTS_H

#define STACK_GUARD_BYTES 1024u // the lowest of the stack: an access there is an overflow

void Fault_Handler(void); // for every exception nobody handles
__attribute__((noreturn)) void fatal(const char *why);

#endif
