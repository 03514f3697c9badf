# SPDX-License-Identifier: MIT
"""p11board: the host side of micropython-pkcs11.

Talks to a board that runs the firmware over its serial line, starts and stops the emulated
board, and programs its flash.  The command line (`p11board --help`) is a thin layer over the
modules of this package, which can be used from Python too:

    from p11board.board import Board
    from p11board.transport import Link

    with Link("/dev/ttyACM0") as link:
        print(Board(link).info()["token"]["label"])
"""

__version__ = "0.1.0"
