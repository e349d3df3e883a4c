"""The comment at the head of a layer's file: what a reader has to know to follow the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from approx_plugin.kernels.planes.geometry import Geometry
from approx_plugin.kernels.planes.weights import Arrangement
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.provenance import generated_by

if TYPE_CHECKING:
    from approx_plugin.kernels.planes.filtering import Shape
    from approx_plugin.kernels.planes.frame import Frame


def legend(conv: DepthwiseConv2D, layout: Geometry, shape: Shape, kept: Frame, arranged: Arrangement) -> list[str]:
    """Its paragraphs."""
    height, width = conv.kernel
    across, along = ("columns", "rows") if layout.columns_paired else ("rows", "columns")
    inputs, outputs = conv.inputs[0].shape[1:], conv.output.shape[1:]
    pinned = ", ".join(f"{register.name} word {number}" for number, register in zip(shape.order, shape.pinned))
    words = "; ".join(
        f"{number}: " + " and ".join("-" if tap is None else f"{tap[0]},{tap[1]}" for tap in word)
        for number, word in enumerate(arranged.words)
    )
    places = f"s0 to s{kept.singles - 1}" if kept.singles else "the stack"
    places += ", the rest on the stack" if 0 < kept.singles < kept.constants else ""
    return [
        generated_by(f'{conv.name} ({conv.kind}), the model\'s "{" ".join(conv.label.split())}"'),
        "",
        f"{'x'.join(map(str, inputs))} to {'x'.join(map(str, outputs))}, "
        f"window {height}x{width}, stride {conv.stride[0]}x{conv.stride[1]}, "
        f"dilation {conv.dilation[0]}x{conv.dilation[1]}.",
        "",
        f"{layout.planes} of {layout.channels} channels at a time become planes of {layout.rows} x {layout.columns} "
        f"words. A word holds two {across} of one channel, {layout.apart} apart, as int16, the first one in its lower "
        f"half; every {layout.every} {across} a row of words begins. Around the input lies its zero point.",
        "",
        f"Then each filter goes over its plane: {layout.group} {across} of outputs at a time, along the {along}, "
        f"{shape.wide} in one straight line. r12 points to the words, lr to the outputs. A filter's constants are in "
        f"{places}, by the number of their word in the table"
        + (f"; in registers for good: {pinned}." if pinned else "."),
        "",
        f"Weights in the lower and the upper half of each word, as {across} and {along} of the window: {words}.",
        "",
        "Weights and bias are scaled; SMMLA multiplies a sum with the channel's multiplier and adds what rounds it and "
        "the zero point, SSAT shifts and saturates.",
        "",
    ]
