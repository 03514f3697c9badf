# SPDX-License-Identifier: MIT
# The frozen token, for boards built by MicroPython's own ports.
# ruff: noqa: F821

package("pal", base_path="..", opt=3)
package("pkcs11", base_path="../firmware", opt=3)
module("buildinfo.py", base_path="$(BUILD_INFO)")
