"""The operands of a convolution: what its weights are multiplied with.

What can be skipped is a product of a weight with an operand. Here the operands are the *taps* of the direct
convolution. Statistics, significance and skipping only use that the operands of one output channel have a shape and
that the weights have the same shape behind their first dimension, so another basis (transformed inputs) needs another
function like `taps`, and nothing else in this room.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import patches

Float64Array = npt.NDArray[np.float64]

CHUNK_ELEMENTS = 1 << 22
"""Operands that are held at a time (32 MB of float64), unless a single image has more."""


def taps(conv: Conv2D, inputs: Int8Array) -> Iterator[Float64Array]:
    """Every tap at every output position, with the input offset applied: a = x - input zero point.

    inputs: int8 [images, height, width, in_channels].
    Yields float64 [samples, kernel_h * kernel_w * in_channels] of whole numbers, a sample being an output position of
    an image, a few images at a time. At padded positions a = 0.
    """
    height, width, _ = conv.output_shape
    images = max(1, CHUNK_ELEMENTS // (height * width * conv.weights[0].size))
    for start in range(0, len(inputs), images):
        chunk = patches(inputs[start : start + images], conv.window, conv.input_zero_point, np.float64)
        yield chunk.astype(np.float64, copy=False) - conv.input_zero_point
