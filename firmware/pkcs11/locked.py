# SPDX-License-Identifier: MIT
"""What a locked build runs in place of a REPL: the application frozen with it, else the server.

Promises: `main` never returns and never prints; whatever goes wrong ends in a reset of the board,
never at a prompt. A product freezes a module `locked_main` with a function `main()`; it may call
`pkcs11.rpc.serve(locked=True)` itself. The port calls `main` right after start-up.
"""

import micropython


def main():
    """Run for ever."""
    micropython.kbd_intr(-1)
    try:
        try:
            from locked_main import main as run
        except ImportError:
            from .rpc import serve

            serve(locked=True)
        else:
            run()
    except BaseException:  # also what a program raises to end itself
        pass
    restart()


def restart():
    """Reset the board; wait for ever where that is not possible."""
    from machine import reset

    while True:
        reset()
