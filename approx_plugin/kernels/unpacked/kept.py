"""What of a layer is kept, whatever the block: its weights, and the instructions that its constants take."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.machine.idioms import ConstantCode, constant_code
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import R1, R2, R3, R4, R8
from approx_plugin.kernels.machine.text import size_of
from approx_plugin.kernels.unpacked.assembly import output_code
from approx_plugin.kernels.unpacked.geometry import Slots
from approx_plugin.kernels.unpacked.requantise import ChannelConstants

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Kept:
    """What a layer keeps, whatever the block: made once for a layout.

    used: bool [channels, slots]; full, half: slots with two weights and with one, [channels].
    constants: instructions of the weights' constants, [channels], and their bytes.
    bias, scale: of a channel's other constants; output: instructions to requantise and store one output, [channels];
    output_bytes: of those that shift and limit it.
    """

    used: npt.NDArray[np.bool_]
    full: Floats
    half: Floats
    constants: Floats
    constant_bytes: Floats
    bias: ConstantCode
    scale: Floats
    scale_bytes: Floats
    output: Floats
    output_bytes: Floats


def kept(all_slots: Slots, constants: ChannelConstants) -> Kept:
    """Count what does not depend on the block."""
    low, high = all_slots.pairs(constants.weights)
    used = (low != 0) | (high != 0)
    both = (low != 0) & (high != 0)
    weights = constant_code(np.where(both, high << 16 | (low & 0xFFFF), (low | high) & 0xFFFF), True)
    mantissa = constant_code(constants.mantissa, True)
    rounding = constant_code(constants.rounding, True)
    plain, shifted = (_output(shift, constants.minimum, constants.maximum) for shift in (0, 1))
    plain_bytes = size_of(_output(0, -128, 127))
    shifts = constants.shift > 0
    return Kept(
        used=used,
        full=both.sum(axis=1, dtype=np.float64),
        half=(used & ~both).sum(axis=1, dtype=np.float64),
        constants=(weights.instructions * used).sum(axis=1, dtype=np.float64),
        constant_bytes=(weights.bytes * used).sum(axis=1, dtype=np.float64),
        bias=constant_code(constants.bias, False),
        scale=(mantissa.instructions + rounding.instructions).astype(np.float64),
        scale_bytes=(mantissa.bytes + rounding.bytes).astype(np.float64),
        output=np.where(shifts, float(len(shifted)), float(len(plain))),
        output_bytes=np.where(shifts, float(size_of(shifted) - plain_bytes), float(size_of(plain) - plain_bytes)),
    )


def _output(shift: int, minimum: int, maximum: int) -> list[Instruction]:
    """An output's requantisation and its store, in any registers and to any near place."""
    return [*output_code(R8, (R2, R3, R4), shift, minimum, maximum), instruction("strb", R8, Address(R1))]


@functools.cache
def zero_constants() -> int:
    """Code bytes of a channel's bias, mantissa and rounding constant if they are zero."""
    zero = np.zeros((), np.int64)
    return int(constant_code(zero, False).bytes) + 2 * int(constant_code(zero, True).bytes)
