# SPDX-License-Identifier: MIT
"""What the keys of objects cost on the emulated board, in instructions (-icount shift=0)."""

import ast

import pytest
from cut_board import Chip
from factory import built

pytestmark = pytest.mark.emulated

PER_TICK = 5  # ticks_cpu counts a 200 MHz clock, an instruction takes 1 ns
OBJECT_KEY = 25_000  # one HMAC under the master key
PIN_CHECK = 10_000 * 12_000  # PBKDF2 with 10 000 iterations of two hash blocks

MEASURE = """
import p11crypto as p, time
m = p.master_new()
k = p.ec_generate(p.EC_P256)
context = bytes(6)
sealed = p.seal(m, k, context, b"")
wrapped = p.master_wrap(m, b"pin1", bytes(16), 10000, b"")
def cost(call):
    least = 1 << 29
    for _ in range(3):
        start = time.ticks_cpu()
        call()
        least = min(least, time.ticks_diff(time.ticks_cpu(), start))
    return least
def unseal():
    p.release(p.unseal(m, sealed, context, b"", p.EC_P256))
def unwrap():
    p.release(p.master_unwrap(b"pin1", bytes(16), 10000, b"", wrapped))
print((cost(lambda: None), cost(lambda: p.mac(m, context, b"")), cost(unseal), cost(unwrap)))
"""


def test_the_key_of_an_object_costs_one_hmac_of_25000_instructions(tmp_path):
    chip = Chip(tmp_path, built())
    empty, *rest = (each * PER_TICK for each in ast.literal_eval(chip.run(MEASURE)))
    chip.path.unlink()
    hmac, unseal, unwrap = (each - empty for each in rest)
    print(f"HMAC {hmac}, unseal {unseal}, PIN check {unwrap} instructions")
    assert 1000 < hmac <= OBJECT_KEY
    assert hmac < unseal
    assert 10_000 * 1000 < unwrap <= PIN_CHECK
