// SPDX-License-Identifier: MIT
// Included by each STM32 board's mpconfigboard.h, hence by every file of the port.
#ifndef STM32_PORT_H
#define STM32_PORT_H

struct _boardctrl_state_t;

// Wipes keys and generator when the interpreter restarts (Ctrl-D), then does what the port does.
void p11_board_end_soft_reset(struct _boardctrl_state_t *state);
#define MICROPY_BOARD_END_SOFT_RESET p11_board_end_soft_reset

#endif
