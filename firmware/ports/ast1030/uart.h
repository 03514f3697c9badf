// SPDX-License-Identifier: MIT
// The console UART: interrupt-driven, without loss in either direction.
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(void);
bool uart_readable(void);
int uart_get(void);                            // a byte, or -1 when none is waiting
void uart_write(const void *data, size_t len); // returns when all of it is in the FIFO
void uart_drain(void);                         // waits until it is sent, 50 ms at most
void uart_write_polled(const char *text);      // for faults: needs no interrupt, waits until sent

#endif
