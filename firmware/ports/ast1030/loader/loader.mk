# SPDX-License-Identifier: MIT
# The loader: a separate program with its own memory, flags and no MicroPython in it.

LOADER_SRC = loader/loader.c loader/sha256.c
LOADER_CFLAGS = -mcpu=cortex-m4 -mthumb -Wall -Wextra -Wconversion -std=gnu99 -O2 -g -ffreestanding \
	-I. -I$(BOARD_DIR) -nostdlib $(if $(filter 1,$(WERROR)),-Werror)

$(BUILD)/loader.elf: $(LOADER_SRC) loader/sha256.h loader/loader.ld loader/loader.mk \
		ast1030.h $(BOARD_DIR)/flash_map.h
	$(ECHO) "LINK $@"
	$(Q)mkdir -p $(BUILD)
	$(Q)$(CC) $(LOADER_CFLAGS) -T loader/loader.ld -o $@ $(LOADER_SRC) $(LIBS)
