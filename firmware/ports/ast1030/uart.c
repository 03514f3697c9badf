// SPDX-License-Identifier: MIT
// UART5 (16550) behind a ring.
//
// Nothing is ever dropped: when the ring is full the receive interrupt is masked, the FIFO
// fills up and the sender is held (QEMU stops reading its terminal; a real line needs a sender
// that waits, as raw paste does). The interrupt character is acted upon when it is received,
// not when it is read, so that it stops a program which never reads; it has to get past what was
// sent before it, hence a ring larger than anything one types ahead.

#include "py/runtime.h"
#include "shared/runtime/interrupt_char.h"

#include "ast1030.h"
#include "ticks.h"
#include "uart.h"

#define RING_SIZE 8192u             // a power of two
#define RING_RESUME (RING_SIZE / 2) // take up reception when this much is read

static uint8_t ring[RING_SIZE];
static volatile uint32_t ring_put; // written by the interrupt only
static volatile uint32_t ring_got; // written by uart_get only

// Both the interrupt and the main program change IER, hence the critical sections.
static void ier_set(uint32_t bits) {
    uint32_t irq = irq_disable();
    UART_IER |= bits;
    irq_restore(irq);
}

static void ier_clear(uint32_t bits) {
    uint32_t irq = irq_disable();
    UART_IER &= ~bits;
    irq_restore(irq);
}

void uart_init(void) {
    UART_IER = 0;
    UART_LCR = UART_LCR_DLAB | UART_LCR_8N1;
    UART_DLL = 1; // 24 MHz / 13 / 16 = 115 384 baud
    UART_DLM = 0;
    UART_LCR = UART_LCR_8N1;
    UART_FCR = UART_FCR_TRIGGER_14 | UART_FCR_ENABLE;
    UART_MCR = UART_MCR_OUT2;
    UART_IER = UART_IER_RX;
    NVIC_ISER0 = 1u << UART5_IRQ;
}

void UART5_Handler(void) {
    while (UART_LSR & UART_LSR_RX) {
        if (ring_put - ring_got == RING_SIZE) {
            UART_IER &= ~UART_IER_RX;
            break;
        }
        uint8_t c = UART_RBR;
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ring[ring_put % RING_SIZE] = c;
            ring_put = ring_put + 1;
        }
    }
    (void)UART_IIR; // acknowledges the transmit interrupt
    UART_IER &= ~UART_IER_TX;
    ticks_wake();
}

bool uart_readable(void) {
    return ring_put != ring_got;
}

int uart_get(void) {
    if (ring_put == ring_got) {
        return -1;
    }
    uint8_t c = ring[ring_got % RING_SIZE];
    ring[ring_got % RING_SIZE] = 0; // PINs pass through here
    ring_got = ring_got + 1;
    if (ring_put - ring_got == RING_RESUME) {
        ier_set(UART_IER_RX);
    }
    return c;
}

void uart_write(const void *data, size_t len) {
    const uint8_t *bytes = data;
    while (len != 0) {
        while (!(UART_LSR & UART_LSR_TX_EMPTY)) {
            ier_set(UART_IER_TX);
            ticks_wait(TICKS_FOREVER);
        }
        for (size_t room = UART_FIFO_BYTES; room != 0 && len != 0; --room, --len) {
            UART_THR = *bytes++;
        }
    }
    ier_clear(UART_IER_TX);
}

void uart_drain(void) {
    uint64_t deadline = ticks_us() + 50000;
    while (!(UART_LSR & UART_LSR_TX_IDLE) && ticks_us() < deadline) {
    }
}

void uart_write_polled(const char *text) {
    for (; *text != '\0'; ++text) {
        while (!(UART_LSR & UART_LSR_TX_EMPTY)) {
        }
        UART_THR = (uint8_t)*text;
    }
    while (!(UART_LSR & UART_LSR_TX_IDLE)) {
    }
}
