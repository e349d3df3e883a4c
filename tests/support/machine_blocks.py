"""Random instructions and straight lines of them, the assembler's opinion of a text, and an emulated core to run it.

They are drawn by `random.Random`: a seed that hypothesis draws stands for a whole block, which keeps drawing cheap.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from approx_plugin.kernels.machine.checking import SHIFTS
from approx_plugin.kernels.machine.forms import ACCESSES, CONDITIONS, FORMS, Slot
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import OFFSET, POST, PRE, Address, Pointer, Registers, Shifted
from approx_plugin.kernels.machine.registers import CORE, R0, R1, R9, SINGLES, SP, Register

CONTROL = frozenset(name for name, form in FORMS.items() if form.kind.startswith(("branch", "it")))
ANYTHING = tuple(sorted(set(FORMS) - CONTROL))
EXECUTED = tuple(sorted(set(FORMS) - CONTROL - {"nop", "push", "pop"}))

POINTERS = {R0: "data", R1: "other", SP: "frame"}
"""Of blocks that are executed: pointers and what they point into."""

INDEX = R9
"""A small index that executed blocks do not change."""

VALUES = tuple(register for register in CORE if register not in (*POINTERS, INDEX))
"""What executed blocks compute with."""

FPUS = {"cortex-m4": "fpv4-sp-d16", "cortex-m33": "fpv5-sp-d16", "cortex-m7": "fpv5-d16"}

Addresses = Callable[[Random, str], Address]


def modified_immediate(random: Random) -> int:
    """A constant that data processing takes."""
    byte = random.randrange(256)
    return random.choice(
        (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101, (byte | 0x80) << random.randint(1, 24))
    )


def _operand(random: Random, slot: Slot, registers: Sequence[Register], addresses: Addresses, name: str) -> Any:
    takes, register = slot.takes, random.choice(registers)
    if takes == "number":
        return random.randint(slot.low, slot.high)
    if takes == "half":
        return random.randrange(0x10000)
    if takes == "amount":
        return random.choice((register, random.randint(1, 31)))
    if takes == "address":
        return addresses(random, name)
    if takes == "core":
        return register
    shifts = SHIFTS[takes]
    shift = random.choice(sorted(shifts))
    choices = [register, Shifted(register, shift, random.choice(shifts[shift]))]
    return random.choice([*choices, modified_immediate(random)] if takes == "flexible" else choices)


def _list(random: Random, registers: Sequence[Register]) -> Registers:
    return Registers(tuple(sorted(random.sample(list(registers), random.randint(2, 6)))))


def any_address(random: Random, name: str) -> Address:
    """Any address that the instruction takes, over all core registers; what lies there does not matter."""
    base, index, mode = random.choice(CORE[:14]), random.choice(CORE[:13]), random.choice((OFFSET, OFFSET, PRE, POST))
    if ACCESSES[name][1] == 2:
        return Address(base, 4 * random.randint(-255, 255), mode)
    if mode == OFFSET and random.random() < 0.4:
        return Address(base, random.choice((index, Shifted(index, "lsl", random.randint(1, 3)))))
    high = 4095 if mode == OFFSET else 255
    return Address(
        base, random.choice((random.randint(-255, high), 4 * random.randrange(32), random.randrange(32))), mode
    )


def near_address(random: Random, name: str) -> Address:
    """An address that a block may really access: see `POINTERS`."""
    size, pieces = ACCESSES[name]
    base = random.choice(tuple(POINTERS))
    region = random.choice((POINTERS[base], POINTERS[base], ""))
    if base != SP and pieces == 1 and random.random() < 0.2:
        return Address(base, INDEX, OFFSET, region)
    mode = OFFSET if base == SP else random.choice((OFFSET, OFFSET, OFFSET, PRE, POST))
    step = 4 if pieces == 2 else random.choice((size, 4))
    return Address(base, step * random.randint(0, 15 if mode == OFFSET else 2), mode, region)


def draw(random: Random, registers: Sequence[Register], addresses: Addresses, names: Sequence[str]) -> Instruction:
    """One instruction that is no branch and stands in no IT block."""
    while True:
        name = random.choice(names)
        form = FORMS[name]
        suffix = "s" if form.flags == "optional" and random.random() < 0.5 else ""
        operands: list[Any]
        if name.endswith("ia"):
            base = random.choice((R0, R1))
            first = random.randrange(20)
            singles = Registers(SINGLES[first : first + random.randint(1, 8)])
            moved = singles if name.startswith("v") else _list(random, registers)
            operands = [Pointer(base, random.random() < 0.5, POINTERS[base]), moved]
        elif name in ("push", "pop"):
            operands = [_list(random, registers)]
        elif name == "vmov":
            operands = random.sample([random.choice(registers), random.choice(SINGLES)], 2)
        else:
            operands = [_operand(random, slot, registers, addresses, name) for slot in form.slots]
            if form.short and operands[0] == operands[1] and random.random() < 0.5:
                operands = operands[1:]
        try:
            return instruction(name + suffix, *operands)
        except ValueError:
            continue  # Operands that do not fit together: draw again.


def any_instruction(random: Random) -> Instruction:
    """Any instruction, over all registers; not to be executed."""
    return draw(random, (*CORE[:13], CORE[14]), any_address, ANYTHING)


def conditional(random: Random) -> list[Instruction]:
    """A comparison, and an IT block of one or two instructions."""
    register, other, condition = random.choice(VALUES), random.choice(VALUES), random.choice(CONDITIONS[:14])
    body = [
        instruction(f"mov{condition}.w", register, modified_immediate(random)),
        instruction(f"add{condition}.w", other, register, random.randrange(256)),
    ][: random.randint(1, 2)]
    compare = instruction("cmp", register, random.randrange(256))
    return [compare, instruction("itt"[: 1 + len(body)], condition), *body]


def is_degenerate(one: Instruction) -> bool:
    """Whether a register is needed in two stages, of which the virtual board's decoder sees the later one only.

    TST r1, r1, LSL #2; SMLALD r1, r2, r1, r3; SXTAB16 r1, r2, r2: no kernel has use for these.
    """
    groups = one.groups
    return bool({*groups.get("source", ())} & {*groups.get("early", ()), *groups.get("accumulate", ())})


def aliased(random: Random) -> list[Instruction]:
    """An access through a second pointer into the same memory."""
    base, pointer, value = random.choice((R0, R1)), *random.sample(VALUES, 2)
    name = random.choice(("ldr", "str", "strb", "ldrsh", "strd", "ldrd"))
    registers = [value, random.choice([r for r in VALUES if r != value])] if name.endswith("d") else [value]
    access = instruction(name, *registers, Address(pointer, 4 * random.randrange(4), OFFSET, POINTERS[base]))
    return [instruction("add", pointer, base, 4 * random.randrange(12)), access]


def executable_block(random: Random, most: int = 30) -> list[Instruction]:
    """A straight line that can be executed: see `POINTERS`."""
    block: list[Instruction] = []
    for _ in range(random.randint(1, most)):
        chance = random.random()
        if chance < 0.2:
            block += conditional(random) if chance < 0.1 else aliased(random)
        else:
            block.append(draw(random, VALUES, near_address, EXECUTED))
    return block


def assemble(lines: Sequence[str], folder: Path, core: str = "cortex-m7") -> bytes:
    """The bytes of a text section; skips without the assembler."""
    if shutil.which("arm-none-eabi-as") is None:
        pytest.skip("needs arm-none-eabi-as")
    source, target, binary = (folder / f"block.{suffix}" for suffix in ("s", "o", "bin"))
    source.write_text("\n".join([" .syntax unified", " .thumb", " .text", *lines, ""]))
    command = ["arm-none-eabi-as", f"-mcpu={core}", f"-mfpu={FPUS[core]}", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", str(target), str(binary)], check=True)
    return binary.read_bytes()


def split(content: bytes) -> list[bytes]:
    """Thumb code as its instructions."""
    parts, position = [], 0
    while position < len(content):
        size = 4 if content[position + 1] >> 3 >= 0x1D else 2
        parts.append(content[position : position + size])
        position += size
    return parts
