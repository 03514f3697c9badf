# SPDX-License-Identifier: MIT
"""The numbers the store has to hold, measured as `make bench-store` does."""

import json

import bench_store
import pytest


def test_flash_bytes_and_the_reads_of_a_clean_mount_are_exact():
    assert bench_store.simulated() == {
        "flash bytes per object": 256,
        "flash bytes per object after collection": 224,
        "flash bytes of a sector's own cells after collection": 48,  # RETIRE, COMMIT, SEAL
        "clean mount, programs": 0,
        "clean mount, erases": 0,
        "clean mount, reads of one byte": 1,
        "clean mount, bytes read": 16 * 4096,
    }


@pytest.mark.emulated
@pytest.mark.long
def test_the_store_holds_its_limits_in_flash_ram_and_time(tmp_path, monkeypatch, capsys):
    output = tmp_path / "build" / "bench-store.json"
    monkeypatch.setattr("sys.argv", ["bench_store", "--output", str(output)])
    assert bench_store.main() == 0, capsys.readouterr().out
    found = json.loads(output.read_text())
    assert set(found["limits"]) <= set(found["measured"])
    assert found["measured"]["mount instructions"] < 8_000_000
    records = found["measured"]["records in flash"]
    assert found["measured"]["RAM bytes"] <= 2048 + 16 * records
