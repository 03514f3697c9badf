# SPDX-License-Identifier: MIT
"""The emulated board with a plug that comes out at a chosen flash write.

QEMU's blkdebug counts the writes that reach the flash file and fails every one after the n-th; the
chip model goes on from its own memory and notices nothing, so the file is what the chip would hold
had the power gone there. Runs count instructions (`-icount`), which makes waits pass at once.
"""

import random
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from factory import program
from qemu_machine import BUILD, Board

from p11board import flashmap, keys
from p11board.emulator import IN_ORDER

DIGEST = bytes(range(32))
STRETCHED = "2468"  # the PIN that replaces the default one

# hostlink is what a program on the board would call; `do` prints the answer to one request.
PRELUDE = """
import json, time
from pkcs11 import hostlink
def ask(cmd, **r):
    r["cmd"] = cmd
    return hostlink.answer(r)
def do(cmd, **r):
    print(json.dumps(ask(cmd, **r)))
"""

# Writes nothing that a later look would see: a login, after the wait that a lost one has left.
LOOK = (
    PRELUDE
    + """
facts = ask("info")
pin = "0000" if facts["token"]["default_mode"] else "%s"
time.sleep(facts["token"]["pins"]["user"]["wait_seconds"] + 1)
seen = []
for o in ask("objects", pin=pin)["objects"]:
    kind = o["class"]
    if kind != "private key":
        got = ask("read", **{"label": o["label"], "class": kind})
        seen.append((kind, o["label"], got["value"]))
from pkcs11 import application, keys, const
with keys.Token(application(), bytearray(pin.encode())) as token:
    for one in token.find([(const.CKA_CLASS, const.CKO_PRIVATE_KEY)]):
        name = hostlink.hexed(one.sign(bytes(range(32))))
        seen.append(("private key", one.get(const.CKA_LABEL).decode(), name))
print(repr((pin, facts["store"]["damaged"], facts["store"]["read_only"], seen)))
"""
    % STRETCHED
)

# Every payload with a secret, as it lies in flash: the sealed keys, the wrapped master keys.
SECRETS = """
from pkcs11 import board_token
t = board_token()
t.mount()
print(repr([(i, bytes(t.pal.read(i)[1][-60:])) for i in t.pal.ids() if t.pal.info(i)[1] & 1]))
"""


COUNTED = ("-icount", "shift=0,sleep=off")


class Chip:
    """A flash file with the application, whose key region is put back for each run.

    kernel: what QEMU starts; by default the application itself: it boots faster than through the
    loader and knows the flash as well.
    """

    kernel = "firmware.elf"

    def __init__(self, folder, build=BUILD):
        self.path = Path(folder) / "flash.bin"
        self.rules = Path(folder) / "rules.conf"
        self.trace = Path(folder) / "trace.log"
        self.build = build
        program(self.path, build)

    @property
    def region(self):
        """The raw bytes of the key region."""
        with open(self.path, "rb") as file:
            file.seek(flashmap.KEYS.offset)
            return file.read(flashmap.KEYS.size)

    @region.setter
    def region(self, data):
        with open(self.path, "r+b") as file:
            file.seek(flashmap.KEYS.offset)
            file.write(data)

    def power(self, writes=None, *options):
        """A board, on. writes: how many flash writes take effect, None for all."""
        name = str(self.path)
        if writes is not None:
            self.rules.write_text(rules(writes))
            name = f"blkdebug:{self.rules}:{name}"
        board = Board(name, self.build / self.kernel, *COUNTED, *IN_ORDER, *options)
        return board.start()

    def run(self, program, writes=None, *options):
        """Power on, run a program, power off. Returns what it printed."""
        board = self.power(writes, *options)
        try:
            printed = board.run(program, 60)
            board.process.terminate()  # what the chip has taken reaches the file
            board.process.wait(20)
            return printed
        finally:
            board.kill()

    def count(self, program):
        """Run a program; returns what it printed and the offsets of its flash writes."""
        printed = self.run(program, None, "-trace", "blk_co_pwritev", "-D", str(self.trace))
        lines = self.trace.read_text().splitlines()
        words = [line.split() for line in lines if line.startswith("blk_co_pwritev ")]
        return printed, [int(each[each.index("offset") + 1]) for each in words]


def rules(writes):
    """blkdebug's configuration: the first `writes` writes take effect, no later one does."""
    text = ""
    for state in range(1, writes + 1):
        text += f'[set-state]\nevent = "pwritev"\nstate = "{state}"\nnew_state = "{state + 1}"\n'
    return text + (
        f'[inject-error]\nevent = "pwritev"\niotype = "write"\nstate = "{writes + 1}"\n'
        'errno = "5"\nonce = "off"\n'
    )


class View:
    """What a booted board shows: its PIN, and its objects as a sorted list (class, label, name).

    The name of a public key is its point, that of a private key the point that verifies its
    signature, "nobody's" when none does. points: those of imported keys, which have no public half.
    """

    def __init__(self, printed, points=()):
        self.pin, self.damaged, self.read_only, seen = eval(printed)
        known = list(points) + [value for kind, _, value in seen if kind == "public key"]
        self.objects = sorted(
            (kind, label, owner(value, known) if kind == "private key" else value)
            for kind, label, value in seen
        )

    def labels(self):
        """(class, label) of every object."""
        return [each[:2] for each in self.objects]

    def only(self, label):
        """The objects of a label."""
        return [each for each in self.objects if each[1] == label]


def owner(signature, points):
    """The point (hex) among `points` that verifies a signature of DIGEST (r || s, hex)."""
    raw = bytes.fromhex(signature)
    der = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    for point in points:
        try:
            keys.public_key(bytes.fromhex(point)).verify(
                der, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256()))
            )
            return point
        except InvalidSignature:
            pass
    return "nobody's"


def scalar(seed):
    """A private key to import: (scalar, point), both hex."""
    value = random.Random(seed).getrandbits(255) | 1
    key = ec.derive_private_key(value, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return value.to_bytes(32, "big").hex(), point.hex()


def windows_in(secret, flash):
    """Offsets in `secret` of the 8-byte windows of it that are found in `flash`."""
    return [at for at in range(len(secret) - 7) if secret[at : at + 8] in flash]
