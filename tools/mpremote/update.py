# SPDX-License-Identifier: MIT
"""The example updater: verify a signed image in the board's file system, install it, say so.

Run with: mpremote connect PORT cp next.p11u :update.p11u + run update.py + reset
Variables: FILE ("/update.p11u"), removed when it is installed.
An image that is refused raises codeverify.CodeVerifyError; the firmware that runs is untouched.
"""

import os

import appslots

from pkcs11 import codeverify


def main(path):
    """Install and tell."""
    manifest = codeverify.install(path, appslots.Slot())
    os.remove(path)
    print(
        "installed version %s, security version %d: the next reset starts it"
        % (manifest.version, manifest.security)
    )


main(globals().get("FILE", "/update.p11u"))
