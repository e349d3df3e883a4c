"""Operators with one int8 input that treat every element by itself: a table of 256 results holds all they do."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array, requantize

Float32Array = npt.NDArray[np.float32]
TableType = TypeVar("TableType", bound="Table")

INPUTS: Int64Array = np.arange(-128, 128, dtype=np.int64)
"""What a table is made of: every int8 number."""


@dataclass(frozen=True, eq=False)
class Table(Operator):
    """An elementwise function. table: int8 [256], the result of input q at q + 128."""

    table: Int8Array

    @classmethod
    @abstractmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """int64 [256]: the results of -128 .. 127, not yet limited to int8. Raises UnsupportedError."""

    @classmethod
    def read(cls: type[TableType], node: Node, index: int, name: str) -> TableType:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_shape(result, source.shape)
        table: Int8Array = np.clip(cls.values(node, source, result), -128, 127).astype(np.int8)
        table.flags.writeable = False
        return cls(index=index, name=name, label=result.name, inputs=(source,), output=result, table=table)

    @property
    def parameter_bytes(self) -> int:
        """None: the table is not in the file."""
        return 0

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        return np.take(self.table, inputs[0].view(np.uint8) ^ 0x80)


def of_reals(source: Tensor, result: Tensor, function: Callable[[Float32Array], Any]) -> Int64Array:
    """The results where the function is computed with real numbers.

    Source: TensorFlow Lite's LUTPopulate: all of it in float32, halves away from zero. function: float32 to anything
    that float32 holds; the functions of libm are taken as correctly rounded, computed in float64.
    """
    with np.errstate(all="ignore"):
        real = np.float32(source.scale) * (INPUTS - source.zero_point).astype(np.float32)
        scaled = np.asarray(function(real)).astype(np.float32) * (np.float32(1.0) / np.float32(result.scale))
        steps = np.floor(np.abs(scaled.astype(np.float64)) + 0.5) * np.sign(scaled)
    whole: Int64Array = np.clip(np.nan_to_num(steps), -1024, 1024).astype(np.int64)
    return whole + result.zero_point


def wide(function: Callable[[Any], Any]) -> Callable[[Float32Array], Any]:
    """A function of libm, computed in float64 and rounded to float32."""
    return lambda real: function(real.astype(np.float64)).astype(np.float32)


def rescaled(values: Int64Array, real: float, result: Tensor) -> Int64Array:
    """Whole numbers times `real` in fixed point, plus the zero point. Raises UnsupportedError if `real` is negative."""
    if not 0 <= real < math.inf:
        raise UnsupportedError(f"the multiplier {real:g}", reading.REEXPORT_HINT)
    return requantize(values, (reading.checked_multiplier(real),)) + result.zero_point
