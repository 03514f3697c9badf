# SPDX-License-Identifier: MIT
"""The compiled engine under Unicorn (QEMU's CPU as a library): calls a function of an ELF file and
records every basic block and every data address, which no emulator option of QEMU 7.2 shows.

Assumes the PyPI packages `unicorn` and `pyelftools`.
"""

import hashlib

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm_const, riscv_const

RETURN = 0x10000000  # an address the calls return to
HEAP, HEAP_SIZE = 0x60000000, 0x10000
STACK, STACK_SIZE = 0x70000000, 0x10000


class Trace:
    """Hash of the blocks that were executed and the addresses that were read and written."""

    def __init__(self):
        self.hash = hashlib.sha256()
        self.code = 0
        self.accesses = 0
        self.tables = set()

    def summary(self):
        """What must be equal for equal public input."""
        return self.code, self.accesses, self.hash.hexdigest()


class Machine:
    """One program in one CPU: cpu is "m4", "m0" or "rv32"."""

    def __init__(self, path, cpu):
        self.arm = cpu != "rv32"
        if self.arm:
            mode = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
            self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, mode)
            models = {"m4": arm_const.UC_CPU_ARM_CORTEX_M4, "m0": arm_const.UC_CPU_ARM_CORTEX_M0}
            self.uc.ctl_set_cpu_model(models[cpu])
            c = arm_const
            self.arguments = [c.UC_ARM_REG_R0, c.UC_ARM_REG_R1, c.UC_ARM_REG_R2, c.UC_ARM_REG_R3]
            self.sp, self.link, self.stacked = c.UC_ARM_REG_SP, c.UC_ARM_REG_LR, 4
        else:
            self.uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
            c = riscv_const
            self.arguments = [getattr(c, "UC_RISCV_REG_A%d" % i) for i in range(8)]
            self.sp, self.link, self.stacked = c.UC_RISCV_REG_SP, c.UC_RISCV_REG_RA, 8
        with open(path, "rb") as file:
            elf = ELFFile(file)
            base = min(s["p_vaddr"] for s in elf.iter_segments() if s["p_type"] == "PT_LOAD")
            self.uc.mem_map(base & ~0xFFFFF, 0x200000)
            for segment in elf.iter_segments():
                if segment["p_type"] == "PT_LOAD":
                    self.uc.mem_write(segment["p_vaddr"], segment.data())
            table = elf.get_section_by_name(".symtab")
            self.symbols = {s.name: (s["st_value"], s["st_size"]) for s in table.iter_symbols()}
        self.uc.mem_map(RETURN, 0x1000)
        self.uc.mem_map(HEAP, HEAP_SIZE)
        self.uc.mem_map(STACK, STACK_SIZE)
        self.trace = None
        self.uc.hook_add(unicorn.UC_HOOK_BLOCK, self._executed)
        kinds = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
        self.uc.hook_add(kinds, self._accessed)

    def _executed(self, uc, address, size, user):
        self.trace.code += size  # bytes
        self.trace.hash.update(b"%x %d" % (address, size))

    def _accessed(self, uc, access, address, size, value, user):
        self.trace.accesses += 1
        self.trace.hash.update(b"@%x %d" % (address, access))
        if address < HEAP or address >= 0x80000000:
            self.trace.tables.add(address)

    def call(self, name, *arguments):
        """Calls with ints and bytes (copied in); returns (result, [memory after], Trace)."""
        uc, heap, values, places = self.uc, HEAP, [], []
        uc.mem_write(STACK, bytes(STACK_SIZE))
        for argument in arguments:
            if isinstance(argument, bytes):
                uc.mem_write(heap, argument)
                values.append(heap)
                places.append((heap, len(argument)))
                heap += (len(argument) + 15) & ~15
            else:
                values.append(argument & 0xFFFFFFFF)
                places.append(None)
        extra = values[self.stacked :]
        sp = STACK + STACK_SIZE - 64 - 16 * ((len(extra) + 3) // 4)
        for i, value in enumerate(extra):
            uc.mem_write(sp + 4 * i, value.to_bytes(4, "little"))
        for register, value in zip(self.arguments, values):
            uc.reg_write(register, value)
        uc.reg_write(self.sp, sp)
        uc.reg_write(self.link, RETURN | self.arm)
        self.trace = Trace()
        uc.emu_start(self.symbols[name][0] | self.arm, RETURN)
        memory = [bytes(uc.mem_read(*place)) if place else None for place in places]
        return uc.reg_read(self.arguments[0]), memory, self.trace
