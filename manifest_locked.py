# SPDX-License-Identifier: MIT
# What a locked firmware carries: the token and its server, and with `make firmware LOCKED=1
# LOCKED_MAIN=folder` the product's module locked_main with a function main(); see pkcs11.locked.
# ruff: noqa: F821
import os

package("pal", base_path="$(ROOT)")
package("pkcs11", base_path="$(ROOT)/firmware")
module("geometry.py", base_path="$(BOARD_DIR)")
module("appslots.py", base_path="$(PORT_DIR)/modules")
module("ssl.py", base_path="$(PORT_DIR)/modules")
if os.environ.get("LOCKED_MAIN"):
    module("locked_main.py", base_path=os.environ["LOCKED_MAIN"])
