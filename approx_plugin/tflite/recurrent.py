"""SVDF and LSTM layers, whose states are tensors of the file that the interpreter keeps: they become states as well.

Each such operator is rewritten: its states go in as activations, their next values come out. States of 16 bits are
bytes from here on. What one operator computes at once (an LSTM's outputs and its cell) is taken apart by SLICE.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from approx_plugin.model.quantization import Quantization
from approx_plugin.operators.lstm import CELL_STATE, HIDDEN, OUTPUT_STATE
from approx_plugin.operators.svdf import STATE_TYPE
from approx_plugin.tflite.file import FileModel, FileOperator, FileTensor
from approx_plugin.tflite.variables import FileState

_SVDF_STATE, _SVDF_INPUTS = 4, 5
_LSTM_INPUTS = 20
_HIDDEN = 4
"""Among an LSTM's intermediate tensors: what becomes the output."""

_WIDTHS = {"int8": 1, "int16": 2}


def with_kept_states(file: FileModel) -> tuple[FileModel, tuple[FileState, ...]]:
    """The model with such states as activations that are neither inputs nor computed; and the states.

    An operator that is not as expected stays, and is refused where it is read.
    """
    walk = _Walk(file)
    for operator in file.operators:
        walk.take(operator)
    if not walk.states:
        return file, ()
    provided = tuple(sorted({*file.provided, *(state.source for state in walk.states)}))
    changed = replace(file, tensors=tuple(walk.tensors), operators=tuple(walk.operators), provided=provided)
    return changed, tuple(walk.states)


class _Walk:
    def __init__(self, file: FileModel) -> None:
        self.tensors: list[FileTensor] = list(file.tensors)
        self.operators: list[FileOperator] = []
        self.states: list[FileState] = []
        self._uses = [number for operator in file.operators for number in operator.inputs]

    def take(self, operator: FileOperator) -> None:
        """Rewrite an operator, or keep it."""
        if operator.builtin == "SVDF" and self._has_states(operator, _SVDF_INPUTS, (_SVDF_STATE,)):
            self._svdf(operator)
        elif operator.builtin == "UNIDIRECTIONAL_SEQUENCE_LSTM" and self._has_states(
            operator, _LSTM_INPUTS, (OUTPUT_STATE, CELL_STATE)
        ):
            self._lstm(operator)
        else:
            self.operators.append(operator)

    def _has_states(self, operator: FileOperator, count: int, places: Sequence[int]) -> bool:
        """Whether it is quantized, and its states are its own."""
        if len(operator.inputs) < count or len(operator.outputs) != 1 or operator.inputs[0] < 0:
            return False
        numbers = [operator.inputs[place] for place in places]
        return self.tensors[operator.inputs[0]].dtype == "int8" and all(
            number >= 0 and self._is_state(self.tensors[number]) and self._uses.count(number) == 1 for number in numbers
        )

    @staticmethod
    def _is_state(tensor: FileTensor) -> bool:
        per_tensor = tensor.quantization is not None and len(tensor.quantization.scale) == 1
        return tensor.variable and tensor.data is None and tensor.dtype in _WIDTHS and per_tensor

    def _svdf(self, operator: FileOperator) -> None:
        source = operator.inputs[_SVDF_STATE]
        options = {**operator.options, STATE_TYPE: _WIDTHS[self.tensors[source].dtype]}
        result = self._state(source)
        self.operators.append(replace(operator, outputs=(result,), options=options))
        weighed = (result, *operator.inputs[1:_SVDF_STATE], result)
        self.operators.append(replace(operator, builtin="SVDF_TIME", inputs=weighed, options=options))

    def _lstm(self, operator: FileOperator) -> None:
        last, cell = operator.inputs[OUTPUT_STATE], operator.inputs[CELL_STATE]
        output = self.tensors[operator.outputs[0]]
        cells, count = math.prod(self.tensors[last].shape), math.prod(output.shape)
        together = self._add(f"{output.name}, with the cell", (1, 2 * cells + count), output.quantization)
        flat = self._add(f"{output.name}, in a row", (1, count), output.quantization)
        options = dict(operator.options)
        if len(operator.intermediates) > _HIDDEN:
            hidden = self.tensors[operator.intermediates[_HIDDEN]].quantization
            if hidden is not None:
                options.update({f"{HIDDEN}Scale": hidden.scale[0], f"{HIDDEN}ZeroPoint": hidden.zero_point[0]})
        self.operators.append(replace(operator, outputs=(together,), options=options))
        next_cell = self._state(cell, output.quantization)
        next_output = self._state(last, output.quantization)
        self._slice(together, 0, next_cell)
        self._slice(together, 2 * cells, flat)
        self._slice(together, count + cells, next_output)
        self.operators.append(FileOperator("RESHAPE", (flat,), operator.outputs, {}))

    def _state(self, source: int, quantization: Quantization | None = None) -> int:
        """Turn a tensor into a state in bytes; the number of its next value.

        quantization: of the next value, where that is part of something else.
        """
        tensor = self.tensors[source]
        elements = math.prod(tensor.shape)
        assert tensor.quantization is not None
        first = tensor.quantization.zero_point[0] if tensor.dtype == "int8" else 0
        size = elements * _WIDTHS[tensor.dtype]
        name = tensor.name or f"state {len(self.states)}"
        self.tensors[source] = replace(
            tensor, name=name, shape=(1, size), shape_signature=(), dtype="int8", variable=False
        )
        result = self._add(f"{name}, next", (1, size), quantization or tensor.quantization)
        self.states.append(FileState(name, source, result, np.full(size, first, np.int8).tobytes()))
        return result

    def _slice(self, source: int, begin: int, result: int) -> None:
        places = [self._constant((0, begin)), self._constant((1, self.tensors[result].shape[1]))]
        self.operators.append(FileOperator("SLICE", (source, *places), (result,), {}))

    def _constant(self, values: Sequence[int]) -> int:
        data = np.frombuffer(np.array(values, "<i4").tobytes(), np.uint8)
        self.tensors.append(FileTensor("", (len(values),), (), "int32", None, None, False, data))
        return len(self.tensors) - 1

    def _add(self, name: str, shape: tuple[int, ...], quantization: Quantization | None) -> int:
        self.tensors.append(FileTensor(name, shape, (), "int8", quantization, None, False, None))
        return len(self.tensors) - 1
