"""What a kernel schedule says about itself. Schedules compete: which one a layer takes is the exploration's choice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.program import LoweredLayer
from approx_plugin.kernels.target import Target
from approx_plugin.model.operator import Operator


def layer_symbol(operator: Operator) -> str:
    """The C name of a layer's function, and the stem of its file: `approx_layer_03`."""
    return f"approx_layer_{operator.index:02d}"


class Schedule(ABC):
    """One way to compute a layer.

    To add one: a file (or folder) beside the others with a subclass, and a line in `schedules/registry.py`.
    """

    name: ClassVar[str]
    """As in approx.yaml and reports."""

    @abstractmethod
    def obstacle(self, operator: Operator, target: Target) -> str | None:
        """Why this layer cannot be computed this way on this target; None if it can."""

    @abstractmethod
    def cost(self, operator: Operator, target: Target) -> LayerCost:
        """The estimated cost, without generating the code. Only for layers without an obstacle."""

    @abstractmethod
    def lower(self, operator: Operator, target: Target) -> LoweredLayer:
        """The layer's code. Only for layers without an obstacle. Same operator, same text."""
