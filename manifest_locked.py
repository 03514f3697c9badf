# SPDX-License-Identifier: MIT
# What a locked firmware carries: the token and its server. A product adds its own application
# here as a module `locked_main` with a function main(); see pkcs11.locked.
# ruff: noqa: F821

package("pal", base_path="$(ROOT)")
package("pkcs11", base_path="$(ROOT)/firmware")
module("geometry.py", base_path="$(BOARD_DIR)")
