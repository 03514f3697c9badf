# SPDX-License-Identifier: MIT
"""Verified updates on the emulated board: the commands of docs/OTA.md, each refusal, the example.

One board for all tests, in their order: what is refused first, each time with the old firmware
going on, then an update that is taken, then what is refused since.
"""

import os
from pathlib import Path

import pages
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from qemu_machine import tiny_program

from p11board import flashing, image, keys, signing, updating
from p11board.emulator import BOARD

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tools" / "mpremote"
LABEL = "Code Verify Key"
DIGEST = bytes(range(32))


class Workshop:
    """A board, two keys, a device key on the board that has to survive everything."""

    def __init__(self, board, folder, firmware, second):
        self.board = board
        self.folder = folder
        self.key = self.stranger = ec.generate_private_key(ec.SECP256R1())
        place = folder / "build" / BOARD
        place.mkdir(parents=True)
        (place / "firmware-next.p11a").symlink_to(second)
        self.first, self.second = image.read(firmware), image.read(second)
        self.small = image.make(tiny_program() + bytes(20000), "small").to_bytes()

    def page(self, number):
        """Run a block of commands of docs/OTA.md; returns what they print."""
        environment = {
            **os.environ,
            "PATH": pages.path(),
            "P11BOARD": "emulated",
            "P11BOARD_STATE": str(self.board.emulator.state),
        }
        return pages.run(pages.blocks("OTA.md")[number], self.folder, environment)

    def signed(self, data=None, key=None, security=2, target=BOARD):
        data = data or self.small
        manifest = signing.sign(data, key or self.key, security, target, "small")
        return manifest.to_bytes() + data

    def refused(self, data):
        """The kind of the board's refusal; the old firmware answers as before."""
        with pytest.raises(updating.Refused) as caught:
            updating.update(self.board.port, data, lambda done: None)
        assert self.version() == self.first.version
        return caught.value.kind

    def version(self):
        return self.board.json("info")["firmware"]

    def boots(self):
        """The version that the loader would start now, from the flash file of the stopped board."""
        self.board.emulator.stop()
        with flashing.FlashFile(self.board.emulator.flash) as flash:
            found = flashing.booting(flash).version
        self.board.start()
        return found

    def objects(self):
        """(class, label, value) of every object; of the device's pair, that they still match."""
        found = []
        with self.board.connected() as board:
            for each in board.objects():
                label, kind = each["label"], each["class"]
                if kind == keys.PRIVATE_KEY:
                    value = board.verify(DIGEST, board.sign(DIGEST, label))
                else:
                    value = board.read(label, kind)["value"]
                found.append((kind, label, value))
        return sorted(found)


@pytest.fixture(scope="module")
def shop(make_board, firmware, second_image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("update")
    board = make_board(folder / "state")
    board.start()
    yield Workshop(board, folder, firmware[0], second_image)
    board.emulator.kill()
    board.emulator.flash.unlink()


def test_without_a_code_verify_key_nothing_is_taken(shop):
    assert shop.refused(shop.signed()) == "NoKeyError"


def test_the_key_is_stored_as_the_page_says_beside_a_key_of_the_board(shop):
    shop.board.p11board("keygen")
    shop.page(0)
    shop.key = serialization.load_pem_private_key((shop.folder / "key.pem").read_bytes(), None)
    assert len(shop.board.json("objects")) == 3


def test_each_bad_image_is_refused_with_its_own_error_and_the_old_firmware_goes_on(shop):
    good = shop.signed()
    bad = {
        "ManifestError": shop.small,
        "WrongKeyError": shop.signed(key=shop.stranger),
        "SignatureError": good[:255] + bytes([good[255] ^ 1]) + good[256:],
        "BoardError": shop.signed(target="NUCLEO_F439ZI"),
        "VersionLeapError": shop.signed(security=1000),
        "TruncatedError": good[:-1],
        "ImageError": good[:9000] + bytes([good[9000] ^ 1]) + good[9001:],
        "SlotError": shop.signed(b"no application of this board" * 100),
    }
    assert [shop.refused(data) for data in bad.values()] == list(bad)
    assert shop.boots() == shop.first.version


def test_a_key_on_the_board_signs_images_as_well(shop):
    source, out = shop.folder / "small.p11a", shop.folder / "by-board.p11u"
    source.write_bytes(shop.small)
    arguments = ("--label", "Device Priv TLS Key", "--security-version", 1, "-o", out)
    shop.board.p11board("sign-image", source, *arguments)
    public = shop.folder / "board.pem"
    shop.board.p11board("export", "Device Pub TLS Key", "-o", public)
    shop.board.p11board("verify-image", out, "--key", public)
    assert shop.refused(out.read_bytes()) == "WrongKeyError"


def test_a_dry_run_verifies_and_changes_nothing(shop):
    (shop.folder / "small.p11u").write_bytes(shop.signed())
    said = shop.board.p11board("update", shop.folder / "small.p11u", "--dry-run").output
    assert "would take it: version small" in said
    assert shop.boots() == shop.first.version


def test_the_example_updater_refuses_a_tampered_file_and_installs_a_good_one(
    make_board, tmp_path, shop
):
    board = make_board(tmp_path / "state")
    board.start()
    board.p11board("import", shop.folder / "public.pem", "--label", LABEL)
    file, script = tmp_path / "image.p11u", SCRIPTS / "update.py"
    data = shop.signed()
    copy_and_run = ("cp", file, ":update.p11u", "+", "run", script)
    file.write_bytes(data[:20000] + b"!" + data[20001:])
    board.mpremote(*copy_and_run, code=1)
    board.mpremote("exec", "import appslots; print(appslots.running())")
    file.write_bytes(data)
    told = board.mpremote(*copy_and_run)
    line = "installed version small, security version 2: the next reset starts it"
    assert told.splitlines()[-1] == line
    board.emulator.kill()
    with flashing.FlashFile(board.emulator.flash) as flash:
        assert flashing.booting(flash).payload == image.parse(shop.small).payload
    board.emulator.flash.unlink()


def test_the_commands_of_the_page_sign_and_install_an_update_and_the_keys_are_there(shop):
    before = shop.objects()
    assert (keys.PRIVATE_KEY, "Device Priv TLS Key", True) in before and len(before) == 3
    told = shop.page(1).splitlines()
    new, old = shop.second.version, shop.first.version
    assert new != old
    assert told[-1] == f"version {new} runs now (it was {old})"
    assert told[-2].startswith(f"the board would take it: version {new} for {BOARD}")
    assert told[-3].startswith("valid: ")
    assert shop.objects() == before
    shop.board.emulator.kill()
    shop.board.start()
    assert shop.version() == shop.second.version
    assert shop.objects() == before


def test_an_older_version_is_refused_after_it_and_the_new_one_goes_on(shop):
    data = shop.signed(shop.first.to_bytes(), security=4)
    with pytest.raises(updating.Refused, match="security version 4, this board takes 5"):
        updating.update(shop.board.port, data, lambda done: None)
    assert shop.version() == shop.second.version
    assert shop.boots() == shop.second.version


def test_the_programmer_goes_back_without_asking_and_the_floor_stays(shop):
    """p11board flash needs no signature: it is in the place of who builds the board."""
    shop.board.emulator.stop()
    shop.board.emulator.program(shop.first.to_bytes())
    shop.board.start()
    assert shop.version() == shop.first.version
    assert shop.refused(shop.signed(security=4)) == "OldVersionError"


def test_an_interrupted_transfer_leaves_the_old_firmware(shop):
    """The host goes away in the middle; Ctrl-C reaches the board's program."""

    def stop(done):
        if done > 8000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        updating.update(shop.board.port, shop.signed(security=6), stop)
    assert shop.version() == shop.first.version
    assert shop.boots() == shop.first.version
