# SPDX-License-Identifier: MIT
"""Write a header that gives every function and variable of mbedTLS another name.

    prefix.py MBEDTLS_DIRECTORY OUTPUT.h

The header is force-included (-include) when this module compiles its copy of the library, so that
another copy, MicroPython's own for `ssl`, can be linked into the same firmware. It is made from
the names that the library's headers contain; names the headers themselves define as macros stay.
Needs Python 3.6 and nothing else. Exit status 1 when the directory is not mbedTLS 3.
"""

import pathlib
import re
import sys

NAME = re.compile(r"\bmbedtls_[a-z0-9_]+\b")
MACRO = re.compile(r"^\s*#\s*define\s+(mbedtls_[a-z0-9_]+)", re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", re.S)


def names(root):
    """Return the sorted names of the library under root that a macro may rename."""
    found, macros = set(), set()
    for folder in ("include/mbedtls", "library"):
        for header in (root / folder).glob("*.h"):
            text = COMMENT.sub(" ", header.read_text(encoding="utf-8"))
            found.update(NAME.findall(text))
            macros.update(MACRO.findall(text))
    return sorted(found - macros)


def main():
    """Command line: two arguments, see the module's docstring."""
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = names(root)
    if "mbedtls_ecdsa_sign" not in found:
        print("prefix.py: no mbedTLS 3 in", root, file=sys.stderr)
        return 1
    lines = ["// Made by prefix.py: names of this module's copy of mbedTLS."]
    lines += ["#define %s p11_%s" % (name, name) for name in found]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
