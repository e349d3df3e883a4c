"""SVDF: a fully connected layer of rank 1 (or more) over features and time.

The reader makes two operators of it (`tflite/recurrent.py`): one that puts a new column into the state, and one that
weighs the state. The state's elements, int16 or int8, are bytes of an activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array, offset_and_clamp, requantize, wrap_int32

STATE_TYPE = "StateBytes"
"""An option that the reader adds: bytes of an element of the state."""

_TIME, _BIAS, _STATE = 2, 3, 4
_RELU = 1


def _elements(values: Int8Array, width: int, shape: tuple[int, ...]) -> Int64Array:
    """Bytes as the numbers that they are."""
    return np.frombuffer(values.tobytes(), f"<i{width}").reshape(shape).astype(np.int64)


@dataclass(frozen=True, eq=False)
class SvdfFeatures(Operator):
    """A state [filters, memory] with its columns moved on, the last one the filters' answers to new features.

    weights: int8 [filters, features]. width: bytes of an element of the state.
    """

    kind: ClassVar[str] = "SVDF"

    weights: Int8Array
    multiplier: Multiplier
    memory: int
    width: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> SvdfFeatures:
        """See `Operator.read`. Source: TensorFlow Lite's svdf.cc."""
        source, state, result = reading.activation(node), reading.activation(node, _STATE), reading.output(node)
        filters, weights = reading.weights(node, (None, source.elements), 0)
        width, memory = _state_of(node, state, weights.shape[0])
        reading.same_shape(result, state.shape)
        assert filters.quantization is not None
        if len(filters.quantization.scale) != 1:
            raise UnsupportedError("its weights have a scale a channel", reading.REEXPORT_HINT)
        if int(node.options.get("FusedActivationFunction", _RELU)) != _RELU:
            raise UnsupportedError("its activation is not ReLU", "an int8 SVDF has ReLU")
        product = np.float32(source.scale) * np.float32(filters.quantization.scale[0]) / np.float32(state.scale)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source, state),
            output=result,
            weights=weights,
            multiplier=reading.checked_multiplier(float(product)),
            memory=memory,
            width=width,
        )

    @property
    def macs(self) -> int:
        """Every weight once."""
        return int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """The weights."""
        return int(self.weights.nbytes)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count, filters = len(inputs[0]), len(self.weights)
        state = _elements(inputs[1], self.width, (count, filters, self.memory))
        features = inputs[0].reshape(count, -1).astype(np.int64) - self.inputs[0].zero_point
        sums = wrap_int32(features @ self.weights.astype(np.int64).T)
        limit = 1 << (8 * self.width - 1)
        column = np.clip(requantize(sums, (self.multiplier,)), -limit, limit - 1) + self.inputs[1].zero_point
        moved = np.concatenate([state[..., 1:], column[..., None]], axis=2).astype(f"<i{self.width}")
        return np.frombuffer(moved.tobytes(), np.int8).reshape(inputs[1].shape)


@dataclass(frozen=True, eq=False)
class SvdfTime(Operator):
    """The second half of an SVDF: each unit's sum of its filters' states, weighted over time.

    weights: int16 (or int8 where the state is), as int32 [filters, memory]. bias: int32 [units].
    """

    kind: ClassVar[str] = "SVDF_TIME"

    weights: Int32Array
    bias: Int32Array
    multiplier: Multiplier
    width: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> SvdfTime:
        """See `Operator.read`; the state is the first input."""
        state, result = reading.activation(node), reading.output(node)
        tensor = node.inputs[_TIME]
        assert tensor is not None
        if tensor.data is None or tensor.quantization is None or tensor.dtype not in ("int8", "int16"):
            raise UnsupportedError("its weights over time are no int16 or int8 constant", reading.REEXPORT_HINT)
        filters = tensor.shape[0]
        width, _ = _state_of(node, state, filters)
        rank = reading.option(node, "Rank")
        if rank < 1 or filters % rank or result.elements != filters // rank:
            raise UnsupportedError(f"its rank is {rank} for {filters} filters", reading.REEXPORT_HINT)
        product = np.float32(state.scale) * np.float32(tensor.quantization.scale[0]) / np.float32(result.scale)
        weights = tensor.data.astype(np.int32)
        weights.flags.writeable = False
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(state,),
            output=result,
            weights=weights,
            bias=reading.bias(
                Node(node.index, node.builtin, (state, None, node.inputs[_BIAS]), node.outputs, node.options),
                result.elements,
            ),
            multiplier=reading.checked_multiplier(float(product)),
            width=width,
        )

    @property
    def rank(self) -> int:
        """Filters of a unit."""
        return len(self.weights) // len(self.bias)

    @property
    def macs(self) -> int:
        """Every weight once."""
        return int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """Weights and bias."""
        return int(self.weights.size * self.width + self.bias.nbytes)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count = len(inputs[0])
        state = _elements(inputs[0], self.width, (count, *self.weights.shape)) - self.inputs[0].zero_point
        sums = (state * self.weights).sum(axis=2).reshape(count, -1, self.rank).sum(axis=2) + self.bias
        values = requantize(wrap_int32(sums), (self.multiplier,))
        made = offset_and_clamp(values, self.output.zero_point, -128, 127)
        return made.astype(np.int8).reshape(count, *self.output.shape[1:])


def _state_of(node: Node, state: Tensor, filters: int) -> tuple[int, int]:
    """Bytes of an element of the state, and how many columns it has."""
    time = node.inputs[_TIME]
    width = int(node.options.get(STATE_TYPE, 0))
    if width not in (1, 2) or time is None or len(time.shape) != 2 or time.shape[0] != filters:
        raise UnsupportedError("its state is neither int16 nor int8", reading.FULL_INT8_HINT)
    if state.elements != filters * time.shape[1] * width:
        raise UnsupportedError(f"its state has {state.elements} bytes", reading.REEXPORT_HINT)
    return width, time.shape[1]
