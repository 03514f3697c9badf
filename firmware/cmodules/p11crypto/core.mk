# SPDX-License-Identifier: MIT
# The files of the cryptographic core, for the firmware (micropython.mk) and for the host tests
# (host_tests/c/Makefile). Sets P11_CORE, P11_MBEDTLS_FILES and P11_CORE_FLAGS.
# Before: P11_DIR (this directory), MBEDTLS (a source tree of mbedTLS 3.6), P11_NAMES (where the
# header of prefix.py goes). Choices: P256 (own or mbedtls), P11_RFC6979=1, P11_NO_TRNG=1 with
# P11_NV_SEED=1 (a chip without entropy source whose system keeps a seed: pal/nv_seed.py).

P256 ?= own
P11_RFC6979 ?= 0
P11_NO_TRNG ?= 0
P11_NV_SEED ?= 0

P11_CORE = core wipe arena slots entropy drbg hash hmac seal secret cipher rsa ec ec_$(P256)
P11_ASSEMBLY =
P11_FAST_SHA256 = 0
ifeq ($(P256),own)
include $(P11_DIR)/p256/p256.mk
P11_CORE += $(P256_C) sha256/process_mbedtls
P11_ASSEMBLY += $(P256_S)
P11_FAST_SHA256 = 1
endif

P11_MBEDTLS_FILES = aes asn1parse asn1write bignum bignum_core block_cipher constant_time \
	ctr_drbg ecdsa ecp ecp_curves gcm md oid platform_util rsa rsa_alt_helpers sha1 sha256 sha512
ifeq ($(P11_RFC6979),1)
P11_MBEDTLS_FILES += hmac_drbg
endif

# -iquote goes before any -I, so another mbedTLS on the include path does no harm.
P11_CORE_FLAGS = -iquote $(P11_DIR) -iquote $(P11_DIR)/nopsa -iquote $(MBEDTLS)/include -iquote $(MBEDTLS)/library \
	-UMBEDTLS_CONFIG_FILE -UMBEDTLS_USER_CONFIG_FILE \
	-DMBEDTLS_CONFIG_FILE='"p11_mbedtls_config.h"' \
	-DP11_RFC6979=$(P11_RFC6979) -DP11_FAST_SHA256=$(P11_FAST_SHA256) -DP11_NO_TRNG=$(P11_NO_TRNG) -DP11_NV_SEED=$(P11_NV_SEED) \
	-include $(P11_NAMES)
