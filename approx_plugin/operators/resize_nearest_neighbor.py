"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.selection import MAX_ELEMENTS, Positions, Selection


@dataclass(frozen=True, eq=False)
class ResizeNearestNeighbor(Selection):
    """Height and width of [n, h, w, c] scaled; every pixel is one of the input."""

    kind: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        height, width = resized(node, source)
        rows = _nearest(node, positions.shape[1], height)
        columns = _nearest(node, positions.shape[2], width)
        return np.asarray(positions[:, rows][:, :, columns])


def resized(node: Node, source: Tensor) -> tuple[int, int]:
    """Height and width of the output of a resizing operator; its input has to be [n, h, w, c]."""
    size = reading.integers(node, 1)
    if len(source.own_shape) != 4 or len(size) != 2 or min(size) < 1 or size[0] * size[1] > MAX_ELEMENTS:
        raise UnsupportedError(f"shape {list(source.own_shape)} resized to {size}", reading.REEXPORT_HINT)
    if node.options.get("AlignCorners", False) and node.options.get("HalfPixelCenters", False):
        raise UnsupportedError("align_corners together with half_pixel_centers", reading.REEXPORT_HINT)
    return size[0], size[1]


def _nearest(node: Node, extent: int, count: int) -> npt.NDArray[Any]:
    """The input row of every output row. Source: TensorFlow Lite's GetNearestNeighbor, in float32."""
    one = np.float32(1)
    aligned, half = bool(node.options.get("AlignCorners", False)), bool(node.options.get("HalfPixelCenters", False))
    if aligned and count > 1:
        scale = np.float32(extent - 1) / np.float32(count - 1)
    else:
        scale = np.float32(extent) / np.float32(count)
    places = (np.arange(count, dtype=np.float32) + (np.float32(0.5) if half else one * 0)) * scale
    # Halves away from zero where corners are aligned; nothing is negative.
    nearest = np.floor(places + np.float32(0.5)) if aligned else np.floor(places)
    rows: npt.NDArray[Any] = np.clip(nearest.astype(np.int64), 0, extent - 1)
    return rows
