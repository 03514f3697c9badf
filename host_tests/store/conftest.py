# SPDX-License-Identifier: MIT
"""Makes the helpers of the store's tests importable by name."""

import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)
