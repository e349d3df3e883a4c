"""What every operator says about itself: how it is read, what it computes, which CMSIS-NN call serves it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy.typing as npt

from approx_plugin.model.graph import Int8Array, Tensor
from approx_plugin.model.node import Node


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant array of a generated source file: `static const <ctype> <name>[] = {...};`.

    name: a C identifier, unique within the layer (the emitter puts the layer's prefix before it).
    data: int8 or int32 values, any shape, written in C order.
    """

    name: str
    data: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CmsisCall:
    """The CMSIS-NN call that computes an operator (API of CMSIS-NN v7).

    functions: the library functions that `body` and `context_size` name (roots of the set of sources to compile).
    constants: weights, bias, multipliers, shifts. `body` names one as `{name}` does in `str.format`.
    body:      C statements for the inside of `static int32_t layer(const int8_t *input, const int8_t *input_2,
               int8_t *output, const cmsis_nn_context *context)`; it ends in a `return` of the library's status
               (0 is success). `input_2` is there for operators with two activations. Braces of C are doubled: the
               emitter runs `body.format_map(names)` once, with the full C names of the constants. It also marks
               `input_2` and `context` as used.
    context_bytes: size of the scratch buffer that the call needs on cores with the DSP extension and without MVE.
    context_size:  C expression for the size that the linked library asks for, "0" where it asks for none; its braces
               are not doubled. The verification build compares it with what was planned.
    """

    functions: tuple[str, ...]
    constants: tuple[Constant, ...]
    body: str
    context_bytes: int = 0
    context_size: str = "0"


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

    @abstractmethod
    def cmsis_call(self) -> CmsisCall:
        """The CMSIS-NN call that computes this layer."""

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
