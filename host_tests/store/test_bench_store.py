# SPDX-License-Identifier: MIT
"""The numbers the store has to hold, measured as `make bench-store` does."""

import json

import bench_store
import pytest

pytestmark = [pytest.mark.emulated, pytest.mark.long]


def test_the_store_holds_its_limits_in_flash_ram_and_time(tmp_path, monkeypatch, capsys):
    output = tmp_path / "build" / "bench-store.json"
    monkeypatch.setattr("sys.argv", ["bench_store", "--output", str(output)])
    assert bench_store.main() == 0, capsys.readouterr().out
    found = json.loads(output.read_text())
    assert set(found["limits"]) <= set(found["measured"])
    assert found["measured"]["flash bytes per object"] <= 256
    assert found["measured"]["mount instructions"] < 8_000_000
