# SPDX-License-Identifier: MIT
# p11native.mpy for one architecture, in the current directory: its Makefile is a line that
# includes this file (natmod.mk writes it). Variables:
#   ARCH     armv6m armv7m armv7emsp armv7emdp rv32imc
#   MPY_DIR  MicroPython's sources    MBEDTLS  mbedTLS 3.6, whose copy of p256-m is used
# The Python that runs needs pyelftools, and for armv6m ar.

NATMOD := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
P256M = $(MBEDTLS)/3rdparty/p256-m/p256-m
LOADER = $(NATMOD)/../firmware/ports/ast1030/loader

ifeq ($(wildcard $(P256M)/p256-m.c),)
$(error no p256-m in $(MBEDTLS): run "make sources" or set MBEDTLS)
endif

MOD = p11native
SRC = p11native.c aesgcm.c stretch.c sha256.c p256-m.c
vpath %.c $(NATMOD) $(LOADER) $(P256M)
# The loops of memcpy and memset must not become calls of memcpy and memset.
CFLAGS += -fno-tree-loop-distribute-patterns
CFLAGS += -I$(NATMOD) -I$(NATMOD)/shim -I$(P256M) -I$(LOADER)

# 64-bit multiplication is a function of the compiler's library on armv6m only.
LINK_RUNTIME = $(if $(filter armv6m,$(ARCH)),1,0)

include $(MPY_DIR)/py/dynruntime.mk
