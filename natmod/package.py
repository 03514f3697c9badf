# SPDX-License-Identifier: MIT
"""Assemble the token for stock MicroPython: what `mpremote mip install` puts on a board.

    package.py OUTPUT ARCH P11NATIVE.mpy MPY-CROSS VERSION

Compiles the Python packages to bytecode, puts p11native beside them and writes package.json with
relative addresses, so that the directory works from a disk and from a web server alike. For the
ESP32s it serves, partition-table.bin lies beside it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from p11board.flash_real_files import Partition, make_table, parse_csv

ROOT = Path(__file__).resolve().parent.parent

# not needed, or not possible, without the firmware's C modules
LEFT_OUT = {"pal/flash_ast1030.py", "pal/flash_stm32.py"}


def sources():
    """(path of the source, name on the board) of all Python files."""
    for package, folder in (("pal", ROOT), ("pkcs11", ROOT / "firmware")):
        for path in sorted((folder / package).rglob("*.py")):
            name = str(path.relative_to(folder))
            if name not in LEFT_OUT:
                yield path, name
    for path in sorted((ROOT / "natmod" / "stock").glob("*.py")):
        yield path, path.name


def partition_table():
    """The binary table that gives stock firmware of an ESP32-C3 or C6 with 4 MiB the key partition.

    With a row for the file system: MicroPython 1.25 wants it, and later versions take it.
    """
    rows = parse_csv((ROOT / "boards/ESP32_GENERIC_C3/partitions.csv").read_text())
    return make_table(rows + [Partition("vfs", 1, 0x81, 0x200000, 0x200000, 0)])


def main():
    """Command line: five arguments, see the module's docstring."""
    output, arch, native, mpy_cross, version = sys.argv[1:]
    output = Path(output)
    urls = []
    for path, name in sources():
        target = output / Path(name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [mpy_cross, "-O3", "-s", name, "-o", str(target), str(path)]
        subprocess.run(command, check=True)
        urls.append(target)
    info = output / "buildinfo.py"
    info.write_text('VERSION = "%s"\nBOARD = "stock %s"\n' % (version, arch))
    urls.append(info)
    shutil.copy(native, output / "p11native.mpy")
    urls.append(output / "p11native.mpy")
    names = [str(path.relative_to(output)) for path in urls]
    if arch == "rv32imc":
        (output / "partition-table.bin").write_bytes(partition_table())
    package = {"urls": [[name, name] for name in names], "version": version}
    (output / "package.json").write_text(json.dumps(package, indent=4) + "\n")
    size = sum(path.stat().st_size for path in urls)
    print(
        "natmod: %s: %d files, %d bytes (p11native %d)"
        % (output, len(urls), size, (output / "p11native.mpy").stat().st_size)
    )


if __name__ == "__main__":
    main()
