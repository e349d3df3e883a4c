"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN: one number for all elements along some axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array, requantize

MAX_REDUCED = 1 << 22
"""Elements of a sum: it stays within 31 bits, zero points included."""

ReductionType = TypeVar("ReductionType", bound="Reduction")


@dataclass(frozen=True, eq=False)
class Reduction(Operator):
    """A reduction. axes: of the input as the file has it, ascending; whether they stay as 1 follows from the output."""

    axes: tuple[int, ...]

    @classmethod
    def read(cls: type[ReductionType], node: Node, index: int, name: str) -> ReductionType:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        axes = tuple(sorted({reading.axis(source, number) for number in reading.integers(node, 1)}))
        kept = bool(node.options.get("KeepDims", False))
        shape = [
            1 if axis in axes else extent for axis, extent in enumerate(source.own_shape) if kept or axis not in axes
        ]
        reading.own_shape(result, shape)
        if source.elements // result.elements > MAX_REDUCED:
            raise UnsupportedError(f"it reduces {source.elements // result.elements:,} elements", "pool first")
        return cls.of(node, index, name, axes, source, result)

    @classmethod
    @abstractmethod
    def of(
        cls: type[ReductionType],
        node: Node,
        index: int,
        name: str,
        axes: tuple[int, ...],
        source: Tensor,
        result: Tensor,
    ) -> ReductionType:
        """The operator, from what all reductions have in common."""

    @property
    def count(self) -> int:
        """How many elements each output stands for."""
        return self.inputs[0].elements // self.output.elements

    @abstractmethod
    def reduced(self, values: Int8Array, axes: tuple[int, ...]) -> Int64Array:
        """The results, limited to int8, over `axes` of the array."""

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count = len(inputs[0])
        values = inputs[0].reshape(count, *self.inputs[0].own_shape)
        results = self.reduced(values, tuple(axis + 1 for axis in self.axes))
        return results.astype(np.int8).reshape(count, *self.output.shape[1:])


@dataclass(frozen=True, eq=False)
class Mean(Reduction):
    """The mean, rescaled.

    multiplier: input scale / output scale / count, rounded as TensorFlow Lite does it.
    """

    kind: ClassVar[str] = "MEAN"

    multiplier: Multiplier

    @classmethod
    def of(cls, node: Node, index: int, name: str, axes: tuple[int, ...], source: Tensor, result: Tensor) -> Mean:
        """See `Reduction.of`."""
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            axes=axes,
            multiplier=cls.scaling(node, source, result),
        )

    @classmethod
    def scaling(cls, node: Node, source: Tensor, result: Tensor) -> Multiplier:
        """Source: TensorFlow Lite's QuantizedMeanOrSum, which divides the mantissa by the count and drops the rest."""
        whole = reading.checked_multiplier(source.scale / result.scale)
        count = source.elements // result.elements
        shift = min(count.bit_length() - 1, 32, 31 + whole.shift)
        return Multiplier((whole.mantissa << shift) // count, whole.shift - shift)

    def reduced(self, values: Int8Array, axes: tuple[int, ...]) -> Int64Array:
        """See `Reduction.reduced`."""
        sums = values.sum(axis=axes, dtype=np.int64) - self.count * self.inputs[0].zero_point
        return np.clip(requantize(sums, (self.multiplier,)) + self.output.zero_point, -128, 127)


@dataclass(frozen=True, eq=False)
class Sum(Mean):
    """The sum, rescaled.

    multiplier: input scale / output scale.
    """

    kind: ClassVar[str] = "SUM"

    @classmethod
    def scaling(cls, node: Node, source: Tensor, result: Tensor) -> Multiplier:
        """See `Mean.scaling`.

        Between equal scales TensorFlow Lite adds up int8 numbers in int8, which is no sum of anything.
        """
        if source.zero_point == result.zero_point and source.scale == result.scale:
            raise UnsupportedError("input and output have the same scale and zero point", reading.REEXPORT_HINT)
        return reading.checked_multiplier(source.scale / result.scale)


@dataclass(frozen=True, eq=False)
class ReduceMax(Reduction):
    """The largest element; the quantization stays."""

    kind: ClassVar[str] = "REDUCE_MAX"

    @classmethod
    def of(
        cls: type[ReductionType],
        node: Node,
        index: int,
        name: str,
        axes: tuple[int, ...],
        source: Tensor,
        result: Tensor,
    ) -> ReductionType:
        """See `Reduction.of`."""
        reading.same_quantization(node, source, result)
        return cls(index=index, name=name, label=result.name, inputs=(source,), output=result, axes=axes)

    def reduced(self, values: Int8Array, axes: tuple[int, ...]) -> Int64Array:
        """See `Reduction.reduced`."""
        largest: Int64Array = values.max(axis=axes).astype(np.int64)
        return largest


@dataclass(frozen=True, eq=False)
class ReduceMin(ReduceMax):
    """The smallest element."""

    kind: ClassVar[str] = "REDUCE_MIN"

    def reduced(self, values: Int8Array, axes: tuple[int, ...]) -> Int64Array:
        """See `Reduction.reduced`."""
        least: Int64Array = values.min(axis=axes).astype(np.int64)
        return least
