# SPDX-License-Identifier: MIT
"""CPython stand-in for MicroPython's `micropython` module.

Only what the on-device code uses: `const` is the identity, decorators return the function
unchanged, and the calls that tune the interpreter do nothing.
"""


def const(value):
    """Return value; the MicroPython compiler folds it, CPython does not need to."""
    return value


def native(function):
    """Return function unchanged."""
    return function


viper = native


def opt_level(level=None):
    """Accept and ignore a compiler optimisation level; the level in force reads 0."""
    return 0 if level is None else None


def alloc_emergency_exception_buf(size):
    """Do nothing: CPython always has room for an exception."""


def kbd_intr(char):
    """Do nothing: the host keeps its own keyboard interrupt."""


def mem_info(verbose=None):
    """Print nothing: CPython has no fixed heap."""


def schedule(function, argument):
    """Call function(argument) at once; a board calls it soon."""
    function(argument)
