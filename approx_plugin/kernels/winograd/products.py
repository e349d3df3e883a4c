"""Products point by point, for one pair of output channels."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Pointer, Registers
from approx_plugin.kernels.machine.registers import (
    LR,
    R0,
    R1,
    R2,
    R3,
    R4,
    R8,
    R9,
    R10,
    R11,
    R12,
    SINGLES,
    Register,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import counted, get, put
from approx_plugin.kernels.rolled.products import multiplied
from approx_plugin.kernels.winograd.shape import SLOT_BYTES, point_bytes
from approx_plugin.kernels.winograd.task import (
    COUNT,
    POINT,
    POINTS,
    REACH,
    SUMS,
    TABLE,
    Task,
)

CHUNK = 16
"""Slots between two loads of weights, where they come from the FPU's registers: two words each."""

UNROLLED_BLOCKS = 32
"""Slots of all blocks together up to which the blocks of a point are written one after the other."""


@dataclass(frozen=True, eq=False)
class Products(Task):
    """The second part of a stripe."""

    def group(self, number: int, slots: int, count: int) -> list[Part]:
        """All points with so many slots."""
        free, other = self.free
        body: list[Part] = []
        sizes = self._chunks(slots)
        if self.core_name == "cortex-m4" and len(sizes) > 1 and len(set(sizes)) == 1:
            body += self._rolled_chunks(f"{number}", slots, len(sizes))
            sizes = []
        for place, size in enumerate(sizes):
            body += self._chunk(f"{number}_{place}", slots, CHUNK * place, size, first=place == 0)
        step = [get(free, POINT), *add_constant(free, point_bytes(slots), other), put(free, POINT)]
        body.append(straight(step))
        remark = Remark(f"{count} points of {slots} slots.")
        if count == 1:
            return [straight([remark]), *body]
        start: list[Item] = [remark, *constant(free, count), put(free, POINTS)]
        return [straight(start), Loop(f"point_{number}", count, tuple(body), counted(POINTS, free))]

    def _chunks(self, slots: int) -> list[int]:
        """Slots of each chunk."""
        if not self.from_singles:
            return [slots]
        return [min(CHUNK, slots - first) for first in range(0, slots, CHUNK)]

    def _rolled_chunks(self, name: str, slots: int, count: int) -> list[Part]:
        """Chunks of one size by the same code, which a Cortex-M4's cache of 1 KB holds. The frame counts bytes."""
        blocks, whole = self.stripes.blocks, SLOT_BYTES * slots
        step = SLOT_BYTES * CHUNK
        singles = Registers(SINGLES[: 2 * CHUNK])
        start: list[Item] = [*constant(R0, 0), put(R0, SUMS)]
        items: list[Item] = [get(R0, TABLE), instruction("vldmia", Pointer(R0, True, "table"), singles)]
        items += [put(R0, TABLE), get(R4, POINT), get(R1, SUMS), instruction("add.w", R4, R4, R1)]
        items += [*constant(R0, blocks), put(R0, COUNT)]
        sums = Registers(self.sums)
        zero = [instruction("mov.w", register, 0) for register in self.sums]
        go_on = [*constant(R0, whole), instruction("sub.w", R0, R0, R1), instruction("add.w", R0, R0, R4)]
        go_on += [instruction("ldmia.w", Pointer(R0, region="sums"), sums)]
        body: list[Part] = [straight([get(R1, SUMS), *zero, instruction("cmp", R1, 0)])]
        body.append(Sometimes(f"begins_{name}", "eq", 1.0 - 1.0 / count, (straight(go_on),)))
        products = [one for slot in range(CHUNK) for one in self._from_singles(slot, False)]
        end = [get(R1, SUMS), *constant(R0, whole - step), instruction("sub.w", R0, R0, R1)]
        end += [instruction("add.w", R0, R0, R4), instruction("stmia.w", Pointer(R0, region="sums"), sums)]
        end += add_constant(R4, self.points.block_bytes - step, R1)
        body.append(straight(products, end))
        close = (
            get(R0, SUMS),
            *add_constant(R0, step, R1),
            put(R0, SUMS),
            *constant(R1, whole),
            instruction("cmp", R0, R1),
        )
        loop = Loop(f"block_{name}", blocks, tuple(body), counted(COUNT, R0), align=8)
        return [straight(start), Loop(f"chunk_{name}", count, (straight(items), loop), close)]

    def _chunk(self, name: str, slots: int, offset: int, size: int, *, first: bool) -> list[Part]:
        """Some slots of a point, for all blocks: the first ones start its sums, others go on with them."""
        free, other = self.free
        blocks, block_bytes = self.stripes.blocks, self.points.block_bytes
        items: list[Item] = []
        if self.from_singles:
            items += [
                get(free, TABLE),
                instruction("vldmia", Pointer(free, True, "table"), Registers(SINGLES[: 2 * size])),
            ]
            items += [put(free, TABLE)]
        else:
            items += [get(R12, TABLE)]
        items += [get(self.reader, POINT), *add_constant(self.reader, SLOT_BYTES * offset, other)]
        away = SLOT_BYTES * (slots - offset)
        unrolled = blocks == 1 or (self.core_name == "cortex-m33" and blocks * size <= UNROLLED_BLOCKS)
        body = self._products(size, away, first=first)
        walked = SLOT_BYTES * size if self.from_singles else 0
        on = add_constant(self.reader, block_bytes - walked, other)
        end: list[Item] = []
        if not self.from_singles:
            end += [*add_constant(R12, 8 * size, R8), put(R12, TABLE)]
        if unrolled:
            many: list[Item] = [*body]
            for _ in range(blocks - 1):
                many += [*on, *body]
            return [straight(items, many, end)]
        items += [*constant(free, blocks), put(free, COUNT)]
        loop = Loop(f"block_{name}", blocks, (straight(body, on),), counted(COUNT, free), align=8)
        return [straight(items), loop, *([straight(end)] if end else [])]

    def _products(self, size: int, away: int, *, first: bool) -> list[Instruction]:
        """One block. away: from the reader to the point's sums."""
        items: list[Instruction] = []
        free, sums = self.free[0], self.sums
        if not first:
            items += [
                *_moved(free, self.reader, away),
                instruction("ldmia.w", Pointer(free, region="sums"), Registers(sums)),
            ]
        for slot in range(size):
            starts = first and slot == 0
            items += self._from_singles(slot, starts) if self.from_singles else self._loaded(slot, starts)
        if not self.from_singles:
            items += _moved(R11, LR, away)
            return [*items, instruction("stmia.w", Pointer(R11, region="sums"), Registers(sums))]
        rest = away - SLOT_BYTES * size
        target = R4
        if rest:
            items += _moved(R0, R4, rest)
            target = R0
        return [*items, instruction("stmia.w", Pointer(target, region="sums"), Registers(sums))]

    def _from_singles(self, slot: int, starts: bool) -> list[Instruction]:
        tiles = (R0, R1, R2, R3)
        items = [instruction("ldmia.w", Pointer(R4, True, "slots"), Registers(tiles))]
        for channel in range(2):
            items.append(instruction("vmov", LR, SINGLES[2 * slot + channel]))
            items += [multiplied(self.sums[2 * t + channel], tile, LR, starts) for t, tile in enumerate(tiles)]
        return items

    def _loaded(self, slot: int, starts: bool) -> list[Instruction]:
        items = [
            instruction("ldr.w", R8, Address(R12, 8 * slot, region="table")),
            instruction("ldr.w", R9, Address(R12, 8 * slot + 4, region="table")),
        ]
        for half in (0, 2):
            lanes = ((half, R10), (half + 1, R11))
            for lane, register in lanes:
                items.append(instruction("ldr.w", register, Address(LR, SLOT_BYTES * slot + 4 * lane, region="slots")))
            items += [multiplied(self.sums[2 * lane], register, R8, starts) for lane, register in lanes]
            items += [multiplied(self.sums[2 * lane + 1], register, R9, starts) for lane, register in lanes]
        return items


def _moved(target: Register, source: Register, amount: int) -> list[Instruction]:
    """target = source + amount."""
    if amount <= REACH:
        return [instruction("addw", target, source, amount)]
    return [*constant(target, amount), instruction("add.w", target, target, source)]
