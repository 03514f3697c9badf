# SPDX-License-Identifier: MIT
"""Numbers that stand in more than one file, because C, linker and Python each need them."""

import re
import sys

import pytest
from qemu_machine import ROOT

from p11board import flashmap, image

PORT = ROOT / "firmware" / "ports" / "ast1030"
BOARD = ROOT / "boards" / "AST1030_EVB"


@pytest.fixture(scope="module")
def defines():
    """The numbers of flash_map.h, by name."""
    found = re.findall(r"#define (\w+)\s+(0x\w+)", (BOARD / "flash_map.h").read_text())
    return {name: int(value, 16) for name, value in found}


@pytest.fixture
def geometry(monkeypatch):
    """The board's geometry module (the tests' own import path has the twin's)."""
    monkeypatch.syspath_prepend(str(BOARD))
    monkeypatch.delitem(sys.modules, "geometry", raising=False)
    import geometry

    yield geometry
    sys.modules.pop("geometry", None)


def test_flash_map_header_and_geometry_agree(defines, geometry):
    assert {
        name[6:-5].lower(): (base, defines[name[:-5] + "_SIZE"])
        for name, base in defines.items()
        if name.endswith("_BASE")
    } == geometry.FLASH_MAP
    assert defines["FLASH_CHIP_SIZE"] == geometry.CHIP_SIZE
    assert defines["FLASH_SECTOR_SIZE"] == geometry.SECTOR_SIZE
    assert defines["FLASH_PAGE_SIZE"] == geometry.PAGE_SIZE


def test_geometry_and_the_host_tools_agree(geometry):
    regions = {region.name: (region.offset, region.size) for region in flashmap.REGIONS}
    assert regions == geometry.FLASH_MAP
    assert flashmap.CHIP_SIZE == geometry.CHIP_SIZE
    assert flashmap.SECTOR_SIZE == geometry.SECTOR_SIZE
    assert flashmap.PAGE_SIZE == geometry.PAGE_SIZE


def test_regions_lie_apart_inside_the_chip_on_sector_boundaries(geometry):
    end = 0
    for base, size in sorted(geometry.FLASH_MAP.values()):
        assert base >= end
        assert base % geometry.SECTOR_SIZE == size % geometry.SECTOR_SIZE == 0
        end = base + size
    assert end <= geometry.CHIP_SIZE


def test_image_tool_and_loader_agree_on_memory(defines):
    loader = (PORT / "loader" / "loader.ld").read_text()
    base = int(re.search(r"TOP.*ORIGIN = (0x\w+)", loader).group(1), 16)
    assert base == image.MEMORY_TOP
    assert base + 16 * 1024 == image.SRAM_SIZE
    assert defines["FLASH_APP_SIZE"] == image.REGION_SIZE
    assert "LOADER_SIZE = 16K" in (PORT / "ast1030.ld").read_text()
