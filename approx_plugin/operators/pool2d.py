"""What MAX_POOL_2D and AVERAGE_POOL_2D have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from approx_plugin.model.node import Node
from approx_plugin.model.operator import Operator
from approx_plugin.operators import reading
from approx_plugin.operators.geometry import Padding, Window

PoolType = TypeVar("PoolType", bound="Pool2D")


@dataclass(frozen=True, eq=False)
class Pool2D(Operator):
    """A pooling layer; input and output have the same scale and zero point.

    kernel, stride: (vertical, horizontal). Positions in the padding take no part.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding
    activation_min: int
    activation_max: int

    @classmethod
    def read(cls: type[PoolType], node: Node, index: int, name: str) -> PoolType:
        """See `Operator.read`."""
        source, result = reading.activation(node, rank=4), reading.output(node, rank=4)
        reading.same_quantization(node, source, result)
        kernel = (reading.option(node, "FilterHeight"), reading.option(node, "FilterWidth"))
        window = reading.window(node, (source.shape[1], source.shape[2]), kernel)
        reading.same_shape(result, (1, *window.output, source.shape[3]))
        low, high = reading.activation_limits(node, result)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            kernel=kernel,
            stride=window.stride,
            padding=window.padding,
            activation_min=low,
            activation_max=high,
        )

    @property
    def window(self) -> Window:
        """Kernel, stride, padding and output extents together."""
        return Window(self.kernel, self.stride, self.padding, (self.output.shape[1], self.output.shape[2]))
