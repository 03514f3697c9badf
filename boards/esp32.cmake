# SPDX-License-Identifier: MIT
# What the ESP32 boards share: included by their mpconfigboard.cmake, inside MicroPython's esp32
# port (IDF's project file is its current directory), after upstream's own settings of the board.
#
# P11_VFS_BYTES: the file system of upstream's table of 1.25, from 0x200000 on. Later versions have
# no such row: they give the file system what lies behind the last partition. Both end up at
# 0x200000, so an existing file system stays.

file(READ ${MICROPY_BOARD_DIR}/partitions.csv P11_TABLE)
if(EXISTS ${CMAKE_SOURCE_DIR}/partitions-4MiB.csv)
    string(APPEND P11_TABLE "vfs,      data, fat,     0x200000, ${P11_VFS_BYTES},\n")
endif()

# IDF takes the path of the table from a settings file, which cannot hold variables: write one.
set(P11_MADE ${CMAKE_BINARY_DIR}/p11)
file(CONFIGURE OUTPUT ${P11_MADE}/partitions.csv CONTENT "${P11_TABLE}" @ONLY)
file(CONFIGURE OUTPUT ${P11_MADE}/sdkconfig CONTENT "
CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${P11_MADE}/partitions.csv\"
" @ONLY)
list(APPEND SDKCONFIG_DEFAULTS ${P11_MADE}/sdkconfig)

# The frozen module buildinfo: which version this is.
if(DEFINED ENV{P11_VERSION})
    set(P11_VERSION $ENV{P11_VERSION})
else()
    set(P11_VERSION 0.0.0)
endif()
file(CONFIGURE OUTPUT ${P11_MADE}/buildinfo.py
    CONTENT "VERSION = \"${P11_VERSION}\"\nBOARD = \"${MICROPY_BOARD}\"\n" @ONLY)
set(MICROPY_MANIFEST_BUILD_INFO ${P11_MADE})
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
