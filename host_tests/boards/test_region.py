# SPDX-License-Identifier: MIT
"""What `p11board backup-region` makes of the board's answer: whole and unharmed, or nothing."""

import binascii
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p11board.cli_region import RegionReader
from p11board.errors import TransportProblem


def printed(data):
    """What the board prints for a region of these bytes."""
    lines = ["%d" % len(data)]
    for at in range(0, len(data), 256):
        block = data[at : at + 256]
        lines.append("%08x %s" % (binascii.crc32(block), block.hex()))
    return ("\r\n".join(lines) + "\r\nEND\r\n").encode()


REGION = random.Random(7).randbytes(4096)


@given(st.lists(st.integers(1, 9000), max_size=8))
def test_a_region_arrives_in_pieces_of_any_size(cuts):
    text, reader = printed(REGION), RegionReader()
    cuts = [0, *sorted(cuts), len(text)]
    for start, end in zip(cuts, cuts[1:]):
        reader.feed(text[start:end])
    assert reader.complete and bytes(reader.data) == REGION


@given(st.integers(0, 8000), st.integers(1, 255))
def test_a_harmed_byte_is_never_taken_for_the_region(at, change):
    text = bytearray(printed(REGION))
    text[at] ^= change
    reader = RegionReader()
    try:
        reader.feed(bytes(text))
    except TransportProblem:
        return
    # White space and the case of digits carry nothing.
    assert not reader.complete or bytes(reader.data) == REGION


@pytest.mark.parametrize("lost", [1, 2, 9, 16])
def test_lost_lines_leave_the_region_incomplete(lost):
    lines = printed(REGION).split(b"\r\n")
    reader = RegionReader()
    reader.feed(b"\r\n".join(lines[:lost] + lines[lost + 1 :]))
    assert not reader.complete


@given(st.binary(max_size=600))
def test_arbitrary_bytes_are_a_transport_problem_or_incomplete(data):
    reader = RegionReader()
    try:
        reader.feed(data + b"\n")
    except TransportProblem:
        pass
    assert not reader.complete or not reader.data
