# SPDX-License-Identifier: MIT
# Boards that MicroPython's own ports build, from a checkout of the user's. Included by the Makefile.
#   make firmware BOARD=NUCLEO_F439ZI MICROPYTHON=/path/to/micropython
#   make firmware BOARD=ESP32_GENERIC_C3 MICROPYTHON=… [VARIANT=HARDENED]   (in ESP-IDF's shell)
# MicroPython 1.25 to 1.29 with the submodules of the port; products in build/BOARD.

VARIANT ?=

# A CMake board is an ESP32's; a board that includes upstream's settings is an STM32's.
UPSTREAM_PORT := $(if $(wildcard boards/$(BOARD)/mpconfigboard.cmake),esp32)$(if \
	$(shell grep -s '^include boards/' boards/$(BOARD)/mpconfigboard.mk),stm32)

# Boards that are not built, and why: NAME: reason
REFUSED := $(shell sed -n 's/^$(BOARD): //p' boards/refused.txt)

ifneq ($(REFUSED),)
.PHONY: firmware
firmware:
	@echo "make: $(BOARD) is refused: $(REFUSED)" >&2; exit 1
endif

ifneq ($(UPSTREAM_PORT),)

UPSTREAM = $(MICROPYTHON)/ports/$(UPSTREAM_PORT)
NEEDED_stm32 = lib/mbedtls/library/ecdsa.c lib/stm32lib/README.md
NEEDED_esp32 =

.PHONY: upstream-checkout
upstream-checkout:
	@[ "$(LOCKED)" != 1 ] || { echo "make: there is no locked build of $(BOARD): MicroPython's" \
		"$(UPSTREAM_PORT) port always has its REPL; only AST1030_EVB is built with LOCKED=1" >&2; exit 1; }
	@[ -n "$(MICROPYTHON_GIVEN)" ] || { echo "make: $(BOARD) is built by MicroPython's" \
		"$(UPSTREAM_PORT) port: give a checkout with MICROPYTHON=/path/to/micropython" >&2; exit 1; }
	@[ -f $(UPSTREAM)/Makefile ] || \
		{ echo "make: no MicroPython with a port $(UPSTREAM_PORT) in $(MICROPYTHON)" >&2; exit 1; }
	@for file in $(NEEDED_$(UPSTREAM_PORT)); do [ -f $(MICROPYTHON)/$$file ] || { \
		echo "make: $(MICROPYTHON)/$$file is missing: git -C $(MICROPYTHON) submodule update" \
		"--init $$(echo $$file | cut -d/ -f1,2), and: make -C $(UPSTREAM)" \
		"BOARD=$(BOARD) submodules" >&2; exit 1; }; done

.PHONY: firmware
firmware: upstream-$(UPSTREAM_PORT)

.PHONY: upstream-stm32
upstream-stm32: upstream-checkout
	@mkdir -p build
	+@tools/one_build.sh $(MPY_CROSS_DIR) $(SUBMAKE) $(JOBS_FLAG) \
		-C $(MICROPYTHON)/mpy-cross BUILD=$(MPY_CROSS_DIR) $(QUIETLY)
	+@MICROPY_MPYCROSS=$(MPY_CROSS) tools/one_build.sh $(OUT) $(SUBMAKE) $(JOBS_FLAG) \
		-C $(UPSTREAM) BOARD_DIR=$(ROOT)/boards/$(BOARD) $(if $(VARIANT),BOARD_VARIANT=$(VARIANT)) \
		USER_C_MODULES=$(ROOT)/firmware/cmodules BUILD=$(OUT) VERSION='$(VERSION)' $(QUIETLY)
	@echo "firmware: $(VERSION) for $(BOARD): build/$(BOARD)/firmware.dfu;" \
		"p11board flash build/$(BOARD) --dry-run says how it would be written"

.PHONY: upstream-esp32
upstream-esp32: upstream-checkout
	@command -v idf.py > /dev/null || \
		{ echo "make: no idf.py: source export.sh of ESP-IDF 5.2 to 5.5 first" >&2; exit 1; }
	@mkdir -p build
	+@P11_VERSION='$(VERSION)' tools/one_build.sh $(OUT) $(SUBMAKE) -C $(UPSTREAM) \
		BOARD_DIR=$(ROOT)/boards/$(BOARD) $(if $(VARIANT),BOARD_VARIANT=$(VARIANT)) \
		USER_C_MODULES=$(ROOT)/firmware/cmodules/micropython.cmake BUILD=$(OUT) $(QUIETLY)
	@echo "firmware: $(VERSION) for $(BOARD): build/$(BOARD)/micropython.bin;" \
		"p11board flash build/$(BOARD) --dry-run says how it would be written"

endif
