"""A network that grows: what drawn layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_format import Tensor
from tflite_writer import ModelBuilder

Random = np.random.Generator
Int8 = npt.NDArray[np.int8]

MOST_ELEMENTS = 3000
"""Of an activation: all of a network fits the smallest emulated memory, and the host reference stays quick."""

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14)
CHANNELS = (1, 1, 2, 3, 4, 5, 7, 8, 8, 12, 16, 16, 17, 32)
ZERO_POINTS = (-128, -128, 127, 0, -1, 37)
USUAL_SCALES = (0.02, 0.02, 0.05, 0.0039215689)
SCALES = (1e-4, 3.0, 1e-6, 200.0)
ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")
GAINS = (40.0, 3000.0, 1e-3, 1e-7)
"""Extreme factors on a multiplier that spreads the sums over int8."""

BIAS_EDGES = (0, 1, 1 << 24, 1 << 27, (1 << 30) - 300, 1 << 30, (1 << 31) - 300, (1 << 31) - 1)
DENSITIES = (0.5, 0.1, 0.0)


class Grower:
    """The network so far. last: what the next layer reads; others: what a later one may read as well."""

    def __init__(self, rng: Random) -> None:
        """With an input, and nothing behind it. How often numbers are extreme differs from network to network: where
        most are, little but the ends of int8 comes out.
        """
        self.rng, self.builder = rng, ModelBuilder()
        self._wild = float(self.pick((0.0, 0.05, 0.15, 0.5)))
        shape = (1, self.pick(SIZES), self.pick(SIZES), self.pick(CHANNELS))
        self.last: Tensor = self.builder.input(shape, self.scale(), self.zero_point())
        self.others: list[Tensor] = []

    def pick(self, values: Sequence[Any]) -> Any:
        """One of them."""
        return values[int(self.rng.integers(len(values)))]

    def chance(self, probability: float) -> bool:
        """Whether it comes true."""
        return bool(self.rng.random() < probability)

    def grow(self, tensor: Tensor) -> None:
        """What the next layer may read."""
        self.others.append(self.last)
        self.last = tensor

    def scale(self) -> float:
        """Of an activation."""
        return float(np.float32(self.pick(SCALES if self.chance(self._wild) else USUAL_SCALES)))

    def zero_point(self) -> int:
        """Anywhere, or at an end."""
        return int(self.pick(ZERO_POINTS)) if self.chance(0.6) else int(self.rng.integers(-40, 40))

    def result(self, x: Tensor, ratios: Sequence[float] = (1.0, 1.0, 0.3, 3.0)) -> dict[str, Any]:
        """Quantization of an output whose scale follows from the input's."""
        ratios = (50.0, 0.01) if self.chance(self._wild) else ratios
        return {"scale": float(np.float32(x.scale[0] * self.pick(ratios))), "zero_point": self.zero_point()}

    def int8(self, *shape: int) -> Int8:
        """Values of the whole range."""
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def weights(self, *shape: int) -> Int8:
        """Dense, sparse, none, or at both ends alone."""
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        if self.chance(self._wild / 2):
            values = np.where(values < 0, -127, 127).astype(np.int8)
        if self.chance(0.2 + self._wild / 2):
            values[self.rng.random(shape) >= self.pick(DENSITIES)] = 0
        return values

    def products(self, x: Tensor, weights: Int8, axis: int) -> dict[str, Any]:
        """weight_scale, bias, scale and zero_point of a layer of products; `axis` counts its channels.

        Sums may leave int32 on the way: TensorFlow Lite's kernels and ours wrap.
        """
        channels = weights.shape[axis]
        others = tuple(number for number in range(weights.ndim) if number != axis)
        totals = np.abs(weights.astype(np.int64)).sum(axis=others) * 255
        count = channels if self.chance(0.7) else 1
        terms = max(1, weights.size // channels)
        spread = np.maximum(totals, 300) / (4.0 * terms**0.5)
        gain = self.pick(GAINS) if self.chance(self._wild) else 1.0
        multipliers = gain * 80.0 / spread * 2.0 ** self.rng.uniform(-1, 1, channels)
        scale = self.scale()
        weight_scale = (multipliers * scale / x.scale[0]).astype(np.float32)[:count]
        return {
            "weight_scale": weight_scale,
            "bias": self._bias(channels),
            "scale": scale,
            "zero_point": self.zero_point(),
        }

    def _bias(self, channels: int) -> npt.NDArray[np.int32]:
        form = "edges" if self.chance(self._wild) else self.pick(("usual", "usual", "usual", "none"))
        if form == "none":
            return np.zeros(channels, np.int32)
        if form == "usual":
            return self.rng.integers(-4000, 4000, channels).astype(np.int32)
        near = [self.pick(BIAS_EDGES) * self.pick((1, -1)) for _ in range(channels)]
        moved = np.array(near, np.int64) + self.rng.integers(-300, 300, channels)
        return np.clip(moved, -(1 << 31), (1 << 31) - 1).astype(np.int32)
