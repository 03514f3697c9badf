# SPDX-License-Identifier: MIT
# p11crypto for MicroPython ports built with CMake.
#   ESP-IDF     mbedTLS is the one of the IDF, with its configuration, hardware and heap
#   others      an own copy, as in micropython.mk; MBEDTLS is its source tree

add_library(usermod_p11crypto INTERFACE)

set(P11_DIR ${CMAKE_CURRENT_LIST_DIR})
if(NOT P256)
    set(P256 own)
endif()

set(P11_CORE core wipe arena slots entropy drbg hash hmac seal secret cipher rsa ec ec_${P256})
if(P256 STREQUAL "own")
    # The names of p256/p256.mk; its assembly is for Cortex-M, with make.
    file(STRINGS ${P11_DIR}/p256/p256.mk P256_MK)
    string(REGEX MATCHALL "(p256|sha256)/[a-z0-9_]+" P256_C "${P256_MK}")
    list(FILTER P256_C EXCLUDE REGEX "_arm$")
    list(APPEND P11_CORE ${P256_C})
endif()

# SHA-256 of mbedTLS by our own code, where the copy of mbedTLS is ours and P-256 brings it along.
set(P11_FAST_SHA256 0)
if(P256 STREQUAL "own" AND NOT ESP_PLATFORM)
    set(P11_FAST_SHA256 1)
    list(APPEND P11_CORE sha256/process_mbedtls)
endif()
list(TRANSFORM P11_CORE PREPEND ${P11_DIR}/)
list(TRANSFORM P11_CORE APPEND .c)

target_sources(usermod_p11crypto INTERFACE
    ${P11_CORE}
    ${P11_DIR}/modp11crypto.c
    ${P11_DIR}/modp11crypto_hash.c
    ${P11_DIR}/modp11crypto_keys.c
    ${P11_DIR}/modp11crypto_rsa.c
    ${P11_DIR}/modp11crypto_secret.c
)
target_include_directories(usermod_p11crypto INTERFACE ${P11_DIR})
target_compile_definitions(usermod_p11crypto INTERFACE
    P11_RFC6979=0 P11_NO_TRNG=0 P11_NV_SEED=0 P11_FAST_SHA256=${P11_FAST_SHA256})

if(ESP_PLATFORM)
    # As later versions do it: the port of MicroPython 1.25 compiles user modules without any of
    # ESP-IDF's options, not even optimised. No others: these reach all files of MicroPython.
    idf_build_get_property(P11_IDF_OPTIONS COMPILE_OPTIONS)
    target_compile_options(usermod_p11crypto INTERFACE ${P11_IDF_OPTIONS})
else()
    if(NOT MBEDTLS)
        get_filename_component(MBEDTLS ${P11_DIR}/../../../build/src/mbedtls ABSOLUTE)
    endif()
    set(P11_MBEDTLS aes asn1parse asn1write bignum bignum_core block_cipher constant_time ctr_drbg
        ecdsa ecp ecp_curves gcm md oid platform_util rsa rsa_alt_helpers sha1 sha256 sha512)
    list(TRANSFORM P11_MBEDTLS PREPEND ${MBEDTLS}/library/)
    list(TRANSFORM P11_MBEDTLS APPEND .c)
    target_sources(usermod_p11crypto INTERFACE ${P11_MBEDTLS})

    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    set(P11_NAMES ${CMAKE_BINARY_DIR}/p11crypto/names.h)
    execute_process(COMMAND ${Python3_EXECUTABLE} ${P11_DIR}/prefix.py ${MBEDTLS} ${P11_NAMES}
        RESULT_VARIABLE P11_PREFIX_FAILED)
    if(P11_PREFIX_FAILED)
        message(FATAL_ERROR "no mbedTLS sources in ${MBEDTLS}: set MBEDTLS")
    endif()
    set_source_files_properties(${P11_CORE} ${P11_MBEDTLS} PROPERTIES COMPILE_OPTIONS
        "-O2;-iquote;${P11_DIR};-iquote;${P11_DIR}/nopsa;-iquote;${MBEDTLS}/include;-iquote;${MBEDTLS}/library;\
-UMBEDTLS_CONFIG_FILE;-DMBEDTLS_CONFIG_FILE=\"p11_mbedtls_config.h\";-include;${P11_NAMES}")
endif()

target_link_libraries(usermod INTERFACE usermod_p11crypto)
