# SPDX-License-Identifier: MIT
"""The module `p11crypto` for CPython: one name, two implementations.

Environment variable P11CRYPTO: unset or "py" selects the twin written with `cryptography`
(p11crypto_py.py); "c" selects the C core of the firmware, built for this machine and loaded
with ctypes (p11crypto_c.py). Both behave like the module on the board.
"""

import os

_choice = os.environ.get("P11CRYPTO", "py")
if _choice == "c":
    from p11crypto_c import *  # noqa: F403
elif _choice == "py":
    from p11crypto_py import *  # noqa: F403
else:
    raise ImportError("P11CRYPTO must be py or c")
