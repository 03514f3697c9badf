# SPDX-License-Identifier: MIT
# `make natmod`: the token for stock MicroPython, for each architecture that can be built here, in
# build/natmod/ARCH. Included by the Makefile at the top.
#   mpremote mip install build/natmod/armv7emsp/package.json

NATMOD_ARCHS ?= armv6m armv7m armv7emsp armv7emdp rv32imc

.PHONY: natmod
natmod: $(NATMOD_ARCHS:%=natmod-%) ## the token for stock firmware (no key isolation): build/natmod

NATMOD_PYTHON = $(abspath $(PY))

.PHONY: $(NATMOD_ARCHS:%=natmod-%)
$(NATMOD_ARCHS:%=natmod-%): natmod-%: venv mpy-cross
	@mkdir -p build/natmod/.made/$*
	@echo 'include $(ROOT)/natmod/p11native.mk' > build/natmod/.made/$*/Makefile
	+@tools/one_build.sh build/natmod/.made/$* $(MAKE) --no-print-directory -s \
		-C build/natmod/.made/$* ARCH=$* MPY_DIR=$(MICROPYTHON) \
		PYTHON=$(NATMOD_PYTHON) > build/natmod/.made/$*.log \
		|| { cat build/natmod/.made/$*.log >&2; exit 1; }
	@$(PY) natmod/package.py build/natmod/$* $* build/natmod/.made/$*/p11native.mpy \
		$(MPY_CROSS) '$(VERSION)'
