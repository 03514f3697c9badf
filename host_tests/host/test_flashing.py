# SPDX-License-Identifier: MIT
"""The flash file: NOR semantics, the application region only, refusals before any write."""

import random
import re
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import flashing, flashmap, image, signing
from p11board.errors import EmulatorProblem, FileProblem

ROOT = Path(__file__).resolve().parent.parent.parent
VECTORS = (0x1000).to_bytes(4, "little") + (0x9).to_bytes(4, "little")


def application(size=10000, version="1.0"):
    """A valid image with a random payload."""
    body = VECTORS + random.Random(version).randbytes(size - len(VECTORS))
    return image.make(body, version).to_bytes()


@pytest.fixture
def flash(tmp_path):
    """A flash file with a pattern in the key region."""
    path = tmp_path / "flash.bin"
    flashing.create_blank(path)
    with open(path, "r+b") as file:
        file.seek(flashmap.KEYS.offset)
        file.write(b"keys" * 1000)
    return path


def region(path, which):
    data = path.read_bytes()
    return data[which.offset : which.end]


def test_a_new_chip_is_erased_and_has_the_exact_size(tmp_path):
    path = tmp_path / "new" / "flash.bin"
    flashing.create_blank(path)
    assert path.stat().st_size == flashmap.CHIP_SIZE
    assert path.read_bytes() == b"\xff" * flashmap.CHIP_SIZE
    assert [p.name for p in path.parent.iterdir()] == ["flash.bin"]


@pytest.mark.parametrize("size", [0, 1, flashmap.CHIP_SIZE - 1, flashmap.CHIP_SIZE + 1])
def test_a_file_of_another_size_is_refused_and_left_alone(tmp_path, size):
    path = tmp_path / "flash.bin"
    with open(path, "wb") as file:
        file.truncate(size)
    with pytest.raises(EmulatorProblem, match=f"has {size} bytes.*exactly 33554432"):
        flashing.program_app(path, application())
    assert path.stat().st_size == size


def test_programming_only_clears_bits(flash):
    with flashing.FlashFile(flash) as chip:
        chip.program_page(0x100, b"\xf0")
        with pytest.raises(EmulatorProblem, match="does not read back"):
            chip.program_page(0x100, b"\x0f")
        assert chip.read(0x100, 1) == b"\x00"
        chip.erase_sector(0)
        assert chip.read(0x100, 1) == b"\xff"


def test_programs_stay_in_a_page_and_erases_start_at_a_sector(flash):
    with flashing.FlashFile(flash) as chip:
        with pytest.raises(ValueError):
            chip.program_page(0xFF, b"ab")
        with pytest.raises(ValueError):
            chip.erase_sector(0x800)


def test_an_application_replaces_a_longer_one_and_nothing_else(flash):
    outside = flash.read_bytes()[flashmap.APP.end :]
    flashing.program_app(flash, application(50000))
    second = application(9000, "2.0")
    flashing.program_app(flash, second)
    data = flash.read_bytes()
    assert data[: len(second)] == second
    assert data[len(second) : flashmap.APP.end] == b"\xff" * (flashmap.APP.size - len(second))
    assert data[flashmap.APP.end :] == outside


def test_the_same_application_is_not_programmed_again(flash):
    assert flashing.program_app(flash, application())[0] > 0
    before = flash.stat().st_mtime_ns
    assert flashing.program_app(flash, application())[0] == 0
    assert flash.stat().st_mtime_ns == before


def test_a_dry_run_counts_and_writes_nothing(flash):
    before = flash.read_bytes()
    changed, total = flashing.program_app(flash, application(10000), dry_run=True)
    assert (changed, total) == (3, 512)
    assert flash.read_bytes() == before


@pytest.mark.parametrize("size", [16000, 30000, 60000])
def test_an_interrupted_programming_never_leaves_a_bootable_half(flash, monkeypatch, size):
    """Whatever sector the interruption hits, the loader finds no header."""
    first = application(30000)
    flashing.program_app(flash, first)
    second = application(size, "2.0")
    real = flashing._program_sector
    for sectors_before in range(4):
        left = iter(range(sectors_before))

        def pull_the_plug(*arguments, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            real(*arguments)

        monkeypatch.setattr(flashing, "_program_sector", pull_the_plug)
        with pytest.raises(KeyboardInterrupt):
            flashing.program_app(flash, second)
        with pytest.raises(image.ImageError):
            image.parse(region(flash, flashmap.APP))
    monkeypatch.undo()
    flashing.program_app(flash, second)
    assert image.parse(region(flash, flashmap.APP)).version == "2.0"


def put_second(path, data):
    """As an update on the board leaves it: an image in the second slot."""
    with open(path, "r+b") as file:
        file.seek(flashmap.APP2.offset)
        file.write(data)


def updated(version, sequence, size=9000):
    """An image with the sequence number that an update gives it."""
    body = VECTORS + random.Random(version).randbytes(size - len(VECTORS))
    return image.make(body, version, sequence=sequence).to_bytes()


def test_programming_replaces_an_update_in_the_second_slot(flash):
    flashing.program_app(flash, application())
    put_second(flash, updated("2.0", 4))
    outside = flash.read_bytes()[flashmap.APP2.end :]
    with flashing.FlashFile(flash) as chip:
        assert flashing.booting(chip).version == "2.0"
    assert flashing.program_app(flash, application())[0] == 3  # of the second slot
    with flashing.FlashFile(flash) as chip:
        assert flashing.booting(chip).version == "1.0"
        assert chip.is_blank(flashmap.APP2)
    assert flash.read_bytes()[flashmap.APP2.end :] == outside


def test_interrupted_programming_over_an_update_always_leaves_something_to_boot(
    flash, monkeypatch
):
    flashing.program_app(flash, application())
    put_second(flash, updated("2.0", 4))
    start = flash.read_bytes()[: flashmap.APP2.end]
    real = flashing.FlashFile.erase_sector
    seen = []
    for erases_before in range(9):
        with open(flash, "r+b") as file:
            file.write(start)
        left = iter(range(erases_before))

        def pull_the_plug(self, offset, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            real(self, offset)

        monkeypatch.setattr(flashing.FlashFile, "erase_sector", pull_the_plug)
        try:
            flashing.program_app(flash, application(9500, "3.0"))
        except KeyboardInterrupt:
            pass
        monkeypatch.undo()
        with flashing.FlashFile(flash) as chip:
            seen.append(flashing.booting(chip).version)
    assert seen == ["2.0"] * 5 + ["3.0"] * 4


def test_a_signed_image_is_unwrapped_for_the_programmer(tmp_path):
    data = application()
    key = ec.generate_private_key(ec.SECP256R1())
    manifest = signing.sign(data, key, 1, "AST1030_EVB", "1.0").to_bytes()
    assert flashing.load_application(image_file(tmp_path, manifest + data)).data == data
    with pytest.raises(FileProblem, match="not the one that was signed"):
        flashing.load_application(image_file(tmp_path, manifest + data[:-1] + b"?"))


def test_progress_reaches_the_number_of_bytes_written(flash):
    seen = []
    flashing.program_app(flash, application(10000), seen.append)
    assert seen == [4096, 8192, 12288]


def image_file(tmp_path, data):
    path = tmp_path / "x.p11a"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "size, words",
    [
        (flashmap.APP.size + 1, r"regions behind it \(app2\)"),
        (flashmap.KEYS.offset, r"regions behind it \(app2, fs\)"),
        (flashmap.KEYS.offset + 1, r"the key region \(app2, fs, keys\); nothing was written"),
    ],
)
def test_an_image_that_reaches_beyond_the_application_region_is_refused(tmp_path, size, words):
    with pytest.raises(FileProblem, match=words):
        try:
            flashing.load_application(image_file(tmp_path, bytes(size)))
        except FileProblem as problem:
            raise FileProblem(problem.line()) from None


def test_an_oversized_image_is_refused_even_behind_the_front_door(flash):
    before = flash.read_bytes()
    with pytest.raises(FileProblem, match="5242880 bytes"):
        flashing.program_app(flash, bytes(5 << 20))
    assert flash.read_bytes() == before


def test_damaged_images_are_refused_with_the_reason(tmp_path):
    good = application()
    for at, words in ((0, "P11A"), (8, "CRC"), (200, "SHA-256")):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(FileProblem, match=f"not a valid application image.*{words}"):
            flashing.load_application(image_file(tmp_path, bad))
    with pytest.raises(FileProblem, match="cut short"):
        flashing.load_application(image_file(tmp_path, good[:-1]))
    with pytest.raises(FileProblem, match="cannot read"):
        flashing.load_application(tmp_path / "absent.p11a")


def test_the_map_is_the_boards_own():
    board = ROOT / "boards" / "AST1030_EVB"
    sys.path.insert(0, str(board))
    try:
        import geometry
    finally:
        sys.path.remove(str(board))
        sys.modules.pop("geometry", None)
    assert {r.name: (r.offset, r.size) for r in flashmap.REGIONS} == geometry.FLASH_MAP
    assert flashmap.CHIP_SIZE == geometry.CHIP_SIZE
    assert flashmap.SECTOR_SIZE == geometry.SECTOR_SIZE
    assert flashmap.PAGE_SIZE == geometry.PAGE_SIZE
    header = (board / "flash_map.h").read_text()
    for r in flashmap.REGIONS:
        for word, value in (("BASE", r.offset), ("SIZE", r.size)):
            found = re.search(rf"FLASH_{r.name.upper()}_{word}\s+(0x[0-9a-fA-F]+)", header)
            assert int(found.group(1), 16) == value


def test_a_new_chip_gets_a_number_once_and_a_chip_with_keys_never(tmp_path, flash):
    numbers = set()
    for name in ("a", "b"):
        chip = tmp_path / name
        flashing.create_blank(chip)
        assert flashing.give_number(chip)
        numbers.add(region(chip, flashmap.ID)[:8])
        assert region(chip, flashmap.ID)[8:] == b"\xff" * (flashmap.ID.size - 8)
        before = chip.read_bytes()
        assert not flashing.give_number(chip) and chip.read_bytes() == before
    assert len(numbers) == 2
    before = flash.read_bytes()
    assert not flashing.give_number(flash) and flash.read_bytes() == before
