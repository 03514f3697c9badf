# SPDX-License-Identifier: MIT
# What the STM32 boards share: included by their mpconfigboard.mk, inside MicroPython's stm32 port.
# Built by `make firmware BOARD=… MICROPYTHON=…` at the top, or by the port's own make:
#   make -C ports/stm32 BOARD_DIR=…/boards/NAME USER_C_MODULES=…/firmware/cmodules BUILD=…

override BOARD_PINS := boards/$(BOARD)/pins.csv # upstream's; the port would take ours
CFLAGS += -I$(USER_C_MODULES)/p11chip

# p11crypto compiles its own copy of the library from the checkout's submodule.
MBEDTLS ?= $(abspath $(TOP)/lib/mbedtls)

# The frozen module buildinfo: which version this is.
VERSION ?= 0.0.0
P11_INFO := $(abspath $(BUILD))/info
$(shell mkdir -p $(P11_INFO); printf 'VERSION = "%s"\nBOARD = "%s"\n' '$(VERSION)' '$(BOARD)' \
	> $(P11_INFO)/new; cmp -s $(P11_INFO)/new $(P11_INFO)/buildinfo.py || \
	mv $(P11_INFO)/new $(P11_INFO)/buildinfo.py)
MICROPY_MANIFEST_BUILD_INFO = $(P11_INFO)
