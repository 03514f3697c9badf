# SPDX-License-Identifier: MIT
"""The command `backup-region`: the key region's bytes as they lie in the flash, for support.

Promises: nothing is written on the board, nothing is decrypted, and a file appears only when every
byte has arrived. Works without a PIN, and on a store that the firmware does not serve.
"""

import binascii
from pathlib import Path

import click

from p11board.context import Session, board_option, json_option
from p11board.errors import FileProblem, TransportProblem, UsageProblem

SILENCE = 30  # seconds between two lines

# Prints the size, then the region in lines of hex with a checksum each, then END.
READ_REGION = """
import sys, binascii, geometry
sys.stdin.readline()
device = geometry.device()
last = device.caps.sectors[-1]
size = last[0] + last[1]
buf = bytearray(256)
print(size)
for offset in range(0, size, 256):
    device.raw_read(offset, buf)
    print("%08x" % binascii.crc32(buf), binascii.hexlify(buf).decode())
print("END")
"""


class RegionReader:
    """Puts a region together from what the board prints. Feed it with the bytes of the line."""

    def __init__(self):
        self.size = None
        self.data = bytearray()
        self.complete = False
        self._rest = b""

    def feed(self, data):
        """More bytes. Raises TransportProblem at the first line that is not as it must be."""
        self._rest += data
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            try:
                self._line(line.decode("ascii").strip())
            except ValueError:  # UnicodeDecodeError, binascii.Error
                raise TransportProblem(
                    "a line of the region did not arrive as it was sent", "try it again"
                ) from None

    def _line(self, line):
        if self.size is None:
            self.size = int(line)
            return
        if line == "END":
            self.complete = len(self.data) == self.size
            return
        crc, _, digits = line.partition(" ")
        block = bytes.fromhex(digits)
        if len(block) != 256 or binascii.crc32(block) != int(crc, 16):
            raise ValueError(line)
        self.data += block


def read_region(link, output, size):
    """The `size` bytes of the key region of the board at `link`. Raises TransportProblem."""
    reader = RegionReader()
    with output.progress("Reading the key region", size) as advance:

        def consume(data):
            reader.feed(data)
            advance(len(reader.data))

        link.follow(READ_REGION, b"", consume, SILENCE)
    if not reader.complete or reader.size != size:
        raise TransportProblem(f"{len(reader.data)} of {size} bytes arrived", "try it again")
    return bytes(reader.data)


@click.command("backup-region")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--with-initial-pin", is_flag=True, help="Even if the user PIN is still the initial one."
)
@board_option
@json_option
@click.pass_obj
def backup_region(session: Session, file, with_initial_pin):
    """Write the raw key region to FILE, for support: sealed objects only.

    The image holds what lies in the flash: objects sealed under keys that only a PIN (and, where
    the chip has one, its device secret) opens. It is no backup to restore from: a token does not
    take back an older state of itself.

    While the user PIN is the initial 0000, whoever has the image opens it: it is refused then.
    """
    if file.exists():
        raise UsageProblem(f"{file} exists", "name a new file")
    with session.board() as board:
        facts = board.info()
        token = facts["token"]
        if token and token["default_mode"] and not with_initial_pin:
            raise UsageProblem(
                "the user PIN is still the initial one, which opens the image for everybody",
                "set a PIN first (pkcs11-tool --change-pin), or add --with-initial-pin",
            )
        regions = {region["name"]: region["size"] for region in facts["flash"]["map"]}
        data = read_region(board.link, session.output, regions["keys"])
    try:
        file.write_bytes(data)
    except OSError as error:
        raise FileProblem(f"cannot write {file}: {error.strerror}") from None
    session.output.data(
        {"file": str(file), "bytes": len(data)},
        lambda _: session.output.say(f"{file}: {len(data)} bytes of the key region, sealed"),
    )
