# SPDX-License-Identifier: MIT
# The frozen token, for boards built by MicroPython's own ports. `qualification=False` leaves out the
# tests of `p11board qualify`, for boards with little flash. Line numbers are left out of all.
# ruff: noqa: F821

import os

options.defaults(qualification=True)


def files(folder):
    """Python files of a package, without those this board has no use for."""
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), folder)
            if not name.endswith(".py") or path == "flash_ast1030.py":
                continue
            if options.qualification or not path.startswith("runner"):
                yield path


package("pal", tuple(files("../pal")), base_path="..", opt=3)
package("pkcs11", tuple(files("../firmware/pkcs11")), base_path="../firmware", opt=3)
module("buildinfo.py", base_path="$(BUILD_INFO)")
