"""Networks of one or two convolutions, and what their operands are by loops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators.conv2d import Conv2D, Padding


def activation(index: int, shape: tuple[int, ...], zero_point: int) -> Tensor:
    return Tensor(index, f"t{index}", (1, *shape), "int8", Quantization((0.02,), (zero_point,)))


def convolution(
    weights: Int8Array,
    source: Tensor,
    *,
    index: int = 0,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    zero_point: int = -128,
) -> Conv2D:
    """weights: int8 [out_channels, kernel_h, kernel_w, in_channels]; padding: top, left, bottom, right."""
    pad = Padding(*padding)
    _, height, width, _ = source.shape
    out_height = (height + pad.top + pad.bottom - weights.shape[1]) // stride[0] + 1
    out_width = (width + pad.left + pad.right - weights.shape[2]) // stride[1] + 1
    return Conv2D(
        index=index,
        name=f"conv2d_{index}",
        label=f"layer {index}",
        inputs=(source,),
        output=activation(index + 1, (out_height, out_width, len(weights)), zero_point),
        weights=weights,
        bias=np.arange(len(weights), dtype=np.int32) * 50,
        multipliers=tuple(quantize_multiplier(0.002 + 0.0005 * (c % 3)) for c in range(len(weights))),
        stride=stride,
        padding=pad,
        activation_min=-128,
        activation_max=127,
    )


def network(*layers: Conv2D) -> Graph:
    tensors = {layers[0].inputs[0].index: layers[0].inputs[0], **{c.output.index: c.output for c in layers}}
    return Graph("small", tensors, layers, layers[0].inputs[0].index, layers[-1].output.index, "0" * 64)


def operands(conv: Conv2D, inputs: Int8Array) -> Iterator[npt.NDArray[np.int64]]:
    """By loops: int64 [kernel_h, kernel_w, in_channels] of every output position of every image."""
    _, kernel_h, kernel_w, channels = conv.weights.shape
    _, out_height, out_width, _ = conv.output.shape
    for image in inputs:
        for y in range(out_height):
            for x in range(out_width):
                sample = np.zeros((kernel_h, kernel_w, channels), np.int64)
                for ky in range(kernel_h):
                    for kx in range(kernel_w):
                        row = y * conv.stride[0] + ky - conv.padding.top
                        column = x * conv.stride[1] + kx - conv.padding.left
                        if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                            sample[ky, kx] = image[row, column].astype(np.int64) - conv.inputs[0].zero_point
                yield sample
