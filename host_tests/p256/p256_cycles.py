# SPDX-License-Identifier: MIT
"""A small model of Cortex-M4 timing, as a guard against tuning to the count of instructions.

Rules from the Technical Reference Manual, with memory that never waits: most instructions one
cycle, LDR two (one when it follows a load or store), STR one, LDM, STM, PUSH, POP, LDRD and STRD
one plus one per word, a taken branch two more. It is a model: it was not fitted to a board and no
board was measured. Assumes `unicorn` and `pyelftools`, and arm-none-eabi-objdump.
"""

import re

import p256_build
import unicorn
from p256_machine import Machine
from p256_reference import N, be

NAMES = {"sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}


def _registers(text):
    count = 0
    for part in text.split(","):
        ends = [NAMES.get(r) or int(r[1:]) for r in part.strip().split("-")]
        count += ends[-1] - ends[0] + 1
    return count


def _costs(program):
    costs = {}
    listing = p256_build.run(["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", program])
    for match in re.finditer(r"^\s+([0-9a-f]+):\t(\S+)[ \t]*(.*)$", listing, re.M):
        address, name, operands = int(match[1], 16), match[2].split(".")[0], match[3]
        listed = re.search(r"\{(.*?)\}", operands)
        if name.startswith(("ldrd", "strd")):
            cost = ("multiple", 3)
        elif listed and name.startswith(("ldm", "stm", "push", "pop")):
            cost = ("multiple", 1 + _registers(listed[1]))
        elif name.startswith("ldr"):
            cost = ("single", 2)
        elif name.startswith("str"):
            cost = ("single", 1)
        else:
            cost = ("other", 1)
        costs[address] = cost
    return costs


class Counter:
    """Sums cycles of a Machine's calls."""

    def __init__(self, program):
        self.costs = _costs(program)
        self.machine = Machine(program, "m4")
        self.machine.uc.hook_add(unicorn.UC_HOOK_CODE, self._step)

    def _step(self, uc, address, size, user):
        kind, cost = self.costs.get(address, ("other", 1))
        if self.following is not None and address != self.following:
            self.cycles += 2
        if kind == self.before == "single":
            cost = 1
        self.cycles += cost
        self.before, self.following = kind, address + size

    def call(self, name, *arguments):
        """(cycles, memory after) of one call."""
        self.cycles, self.before, self.following = 0, None, None
        result, memory, _ = self.machine.call(name, *arguments)
        assert result & 0xFF
        return self.cycles, memory


def model(program):
    """Cycles per operation of the engine."""
    c = Counter(program)
    scalar, digest, nonce, blind = be(N // 3), be(N // 5), be(N // 7), be(N // 9)
    keygen, (point, *_) = c.call("p256_public", bytes(64), scalar, blind)
    sign, (signature, *_) = c.call("p256_sign", bytes(64), scalar, digest, 32, nonce, blind)
    deterministic, _ = c.call("p256_sign_rfc6979", bytes(64), scalar, digest, 32, 0, 0, blind)
    verify, _ = c.call("p256_verify", point, digest, 32, signature)
    ecdh, _ = c.call("p256_ecdh", bytes(32), scalar, point, blind)
    return {
        "keygen": keygen,
        "sign": sign,
        "sign_rfc6979": deterministic,
        "verify": verify,
        "ecdh": ecdh,
    }
