"""What a drawn layer is before its reader has seen it: a node without its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Form:
    """A node without its output. scale, zero_point: the output's, None for those of the first input.

    element: as of `Tensor`. shape: the output's, where the reader does not say which it has to be.
    """

    inputs: tuple[Tensor | None, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    scale: float | None = None
    zero_point: int | None = None
    element: str = "int8"
    shape: Shape = ()


def activation(index: int, own_shape: Shape, scale: float, zero_point: int) -> Tensor:
    """own_shape: as a file would have it; whatever has no batch of 1 in front gets one, as the reader does it."""
    lifted = not own_shape or own_shape[0] != 1
    shape = (1, *own_shape) if lifted else own_shape
    return Tensor(index, f"t{index}", shape, "int8", Quantization((scale,), (zero_point,)), lifted=lifted)
