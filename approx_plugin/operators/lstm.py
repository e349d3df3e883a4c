"""UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and weights, and a cell of 16 bits.

The reader gives it three activations: what goes in, and the two states (`tflite/recurrent.py`); what comes out is the
cell behind the last step, in bytes, and behind it every step's output. Other operators take that apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array, divide_by_power_of_two, requantize, wrap_int32
from approx_plugin.operators.sixteen_bits import sigmoid, tanh

GATES = ("input", "forget", "cell", "output")
"""In the file's order."""

INPUT_WEIGHTS, RECURRENT_WEIGHTS, PEEPHOLES, BIASES, PROJECTION = 1, 5, 9, 12, 16
OUTPUT_STATE, CELL_STATE, NORMALIZATION = 18, 19, 20
"""Positions among the file's inputs: the first of each kind."""

HIDDEN = "Hidden"
"""Options that the reader adds: scale and zero point of what becomes the output (`HIDDEN + "Scale"`, "ZeroPoint")."""

_TANH = 4
_FORM = "a Keras LSTM layer, converted to full int8, has the form that is supported"


@dataclass(frozen=True, eq=False)
class UnidirectionalSequenceLstm(Operator):
    """An LSTM layer over all steps of a sequence. Its states stay from one inference to the next.

    weights:     int8 [4, cells, features + cells]: of each gate for what goes in, and for the last output.
    bias:        int32 [4, 2, cells], with the zero points' part in it: added to either sum before it is rescaled.
    multipliers: [4][2]: of either sum, to 1/4096.
    cell_bits:   integer bits of the cell: Q(bits).(15 - bits).
    clip:        the cell is kept within +- this; 0: it is not.
    hidden:      factor and zero point from the product of output gate and cell to the output.
    """

    kind: ClassVar[str] = "UNIDIRECTIONAL_SEQUENCE_LSTM"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[tuple[Multiplier, Multiplier], ...]
    cell_bits: int
    clip: int
    hidden: Multiplier
    hidden_zero_point: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> UnidirectionalSequenceLstm:
        """See `Operator.read`. Source: TensorFlow Lite's PopulateQuantizedLstmParams8x8_16."""
        source = reading.activation(node)
        state, cell = reading.activation(node, OUTPUT_STATE), reading.activation(node, CELL_STATE)
        result = reading.output(node)
        _check_form(node)
        cells, features = state.elements, source.shape[-1]
        if source.elements % features or cell.elements != 2 * cells:
            raise UnsupportedError("its states do not fit its weights", reading.REEXPORT_HINT)
        own = source.own_shape
        batch = own[1] if node.options.get("TimeMajor") and len(own) == 3 else own[0]
        if batch != 1 or len(own) > 3:
            raise UnsupportedError(f"its input has shape {list(own)}", "one sequence at a time: batch_size=1")
        steps = source.elements // features
        reading.same_shape(result, (1, 2 * cells + steps * cells))
        weights, bias, multipliers = _gates(node, source, state, cells, features)
        cell_bits, clip = _cell(node, cell)
        scale = float(node.options[f"{HIDDEN}Scale"])
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source, state, cell),
            output=result,
            weights=weights,
            bias=bias,
            multipliers=multipliers,
            cell_bits=cell_bits,
            clip=clip,
            hidden=reading.checked_multiplier(float(np.float32(2.0**-15 / scale * 2.0**-15))),
            hidden_zero_point=int(node.options[f"{HIDDEN}ZeroPoint"]),
        )

    @property
    def cells(self) -> int:
        """How many there are: outputs of a step."""
        return int(self.weights.shape[1])

    @property
    def features(self) -> int:
        """Numbers that go into a step."""
        return int(self.weights.shape[2]) - self.cells

    @property
    def steps(self) -> int:
        """Of the sequence, in one inference."""
        return self.inputs[0].elements // self.features

    @property
    def macs(self) -> int:
        """Four gates for every step and cell."""
        return self.steps * self.weights.size

    @property
    def parameter_bytes(self) -> int:
        """Weights and biases, as stored in the file."""
        return int(self.weights.nbytes + self.bias.nbytes // 2)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. Source: TensorFlow Lite's LstmStepInteger8x8_16, without its optional parts."""
        count, cells = len(inputs[0]), self.cells
        sequence = inputs[0].reshape(count, self.steps, self.features)
        last = inputs[1].reshape(count, cells)
        cell = np.frombuffer(inputs[2].tobytes(), "<i2").reshape(count, cells).astype(np.int64)
        found = []
        for step in range(self.steps):
            gates = self._gates(sequence[:, step], last)
            kept = divide_by_power_of_two(sigmoid(gates[1]) * cell, _shift(15))
            added = divide_by_power_of_two(sigmoid(gates[0]) * tanh(gates[2], 3), _shift(15 + self.cell_bits))
            cell = np.clip(kept + added, -32768, 32767)
            if self.clip:
                cell = np.clip(cell, -self.clip, self.clip)
            products = sigmoid(gates[3]) * tanh(cell, self.cell_bits)
            hidden = requantize(products, (self.hidden,)) + self.hidden_zero_point
            last = np.clip(hidden, -128, 127).astype(np.int8)
            found.append(last)
        ends = np.frombuffer(cell.astype("<i2").tobytes(), np.int8).reshape(count, 2 * cells)
        return np.concatenate([ends, *found], axis=1)

    def _gates(self, features: Int8Array, last: Int8Array) -> list[Int64Array]:
        """What goes into the four functions, int16 numbers [count, cells] in Q3.12."""
        made = []
        for gate, (of_input, of_state) in enumerate(self.multipliers):
            parts = np.split(self.weights[gate].astype(np.float64), [self.features], axis=1)
            sums = [
                # float64 holds these sums exactly.
                wrap_int32((values.astype(np.float64) @ part.T).astype(np.int64) + self.bias[gate, place])
                for place, (values, part) in enumerate(zip((features, last), parts))
            ]
            first = np.clip(requantize(sums[0], (of_input,)), -32768, 32767)
            made.append(np.clip(requantize(sums[1], (of_state,)) + first, -32768, 32767))
        return made


def _shift(bits: int) -> Int64Array:
    return np.array(bits, dtype=np.int64)


def _check_form(node: Node) -> None:
    """What TensorFlow Lite's LSTM can do beside."""
    for what, places in (
        ("no input gate of its own", ()),
        ("peephole connections", range(PEEPHOLES, PEEPHOLES + 3)),
        ("a projection", range(PROJECTION, PROJECTION + 2)),
        ("layer normalization", range(NORMALIZATION, NORMALIZATION + 4)),
    ):
        if any(reading.operand(node, place) is not None for place in places):
            raise UnsupportedError(f"it has {what}", _FORM)
    if reading.operand(node, INPUT_WEIGHTS) is None:
        raise UnsupportedError("it has no input gate of its own", _FORM)
    if int(node.options.get("FusedActivationFunction", _TANH)) != _TANH:
        raise UnsupportedError("its activation is not tanh", _FORM)
    if f"{HIDDEN}Scale" not in node.options:
        raise UnsupportedError("it does not say how its output is quantized", reading.FULL_INT8_HINT)


def _gates(node: Node, source: Tensor, state: Tensor, cells: int, features: int) -> tuple[Int8Array, Int32Array, Any]:
    """Weights, biases and multipliers of the four gates. All factors are float32, as TensorFlow Lite has them."""
    weights, biases, multipliers = [], [], []
    for gate in range(4):
        own, pair, factors = [], [], []
        for place, tensor, extent in ((INPUT_WEIGHTS, source, features), (RECURRENT_WEIGHTS, state, cells)):
            filters, values = reading.weights(_with(node, place + gate), (cells, extent), 0)
            assert filters.quantization is not None
            if len(filters.quantization.scale) != 1:
                raise UnsupportedError(f'its weights "{filters.name}" have a scale a channel', _FORM)
            own.append(values)
            pair.append(-tensor.zero_point * values.astype(np.int64).sum(axis=1))
            product = np.float32(filters.quantization.scale[0]) * np.float32(tensor.scale)
            factors.append(reading.checked_multiplier(float(product / np.float32(2.0**-12))))
        pair[0] = pair[0] + reading.bias(_with(node, 1, BIASES + gate), cells)
        weights.append(np.concatenate(own, axis=1))
        biases.append(wrap_int32(np.stack(pair)))
        multipliers.append((factors[0], factors[1]))
    stacked, offsets = np.stack(weights), np.stack(biases).astype(np.int32)
    stacked.flags.writeable = offsets.flags.writeable = False
    return stacked, offsets, tuple(multipliers)


def _with(node: Node, weights: int, bias: int = -1) -> Node:
    """A node in which the operand at `weights` stands where `reading` looks for weights, likewise the bias."""
    source, filters = node.inputs[0], reading.operand(node, weights)
    return Node(
        node.index,
        node.builtin,
        (source, filters, reading.operand(node, bias) if bias >= 0 else None),
        node.outputs,
        node.options,
    )


def _cell(node: Node, cell: Tensor) -> tuple[int, int]:
    """Integer bits and limit of the cell."""
    fraction, exponent = math.frexp(cell.scale)
    bits = exponent - 1 + 15
    if fraction != 0.5 or not 0 <= bits <= 6 or cell.zero_point != 0:
        raise UnsupportedError(f"its cell has scale {cell.scale:g}, zero point {cell.zero_point}", _FORM)
    limit = float(np.float32(node.options.get("CellClip", 0.0)) / np.float32(cell.scale))
    return bits, max(0, int(min(limit, 32767.0)))
