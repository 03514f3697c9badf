# SPDX-License-Identifier: MIT
# rawflash for MicroPython ports built with CMake; RAWFLASH_CHIP names the file of the chip family.
# ESP32 boards do not need this module: esp32.Partition does its work.

if(RAWFLASH_CHIP)
    add_library(usermod_rawflash INTERFACE)
    target_sources(usermod_rawflash INTERFACE
        ${CMAKE_CURRENT_LIST_DIR}/modrawflash.c
        ${CMAKE_CURRENT_LIST_DIR}/rawflash.c
        ${CMAKE_CURRENT_LIST_DIR}/${RAWFLASH_CHIP}.c
    )
    target_include_directories(usermod_rawflash INTERFACE ${CMAKE_CURRENT_LIST_DIR})
    target_link_libraries(usermod INTERFACE usermod_rawflash)
endif()
