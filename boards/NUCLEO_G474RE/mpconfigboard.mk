# SPDX-License-Identifier: MIT
# Upstream's NUCLEO_G474RE with the token in it: own memory layout, manifest and C modules.

include boards/NUCLEO_G474RE/mpconfigboard.mk

LD_FILES = $(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld boards/common_basic.ld
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
RAWFLASH_CHIP = stm32 stm32_l4
# Every KiB counts on this board: the P-256 of mbedTLS is there already, for P-384's sake.
P11_OPT = -Os
P256 = mbedtls

include $(BOARD_DIR)/../stm32.mk
