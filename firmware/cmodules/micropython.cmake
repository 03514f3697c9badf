# SPDX-License-Identifier: MIT
# All C modules, for MicroPython ports built with CMake: USER_C_MODULES=…/firmware/cmodules.

foreach(P11_MODULE p11chip p11crypto rawflash)
    include(${CMAKE_CURRENT_LIST_DIR}/${P11_MODULE}/micropython.cmake)
endforeach()
