# SPDX-License-Identifier: MIT
# Upstream's modules of this board, and the token.
include("$(PORT_DIR)/boards/NUCLEO_H743ZI/manifest.py")
include("../manifest_token.py")
module("geometry.py")
