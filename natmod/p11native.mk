# SPDX-License-Identifier: MIT
# p11native.mpy for one architecture, in the current directory: its Makefile is a line that
# includes this file (natmod.mk writes it). Variables:
#   ARCH     armv6m armv7m armv7emsp armv7emdp rv32imc
#   MPY_DIR  MicroPython's sources
# The Python that runs needs pyelftools, and for armv6m ar.

NATMOD := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
P11_DIR = $(NATMOD)/../firmware/cmodules/p11crypto
include $(P11_DIR)/p256/p256.mk

MOD = p11native
SRC = p11native.c aesgcm.c stretch.c $(P256_C:%=%.c) $(P256_S:%=%.S)
vpath %.c $(NATMOD) $(P11_DIR)
vpath %.S $(P11_DIR)
# The loops of memcpy and memset must not become calls of memcpy and memset.
CFLAGS += -fno-tree-loop-distribute-patterns
CFLAGS += -iquote $(NATMOD) -iquote $(P11_DIR)

# 64-bit arithmetic is a function of the compiler's library on armv6m only.
LINK_RUNTIME = $(if $(filter armv6m,$(ARCH)),1,0)

include $(MPY_DIR)/py/dynruntime.mk
