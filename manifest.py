# SPDX-License-Identifier: MIT
# What the firmware carries as frozen Python. The board's Makefile supplies the paths.
# ruff: noqa: F821

package("pal", base_path="$(ROOT)")
package("pkcs11", base_path="$(ROOT)/firmware")
module("geometry.py", base_path="$(BOARD_DIR)")
module("_boot.py", base_path="$(PORT_DIR)/modules")
module("appslots.py", base_path="$(PORT_DIR)/modules")
module("ssl.py", base_path="$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
