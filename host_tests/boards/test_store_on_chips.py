# SPDX-License-Identifier: MIT
"""The token's store on top of the drivers and the models of the chips, with power cuts.

The store itself is proven elsewhere, on simulated flash. Here the question is whether each chip's
driver, device and model together keep the promises the store relies on.
"""

import importlib
import random
import sys
import types

import esp32_flash
import pytest
from stm32_driver import LAYOUTS, Driver

from pal.store import SECRET, Store, StoreError

STM32 = {"f4": "f4", "f429": "f4", "l4": "l4", "g4": "g4", "wb": "wb", "h7": "h7"}
SMALL = {"f429": 0x8000, "l4": 0x1800, "g4": 0x1800, "wb": 0x2000}  # fewer sectors: faster


class OnSTM32:
    """A chip with the driver in it; `device()` is what geometry.device() gives."""

    def __init__(self, name, folder, monkeypatch, small):
        keys = LAYOUTS[name][3]
        if small:
            keys = (keys[0], SMALL[name])
        self.driver = Driver(name, folder, keys=keys)
        self.chip = self.driver.chip
        self.family = STM32[name]
        monkeypatch.setitem(sys.modules, "rawflash", self.driver.module())
        monkeypatch.delitem(sys.modules, "pal.flash_stm32", raising=False)
        self.module = importlib.import_module("pal.flash_stm32")

    def device(self):
        return self.module.FlashSTM32(self.family)

    def power_on(self):
        self.chip.power_on()
        self.chip.cut_after = None


class OnESP32:
    """A partition of three sectors."""

    def __init__(self, encryption, monkeypatch):
        rows = [
            row[:3] + (3 * 4096,) + row[4:] if row[0] == 0x40 else row
            for row in esp32_flash.table()
        ]
        self.chip = esp32_flash.Chip(rows, encryption=encryption)
        self.chip.violations = []
        monkeypatch.setattr(esp32_flash.Partition, "chip", self.chip)
        esp32, esp = types.ModuleType("esp32"), types.ModuleType("esp")
        esp32.Partition = esp32_flash.Partition
        esp.flash_read = esp32_flash.flash_read
        monkeypatch.setitem(sys.modules, "esp32", esp32)
        monkeypatch.setitem(sys.modules, "esp", esp)

    def device(self):
        from pal.flash_esp32 import FlashESP32

        return FlashESP32()

    def power_on(self):
        self.chip.dead = False
        self.chip.cut_after = None


def make(name, folder, monkeypatch, small=True):
    if name.startswith("esp32"):
        return OnESP32(name == "esp32-encrypted", monkeypatch)
    return OnSTM32(name, folder, monkeypatch, small and name in SMALL)


SOURCE = random.Random(7)


def fill(buf):
    for i in range(len(buf)):
        buf[i] = SOURCE.getrandbits(8)


def mounted(board):
    store = Store(board.device(), fill)
    store.mount()
    return store


def contents(store):
    return {i: bytes(store.read(i)[1]) for i in store.ids()}


@pytest.mark.parametrize("name", list(STM32) + ["esp32", "esp32-encrypted"])
def test_objects_survive_rewriting_and_remounting(name, tmp_path, monkeypatch):
    board = make(name, tmp_path, monkeypatch)
    store = mounted(board)
    assert store.blank
    store.format()
    store.commit([(0x100, 1, SECRET, b"key", b"first secret")])
    for round_ in range(24):
        store.commit([(0x101, 1, 0, b"data", bytes([round_]) * 200)])
    store.commit([(0x102, 1, 0, b"more", b"x")], deletes=(0x100,))
    expected = {0x101: bytes([23]) * 200, 0x102: b"x"}
    assert contents(store) == expected
    assert contents(mounted(board)) == expected
    assert b"first secret" not in bytes(board.chip.cells)
    assert board.chip.violations == []


@pytest.mark.parametrize("name", ["l4", "g4", "wb", "f429", "esp32", "esp32-encrypted"])
def test_a_power_cut_leaves_the_old_or_the_new_state(name, tmp_path, monkeypatch):
    board = make(name, tmp_path, monkeypatch)
    store = mounted(board)
    store.format()
    store.commit([(0x100, 1, SECRET, b"key", b"k" * 40), (0x101, 1, 0, b"cert", b"c" * 150)])
    before = bytes(board.chip.cells)
    spent, ecc = set(getattr(board.chip, "spent", ())), dict(getattr(board.chip, "ecc", {}))
    old = contents(store)
    new = {0x101: b"d" * 150, 0x102: b"n" * 30}
    cuts = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    for cut in cuts:
        board.chip.cells[:] = before
        if hasattr(board.chip, "spent"):
            board.chip.spent, board.chip.ecc = set(spent), dict(ecc)
        board.power_on()
        store = mounted(board)
        board.chip.cut_after = cut
        try:
            store.commit(
                [(0x101, 1, 0, b"cert", b"d" * 150), (0x102, 1, 0, b"n", b"n" * 30)], (0x100,)
            )
            done = not board.chip.dead
        except StoreError:
            done = False
        board.power_on()
        seen = contents(mounted(board))
        assert seen in ((new,) if done else (old, new)), cut
        assert contents(mounted(board)) == seen, cut
    assert board.chip.violations == []
