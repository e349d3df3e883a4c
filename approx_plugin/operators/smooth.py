"""LOGISTIC, TANH, ELU, GELU, EXP: functions of real numbers, as tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.fixed_point import Int64Array
from approx_plugin.operators.table import Float32Array, Table, of_reals, wide


@dataclass(frozen=True, eq=False)
class Logistic(Table):
    """1 / (1 + exp(-x))."""

    kind: ClassVar[str] = "LOGISTIC"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""

        def logistic(real: Float32Array) -> Any:
            one = np.float32(1)
            return one / (one + wide(np.exp)(-real))

        return of_reals(source, result, logistic)


@dataclass(frozen=True, eq=False)
class Tanh(Table):
    """The hyperbolic tangent."""

    kind: ClassVar[str] = "TANH"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""
        return of_reals(source, result, wide(np.tanh))


@dataclass(frozen=True, eq=False)
class Elu(Table):
    """x, and exp(x) - 1 where that is negative."""

    kind: ClassVar[str] = "ELU"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""
        return of_reals(source, result, lambda real: np.where(real < 0, wide(np.expm1)(real), real))


@dataclass(frozen=True, eq=False)
class Gelu(Table):
    """x times the normal distribution's integral, or its approximation by a hyperbolic tangent."""

    kind: ClassVar[str] = "GELU"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`. Source: TensorFlow Lite's GeluTransform and GeluTransformApproximate."""

        def approximate(real: Float32Array) -> Any:
            half, one, root = np.float32(0.5), np.float32(1), np.float32(math.sqrt(2 / math.pi))
            inner = root * (real + np.float32(0.044715) * real * real * real)
            return half * real * (one + wide(np.tanh)(inner))

        def exact(real: Float32Array) -> Any:
            cut = [math.erfc(float(value)) for value in real * np.float32(-math.sqrt(0.5))]
            return np.float32(0.5) * real * np.array(cut).astype(np.float32)

        return of_reals(source, result, approximate if node.options.get("Approximate", False) else exact)


@dataclass(frozen=True, eq=False)
class Exp(Table):
    """exp(x)."""

    kind: ClassVar[str] = "EXP"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`."""
        return of_reals(source, result, wide(np.exp))
