# SPDX-License-Identifier: MIT
"""Import path and fixtures of the tests about real boards."""

import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from flash_runner import tools  # noqa: E402, F401 (a fixture)
