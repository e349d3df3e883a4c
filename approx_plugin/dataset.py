"""Labelled inputs of a network, as the int8 bytes that go into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.model.graph import Int8Array


@dataclass(frozen=True, eq=False)
class Dataset:
    """inputs: int8 [count, *input_shape[1:]]; labels: int64 [count], the index of the right output."""

    name: str
    inputs: Int8Array
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of inputs."""
        return len(self.labels)
