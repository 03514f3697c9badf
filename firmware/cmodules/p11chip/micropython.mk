# SPDX-License-Identifier: MIT
# What p11crypto needs of the chip, for MicroPython's stm32 port. The AST1030 port brings its own.

ifneq ($(MCU_SERIES),)
P11CHIP_DIR := $(USERMOD_DIR)
P11CHIP_FAMILY := $(shell echo $(MCU_SERIES) | tr a-z A-Z)
SRC_USERMOD_LIB_C += $(P11CHIP_DIR)/stm32_entropy.c $(P11CHIP_DIR)/stm32_port.c \
	$(P11CHIP_DIR)/stm32_check.c
CFLAGS_USERMOD += -I$(P11CHIP_DIR) -DSTM32_FAMILY_$(P11CHIP_FAMILY)
LDFLAGS_USERMOD += -Wl,--wrap=rng_get -Wl,--wrap=mp_hal_get_hw_random_u32
endif
