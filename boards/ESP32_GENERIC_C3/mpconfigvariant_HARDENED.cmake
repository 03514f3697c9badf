# SPDX-License-Identifier: MIT
# Secure boot and flash encryption: the first start burns eFuses (docs/BOARDS.md).
# Without Bluetooth: padded for secure boot and signed, the firmware with it has no room.

include(${MICROPY_BOARD_DIR}/mpconfigvariant_NOBLE.cmake)
list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/../sdkconfig.hardened)
