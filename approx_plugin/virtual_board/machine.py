"""One emulated core with the cycle model hooked into it: unicorn executes, native/trace.c counts."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Sequence
from typing import Any

from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_HOOK_INTR, UC_MODE_MCLASS, UC_MODE_THUMB, arm_const
from unicorn.unicorn_py3.unicorn import Uc, UcError, uclib

from approx_plugin.boards.memory import Memory
from approx_plugin.cores.kinds import KINDS
from approx_plugin.errors import ApproxError, ToolError
from approx_plugin.virtual_board import layout
from approx_plugin.virtual_board.firmware import Firmware
from approx_plugin.virtual_board.hardware import RANGES, Registers
from approx_plugin.virtual_board.operation import Operation, decode
from approx_plugin.virtual_board.semihosting import Semihosting
from approx_plugin.virtual_board.spy import Visits

PAGE = 4096
MODELS = {
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
}
ENDS = ("exit", "symbol", "loop", "limit", "unknown code", "decoder", "depth")
"""END_* of native/trace.h; 0 (the emulator stopped by itself) is semihosting's exit or a failure."""

EXCEPTION_BKPT = 7
SEMIHOSTING_IMMEDIATE = 0xAB
EXCEPTIONS = {1: "an undefined instruction", 2: "SVC", 3: "a fetch fault", 4: "a data fault", 7: "BKPT", 17: "no FPU"}
"""QEMU's EXCP_* of the Arm target."""

COPIED = tuple(field.name for field in dataclasses.fields(Operation) if field.name != "kind")
"""Fields of a decoded operation that the C struct has under the same names."""

REGISTER_IDS = tuple(
    getattr(arm_const, f"UC_ARM_REG_{name}") for name in (*(f"R{n}" for n in range(13)), "SP", "LR", "PC")
)


class Machine:
    """A core, its memories and registers, and the trace that watches it. Not for more than one run."""

    def __init__(self, core: str, memories: Sequence[Memory], registers: Registers, trace: Any) -> None:
        """trace: pointer to a C trace, which gets its callbacks here. ToolError: the emulator has no such core."""
        if core not in MODELS:
            raise ToolError(f"the emulator has no core '{core}'", hint=f"it knows {', '.join(MODELS)}")
        engine: Any = Uc  # its __new__ chooses a class by architecture, which type checkers do not follow
        self._engine = engine(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, MODELS[core])
        self._registers, self._trace = registers, trace
        self._failure: ApproxError | None = None
        self.semihosting = Semihosting(self.load, registers.console)
        for memory in memories:
            self._engine.mem_map(memory.origin, -(-memory.length // PAGE) * PAGE)
        for origin, length in RANGES:
            self._engine.mmio_map(origin, length, self._read, origin, self._write, origin)
        self._decoder = layout.DECODER(self._decode)
        contents = trace.contents
        contents.register_read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p)
        contents.memory_read = ctypes.cast(uclib.uc_mem_read, ctypes.c_void_p)
        contents.stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p)
        contents.decoder = self._decoder
        contents.register_r = (ctypes.c_int32 * 16)(*REGISTER_IDS)

    def load(self, address: int, size: int) -> bytes:
        """Memory as the program sees it. Raises ToolError outside of it."""
        try:
            return bytes(self._engine.mem_read(address, size))
        except UcError as error:
            raise ToolError(f"the firmware gave the address 0x{address:08x}, which is no memory") from error

    def store(self, address: int, content: bytes) -> None:
        """Change memory. Raises ToolError where there is none."""
        try:
            self._engine.mem_write(address, content)
        except UcError as error:
            raise ToolError(f"0x{address:08x} is no memory of the board") from error

    def register(self, name: str) -> int:
        """See `spy.Core`."""
        return int(self._engine.reg_read(getattr(arm_const, f"UC_ARM_REG_{name.upper()}"))) & 0xFFFFFFFF

    def set_register(self, name: str, value: int) -> None:
        """See `spy.Core`."""
        self._engine.reg_write(getattr(arm_const, f"UC_ARM_REG_{name.upper()}"), value)

    def run(self, library: ctypes.CDLL, firmware: Firmware, stack: int, entry: int, visits: Visits) -> str:
        """Execute from `entry` to the end; which end it was, one of ENDS. Raises ToolError if the firmware fails."""
        for segment in firmware.segments:
            self._engine.mem_write(segment.address, segment.content)
        self._hook_trace(library)
        self._engine.hook_add(UC_HOOK_INTR, self._exception)
        self._engine.reg_write(arm_const.UC_ARM_REG_SP, stack)
        try:
            # Nothing is executed at the architecture's return-address patterns, so this end is never reached.
            self._engine.emu_start(entry | 1, 0xFFFFFFFE)
            while self._stands_at_a_visit(visits):
                self._engine.emu_start(self.register("pc") | 1, 0xFFFFFFFE)
        except UcError as error:
            library.trace_finish(self._trace)
            raise self._failure or self._failed(firmware, str(error)) from error
        library.trace_finish(self._trace)
        end = ENDS[self._trace.contents.end]
        if self._failure and end == "decoder":
            raise self._failed(firmware, self._failure.what, self._trace.contents.end_address)
        if self._failure:
            raise self._failure
        if end in ("unknown code", "decoder", "depth") or (end == "exit" and self.semihosting.exit_status is None):
            raise self._failed(firmware, f"stopped: {end}", self._trace.contents.end_address)
        return end

    def _stands_at_a_visit(self, visits: Visits) -> bool:
        """Whether the emulator has stopped for a spy, who has been served: it can go on."""
        contents = self._trace.contents
        if ENDS[contents.end] != "symbol" or not visits.visit(contents.end_address, self):
            return False
        contents.end = 0
        return True

    def argument(self) -> int:
        """r0."""
        return int(self._engine.reg_read(arm_const.UC_ARM_REG_R0))

    def _hook_trace(self, library: ctypes.CDLL) -> None:
        handle = ctypes.c_size_t()
        callback = ctypes.cast(library.trace_on_code, ctypes.c_void_p)
        uch = self._engine._uch
        status = uclib.uc_hook_add(uch, ctypes.byref(handle), UC_HOOK_CODE, callback, self._trace, 1, 0)
        if status:
            raise ToolError("the emulator takes no hook", why=str(UcError(status)), hint="install unicorn 2.1")

    def _failed(self, firmware: Firmware, why: str, address: int | None = None) -> ToolError:
        if address is None:
            address = int(self._engine.reg_read(arm_const.UC_ARM_REG_PC))
        written = self._registers.console.decode("utf-8", "replace").strip().splitlines()[-3:]
        said = f"; its last lines: {' | '.join(written)}" if written else ""
        function = firmware.function_at(address)
        place = f"0x{address:08x}" + (f" in {function}" if function else "")
        return ToolError(f"the firmware failed at {place}", where=firmware.path, why=why + said)

    def _decode(self, code: Any, size: int, out: Any) -> int:
        try:
            found = decode(bytes(code[:size]))
        except ApproxError as error:
            self._failure = error
            return 1
        target = out.contents
        target.kind = KINDS.index(found.kind)
        for name in COPIED:
            setattr(target, name, getattr(found, name))
        return 0

    def _read(self, _engine: Uc, offset: int, size: int, origin: int) -> int:
        return self._registers.read(origin + offset, size)

    def _write(self, _engine: Uc, offset: int, size: int, value: int, origin: int) -> None:
        self._registers.write(origin + offset, size, value)

    def _exception(self, engine: Uc, number: int, _data: Any) -> None:
        pc = int(engine.reg_read(arm_const.UC_ARM_REG_PC))
        try:
            if number == EXCEPTION_BKPT and self.load(pc, 1)[0] == SEMIHOSTING_IMMEDIATE:
                call = (int(engine.reg_read(arm_const.UC_ARM_REG_R0)), int(engine.reg_read(arm_const.UC_ARM_REG_R1)))
                if not self.semihosting.call(*call):
                    raise ToolError(f"the firmware made the semihosting call 0x{call[0]:x}, which is not served")
                if self.semihosting.exit_status is None:
                    engine.reg_write(arm_const.UC_ARM_REG_R0, 0)
                    engine.reg_write(arm_const.UC_ARM_REG_PC, pc + 2 | 1)
                    return
            else:
                what = EXCEPTIONS.get(number, f"exception {number}")
                self._failure = ToolError(f"the firmware took {what} at 0x{pc:08x}")
        except ApproxError as error:
            self._failure = error
        engine.emu_stop()
