"""PAD, PADV2, MIRROR_PAD: rows, columns or channels around an activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.geometry import Padding, padded
from approx_plugin.operators.selection import FILLED, MAX_ELEMENTS, Positions, Selection

Amounts = list[tuple[int, int]]

_REFLECT = 0
"""TFLite's number of the mirroring that does not repeat the edge."""


def _amounts(node: Node, source: Tensor) -> Amounts:
    """(before, after) for each axis of the input as the file has it."""
    flat = reading.integers(node, 1)
    rank = len(source.own_shape)
    if len(flat) != 2 * rank or min(flat, default=0) < 0:
        raise UnsupportedError(f"its paddings are not {rank} pairs of numbers >= 0", reading.REEXPORT_HINT)
    pairs = list(zip(flat[::2], flat[1::2]))
    product = 1
    for extent, pair in zip(source.own_shape, pairs):
        product *= extent + sum(pair)
    if product > MAX_ELEMENTS:
        raise UnsupportedError(f"its paddings give {product:,} elements", "use smaller activations")
    return pairs


@dataclass(frozen=True, eq=False)
class Pad(Operator):
    """Zero padding of height and width, as a layer of its own."""

    kind: ClassVar[str] = "PAD"

    padding: Padding

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Operator:
        """See `Operator.read`. Where other axes are padded as well, or several maps, a `PadAnywhere`."""
        source, result = reading.activation(node), reading.output(node)
        pairs = _amounts(node, source)
        if source.lifted or len(source.shape) != 4 or pairs[0] != (0, 0) or pairs[3] != (0, 0):
            return PadAnywhere.read(node, index, name)
        reading.same_quantization(node, source, result)
        (top, bottom), (left, right) = pairs[1:3]
        _, height, width, channels = source.shape
        reading.same_shape(result, (1, height + top + bottom, width + left + right, channels))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            padding=Padding(top, left, bottom, right),
        )

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        return padded(inputs[0], self.padding, self.output.zero_point, np.int8)


@dataclass(frozen=True, eq=False)
class PadAnywhere(Selection):
    """Zero padding of any axis."""

    kind: ClassVar[str] = "PAD"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        return np.pad(positions, _amounts(node, source), constant_values=FILLED)


@dataclass(frozen=True, eq=False)
class PadV2(PadAnywhere):
    """Padding by a constant."""

    kind: ClassVar[str] = "PADV2"

    @classmethod
    def filled(cls, node: Node, source: Tensor) -> int:
        """The third operand, quantized as the input is."""
        (value,) = reading.integers(node, 2)
        if not -128 <= value <= 127:
            raise UnsupportedError(f"its padding value {value} is no int8", reading.REEXPORT_HINT)
        return value


@dataclass(frozen=True, eq=False)
class MirrorPad(Selection):
    """Padding by the input itself, mirrored at its edges."""

    kind: ClassVar[str] = "MIRROR_PAD"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        reflect = int(node.options.get("Mode", 0)) == _REFLECT
        pairs = _amounts(node, source)
        if any(max(pair) > extent - reflect for pair, extent in zip(pairs, positions.shape)):
            raise UnsupportedError("it mirrors more than there is", reading.REEXPORT_HINT)
        return np.pad(positions, pairs, mode="reflect" if reflect else "symmetric")
