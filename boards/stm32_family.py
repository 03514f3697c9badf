# SPDX-License-Identifier: MIT
"""What the STM32 boards have in common, frozen with each of them: their geometry takes it from here.

A board's own facts are its flash map, its chip and its family, a row of FAMILIES. What the store may
do with a family's flash is in `pal.flash_stm32`.
"""

import gc

# RAM is short, and the token asks for 2 KiB in one piece. Collected only when all is used up, the heap
# falls apart among what stays for ever: with 20 KB of 84 KB free there was no such piece any more.
if hasattr(gc, "threshold") and gc.threshold() < 0:
    gc.threshold(8192)

CHIP_START = 0x08000000  # of the internal flash, on all families

# A secret of the chip that is not in the flash: none, so whoever reads the flash can try PINs
# off line.
DEVICE_SECRET = None

# What who gets: flash dump, REPL, debugger (docs/BOARDS.md).
THREATS = (
    "dump: sealed objects; the PIN is what protects them",
    "REPL: reads all flash and RAM (machine.mem32); keys in use are in RAM",
    "debugger: everything, until read-out protection is level 1 or more",
)

# family: where randomness comes from, and why it is believed (firmware/cmodules/p11chip)
FAMILIES = {
    "f4": "random number generator of the chip, read with its seed and clock flags (RM0090)",
    "l4": "random number generator of the chip, read with its seed and clock flags (RM0351)",
    "g4": "random number generator of the chip, read with its seed and clock flags (RM0440)",
    "wb": "random number generator of the chip, shared by semaphore, read with its flags (RM0434)",
    "h7": "random number generator of the chip on its 48 MHz clock, read with its flags (RM0433)",
}


def opener(family):
    """Return a board's `device()`: a function that makes the flash device of the token's store."""

    def device():
        from pal.flash_stm32 import FlashSTM32

        return FlashSTM32(family)

    return device
