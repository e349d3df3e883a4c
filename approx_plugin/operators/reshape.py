"""RESHAPE: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading


@dataclass(frozen=True, eq=False)
class Reshape(Operator):
    """A change of shape. It is an alias: no code and no buffer in the firmware."""

    kind: ClassVar[str] = "RESHAPE"

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Reshape:
        """See `Operator.read`. The output tensor's static shape counts; the shape input only has to be a constant."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_quantization(node, source, result)
        if any(tensor is not None and tensor.data is None for tensor in node.inputs[1:]):
            raise UnsupportedError("its shape is computed at run time", "reshape to a constant shape")
        if source.elements != result.elements:
            raise UnsupportedError(
                f"{list(source.shape)} and {list(result.shape)} differ in their number of elements",
                reading.REEXPORT_HINT,
            )
        return cls(index=index, name=name, label=result.name, inputs=(source,), output=result)

    @property
    def is_alias(self) -> bool:
        """Always."""
        return True

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        return inputs[0].reshape(len(inputs[0]), *self.output.shape[1:])
