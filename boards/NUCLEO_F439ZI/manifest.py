# SPDX-License-Identifier: MIT
# Upstream's modules of this board, and the token.
include("$(PORT_DIR)/boards/NUCLEO_F439ZI/manifest.py")
include("../manifest_token.py", tls=False)
module("stm32_family.py", base_path="..")
module("geometry.py")
