# SPDX-License-Identifier: MIT
"""Power cuts at flash write n of the seed update of a board without entropy source, emulated.

The seed is replaced while the board starts; a boot that was cut before its last write gives no
output. `make soak` cuts at each write, also of an update that makes the log move on to another
sector; `make test` at SAMPLE writes.
"""

import json

import pytest
from cut_board import Chip
from factory import built

pytestmark = pytest.mark.emulated

SAMPLE = 6
STREAM = "import os\nprint(os.urandom(32).hex())"
ASK = "from pkcs11 import hostlink\nhostlink.run(%r)"
BOOTS = 60  # enough for the log to leave a sector


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    """A chip that was given its seed."""
    made = Chip(tmp_path_factory.mktemp("seed_cuts"), built("-notrng"))
    printed = made.run(ASK % json.dumps({"cmd": "seed", "value": bytes(range(64)).hex()}))
    assert '"generation": 1' in printed
    yield made
    made.path.unlink()


def boot(chip, writes=None):
    """The stream of a boot, and how many flash writes it made when it ran uncut."""
    if writes is None:
        printed, offsets = chip.count(STREAM)
    else:
        printed, offsets = chip.run(STREAM, writes), []
    return printed.strip(), len(offsets)


def generation(chip):
    printed = chip.run(ASK % json.dumps({"cmd": "info"}))
    return json.loads(printed.splitlines()[-1])["entropy"]["seed"]["generation"]


def cut_everywhere(chip, given, everything):
    """Cut the next boot at its flash writes; after each cut two boots give new streams."""
    before = chip.region
    stream, count = boot(chip)
    assert count > 3 and stream not in given
    points = (
        range(count) if everything else [i * (count - 1) // (SAMPLE - 1) for i in range(SAMPLE)]
    )
    for writes in points:
        chip.region = before
        boot(chip, writes)
        streams = [*given, boot(chip)[0], boot(chip)[0]]
        assert all(len(each) == 64 for each in streams)
        assert len(set(streams)) == len(streams), writes
    chip.region = before
    return count


def test_a_cut_at_a_write_of_the_seed_update_repeats_no_stream_and_loses_no_seed(chip, request):
    soak = request.config.getoption("--soak")
    given = [boot(chip)[0] for _ in range(3)]
    assert len(set(given)) == 3
    usual = cut_everywhere(chip, given, soak)
    before = generation(chip)
    assert before >= 4
    if not soak:
        return
    moved = 0
    for _ in range(BOOTS):
        region = chip.region
        stream, count = boot(chip)
        assert stream not in given
        if count > usual:  # the log moves on: more writes, an erase among them
            chip.region = region
            moved += 1
            cut_everywhere(chip, given, True)
            stream, _ = boot(chip)
        given.append(stream)
    assert moved and generation(chip) > before


def test_the_search_for_repeated_streams_sees_one(chip):
    """The same flash starts with the same stream: what an update that is not kept would give."""
    before = chip.region
    first = boot(chip)[0]
    chip.region = before
    assert boot(chip)[0] == first
