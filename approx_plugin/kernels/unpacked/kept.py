"""What of a layer is kept, whatever the block: its weights, and the instructions that its constants take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.unpacked.geometry import Slots
from approx_plugin.kernels.unpacked.requantise import ChannelConstants

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Constants:
    """Instructions and bytes that put values into registers, elementwise."""

    instructions: npt.NDArray[np.int64]
    bytes: npt.NDArray[np.int64]


def constant_code(values: npt.NDArray[np.int64], low_register: bool) -> Constants:
    """What `Code.constant` emits for each of `values`."""
    value = values & 0xFFFFFFFF
    short = value <= 0xFFFF
    one = short | _is_modified_immediate(value) | _is_modified_immediate(~value & 0xFFFFFFFF)
    tiny = (value <= 0xFF) if low_register else np.zeros(value.shape, bool)
    instructions = np.where(one, 1, 2)
    return Constants(instructions, np.where(tiny, 2, 4 * instructions))


def _is_modified_immediate(value: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """As thumb.is_modified_immediate, elementwise, for values within 32 bits."""
    low, second = value & 0xFF, value >> 8 & 0xFF
    repeated = (value == (low << 16 | low)) | (value == (second << 24 | second << 8)) | (value == low * 0x01010101)
    lowest = np.maximum(value & -value, 1)
    found: npt.NDArray[np.bool_] = repeated | (value // lowest <= 0xFF)
    return found


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
    bias: Constants
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
    limits = (constants.minimum > -128) + (constants.maximum < 127)
    shifted = constants.shift > 0
    return Kept(
        used=used,
        full=both.sum(axis=1, dtype=np.float64),
        half=(used & ~both).sum(axis=1, dtype=np.float64),
        constants=(weights.instructions * used).sum(axis=1, dtype=np.float64),
        constant_bytes=(weights.bytes * used).sum(axis=1, dtype=np.float64),
        bias=constant_code(constants.bias, False),
        scale=(mantissa.instructions + rounding.instructions).astype(np.float64),
        scale_bytes=(mantissa.bytes + rounding.bytes).astype(np.float64),
        output=3.0 + shifted + 3 * limits,
        output_bytes=4.0 * shifted + 10 * limits,
    )
