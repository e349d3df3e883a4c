"""What elementwise operators with two operands have in common: broadcasting, constants, and one table for all pairs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array

MAX_RANK = 6
"""Axes of an operand."""


@dataclass(frozen=True)
class Operand:
    """One of the two operands.

    shape:  as the file has it, with ones in front up to the output's rank. zero_point: its own.
    values: the int8 elements in C order if it is a constant, None for an activation.
    """

    shape: tuple[int, ...]
    zero_point: int
    values: bytes | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def array(self) -> Int8Array:
        """A constant's elements, int8 of its shape."""
        assert self.values is not None
        return np.frombuffer(self.values, dtype=np.int8).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Binary(Operator):
    """An elementwise operator with two operands, one of which may be a constant; axes of length 1 are repeated."""

    @property
    @abstractmethod
    def operands(self) -> tuple[Operand, Operand]:
        """Both; the activations among them are `inputs`, in this order."""

    @abstractmethod
    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """The results, limited to int8, of int8 numbers of shapes that numpy broadcasts: the definition."""

    @cached_property
    def table(self) -> Int8Array:
        """int8 [256 * 256]: the result of every pair of inputs, the first one's q + 128 in the high byte."""
        values = np.arange(-128, 128, dtype=np.int64)
        return self.pairs(values[:, None], values[None, :]).astype(np.int8).reshape(-1)

    @property
    def same_shapes(self) -> bool:
        """Whether both operands are activations of the output's shape."""
        return all(operand.values is None and operand.shape == self.output.own_shape for operand in self.operands)

    @property
    def parameter_bytes(self) -> int:
        """A constant operand."""
        return sum(len(operand.values) for operand in self.operands if operand.values is not None)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        given, count = iter(inputs), len(inputs[0])
        arrays = [
            operand.array[None] if operand.values is not None else next(given).reshape(count, *operand.shape)
            for operand in self.operands
        ]
        first, second = ((values.view(np.uint8) ^ 0x80).astype(np.uint16) for values in arrays)
        results: Int8Array = np.take(self.table, (first << 8) | second)
        return results.reshape(count, *self.output.shape[1:])


def read_operands(node: Node, result: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Operand, Operand]]:
    """Both operands, as tensors and as `Operand`. Raises UnsupportedError if they do not broadcast to `result`."""
    tensors = tuple(reading.activation_or_constant(node, position) for position in (0, 1))
    shapes = [tensor.own_shape for tensor in tensors]
    if all(tensor.data is not None for tensor in tensors):
        raise UnsupportedError("both its operands are constants", "leave it out")
    try:
        together = np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise UnsupportedError(
            f"shapes {list(shapes[0])} and {list(shapes[1])} do not broadcast", reading.REEXPORT_HINT
        ) from error
    reading.own_shape(result, together)
    if len(together) > MAX_RANK:
        raise UnsupportedError(f"{len(together)} axes", f"use at most {MAX_RANK} axes")
    first, second = (
        Operand(
            (1,) * (len(together) - len(tensor.own_shape)) + tensor.own_shape,
            tensor.zero_point,
            None if tensor.data is None else tensor.data.tobytes(),
        )
        for tensor in tensors
    )
    return (tensors[0], tensors[1]), (first, second)


def activations(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Those that are no constants."""
    return tuple(tensor for tensor in tensors if tensor.data is None)
