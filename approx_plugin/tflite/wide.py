"""Outputs of 16, 32 and 64 bits: bytes of an int8 tensor from here on.

ARG_MAX and ARG_MIN give indexes, and SOFTMAX may give int16. Such a tensor is an output of the model and nothing else;
one in the middle of a network stays as it is, and the operators that read it are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from approx_plugin.model.quantization import Quantization
from approx_plugin.tflite.file import FileModel, FileOperator, FileTensor

WIDTHS: Mapping[str, int] = {"int16": 2, "int32": 4, "int64": 8}
"""Element type -> bytes."""

_MAKERS: Mapping[str, frozenset[str]] = {
    "ARG_MAX": frozenset({"int32", "int64"}),
    "ARG_MIN": frozenset({"int32", "int64"}),
    "SOFTMAX": frozenset({"int16"}),
}

WIDE_SOFTMAX = "SOFTMAX_INT16"
"""What a SOFTMAX with an int16 output is called from here on."""


def with_wide_outputs(file: FileModel) -> FileModel:
    """The model with such outputs as bytes; a QUANTIZE behind one of 16 bits is left to the caller."""
    tensors, operators, outputs = list(file.tensors), list(file.operators), list(file.outputs)
    for operator in file.operators:
        number = operator.outputs[0] if len(operator.outputs) == 1 else -1
        if number < 0 or file.tensors[number].dtype not in _MAKERS.get(operator.builtin, ()):
            continue
        if not operator.inputs or operator.inputs[0] < 0 or file.tensors[operator.inputs[0]].dtype != "int8":
            # A network of 16-bit activations is refused as such.
            continue
        readers = [one for one in file.operators if number in one.inputs]
        if len(readers) == 1 and number not in outputs and _is_last(file, readers[0]):
            operators.remove(readers[0])
            outputs = [number if index == readers[0].outputs[0] else index for index in outputs]
        elif readers or number not in outputs:
            continue
        tensors[number] = _bytes(file.tensors[number])
        if operator.builtin == "SOFTMAX":
            operators[operators.index(operator)] = replace(operator, builtin=WIDE_SOFTMAX)
    return replace(file, tensors=tuple(tensors), operators=tuple(operators), outputs=tuple(outputs))


def _is_last(file: FileModel, operator: FileOperator) -> bool:
    """Whether an operator only gives an int16 output another scale."""
    (result,) = operator.outputs if len(operator.outputs) == 1 else (-1,)
    return (
        operator.builtin == "QUANTIZE"
        and result in file.outputs
        and file.tensors[result].dtype in WIDTHS
        and not any(result in one.inputs for one in file.operators)
    )


def _bytes(tensor: FileTensor) -> FileTensor:
    shape = (*(tensor.shape or (1,)), WIDTHS[tensor.dtype])
    return replace(
        tensor,
        shape=shape,
        shape_signature=(),
        dtype="int8",
        element=tensor.dtype,
        quantization=tensor.quantization or Quantization((1.0,), (0,)),
    )
