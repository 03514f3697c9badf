# SPDX-License-Identifier: MIT
"""The loader's choice between two slots, against its Python description (flashing.booting)."""

import pytest
from qemu_machine import Machine, tiny_program

from p11board import flashing, flashmap, image

pytestmark = pytest.mark.emulated


def tiny(mark, sequence):
    """An image that prints its mark."""
    return image.make(tiny_program(0, mark), mark.decode(), sequence=sequence).to_bytes()


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


ERASED = b"\xff" * 128
HALF = tiny(b"B", 9)[:40] + ERASED  # a header that power cut short
CASES = {
    "the first alone": (tiny(b"A", 0), ERASED, "A"),
    "the second alone": (ERASED, tiny(b"B", 0), "B"),
    "the higher sequence": (tiny(b"A", 1), tiny(b"B", 2), "B"),
    "the higher sequence, the other way": (tiny(b"A", 3), tiny(b"B", 2), "A"),
    "of equals the first": (tiny(b"A", 5), tiny(b"B", 5), "A"),
    "unsigned sequences": (tiny(b"A", 0xFFFFFFFF), tiny(b"B", 1), "A"),
    "an interrupted header": (tiny(b"A", 1), HALF, "A"),
    "a damaged payload": (tiny(b"A", 1), flipped(tiny(b"B", 2), 140), "A"),
    "a damaged hash": (flipped(tiny(b"A", 7), 70), tiny(b"B", 2), "B"),
    "a damaged header": (flipped(tiny(b"A", 7), 20), tiny(b"B", 2), "B"),
    "neither": (flipped(tiny(b"A", 7), 20), flipped(tiny(b"B", 8), 140), None),
    "damaged after erased": (ERASED, flipped(tiny(b"B", 8), 140), None),
    "nothing": (ERASED, ERASED, None),
}
REASONS = {
    "neither": b"the header is damaged",
    "damaged after erased": b"the payload is damaged",
    "nothing": b"the application region is erased",
}


@pytest.fixture(scope="module")
def chip(firmware, tmp_path_factory):
    """chip(first, second): a flash file with these slots."""
    path = tmp_path_factory.mktemp("slots") / "flash.bin"
    flashing.create_blank(path)

    def fill(*slots):
        with open(path, "r+b") as file:
            for place, data in zip(flashmap.SLOTS, slots):
                file.seek(place.offset)
                file.write(data.ljust(1024, b"\xff"))
        return path

    yield fill
    path.unlink()


@pytest.mark.parametrize("case", CASES)
def test_the_loader_starts_the_right_slot(chip, firmware, case):
    first, second, expected = CASES[case]
    path = chip(first, second)
    with flashing.FlashFile(path) as flash:
        found = flashing.booting(flash)
    assert (found and found.version) == expected
    machine = Machine(path, firmware.with_name("loader.elf")).start()
    try:
        if expected:
            assert machine.until(expected.encode(), 10) == expected.encode()
        else:
            assert REASONS[case] in machine.until(b"\r\n", 10) + machine.until(b"\r\n", 10)
    finally:
        machine.kill()


def test_a_started_firmware_may_write_the_other_slot_only(factory_flash, firmware, tmp_path):
    """Started from the second slot, from the first, and by something that is no loader."""
    from qemu_machine import Board

    ask = (
        "import rawflash\nprint([rawflash.Region(n).writable() for n in ('app', 'app2', 'keys')])"
    )
    path = tmp_path / "flash.bin"
    data = factory_flash.read_bytes()
    path.write_bytes(data)
    moved = data[flashmap.APP.offset : flashmap.APP.end]
    answers = []
    for loader, second in (("loader.elf", None), ("loader.elf", moved), ("firmware.elf", None)):
        if second:
            with open(path, "r+b") as file:
                file.write(b"\xff" * 4096)
                file.seek(flashmap.APP2.offset)
                file.write(second)
        board = Board(path, firmware.with_name(loader)).start()
        try:
            answers.append(board.run(ask).strip())
        finally:
            board.kill()
    assert answers == [
        "[False, True, True]",
        "[True, False, True]",
        "[False, False, True]",
    ]
    path.unlink()
