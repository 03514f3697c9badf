# SPDX-License-Identifier: MIT
# Upstream's NUCLEO_F439ZI with the token in it: own memory layout, manifest and C modules.

include boards/NUCLEO_F439ZI/mpconfigboard.mk

LD_FILES = $(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld boards/common_ifs.ld
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
# mbedTLS asks pkcs11.tls for the client's signature.
MICROPY_PY_SSL_ECDSA_SIGN_ALT = 1
RAWFLASH_CHIP = stm32 stm32_f4

include $(BOARD_DIR)/../stm32.mk
