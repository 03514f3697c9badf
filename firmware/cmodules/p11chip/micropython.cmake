# SPDX-License-Identifier: MIT
# What p11crypto needs of the chip, for MicroPython's esp32 port.

if(ESP_PLATFORM)
    add_library(usermod_p11chip INTERFACE)
    target_sources(usermod_p11chip INTERFACE
        ${CMAKE_CURRENT_LIST_DIR}/esp32_entropy.c
        ${CMAKE_CURRENT_LIST_DIR}/esp32_secret.c
    )
    # esp_hmac.h, bootloader_random.h and what esp_efuse.h includes for the chip are not among the
    # headers the port asks for. (They are for one of its two targets that compile this file.)
    foreach(P11_COMPONENT efuse efuse/${IDF_TARGET} esp_security esp_hw_support bootloader_support)
        if(EXISTS $ENV{IDF_PATH}/components/${P11_COMPONENT}/include)
            target_include_directories(usermod_p11chip INTERFACE
                $ENV{IDF_PATH}/components/${P11_COMPONENT}/include)
        endif()
    endforeach()
    target_link_libraries(usermod INTERFACE usermod_p11chip)
endif()
