# SPDX-License-Identifier: MIT
"""Power cuts in an update on the emulated board, with the real loader, driver and store.

`make soak` cuts at each flash write of the update, `make test` at SAMPLE of them, the last one
before the header included. The new image is one that prints a mark; the old one is the firmware.
"""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cut_board import COUNTED, LOOK, PRELUDE, Chip, View
from factory import built
from qemu_machine import Machine, tiny_program

from p11board import flashmap, image, keys, signing
from p11board.emulator import BOARD

pytestmark = [pytest.mark.emulated, pytest.mark.long]

SAMPLE = 4
MARK = b"\xa5"  # not in what the firmware prints
SECURITY = 2
SIGNER = ec.derive_private_key(0x123456789ABCDEF, ec.SECP256R1())
NEW = image.make(tiny_program(0, MARK) + bytes(range(256)) * 34, "mark").to_bytes()
SIGNED = signing.sign(NEW, SIGNER, SECURITY, BOARD, "mark").to_bytes() + NEW

UPDATE = f"""
import io, binascii, appslots
from pkcs11 import codeverify
data = binascii.a2b_base64({base64.b64encode(SIGNED).decode()!r})
codeverify.install(io.BytesIO(data), appslots.Slot())
print("installed")
"""
FLOOR = "from pkcs11 import codeverify\nprint(codeverify.floor())"


class Slots(Chip):
    """A chip that is started through the loader; its slots and its key region are put back."""

    kernel = "loader.elf"

    def __init__(self, folder):
        super().__init__(folder)
        point = keys.point(SIGNER.public_key()).hex()
        printed = self.run(
            PRELUDE
            + "do('keygen', pin='0000', label='pair')\n"
            + f"do('import', pin='0000', label='Code Verify Key', value={point!r}, "
            + "**{'class': 'public key'})"
        )
        assert '"error"' not in printed, printed
        self.start = self.region
        self.view = View(self.run(LOOK))

    def again(self):
        """Everything as before the update."""
        self.region = self.start
        with open(self.path, "r+b") as file:
            file.seek(flashmap.APP2.offset)
            file.write(b"\xff" * len(NEW) + b"\xff" * flashmap.SECTOR_SIZE)

    def boot(self):
        """What the loader starts: "old" (the firmware, at its prompt), "new" (the mark)."""
        machine = Machine(self.path, self.build / self.kernel, *COUNTED).start()
        try:
            machine.line.settimeout(30)
            return "new" if machine.line.recv(1) == MARK else "old"
        finally:
            machine.kill()

    def look(self):
        """The objects and the version floor, by a firmware that needs no slot."""
        self.kernel = "firmware.elf"
        try:
            return View(self.run(LOOK)), int(self.run(FLOOR))
        finally:
            del self.kernel


@pytest.fixture(scope="module")
def slots(tmp_path_factory):
    built()
    made = Slots(tmp_path_factory.mktemp("cuts"))
    yield made
    made.path.unlink()


@pytest.fixture(scope="module")
def writes(slots):
    """The offsets of the flash writes of an uninterrupted update, which boots."""
    printed, offsets = slots.count(UPDATE)
    assert printed == "installed\r\n"
    assert slots.boot() == "new"
    view, floor = slots.look()
    assert view.objects == slots.view.objects and floor == SECURITY
    return offsets


def test_an_update_writes_the_free_slot_and_the_floor_and_the_header_last(slots, writes):
    inside = [flashmap.APP2.offset <= offset < flashmap.APP2.end for offset in writes]
    keys_region = range(flashmap.KEYS.offset, flashmap.KEYS.end)
    assert all(one or offset in keys_region for one, offset in zip(inside, writes))
    assert inside[0] and inside[-1] and not inside[-2]
    assert writes[0] == writes[-1] == flashmap.APP2.offset
    first_key_write = inside.index(False)
    assert not any(inside[first_key_write:-1])


def points(count, everything):
    """The numbers of flash writes to let pass before a cut."""
    if everything:
        return range(count)
    return [1 + i * (count - 2) // (SAMPLE - 1) for i in range(SAMPLE)]


def test_a_cut_at_a_flash_write_leaves_the_old_firmware_and_all_keys(slots, writes, request):
    everything = request.config.getoption("--soak")
    for count in points(len(writes), everything):
        slots.again()
        slots.run(UPDATE, count)  # the chip model notices nothing of the cut
        assert slots.boot() == "old", count
        view, floor = slots.look()
        assert view.objects == slots.view.objects, count
        assert not view.damaged and not view.read_only
        assert floor in range(SECURITY + 1)
        # The same update once more, now to its end.
        assert slots.run(UPDATE) == "installed\r\n"
        assert slots.boot() == "new", count


def test_the_last_write_is_the_one_that_counts(slots, writes):
    slots.again()
    slots.run(UPDATE, len(writes))
    assert slots.boot() == "new"
