"""Layers as the C functions take them: arrays that were made once, and calls. Everything here can be pickled."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.native.library import library

Int8Array = npt.NDArray[np.int8]
Int16Array = npt.NDArray[np.int16]
Int32Array = npt.NDArray[np.int32]
AnyArray = npt.NDArray[Any]

LANES = 8
"""Output channels of a panel."""

LARGEST_CHANNELS = 1 << 16
"""Operands of an output up to which the C code's sizes are far from overflow."""


@dataclass(frozen=True, eq=False)
class Layer:
    """window, scales, weights: as products.h has them. shape: of an image's output. function: of the library.

    others: further arrays, in the order of the function's arguments between the window and the weights.
    """

    function: str
    window: Int32Array
    others: tuple[Int32Array, ...]
    weights: Int16Array
    scales: Int32Array
    shape: tuple[int, ...]

    def __call__(self, inputs: Int8Array) -> Int8Array | None:
        """The outputs of images int8 [count, ...]; None where C cannot be had."""
        found = library()
        if found is None:
            return None
        values = np.ascontiguousarray(inputs)
        output = np.empty((len(values), *self.shape), np.int8)
        arrays: tuple[AnyArray, ...] = (self.window, *self.others, self.weights, self.scales, output)
        pointers = [ctypes.c_void_p(one.ctypes.data) for one in (values, *arrays)]
        status = getattr(found, self.function)(pointers[0], len(values), *pointers[1:])
        return output if status == 0 else None


def panels(weights: AnyArray) -> Int16Array:
    """int16 [panels, pairs, LANES, 2] of weights [outputs, operands]; see products.c."""
    outputs, operands = weights.shape
    count, pairs = -(-outputs // LANES), -(-operands // 2)
    whole = np.zeros((count * LANES, pairs * 2), np.int16)
    whole[:outputs, :operands] = weights
    return np.ascontiguousarray(whole.reshape(count, LANES, pairs, 2).transpose(0, 2, 1, 3))


def window_of(*numbers: Sequence[int] | int) -> Int32Array:
    """The fields of a Window in their order."""
    flat = [value for one in numbers for value in (one if isinstance(one, Sequence) else (one,))]
    return np.array(flat, np.int32)


def scales_of(bias: AnyArray, mantissas: AnyArray, lefts: AnyArray, rights: AnyArray) -> Int32Array:
    """int32 [outputs, 4]; the bias modulo 2**32. One value of the others serves all channels.

    Rows of 0 follow, so that whole panels can be read.
    """
    columns = np.broadcast_arrays(bias.astype(np.int64), mantissas, lefts, rights)
    stacked = np.stack(columns, axis=1).astype(np.int64).astype(np.int32)
    return np.concatenate([stacked, np.zeros((LANES, stacked.shape[1]), np.int32)])
