"""What MAX_POOL_2D and AVERAGE_POOL_2D have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from approx_plugin.model.node import Node
from approx_plugin.operators import c_text, reading
from approx_plugin.operators.base import CmsisCall, Operator
from approx_plugin.operators.geometry import Padding, Window

PoolType = TypeVar("PoolType", bound="Pool2D")


@dataclass(frozen=True, eq=False)
class Pool2D(Operator):
    """A pooling layer; input and output have the same scale and zero point.

    kernel, stride: (vertical, horizontal). Positions in the padding take no part.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    function: ClassVar[str]
    """The CMSIS-NN function."""

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

    @property
    @abstractmethod
    def _context(self) -> tuple[int, str]:
        """Scratch bytes, and the C expression for them ("0" for none)."""

    def cmsis_call(self) -> CmsisCall:
        """The call of `function`; both poolings have the same parameters."""
        context_bytes, context_size = self._context
        params = c_text.fields(
            stride=c_text.tile(self.stride),
            padding=c_text.tile((self.padding.top, self.padding.left)),
            activation=c_text.limits(self.activation_min, self.activation_max),
        )
        return CmsisCall(
            functions=(self.function, f"{self.function}_get_buffer_size") if context_bytes else (self.function,),
            constants=(),
            body=c_text.body(
                (
                    c_text.declare("cmsis_nn_pool_params", "pool_params", params),
                    c_text.declare("cmsis_nn_dims", "input_dims", c_text.dims(self.inputs[0].shape)),
                    c_text.declare("cmsis_nn_dims", "filter_dims", c_text.dims((1, *self.kernel, 1))),
                    c_text.declare("cmsis_nn_dims", "output_dims", c_text.dims(self.output.shape)),
                ),
                f"return (int32_t){self.function}(context, &pool_params, &input_dims, input, &filter_dims,\n"
                "    &output_dims, output);",
            ),
            context_bytes=context_bytes,
            context_size=context_size,
        )
