"""CONCATENATION and PACK: activations one after the other along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.binary import activations

ConcatenationType = TypeVar("ConcatenationType", bound="Concatenation")


@dataclass(frozen=True, eq=False)
class Concatenation(Operator):
    """Activations and constants side by side along an axis.

    All have the output's scale and zero point.

    Seen as [rows, bytes], the output's rows are the operands' rows in turn.
    widths:   bytes of a row of each operand. constants: of each operand the elements in C order, None for activations.
    """

    kind: ClassVar[str] = "CONCATENATION"

    widths: tuple[int, ...]
    constants: tuple[bytes | None, ...]

    @classmethod
    def read(cls: type[ConcatenationType], node: Node, index: int, name: str) -> ConcatenationType:
        """See `Operator.read`."""
        result = reading.output(node)
        tensors = [reading.activation_or_constant(node, position) for position in range(len(node.inputs))]
        if all(tensor.data is not None for tensor in tensors):
            raise UnsupportedError("all its operands are constants", "leave it out")
        for tensor in tensors:
            reading.same_quantization(node, tensor, result)
        if int(node.options.get("FusedActivationFunction", 0)):
            raise UnsupportedError("a fused activation", "use an activation of its own")
        axis, shape = cls.joined(node, tensors)
        reading.own_shape(result, shape)
        rows = int(np.prod(shape[:axis], dtype=np.int64))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=activations(tensors),
            output=result,
            widths=tuple(tensor.elements // rows for tensor in tensors),
            constants=tuple(None if tensor.data is None else tensor.data.tobytes() for tensor in tensors),
        )

    @classmethod
    def joined(cls, node: Node, tensors: Sequence[Tensor]) -> tuple[int, tuple[int, ...]]:
        """The axis, and the output's shape as the file has it."""
        shapes = [tensor.own_shape for tensor in tensors]
        axis = reading.axis(tensors[0], int(node.options.get("Axis", 0)))
        others = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
        if len(others) != 1:
            raise UnsupportedError(f"shapes {', '.join(str(list(s)) for s in shapes)}", reading.REEXPORT_HINT)
        return axis, (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])

    @property
    def rows(self) -> int:
        """How many rows the output has."""
        return self.output.elements // sum(self.widths)

    @property
    def parameter_bytes(self) -> int:
        """Constant operands."""
        return sum(len(values) for values in self.constants if values is not None)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        given, count = iter(inputs), len(inputs[0])
        parts = []
        for width, constant in zip(self.widths, self.constants):
            if constant is None:
                parts.append(next(given).reshape(count, self.rows, width))
            else:
                values = np.frombuffer(constant, dtype=np.int8).reshape(1, self.rows, width)
                parts.append(np.repeat(values, count, axis=0))
        joined: Int8Array = np.concatenate(parts, axis=2)
        return joined.reshape(count, *self.output.shape[1:])


@dataclass(frozen=True, eq=False)
class Pack(Concatenation):
    """Activations and constants side by side along a new axis."""

    kind: ClassVar[str] = "PACK"

    @classmethod
    def joined(cls, node: Node, tensors: Sequence[Tensor]) -> tuple[int, tuple[int, ...]]:
        """See `Concatenation.joined`."""
        shapes = {tensor.own_shape for tensor in tensors}
        if len(shapes) != 1:
            raise UnsupportedError("operands of different shapes", reading.REEXPORT_HINT)
        (shape,) = shapes
        axis = int(node.options.get("Axis", 0))
        if not -len(shape) - 1 <= axis <= len(shape):
            raise UnsupportedError(f"axis {axis} of shape {list(shape)}", reading.REEXPORT_HINT)
        axis %= len(shape) + 1
        return axis, (*shape[:axis], len(tensors), *shape[axis:])
