# SPDX-License-Identifier: MIT
# rawflash for MicroPython ports built with make. RAWFLASH_CHIP names the files of the chip family:
# ast1030 (which includes the board's flash_map.h), or stm32 and one of stm32_f4, stm32_l4, stm32_h7.

RAWFLASH_DIR := $(USERMOD_DIR)
RAWFLASH_CHIP ?= ast1030

SRC_USERMOD_C += $(RAWFLASH_DIR)/modrawflash.c
SRC_USERMOD_LIB_C += $(RAWFLASH_DIR)/rawflash.c $(RAWFLASH_CHIP:%=$(RAWFLASH_DIR)/%.c)
CFLAGS_USERMOD += -I$(RAWFLASH_DIR)
