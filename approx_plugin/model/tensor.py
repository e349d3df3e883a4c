"""One tensor of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.model.quantization import Quantization

Int8Array = npt.NDArray[np.int8]
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor.

    index: its number in the file, the key by which operators name it.
    shape: with the batch dimension, which is 1.
    element: "int8", or what an int8 tensor's bytes are: its last axis holds the bytes of one number, the lowest first.
    lifted: the file's shape lacks that dimension (it has rows, or nothing, in front): `shape` has a 1 more than it.
    dtype: numpy's name of it ("int8", "int32", "float32", "uint8").
    data:  the constant's values, read-only; None for an activation.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    data: npt.NDArray[Any] | None = None
    lifted: bool = False
    element: str = "int8"

    @property
    def own_shape(self) -> tuple[int, ...]:
        """The shape as the file has it: what axes and broadcasting of operators refer to."""
        return self.shape[1:] if self.lifted else self.shape

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantized tensor."""
        assert self.quantization is not None and len(self.quantization.scale) == 1
        return self.quantization.scale[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantized tensor."""
        assert self.quantization is not None
        return self.quantization.zero_point[0]
