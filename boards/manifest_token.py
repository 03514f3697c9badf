# SPDX-License-Identifier: MIT
# The frozen token, for boards built by MicroPython's own ports. A board with little flash leaves parts
# out: `qualification=False` the tests of `p11board qualify`, `tls=False` the TLS client and the tunnel
# (for boards without MicroPython's module tls), `updates=False` the check of signed update images.
# Nothing else of the token imports them. Line numbers are left out of all.
# ruff: noqa: F821

import os

options.defaults(qualification=True, tls=True, updates=True)

PARTS = {
    "qualification": ("runner",),
    "tls": ("tls.py", "tls_errors.py", "tunnel.py"),
    "updates": ("codeverify.py", "manifest.py"),
}


def files(folder):
    """Python files of a package, without those this board has no use for."""
    left_out = ["flash_ast1030.py"]
    for part, places in PARTS.items():
        if not getattr(options, part):
            left_out.extend(places)
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), folder)
            if name.endswith(".py") and path.split(os.sep)[0] not in left_out:
                yield path


package("pal", tuple(files("../pal")), base_path="..", opt=3)
package("pkcs11", tuple(files("../firmware/pkcs11")), base_path="../firmware", opt=3)
module("buildinfo.py", base_path="$(BUILD_INFO)")
