# SPDX-License-Identifier: MIT
# MicroPython's module tls over an mbedTLS of its own (TLS=0: without), from the same source tree as
# p11crypto's. Before: MBEDTLS, P256. TLS13=0 leaves TLS 1.3 out.

TLS13 ?= 1
TLS_ENGINE := $(if $(filter mbedtls,$(P256)),0,1)

TLS_MBEDTLS = aes asn1parse asn1write base64 bignum bignum_core block_cipher cipher cipher_wrap constant_time \
	ctr_drbg ecdh ecdsa ecp ecp_curves entropy gcm hkdf md oid pem pk pk_ecc pk_wrap pkparse platform \
	platform_util rsa rsa_alt_helpers sha256 sha512 ssl_ciphersuites ssl_client ssl_msg ssl_tls \
	ssl_tls12_client x509 x509_crt
ifeq ($(strip $(TLS13)),1)
TLS_MBEDTLS += psa_crypto psa_crypto_aead psa_crypto_cipher psa_crypto_client psa_crypto_ecp \
	psa_crypto_driver_wrappers_no_static psa_crypto_hash psa_crypto_mac psa_crypto_rsa \
	psa_crypto_slot_management psa_util ssl_tls13_client ssl_tls13_generic ssl_tls13_keys
endif

# For all of MicroPython (modtls, modhashlib); p11crypto's copy undoes and overrides this (core.mk).
TLS_CONFIG = -I$(MBEDTLS)/include -Itls -DMBEDTLS_CONFIG_FILE='"mbedtls_config_tls.h"' \
	-DP11_TLS13=$(strip $(TLS13)) -DP11_TLS_ENGINE=$(TLS_ENGINE) -DMICROPY_PY_SSL=1 -DMICROPY_SSL_MBEDTLS=1 -DMICROPY_PY_SSL_ECDSA_SIGN_ALT=1 \
	-DMICROPY_TRACKED_ALLOC=1 -DMICROPY_MBEDTLS_CONFIG_BARE_METAL=1 -DP11_TLS=1
# The callback of a context signs instead of mbedTLS (extmod/mbedtls/mbedtls_alt.c); tls_port.c looks
# at a connection before it goes, for the alert that ended it.
LDFLAGS += -Wl,--wrap=mbedtls_ecdsa_write_signature -Wl,--wrap=mbedtls_ssl_free

CFLAGS += $(TLS_CONFIG)
SRC_C += tls/tls_port.c
ifeq ($(TLS_ENGINE),1)
OBJ += $(BUILD)/tls/tls_p256.o # no names of MicroPython in it
endif

TLS_O = $(TLS_MBEDTLS:%=$(BUILD)/tls/mbedtls/%.o)
OBJ += $(TLS_O)
$(TLS_O): private CFLAGS += -iquote $(MBEDTLS)/library
$(BUILD)/tls/tls_p256.o: private CFLAGS += -I$(ROOT)/firmware/cmodules/p11crypto
$(BUILD)/tls/mbedtls/bignum_core.o $(BUILD)/tls/mbedtls/ecp_curves.o: private CFLAGS += -O2

$(BUILD)/tls/mbedtls/%.o: $(MBEDTLS)/library/%.c
	$(call compile_c)
