# SPDX-License-Identifier: MIT
"""Import paths of the comparison with SoftHSM2: its own modules and the kit of the token tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "pkcs11"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
