"""How often the kernels of CMSIS-NN do what costs time, on cores with the DSP extension and without MVE.

Each operator's file has counts that follow from the library's loops (release 7): which sub-kernel its wrapper takes,
how often the inner loops run with their four or sixteen products, what is left over, and what is copied. Here is what
they share.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, missed_bytes, swept_again
from approx_plugin.model.operator import Operator
from approx_plugin.operators.geometry import Window

Counts = dict[str, float]

CHANNEL_BYTES = 12
"""Bias, multiplier and shift of an output channel, int32 each."""

COPY_BLOCK = 16
"""Bytes that the C library's memcpy moves in a turn of its loop for short copies; the rest goes by itself."""


def streamed(operator: Operator, memories: Memories) -> float:
    """Bytes of the inputs that are fetched anew: the layer before has just written them, the outputs push them out."""
    inputs = sum(tensor.elements for tensor in operator.inputs)
    total = inputs + operator.output.elements
    return swept_again(memories.activations, total, 1.0) * inputs / total


def missed(memories: Memories, footprint: float, sweeps: float) -> float:
    """Bytes of constants that come from flash."""
    return float(missed_bytes(memories.constants, footprint, sweeps))


def unaligned_rows(rows: int, columns: int) -> int:
    """How many of the rows of an int8 matrix do not begin at a word."""
    return sum(row * columns % 4 != 0 for row in range(rows))


def inside(window: Window, extent: tuple[int, int]) -> float:
    """Taps over the whole output that fall on the input, not on the padding."""
    rows, columns = valid(window, extent)
    return float(rows.sum() * columns.sum())


def valid(window: Window, extent: tuple[int, int]) -> tuple[Any, Any]:
    """For each output row (column) the kernel's rows (columns) that fall on the input."""
    valid = []
    starts = (window.padding.top, window.padding.left)
    axes = zip(extent, window.kernel, window.stride, starts, window.output, window.dilation)
    for size, kernel, stride, before, count, apart in axes:
        first = np.arange(count) * stride - before
        # Taps lowest ... end - 1 of the kernel lie at first + tap * apart within the input.
        lowest = -(np.minimum(first, 0) // apart)
        end = np.minimum(kernel, -((first - size) // apart))
        valid.append(np.maximum(end - lowest, 0))
    return valid[0], valid[1]
