# SPDX-License-Identifier: MIT
"""Programming an ESP32 with esptool: bootloader, partition table and application, each in its place.

Takes a build directory (ESP-IDF's flasher_args.json says what goes where) or one combined image.
Two tables decide about the keys: the image's, which must have the key partition where the board's
facts say, and the one on the board, which must not have it elsewhere.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from p11board import flash_real_files as files
from p11board.errors import FileProblem
from p11board.flash_real import (
    Plan,
    ProgrammerProblem,
    Segment,
    check_segments,
    read_bytes,
)

CHIPS = {"ESP32": "esp32", "ESP32-S3": "esp32s3", "ESP32-C3": "esp32c3", "ESP32-C6": "esp32c6"}
BOOTLOADER_AT = {"esp32": 0x1000}  # 0 on all later chips of this list
BURNING = ("CONFIG_SECURE_BOOT", "CONFIG_SECURE_FLASH_ENC_ENABLED")  # settings that do
ERASED = 0xFF
IMAGE = 0xE9  # the first byte of an image


def esptool(*arguments):
    """The command line of esptool with these arguments."""
    return [sys.executable, "-m", "esptool", *map(str, arguments)]


def load(board, path):
    """(segments, extra options of write-flash, may it burn eFuses) of an image."""
    chip = CHIPS[board.chip]
    if path.is_dir():
        return load_folder(path, chip)
    start = BOOTLOADER_AT.get(chip, 0)
    return [Segment(start, read_bytes(path, "the image"), path.name, path)], [], burns(path.parent)


def burns(folder):
    """May the first start of a build burn eFuses? True when its settings are not there to ask."""
    try:
        text = "\n" + (folder / "sdkconfig").read_text()
    except OSError:
        return True
    return any(f"\n{name}=y" in text for name in BURNING)


def load_folder(path, chip):
    """The same for a build directory of ESP-IDF."""
    try:
        made = json.loads((path / "flasher_args.json").read_text())
        listed = sorted((int(at, 0), path / name) for at, name in made["flash_files"].items())
        for_chip = made["extra_esptool_args"]["chip"]
        options = [word.replace("_", "-") for word in made["write_flash_args"]]
    except (OSError, ValueError, KeyError) as error:
        raise FileProblem(
            f"{path} is not a build of ESP-IDF ({error})", "build it with `make firmware BOARD=…`"
        ) from None
    if for_chip != chip:
        raise FileProblem(f"{path} was built for {for_chip}, not for {chip}")
    segments = [Segment(at, read_bytes(file, "a part"), file.name, file) for at, file in listed]
    return segments, options, burns(path)


def table_of(segments):
    """The partitions of the table among the segments. Raises FileProblem."""
    for segment in segments:
        at = files.TABLE_OFFSET - segment.address
        if 0 <= at < len(segment.data):
            try:
                return files.parse_table(segment.data[at : at + files.TABLE_SIZE])
            except ValueError as error:
                raise FileProblem(f"{segment.what}: {error}") from None
    raise FileProblem(
        "the image has no partition table",
        "flash the whole build: MicroPython needs this project's table",
    )


def images_in(board, segments, partitions):
    """(what, bytes) of the bootloader and of each application. FileProblem: something else there."""
    places = {"the bootloader": BOOTLOADER_AT.get(CHIPS[board.chip], 0)}
    places.update({f"the application {p.name}": p.offset for p in partitions if p.kind == 0})
    for what, place in places.items():
        for segment in segments:
            data = segment.data[place - segment.address :] if place >= segment.address else b""
            if not data or data[0] == ERASED:
                continue
            if data[0] != IMAGE:
                raise FileProblem(f"{segment.what}: there is no image for {what}")
            yield f"{what} ({segment.what})", data


def check_images(board, segments, partitions, run=subprocess.run):
    """Have esptool check the bootloader and the applications. Raises FileProblem."""
    with tempfile.TemporaryDirectory() as folder:
        for what, data in images_in(board, segments, partitions):
            file = Path(folder) / "image.bin"
            file.write_bytes(data)
            command = esptool("--chip", CHIPS[board.chip], "image-info", file)
            done = run(command, capture_output=True, text=True)
            lines = (done.stdout + done.stderr).strip().splitlines()
            if done.returncode != 0 or any("(invalid" in line for line in lines):
                said = lines[-1] if lines else "no reason given"
                raise FileProblem(f"{what} is not a good image: {said}")


def make_plan(board, path, check=True):
    """The Plan for an image, without the board: no commands yet."""
    segments, options, may_burn = load(board, path)
    keys = board.keys
    partitions = table_of(segments)
    partition = files.key_partition(partitions)
    if partition is None:
        raise FileProblem(
            "the image's partition table has no partition for the keys",
            "it is not a build of this project: MicroPython would put files over the keys",
        )
    if partition.area != keys:
        raise FileProblem(
            f"the image has the key partition at 0x{partition.offset:06x}, "
            f"{board.name} has it at 0x{keys[0]:06x}"
        )
    check_segments(board, segments)
    if check:
        check_images(board, segments, partitions)
    plan = Plan(board.name, segments, options=options)
    plan.notes.append(f"keys at 0x{keys[0]:06x} (64 KiB) and files behind them are not touched")
    if may_burn:
        plan.confirm = f"burn eFuses of {board.name}"
        plan.notes.append(
            "a hardened build, or one without its sdkconfig beside it: its first start may burn "
            "eFuses (docs/BOARDS.md)"
        )
    return plan


def read_board_table(board, port, run=subprocess.run):
    """The partitions on the board at `port`, None when it has no table. Raises ProgrammerProblem."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.bin"
        command = esptool("--chip", CHIPS[board.chip], "--port", port, "read-flash")
        command += [hex(files.TABLE_OFFSET), hex(files.TABLE_SIZE), str(table)]
        done = run(command, capture_output=True, text=True)
        if done.returncode != 0 or not table.exists():
            lines = (done.stdout + done.stderr).strip().splitlines() or ["no answer"]
            raise ProgrammerProblem(
                f"esptool cannot read the board at {port}: {lines[-1]}",
                "is it this board, and in its download mode (hold BOOT, press RESET)?",
            )
        data = table.read_bytes()
    try:
        return files.parse_table(data)
    except ValueError:
        return None


def add_commands(plan, board, port, on_board):
    """Complete a plan for the board at `port`, whose table is `on_board` (None: it has none)."""
    keys = board.keys
    present = files.key_partition(on_board or [])
    common = ["--chip", CHIPS[board.chip], "--port", port]
    if present and present.area != keys:
        raise FileProblem(
            f"the board has its keys at 0x{present.offset:06x}, this image at 0x{keys[0]:06x}",
            "they would be lost: use a build with the same table; nothing was written",
        )
    if present is None:
        plan.notes.append(
            f"the board has no key partition yet: 0x{keys[0]:06x} is erased for it, once"
        )
        plan.commands.append(esptool(*common, "erase-region", hex(keys[0]), hex(keys[1])))
    words = []
    for segment in plan.segments:
        words += [hex(segment.address), segment.path]
    plan.commands.append(esptool(*common, "write-flash", *plan.options, *words))
