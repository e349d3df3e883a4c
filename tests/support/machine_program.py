"""Whole programs made of instruction values: linked for a board, and followed step by step as they run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from machine_blocks import FPUS
from machine_run import MODELS

from approx_plugin.boards.board import Board
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.registers import CORE, Register
from approx_plugin.kernels.machine.text import Item, function, head, layout
from approx_plugin.virtual_board.firmware import Firmware, load_firmware

SCRIPT = """
ENTRY(reset)
SECTIONS {{
  .vectors {code:#x} : {{ LONG({stack:#x}) LONG(reset + 1) }}
  .text : {{ *(.text.reset) *(.text.*) }}
}}
"""

Functions = Mapping[str, Sequence[Item]]


class Executed(NamedTuple):
    """One step of a run: `following` is where it went on, None for the next instruction in memory."""

    one: Instruction
    address: int
    access: int
    following: int | None
    skipped: bool
    in_it: bool
    function: str


def link(functions: Functions, board: Board, folder: Path) -> Firmware:
    """An ELF of the functions, which begins at "reset" and is over when it gets to "board_exit"."""
    source, script, elf = folder / "program.s", folder / "program.ld", folder / "program.elf"
    every = {**functions, "board_exit": [instruction("nop")]}
    lines = [line for name, items in every.items() for line in function(name, layout(items))]
    source.write_text("\n".join([*head([]), *lines, ""]))
    script.write_text(SCRIPT.format(code=board.flash.origin, stack=board.ram.origin + board.ram.length))
    machine = (f"-mcpu={board.core}", "-mthumb", f"-mfpu={FPUS[board.core]}", "-mfloat-abi=hard")
    command = ["arm-none-eabi-gcc", *machine, "-nostdlib", "-T", str(script), str(source), "-o", str(elf)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("needs arm-none-eabi-gcc")
    return load_firmware(elf)


def follow(functions: Functions, firmware: Firmware, board: Board) -> Iterator[Executed]:
    """What a run of the firmware executes, in order; skipped instructions of IT blocks included."""
    unicorn = pytest.importorskip("unicorn")
    names = unicorn.arm_const
    machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    machine.ctl_set_cpu_model(getattr(names, f"UC_CPU_ARM_CORTEX_{MODELS[board.core]}"))
    for memory in (board.flash, board.ram):
        machine.mem_map(memory.origin, -(-memory.length // 4096) * 4096)
    for segment in firmware.segments:
        machine.mem_write(segment.address, segment.content)
    machine.reg_write(names.UC_ARM_REG_SP, board.ram.origin + board.ram.length)
    placed: dict[int, tuple[Instruction, str]] = {}
    for name, items in functions.items():
        address = firmware.functions[name]
        for item in layout(items):
            if isinstance(item, Instruction):
                placed[address] = (item, name)
                address += item.size
    seen: list[tuple[int, int]] = []

    def value(register: Register) -> int:
        return int(machine.reg_read(getattr(names, f"UC_ARM_REG_{register.name.upper()}")))

    def note(_machine: Any, address: int, _size: int, _data: object) -> None:
        access = placed[address][0].access if address in placed else None
        where = 0
        if access:
            index = value(access.index_register) << access.shift if access.index_register else 0
            where = value(access.base) + index + access.displacement & 0xFFFFFFFF
        seen.append((address, where))

    machine.hook_add(unicorn.UC_HOOK_CODE, note)
    machine.emu_start(firmware.functions["reset"] | 1, firmware.functions["board_exit"])
    seen.append((firmware.functions["board_exit"], 0))
    governed = 0
    for (address, access), (following, _) in zip(seen, seen[1:]):
        one, name = placed[address]
        in_it, governed = governed > 0, max(governed - 1, 0)
        if one.kind == "it":
            governed = len(one.name) - 1
        after = address + one.size
        skipped = []
        while governed and after != following:
            skipped.append(Executed(placed[after][0], after, 0, None, True, True, name))
            after += placed[after][0].size
            governed -= 1
        yield Executed(one, address, access, None if after == following else following, False, in_it, name)
        yield from skipped


def calls(functions: Sequence[str], arguments: Mapping[Register, int]) -> list[Item]:
    """A "reset" that calls every function with these arguments, one after the other."""
    code: list[Item] = []
    for name in functions:
        for register, number in arguments.items():
            code += [instruction("movw", register, number & 0xFFFF), instruction("movt", register, number >> 16)]
        code += [instruction("movw", CORE[9], 8), instruction("bl", name)]
    return [*code, instruction("b.w", "board_exit")]
