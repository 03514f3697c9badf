# SPDX-License-Identifier: MIT
# p11crypto for MicroPython ports built with make.
#   MBEDTLS     source tree of mbedTLS 3.6; default build/src/mbedtls of this checkout
#   P256        P-256 and SHA-256: own (p256/, sha256/; default) or mbedtls
#   P11_OPT     optimisation of the core

P11_DIR := $(USERMOD_DIR)
MBEDTLS ?= $(abspath $(P11_DIR)/../../../build/src/mbedtls)
P11_OPT ?= -O2
P11_BUILD := $(BUILD)/p11crypto
P11_NAMES := $(P11_BUILD)/names.h

include $(P11_DIR)/core.mk

ifeq ($(wildcard $(MBEDTLS)/library/ecdsa.c),)
$(error no mbedTLS sources in $(MBEDTLS): run "make sources" or set MBEDTLS)
endif

# The bindings see MicroPython's headers and p11crypto.h; the core sees mbedTLS and p11crypto.h.
SRC_USERMOD_C += $(P11_DIR)/modp11crypto.c $(P11_DIR)/modp11crypto_hash.c \
	$(P11_DIR)/modp11crypto_keys.c $(P11_DIR)/modp11crypto_rsa.c $(P11_DIR)/modp11crypto_secret.c
CFLAGS_USERMOD += -I$(P11_DIR)

P11_CORE_O := $(P11_CORE:%=$(P11_BUILD)/core/%.o)
P11_MBEDTLS_O := $(P11_MBEDTLS_FILES:%=$(P11_BUILD)/mbedtls/%.o)
P11_ASSEMBLY_O := $(P11_ASSEMBLY:%=$(P11_BUILD)/core/%.o)
PY_O += $(P11_CORE_O) $(P11_ASSEMBLY_O) $(P11_MBEDTLS_O)

$(P11_CORE_O) $(P11_MBEDTLS_O): private CFLAGS += $(P11_CORE_FLAGS) $(P11_OPT)
# SHA-256 is a tenth faster so on Cortex-M4; of the others nobody waits for the arithmetic.
P11_SMALL := sha256 sha1 sha512 rsa rsa_alt_helpers asn1parse asn1write oid md
$(P11_SMALL:%=$(P11_BUILD)/mbedtls/%.o): private CFLAGS += -Os
$(P11_CORE_O) $(P11_MBEDTLS_O): $(P11_NAMES) $(P11_BUILD)/flags

# Touched only when the flags of the core change.
$(P11_BUILD)/flags: FORCE
	$(Q)$(MKDIR) -p $(@D)
	$(Q)echo '$(subst ','\'',$(MBEDTLS) $(P11_CORE_FLAGS) $(P11_OPT))' > $@.new
	$(Q)if cmp -s $@.new $@; then $(RM) $@.new; else mv $@.new $@; fi

$(P11_BUILD)/core/%.o: $(P11_DIR)/%.c
	$(call compile_c)

$(P11_BUILD)/core/%.o: $(P11_DIR)/%.S
	$(ECHO) "AS $<"
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

$(P11_BUILD)/mbedtls/%.o: $(MBEDTLS)/library/%.c
	$(call compile_c)

$(P11_NAMES): $(P11_DIR)/prefix.py $(MBEDTLS)/include/mbedtls/build_info.h
	$(ECHO) "GEN $@"
	$(Q)$(PYTHON) $< $(MBEDTLS) $@
