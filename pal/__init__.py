# SPDX-License-Identifier: MIT
"""Power-safe storage of the token: `store` on top, flash devices below (docs/FORMAT.md)."""
