"""What every operator says about itself: how it is read, what it computes, how much that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Int8Array, Tensor


@dataclass(frozen=True, eq=False)
class Operator(ABC):
    """One layer. Immutable; constants (weights, bias, tables) are fields of the concrete class.

    index:   place in Graph.operators.
    name:    C identifier in lower case, unique in the graph, e.g. "conv2d_3" (kind and index).
    label:   the output tensor's name in the file, for messages and reports.
    inputs:  the activations that go in.
    output:  the activation that comes out.
    """

    kind: ClassVar[str]
    """TFLite's name of the operator."""

    index: int
    name: str
    label: str
    inputs: tuple[Tensor, ...]
    output: Tensor

    @classmethod
    @abstractmethod
    def read(cls, node: Node, index: int, name: str) -> Operator:
        """The operator that `node` describes. Raises UnsupportedError for forms that are not supported."""

    @abstractmethod
    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """The integer reference: int8 arrays [batch, ...] in, int8 array [batch, ...] out.

        Bit-exact with tflite_runtime's reference kernels and with CMSIS-NN (double rounding); any batch size.
        """

    @property
    def is_alias(self) -> bool:
        """Whether the output is the input's bytes under another shape: no code, no buffer (RESHAPE)."""
        return False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return 0

    @property
    def parameter_bytes(self) -> int:
        """Bytes of weights, bias and tables as stored in the .tflite."""
        return 0
