"""How the bytes of an activation lie between two steps.

Only the kernels that write and read an activation know what its bytes mean; everybody else asks the layout for its size
and its alignment, and for the bytes that a checksum goes over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.model.tensor import Int8Array, Tensor


@dataclass(frozen=True)
class Layout(ABC):
    """Equal layouts are interchangeable: what one step leaves, the next one can read."""

    name: ClassVar[str]
    """As in reports and in the comments of generated code."""

    alignment: ClassVar[int] = 8
    """Bytes; a power of 2."""

    @abstractmethod
    def size(self, tensor: Tensor) -> int:
        """Bytes of the activation `tensor`."""

    @abstractmethod
    def arrange(self, values: Int8Array) -> bytes:
        """The bytes of one activation, `size` of them. values: int8, the tensor's shape without the batch.

        It is the reference of the kernels that write this layout: their checksums go over these bytes.
        """


@dataclass(frozen=True)
class Nhwc(Layout):
    """int8 in the order of the .tflite, nothing between the elements: what goes into and out of a network."""

    name: ClassVar[str] = "int8 NHWC"

    def size(self, tensor: Tensor) -> int:
        """One byte an element."""
        return tensor.elements

    def arrange(self, values: Int8Array) -> bytes:
        """As they are."""
        return values.tobytes()


NHWC = Nhwc()
