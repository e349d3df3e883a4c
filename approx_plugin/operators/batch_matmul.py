"""BATCH_MATMUL: products of matrices, either of which may be a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, ShapeError, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import offset_and_clamp, requantize, wrap_int32

MAX_RANK = 5
"""Of TensorFlow Lite's kernel."""


@dataclass(frozen=True, eq=False)
class BatchMatmul(Operator):
    """left @ right for each matrix of the leading axes, which are repeated where one side has 1.

    constants: None where an operand is an activation. shapes, zero_points: of both, as the file has them.
    turned: which of them are transposed first.
    """

    kind: ClassVar[str] = "BATCH_MATMUL"

    constants: tuple[Int8Array | None, Int8Array | None]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    zero_points: tuple[int, int]
    turned: tuple[bool, bool]
    multiplier: Multiplier

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> BatchMatmul:
        """See `Operator.read`. Source of the multiplier: GetQuantizedConvolutionMultipler, as of a fully connected."""
        left, right = reading.activation_or_constant(node, 0), reading.activation_or_constant(node, 1)
        result = reading.output(node)
        inputs = tuple(tensor for tensor in (left, right) if tensor.data is None)
        if not inputs:
            raise UnsupportedError("both operands are constants", reading.REEXPORT_HINT)
        turned = (bool(node.options.get("AdjX", False)), bool(node.options.get("AdjY", False)))
        wanted = _shape(left, right, turned)
        if result.own_shape != wanted:
            raise ShapeError(result.own_shape, wanted, reading.REEXPORT_HINT)
        with np.errstate(over="ignore", under="ignore"):
            product = float(np.float32(left.scale) * np.float32(right.scale))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=inputs,
            output=result,
            constants=(left.data, right.data),
            shapes=(left.own_shape, right.own_shape),
            zero_points=(left.zero_point, right.zero_point),
            turned=turned,
            multiplier=reading.checked_multiplier(product / result.scale),
        )

    @property
    def depth(self) -> int:
        """Products of a sum."""
        return self.shapes[0][-2 if self.turned[0] else -1]

    @property
    def macs(self) -> int:
        """Products of one inference."""
        return self.output.elements * self.depth

    @property
    def parameter_bytes(self) -> int:
        """The constant operand."""
        return sum(values.nbytes for values in self.constants if values is not None)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count, given, sides = len(inputs[0]), list(inputs), []
        for constant, shape, zero_point, turned in zip(self.constants, self.shapes, self.zero_points, self.turned):
            values = given.pop(0).reshape(count, *shape) if constant is None else constant[None]
            # The axis of inputs stays in front of all others, whatever the ranks are.
            padded = values.reshape(len(values), *(1,) * (MAX_RANK - len(shape)), *shape).astype(np.float64)
            # float64 holds the sums exactly: 2**37 products of 16 bits.
            sides.append(np.swapaxes(padded, -1, -2) - zero_point if turned else padded - zero_point)
        sums = wrap_int32((sides[0] @ sides[1]).astype(np.int64))
        made = offset_and_clamp(requantize(sums, (self.multiplier,)), self.output.zero_point, -128, 127)
        return made.astype(np.int8).reshape(count, *self.output.shape[1:])


def _shape(left: Tensor, right: Tensor, turned: tuple[bool, bool]) -> tuple[int, ...]:
    """What comes out."""
    one, other = left.own_shape, right.own_shape
    if not 2 <= min(len(one), len(other)) <= max(len(one), len(other)) <= MAX_RANK:
        raise UnsupportedError(f"shapes {list(one)} and {list(other)}", f"matrices of rank 2 to {MAX_RANK}")
    rows, depth = one[-2:][::-1] if turned[0] else one[-2:]
    below, columns = other[-2:][::-1] if turned[1] else other[-2:]
    try:
        front = np.broadcast_shapes(one[:-2], other[:-2])
    except ValueError:
        front = ()
        below = -1
    if depth != below:
        raise UnsupportedError(f"shapes {list(one)} and {list(other)} do not fit", reading.REEXPORT_HINT)
    return (*front, rows, columns)
