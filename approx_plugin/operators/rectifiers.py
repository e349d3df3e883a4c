"""RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1, LEAKY_RELU, ABS, QUANTIZE: straight lines, as tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array
from approx_plugin.operators.table import INPUTS, Table, rescaled


def ratio(source: Tensor, result: Tensor) -> float:
    """input scale / output scale in float32, as most of TensorFlow Lite's elementwise operators divide."""
    with np.errstate(all="ignore"):
        return float(np.float32(source.scale) / np.float32(result.scale))


@dataclass(frozen=True, eq=False)
class Relu(Table):
    """max(x, 0), where no layer in front could take it."""

    kind: ClassVar[str] = "RELU"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)
    """Real numbers that pass."""

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""
        low, high = reading.quantized_limits(cls.limits, result)
        return np.clip(rescaled(INPUTS - source.zero_point, ratio(source, result), result), low, high)


@dataclass(frozen=True, eq=False)
class Relu6(Relu):
    """x within 0 and 6."""

    kind: ClassVar[str] = "RELU6"
    limits: ClassVar[tuple[float, float]] = (0.0, 6.0)


@dataclass(frozen=True, eq=False)
class ReluN1To1(Relu):
    """x within -1 and 1."""

    kind: ClassVar[str] = "RELU_N1_TO_1"
    limits: ClassVar[tuple[float, float]] = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Relu0To1(Relu):
    """x within 0 and 1."""

    kind: ClassVar[str] = "RELU_0_TO_1"
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class LeakyRelu(Table):
    """x, and alpha * x where x is negative."""

    kind: ClassVar[str] = "LEAKY_RELU"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`. Source: TensorFlow Lite's QuantizeLeakyRelu; the factors are made in float32."""
        alpha = float(node.options.get("Alpha", 0.0))
        if not 0 <= alpha < math.inf:
            raise UnsupportedError(f"alpha {alpha:g}", "use an alpha that is not negative")
        with np.errstate(all="ignore"):
            slope = float(np.float32(source.scale) * np.float32(alpha) / np.float32(result.scale))
        above = INPUTS - source.zero_point
        positive, negative = rescaled(above, ratio(source, result), result), rescaled(above, slope, result)
        chosen: Int64Array = np.where(above >= 0, positive, negative)
        return chosen


@dataclass(frozen=True, eq=False)
class Abs(Table):
    """The absolute value."""

    kind: ClassVar[str] = "ABS"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""
        size: Int64Array = np.abs(INPUTS - source.zero_point)
        if source.scale == result.scale:
            return size + result.zero_point
        return rescaled(size, ratio(source, result), result)


@dataclass(frozen=True, eq=False)
class Quantize(Table):
    """From one int8 scale and zero point to another, between layers."""

    kind: ClassVar[str] = "QUANTIZE"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`. Source: TensorFlow Lite's Requantize; the scales are divided in double precision."""
        return rescaled(INPUTS - source.zero_point, source.scale / result.scale, result)
