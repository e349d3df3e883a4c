"""The network: tensors and operators in execution order. Nothing of TFLite's file format is left in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor


@dataclass(frozen=True, eq=False)
class State:
    """What one inference leaves for the next one.

    name:    as the file has it.
    source:  index of the tensor that holds it during an inference.
    result:  index of the tensor that is its value afterwards.
    initial: int8, the shape of the source without the batch: its value before the first inference.
    """

    name: str
    source: int
    result: int
    initial: Int8Array


@dataclass(frozen=True, eq=False)
class Graph:
    """An int8 network: feed-forward, but for its states.

    Where there are several inputs, the arrays that go in hold them side by side: int8 [count, elements of all inputs],
    in the file's order; likewise the outputs. One alone keeps its shape.

    name:      from the file's name, a valid C identifier in lower case.
    tensors:   every tensor by its index (operators' constants included).
    operators: in execution order; `operators[i].index == i`.
    input, output: indexes of the int8 tensors at the borders, the first ones of several. QUANTIZE and DEQUANTIZE at
               the borders are taken off: their work (real <-> int8) is the caller's, by the border tensors'
               quantization.
    float_input, float_output: whether such a border operator was taken off.
    sha256:    of the file's bytes.
    more_inputs, more_outputs: indexes of the further ones. An output may be an input, an inner tensor, or come twice.
    states:    what it remembers from one inference to the next.
    constant_outputs: names of the file's outputs that are the same for every input: they are not among the outputs.
    """

    name: str
    tensors: dict[int, Tensor]
    operators: tuple[Operator, ...]
    input: int
    output: int
    sha256: str
    float_input: bool = False
    float_output: bool = False
    more_inputs: tuple[int, ...] = ()
    more_outputs: tuple[int, ...] = ()
    states: tuple[State, ...] = ()
    constant_outputs: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """All int8 tensors that go in, in the file's order."""
        return tuple(self.tensors[index] for index in (self.input, *self.more_inputs))

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """All int8 tensors that come out, in the file's order."""
        return tuple(self.tensors[index] for index in (self.output, *self.more_outputs))

    @property
    def kept(self) -> frozenset[int]:
        """Indexes of the activations that somebody needs after the last operator: outputs, and next states."""
        return frozenset((self.output, *self.more_outputs, *(state.result for state in self.states)))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of what goes into one inference."""
        return _side_by_side(self.inputs)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of what comes out of one inference."""
        return _side_by_side(self.outputs)

    @property
    def input_bytes(self) -> int:
        """Bytes of all inputs."""
        return sum(tensor.elements for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of all outputs."""
        return sum(tensor.elements for tensor in self.outputs)

    @property
    def input_tensor(self) -> Tensor:
        """The (first) int8 tensor that goes in."""
        return self.tensors[self.input]

    @property
    def output_tensor(self) -> Tensor:
        """The (first) int8 tensor that comes out."""
        return self.tensors[self.output]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, all operators."""
        return sum(op.macs for op in self.operators)

    def with_operators(self, changed: dict[int, Operator]) -> Graph:
        """The same network with the operators at some indexes exchanged (an approximated layer for an exact one)."""
        return replace(self, operators=tuple(changed.get(op.index, op) for op in self.operators))


def _side_by_side(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    return tensors[0].shape[1:] if len(tensors) == 1 else (sum(tensor.elements for tensor in tensors),)
