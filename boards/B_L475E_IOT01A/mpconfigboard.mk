# SPDX-License-Identifier: MIT
# Upstream's B_L475E_IOT01A with the token in it: own memory layout, manifest and C modules.

include boards/B_L475E_IOT01A/mpconfigboard.mk

LD_FILES = $(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld boards/common_basic.ld
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
RAWFLASH_CHIP = stm32 stm32_l4
# 10 KiB of the second RAM, for a longer heap.
CFLAGS += -DP11_ARENA_PLACE='__attribute__((section(".p11_arena")))'

include $(BOARD_DIR)/../stm32.mk
