"""How often the kernels of CMSIS-NN do what costs time, on cores with the DSP extension and without MVE.

Each operator has a table of counts that follow from the library's loops (release 7): which sub-kernel its wrapper
takes, how often the inner loops run with their four or sixteen products, what is left over, and what is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, Work, missed_bytes, swept_again
from approx_plugin.operators.add import Add
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.base import Operator
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import Window
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pad import Pad
from approx_plugin.operators.softmax import Softmax

Counts = dict[str, float]

CHANNEL_BYTES = 12
"""Bias, multiplier and shift of an output channel, int32 each."""

COPY_BLOCK = 16
"""Bytes that the C library's memcpy moves in a turn of its loop for short copies; the rest goes by itself."""


def work(operator: Operator, memories: Memories) -> Work:
    """The counts of `operator` when the library computes it. Raises KeyError for an operator without a table."""
    return _TABLES[operator.kind](operator, memories)


def _streamed(operator: Operator, memories: Memories) -> float:
    """Bytes of the inputs that are fetched anew: the layer before has just written them, the outputs push them out."""
    inputs = sum(tensor.elements for tensor in operator.inputs)
    total = inputs + operator.output.elements
    return swept_again(memories.activations, total, 1.0) * inputs / total


def _missed(memories: Memories, footprint: float, sweeps: float) -> float:
    """Bytes of constants that come from flash."""
    return float(missed_bytes(memories.constants, footprint, sweeps))


def _unaligned_rows(rows: int, columns: int) -> int:
    """How many of the rows of an int8 matrix do not begin at a word."""
    return sum(row * columns % 4 != 0 for row in range(rows))


def _convolution(conv: Operator, memories: Memories) -> Work:
    assert isinstance(conv, Conv2D)
    padded = conv.padding.top or conv.padding.left
    if conv.kernel == (1, 1) and not padded:
        return _pointwise(conv, memories)
    kernel_h, kernel_w = conv.kernel
    height, width, outputs = conv.output_shape
    pixels, depth = height * width, kernel_h * kernel_w * conv.in_channels
    pairs, single = divmod(pixels, 2)
    steps, rest = divmod(depth, 4)
    inside = int(_inside(conv.window, conv.input_shape[:2]))
    rows = outputs // 2
    unaligned = _unaligned_rows(outputs, depth)
    counts: Counts = {
        "call": 1.0,
        "steps": float(pairs * rows * steps),
        "rests": float(pairs * rows * rest),
        "single_steps": float(pairs * (outputs % 2) * (steps + rest) + single * outputs * (steps + rest)),
        "unaligned": float((pairs + single) * unaligned * steps),
        "outputs": float(pixels * outputs),
        "row_pairs": float(pairs * rows),
        "pixels": float(pixels),
        "taps": float(pixels * kernel_h * kernel_w),
        "copied": float(inside * conv.in_channels),
        "filled": float((pixels * kernel_h * kernel_w - inside) * conv.in_channels),
        "widened": float(pixels * (depth // 4)),
        "widened_rest": float(pixels * (depth % 4)),
        "flash_bytes": _missed(memories, conv.weights.size + CHANNEL_BYTES * outputs, pairs + single),
        "ram_bytes": _streamed(conv, memories),
    }
    return Work("cmsis_nn convolution", counts)


def _pointwise(conv: Conv2D, memories: Memories) -> Work:
    """1x1 without padding: one matrix product, or one for each row of the output if the stride is not 1."""
    height, width, outputs = conv.output_shape
    strided = conv.stride != (1, 1)
    calls, pixels = (height, width) if strided else (1, height * width)
    depth = conv.in_channels
    row_pairs, pixel_pairs, single = outputs // 2, pixels // 2, pixels % 2
    blocks, remaining = divmod(depth, 16)
    steps, rest = divmod(remaining, 4)
    counts: Counts = {
        "call": 1.0,
        "calls": float(calls),
        "sums": float(calls * row_pairs * depth),
        "row_pairs": float(calls * row_pairs),
        "tiles": float(calls * row_pairs * pixel_pairs),
        "mixed_tiles": float(calls * row_pairs * pixel_pairs if blocks and remaining else 0),
        "blocks": float(calls * row_pairs * pixel_pairs * blocks),
        "steps": float(calls * row_pairs * pixel_pairs * steps),
        "rests": float(calls * row_pairs * pixel_pairs * rest),
        "unaligned": float(calls * row_pairs * pixel_pairs * (depth // 4) if depth % 4 else 0),
        "single_tiles": float(calls * row_pairs * single),
        "single_steps": float(calls * row_pairs * single * (blocks * 4 + steps + rest)),
        "odd_products": float(calls * (outputs % 2) * pixels * depth),
        "flash_bytes": calls * row_pairs * _missed(memories, 2 * (depth + CHANNEL_BYTES), pixel_pairs + single),
        "ram_bytes": _streamed(conv, memories) * (1 if strided else row_pairs + outputs % 2),
    }
    return Work("cmsis_nn pointwise", counts)


def _inside(window: Window, extent: tuple[int, int]) -> float:
    """Taps over the whole output that fall on the input, not on the padding."""
    rows, columns = _valid(window, extent)
    return float(rows.sum() * columns.sum())


def _valid(window: Window, extent: tuple[int, int]) -> tuple[Any, Any]:
    """For each output row (column) the kernel's rows (columns) that fall on the input."""
    valid = []
    starts = (window.padding.top, window.padding.left)
    for size, kernel, stride, before, count in zip(extent, window.kernel, window.stride, starts, window.output):
        first = np.arange(count) * stride - before
        valid.append(np.minimum(first + kernel, size) - np.maximum(first, 0))
    return valid[0], valid[1]


def _depthwise(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, DepthwiseConv2D)
    window = operator.window
    _, height, width, channels = operator.inputs[0].shape
    outputs = operator.output.shape[3]
    pixels = window.output[0] * window.output[1]
    rows, columns = _valid(window, (height, width))
    taps, lines = float(rows.sum() * columns.sum()), float(rows.sum() * len(columns))
    flash = _missed(memories, operator.weights.size + CHANNEL_BYTES * outputs, pixels)
    counts: Counts = {"call": 1.0, "pixels": float(pixels), "flash_bytes": flash}
    counts["ram_bytes"] = _streamed(operator, memories)
    if operator.depth_multiplier != 1:
        tile = 4 if operator.depth_multiplier % 4 == 0 else 1
        tiles = outputs // tile
        counts.update(
            outputs=float(pixels * outputs), taps=tiles * taps, lines=tiles * lines, tiles=float(pixels * tiles)
        )
        return Work("cmsis_nn depthwise multiplied by 4" if tile == 4 else "cmsis_nn depthwise multiplied", counts)
    quads, rest = divmod(channels, 4)
    if operator.kernel == (3, 3) and operator.padding.top <= 1 and operator.padding.left <= 1:
        counts.update(
            quads=float(pixels * quads),
            quad_taps=quads * taps,
            quad_lines=quads * lines,
            rests=float(pixels * rest),
            rest_taps=rest * taps,
        )
        return Work("cmsis_nn depthwise 3x3", counts)
    kernel = operator.kernel[0] * operator.kernel[1]
    counts.update(
        quads=float(pixels * quads),
        quad_steps=float(pixels * quads * (kernel // 2)),
        quad_odd=float(pixels * quads * (kernel % 2)),
        rests=float(pixels * rest),
        rest_taps=float(pixels * rest * kernel),
        copies=taps,
        fills=float(rows.sum()) * len(columns) * operator.kernel[1] - taps,
        copied=taps * channels,
        filled=(pixels * kernel - taps) * channels,
    )
    return Work("cmsis_nn depthwise", counts)


def _fully_connected(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, FullyConnected)
    outputs, depth = operator.weights.shape
    pairs, single = divmod(outputs, 2)
    steps, rest = divmod(depth, 4)
    rows = operator.rows
    per_channel = len(operator.multipliers) > 1
    footprint = operator.weights.size + (CHANNEL_BYTES if per_channel else 4) * outputs
    counts: Counts = {
        "call": float(rows),
        "pairs": float(rows * pairs),
        "steps": float(rows * pairs * steps),
        "rests": float(rows * pairs * rest),
        "single_steps": float(rows * single * (steps + rest)),
        "single": float(rows * single),
        "unaligned": float(rows * _unaligned_rows(outputs, depth) * steps),
        "flash_bytes": _missed(memories, footprint, rows),
        "ram_bytes": _streamed(operator, memories),
    }
    return Work("cmsis_nn fully connected per channel" if per_channel else "cmsis_nn fully connected", counts)


def _add(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, Add)
    quads, rest = divmod(operator.output.elements, 4)
    counts: Counts = {
        "call": 1.0,
        "quads": float(quads),
        "rests": float(rest),
        "ram_bytes": _streamed(operator, memories),
    }
    return Work("cmsis_nn add", counts)


def _pool(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, (MaxPool2D, AveragePool2D))
    _, height, width, channels = operator.inputs[0].shape
    window = operator.window
    pixels = window.output[0] * window.output[1]
    taps = _inside(window, (height, width))
    counts: Counts = {
        "call": 1.0,
        "pixels": float(pixels),
        "taps": taps,
        "first_elements": float(pixels * channels),
        "further_elements": (taps - pixels) * channels,
        "ram_bytes": _streamed(operator, memories),
    }
    if isinstance(operator, AveragePool2D):
        return Work("cmsis_nn average pool", counts)
    counts["further_rest"] = (taps - pixels) * (channels % 4)
    counts["first_rest"] = float(pixels * (channels % COPY_BLOCK))
    return Work("cmsis_nn max pool", counts)


def _softmax(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, Softmax)
    rows = operator.output.elements // operator.output.shape[-1]
    counts: Counts = {"call": 1.0, "rows": float(rows), "elements": float(operator.output.elements)}
    return Work("cmsis_nn softmax", counts)


def _pad(operator: Operator, memories: Memories) -> Work:
    assert isinstance(operator, Pad)
    inside = operator.inputs[0].elements
    counts: Counts = {
        "call": 1.0,
        "rows": float(operator.inputs[0].shape[1]),
        "copied": float(inside),
        "copied_rest": float(operator.inputs[0].shape[1] * (inside // operator.inputs[0].shape[1] % COPY_BLOCK)),
        "filled": float(operator.output.elements - inside),
        "ram_bytes": _streamed(operator, memories),
    }
    return Work("cmsis_nn pad", counts)


_TABLES: Mapping[str, Callable[[Operator, Memories], Work]] = MappingProxyType(
    {
        Add.kind: _add,
        AveragePool2D.kind: _pool,
        Conv2D.kind: _convolution,
        DepthwiseConv2D.kind: _depthwise,
        FullyConnected.kind: _fully_connected,
        MaxPool2D.kind: _pool,
        Pad.kind: _pad,
        Softmax.kind: _softmax,
    }
)
