# SPDX-License-Identifier: MIT
"""Makes the helpers of this folder (p256_*.py) importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
