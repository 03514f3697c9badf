# SPDX-License-Identifier: MIT
"""Shortcuts for mpremote: `mpremote p11`, `mpremote p11_objects` and so on.

Runs on the computer, from mpremote's own configuration; two lines there, see the README here:

    import sys; sys.path.append("CHECKOUT/tools/mpremote")
    import p11_shortcuts; commands.update(p11_shortcuts.commands)
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent

# shortcut: (script, help)
SCRIPTS = {
    "p11": ("token_info.py", "what the PKCS#11 token is"),
    "p11_objects": ("list_objects.py", "objects in the PKCS#11 token"),
    "p11_keygen": ("keygen.py", "make a P-256 pair, print the public key"),
    "p11_sign MESSAGE=b''": ("sign.py", "sign MESSAGE (Python bytes) with the token's key"),
    "p11_provision": ("provision.py", "store the DER files copied to the board"),
}

commands = {
    name: {"command": ["run", str(HERE / script)], "help": text}
    for name, (script, text) in SCRIPTS.items()
}
