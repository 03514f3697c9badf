# SPDX-License-Identifier: MIT
# Upstream's modules of this board, and the token.
include("$(PORT_DIR)/boards/manifest.py")
include("../manifest_token.py", tls=False)
module("esp32_family.py", base_path="..")
module("geometry.py")
