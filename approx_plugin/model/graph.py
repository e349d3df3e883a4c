"""The network: tensors and operators in execution order. Nothing of TFLite's file format is left in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """A feed-forward int8 network with one input and one output.

    name:      from the file's name, a valid C identifier in lower case.
    tensors:   every tensor by its index (operators' constants included).
    operators: in execution order; `operators[i].index == i`.
    input, output: indexes of the int8 tensors at the borders. QUANTIZE and DEQUANTIZE at the borders are taken off:
               their work (real <-> int8) is the caller's, by the border tensors' quantization.
    float_input, float_output: whether such a border operator was taken off.
    sha256:    of the file's bytes.
    """

    name: str
    tensors: dict[int, Tensor]
    operators: tuple[Operator, ...]
    input: int
    output: int
    sha256: str
    float_input: bool = False
    float_output: bool = False

    @property
    def input_tensor(self) -> Tensor:
        """The int8 tensor that goes in."""
        return self.tensors[self.input]

    @property
    def output_tensor(self) -> Tensor:
        """The int8 tensor that comes out."""
        return self.tensors[self.output]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, all operators."""
        return sum(op.macs for op in self.operators)

    def with_operators(self, changed: dict[int, Operator]) -> Graph:
        """The same network with the operators at some indexes exchanged (an approximated layer for an exact one)."""
        return replace(self, operators=tuple(changed.get(op.index, op) for op in self.operators))
