# SPDX-License-Identifier: MIT
"""`python -m p11board`: the same program as the `p11board` command."""

from p11board.cli import main

if __name__ == "__main__":
    main()
