"""Straight lines of instructions executed on an emulated core: registers, flags and memory before and after them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

CODE, DATA, OTHER, FRAME = 0x0800_0000, 0x2000_0000, 0x2010_0000, 0x2020_0000
ROOM = 0x10000
"""Bytes of each; the pointers start in the middle."""

MODELS = {"cortex-m4": "M4", "cortex-m33": "M33", "cortex-m7": "M7"}


class Core:
    """A core with code at CODE and three pieces of memory: r0 points into DATA, r1 into OTHER, sp into FRAME."""

    def __init__(self, seed: int, core: str = "cortex-m7") -> None:
        """Everything filled from the seed."""
        unicorn: Any = pytest.importorskip("unicorn")
        self.names = unicorn.arm_const
        self.machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.machine.ctl_set_cpu_model(getattr(self.names, f"UC_CPU_ARM_CORTEX_{MODELS[core]}"))
        random = Random(seed)
        self.machine.mem_map(CODE, ROOM)
        for base in (DATA, OTHER, FRAME):
            self.machine.mem_map(base, ROOM)
            self.machine.mem_write(base, random.randbytes(ROOM))
        # CPACR: the FPU is switched on by the system; here by the register that says so.
        self.machine.reg_write(self.names.UC_ARM_REG_FPEXC, 1 << 30)
        for number in range(13):
            self.set(f"r{number}", random.choice((random.getrandbits(32), random.getrandbits(7))))
        for number in range(32):
            self.set(f"s{number}", random.getrandbits(32))
        self.set("lr", random.getrandbits(32))
        for name, base in (("r0", DATA), ("r1", OTHER), ("sp", FRAME)):
            self.set(name, base + ROOM // 2)
        self.set("r9", 4 * random.randrange(8))
        self.machine.reg_write(self.names.UC_ARM_REG_APSR, random.getrandbits(4) << 28 | random.getrandbits(4) << 16)

    def _register(self, name: str) -> int:
        return int(getattr(self.names, f"UC_ARM_REG_{name.upper()}"))

    def set(self, name: str, value: int) -> None:
        self.machine.reg_write(self._register(name), value)

    def get(self, name: str) -> int:
        return int(self.machine.reg_read(self._register(name)))

    def run(self, code: bytes) -> Mapping[str, Any]:
        """Execute the code; the state after it."""
        self.machine.mem_write(CODE, code)
        self.machine.emu_start(CODE | 1, CODE + len(code))
        names = (*(f"r{n}" for n in range(13)), "sp", "lr", *(f"s{n}" for n in range(32)), "apsr")
        state: dict[str, Any] = {name: self.get(name) for name in names}
        for name, base in (("data", DATA), ("other", OTHER), ("frame", FRAME)):
            state[name] = bytes(self.machine.mem_read(base, ROOM))
        return state
