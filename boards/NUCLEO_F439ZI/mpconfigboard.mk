# SPDX-License-Identifier: MIT
# Upstream's NUCLEO_F439ZI with the token in it: own memory layout, manifest and C modules.

include boards/NUCLEO_F439ZI/mpconfigboard.mk

LD_FILES = $(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld boards/common_ifs.ld
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
RAWFLASH_CHIP = stm32 stm32_f4

include $(BOARD_DIR)/../stm32.mk
