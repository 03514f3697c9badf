# SPDX-License-Identifier: MIT
# Upstream's NUCLEO_G474RE with the token in it: own memory layout, manifest and C modules.

include boards/NUCLEO_G474RE/mpconfigboard.mk

LD_FILES = $(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld boards/common_basic.ld
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
RAWFLASH_CHIP = stm32 stm32_l4
P11_OPT = -Os # every KiB counts on this board

include $(BOARD_DIR)/../stm32.mk
