"""What every operator says about itself: how it is read, what it computes, how much that is."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

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

    @property
    def fingerprint(self) -> bytes:
        """sha256 of all that decides what the operator computes: equal for equal arithmetic at the same place."""
        digest = hashlib.sha256(f"{type(self).__name__} {self.kind}\n".encode())
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
                digest.update(f"{field.name} {little.dtype.str} {little.shape}\n".encode())
                digest.update(little.tobytes())
            elif field.name not in ("name", "label", "inputs", "output"):
                digest.update(f"{field.name} {value!r}\n".encode())
        return digest.digest()
