// SPDX-License-Identifier: MIT
// Aspeed AST1030 evaluation board, as QEMU's machine ast1030-evb emulates it.

#define MICROPY_HW_BOARD_NAME "AST1030_EVB"
#define MICROPY_HW_MCU_NAME "AST1030"
