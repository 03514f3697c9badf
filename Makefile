# SPDX-License-Identifier: MIT
# micropython-pkcs11: `make demo` shows it, `make test` checks it, `make help` lists the rest.

BOARD ?= AST1030_EVB
# Version of the firmware: that of the host tools, unless given.
VERSION ?= $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' tools/p11board/__init__.py)
VERSION_NEXT ?= $(VERSION)-next
PYTHON ?= python3
JOBS ?= $(shell nproc)
V ?= 0

ROOT := $(CURDIR)
# NO_TRNG=1: as if the chip had no entropy source (emulated board), in a directory of its own.
NO_TRNG ?= 0
# LOCKED=1: no REPL, no compiler, no file system; only the RPC server, or the frozen application.
LOCKED ?= 0
# LOCKED_MAIN=folder: with LOCKED=1, the folder whose locked_main.py is frozen and run, not the server.
LOCKED_MAIN ?=
ifneq ($(LOCKED_MAIN),)
override LOCKED_MAIN := $(abspath $(LOCKED_MAIN))
ifneq ($(LOCKED),1)
$(error LOCKED_MAIN= is for a locked build: give LOCKED=1, too)
endif
ifeq ($(wildcard $(LOCKED_MAIN)/locked_main.py),)
$(error no locked_main.py in $(LOCKED_MAIN))
endif
endif
export LOCKED_MAIN
# P256=mbedtls: curves and SHA-256 by mbedTLS instead of the own engine, for comparison.
P256 ?= own
VARIANT_OF_BOARD = $(if $(filter 1,$(NO_TRNG)),-notrng)$(if $(filter 1,$(LOCKED)),-locked)$(if $(LOCKED_MAIN),-application)$(if \
	$(filter mbedtls,$(P256)),-mbedtls)
OUT = $(ROOT)/build/$(BOARD)$(VARIANT_OF_BOARD)
PY = .venv/bin/python
P11BOARD = .venv/bin/p11board

export PYTHON

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ifneq ($(words $(ROOT)),1)
$(error the path of this checkout has a space in it, which make cannot handle: $(ROOT))
endif

.PHONY: help
help: ## list the targets
	@echo "usage: make TARGET [VARIABLE=value]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo
	@echo "variables: BOARD=$(BOARD) VERSION=$(VERSION) JOBS=$(JOBS) V=1 shows commands"
	@echo "  MICROPYTHON= an upstream checkout, MBEDTLS= mbedTLS 3.6 sources; default: Debian's packages"

# -- what is needed --------------------------------------------------------------------------

.PHONY: deps
deps: ## install missing Debian packages (asks for sudo only then)
	@tools/deps.sh

.PHONY: venv
venv: .venv/complete ## Python packages and p11board in .venv
.venv/complete: requirements.txt pyproject.toml tools/venv.sh | deps
	@tools/venv.sh

# Sources given by hand are used as they are.
MICROPYTHON_GIVEN := $(MICROPYTHON)
MBEDTLS_GIVEN := $(MBEDTLS)
override MICROPYTHON := $(abspath $(or $(MICROPYTHON_GIVEN),build/src/micropython))
override MBEDTLS := $(abspath $(or $(MBEDTLS_GIVEN),build/src/mbedtls))

.PHONY: sources
sources: deps ## MicroPython and mbedTLS from Debian, verified, in build/src
ifeq ($(and $(MICROPYTHON_GIVEN),$(MBEDTLS_GIVEN)),)
	@tools/sources.sh
endif
	@[ -f $(MICROPYTHON)/py/mkrules.mk ] || \
		{ echo "make: no MicroPython sources in $(MICROPYTHON)" >&2; exit 1; }
	@[ -f $(MBEDTLS)/library/ecdsa.c ] || \
		{ echo "make: no mbedTLS sources in $(MBEDTLS)" >&2; exit 1; }

# -- firmware --------------------------------------------------------------------------------

# Within a make that has job slots already, the sub-make takes from those.
JOBS_FLAG = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# One line for each step, without the chatter of MicroPython's makefiles. The filter outlives Ctrl-C:
# a make that cannot print any more dies before it has deleted its half-written targets.
ifeq ($(V),1)
SUBMAKE = $(MAKE) --no-print-directory V=1
QUIETLY =
else
SUBMAKE = $(MAKE) --no-print-directory -s
QUIETLY = 2>&1 | (trap '' INT TERM; exec sed -u -E \
	-e '/^(GEN|mkdir|Use make V=1|Including User C Module)/d' \
	-e '/^(QSTR|Module registrations|Root pointer registrations|Compressed data) (not )?updated/d' \
	-e 's:([[:space:]])($(MICROPYTHON)|$(MBEDTLS)|$(ROOT))/:\1:')
endif

# One mpy-cross for each source tree: it has to fit the firmware it compiles for.
MPY_CROSS_DIR = $(ROOT)/build/mpy-cross$(if $(MICROPYTHON_GIVEN),-$(subst /,_,$(MICROPYTHON)))
MPY_CROSS = $(MPY_CROSS_DIR)/mpy-cross

.PHONY: mpy-cross
mpy-cross: sources
	+@PYTHONDONTWRITEBYTECODE=1 tools/one_build.sh $(MPY_CROSS_DIR) $(SUBMAKE) $(JOBS_FLAG) \
		-C $(MICROPYTHON)/mpy-cross BUILD=$(MPY_CROSS_DIR) PYTHON=$(PYTHON) $(QUIETLY)
	@touch -d @0 $(MPY_CROSS_DIR)/genhdr # see the port's Makefile: Debian's mpversion.h

PORT = $(SUBMAKE) $(JOBS_FLAG) -C firmware/ports/$(PORT_OF_BOARD) BOARD=$(BOARD) BUILD=$(OUT) \
	MICROPYTHON=$(MICROPYTHON) MBEDTLS=$(MBEDTLS) MPY_CROSS=$(MPY_CROSS) PYTHON=$(PYTHON) \
	VERSION='$(VERSION)' VERSION_NEXT='$(VERSION_NEXT)' \
	P256=$(P256) LOCKED=$(LOCKED) P11_NO_TRNG=$(NO_TRNG) P11_NV_SEED=$(or $(NV_SEED),$(NO_TRNG))

# A board names its port in mpconfigboard.mk.
PORT_OF_BOARD = $(shell sed -n 's/^PORT *= *//p' boards/$(BOARD)/mpconfigboard.mk 2>/dev/null)

.PHONY: board-is-known
board-is-known:
	@[ -f boards/$(BOARD)/board.json ] || { echo "make: no board $(BOARD); there are:" \
		"$(patsubst boards/%/board.json,%,$(wildcard boards/*/board.json))" >&2; exit 1; }
	@[ -n "$(PORT_OF_BOARD)" ] && [ -d firmware/ports/$(PORT_OF_BOARD) ] || \
		{ echo "make: board $(BOARD) cannot be built from this checkout yet" >&2; exit 1; }

include boards/upstream.mk # boards of MicroPython's own ports, and boards that are refused

ifeq ($(UPSTREAM_PORT)$(REFUSED),)
.PHONY: firmware
firmware: board-is-known mpy-cross ## build the firmware: build/BOARD/firmware.p11a and loader.elf
	+@tools/one_build.sh $(OUT) $(PORT) all $(QUIETLY)
	@echo "firmware: $(VERSION) for $(BOARD) in build/$(BOARD)$(VARIANT_OF_BOARD)/firmware.p11a"
endif

# The same with another version, for those who try an update.
.PHONY: firmware-next
firmware-next: firmware
	+@tools/one_build.sh $(OUT) $(PORT) next $(QUIETLY)

.PHONY: firmware-locked
firmware-locked: firmware ## the firmware without REPL and compiler: build/BOARD-locked
	+@$(MAKE) --no-print-directory firmware LOCKED=1

# The emulated board as one without entropy source, for the tests of the stored seed.
.PHONY: firmware-notrng
firmware-notrng: firmware
	+@$(MAKE) --no-print-directory firmware NO_TRNG=1

# mbedTLS for everything: what the engine is compared with on the board.
.PHONY: firmware-mbedtls
firmware-mbedtls: firmware
	+@$(MAKE) --no-print-directory firmware P256=mbedtls

include natmod/natmod.mk # the token for stock MicroPython

# -- use -------------------------------------------------------------------------------------

.PHONY: demo
demo: venv firmware-next ## the whole story on the emulated board (FRESH=1: on a new flash)
	@$(P11BOARD) demo $(if $(filter 1,$(FRESH)),--fresh)

.PHONY: repl
repl: venv firmware ## the emulated board's REPL in this terminal (leave with Ctrl-])
	@$(P11BOARD) emulate start
	@$(P11BOARD) --board emulated repl

# -- checks ----------------------------------------------------------------------------------

.PHONY: deps-test
deps-test:
	@tools/deps.sh test

.PHONY: test
test: deps-test venv firmware-next firmware-notrng firmware-locked ## all tests: host, C under sanitizers, emulated board, lint
	@$(PY) tools/test.py

.PHONY: test-fast
test-fast: venv ## the tests of the edit loop, under two minutes
	@$(PY) tools/test.py --fast

.PHONY: soak
soak: deps-test venv firmware-next firmware-notrng firmware-locked firmware-mbedtls ## the long versions of the tests
	@$(PY) tools/test.py --soak
	@$(PY) tools/cuts.py --size $(or $(SIZE),5000000) --out build/cuts-soak.json

.PHONY: cuts
cuts: venv ## power cuts on the simulated store, SIZE=1000000 runs on all cores: build/cuts.json
	@$(PY) tools/cuts.py --size $(or $(SIZE),1000000) --workers $(JOBS)

.PHONY: bench
bench: deps-test venv firmware-mbedtls ## instructions: engine against mbedTLS, PKCS#11 on the board: build/bench.json
	@$(PY) tools/bench_p256.py --mbedtls $(MBEDTLS)
	@$(PY) tools/bench_token.py --build $(OUT)
	@$(PY) tools/bench_tls.py --build $(OUT)

.PHONY: bench-store
bench-store: venv firmware ## what the store costs in flash, RAM and time: build/bench-store.json
	@$(PY) tools/bench_store.py --build $(OUT)

.PHONY: bench-rpc
bench-rpc: venv firmware ## what the RPC layer costs: build/bench-rpc.json
	@$(PY) tools/bench_rpc.py --build $(OUT)

.PHONY: lint
lint: venv ## style of Python (ruff) and C (clang-format)
	@$(PY) tools/test.py --style

.PHONY: format
format: venv ## repair the style
	@.venv/bin/ruff format --quiet . && .venv/bin/ruff check --fix --quiet .
	@git ls-files -co --exclude-standard -z '*.c' '*.h' ':!*qstrdefs*' | xargs -0r .venv/bin/clang-format -i

.PHONY: docs
docs: venv ## write docs/CRYPTOKI.md from the tables of the firmware
	@$(PY) tools/cryptoki_page.py

.PHONY: clean
clean: ## delete what was built; the sources and the emulated board stay
	rm -rf $(patsubst boards/%/board.json,build/%,$(wildcard boards/*/board.json)) build/*-notrng build/*-locked build/*-application build/*-mbedtls \
		build/mpy-cross*

.PHONY: distclean
distclean: ## delete build and .venv: the emulated board's flash and its keys, too
	rm -rf build .venv
