# SPDX-License-Identifier: MIT
# Upstream's ESP32_GENERIC with the token in it: own partition table, manifest and C modules.

include(${CMAKE_SOURCE_DIR}/boards/ESP32_GENERIC/mpconfigboard.cmake)

set(P11_VFS_BYTES 0x200000)
include(${MICROPY_BOARD_DIR}/../esp32.cmake)
