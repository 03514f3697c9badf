# SPDX-License-Identifier: MIT
# Secure boot and flash encryption: the first start burns eFuses (docs/BOARDS.md).

list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/../sdkconfig.hardened)
