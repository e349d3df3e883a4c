"""The .tflite file format: tables of the schema as values, and the flatbuffer that they become.

The format is TensorFlow Lite's schema, version 3, through the generated functions of the `tflite` package. Nothing is
checked here: whatever the format can say can be written, wrong networks included. The same values give the same
bytes with the same version of flatbuffers; versions differ in how closely they pack the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "float16": tflite.TensorType.FLOAT16,
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int16": tflite.TensorType.INT16,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
    "bool": tflite.TensorType.BOOL,
}
_SCHEMA_VERSION = 3
_DATA_ALIGNMENT = 16  # of a buffer's bytes in the file, which interpreters map without copying


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor.

    index:  its number in its subgraph.
    shape:  as written, with the batch dimension. shape_signature: with -1 for dynamic dimensions; None leaves it out.
    dtype:  numpy's name of the element type.
    scale, zero_point: one a channel of dimension `axis`, or one for the tensor; empty without quantization.
    buffer: number of the constant data among the model's buffers; 0 for an activation.
    variable: whether it keeps its value from one inference to the next.
    """

    index: int
    shape: tuple[int, ...]
    dtype: str
    name: str
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int
    buffer: int
    shape_signature: tuple[int, ...] | None
    variable: bool = False


@dataclass(frozen=True)
class Options:
    """Builtin options by the names of the schema: `Options("SoftmaxOptions", {"Beta": 1.0})`."""

    table: str
    fields: Mapping[str, int | float | bool | str]


@dataclass(frozen=True)
class Operator:
    """An operator: index among the model's operator codes, and tensors by index (-1: an optional input left out).

    intermediates: tensors that only say how something inside is quantized.
    """

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options | None
    intermediates: tuple[int, ...] = ()


@dataclass
class Subgraph:
    """A graph that grows; `inputs` and `outputs` are indexes of tensors."""

    name: str
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)


def write_model(
    description: str,
    buffers: Sequence[bytes],
    codes: Sequence[tuple[str, str, int]],
    subgraphs: Sequence[Subgraph],
) -> bytes:
    """The file. codes: (builtin name, custom code or "", version) of what operators refer to by index."""
    builder = flatbuffers.Builder(1024)
    model = _table(
        builder,
        "Model",
        {
            "Version": _SCHEMA_VERSION,
            "OperatorCodes": _offsets(builder, [_write_code(builder, code) for code in codes]),
            "Subgraphs": _offsets(builder, [_write_subgraph(builder, graph) for graph in subgraphs]),
            "Description": builder.CreateString(description),
            "Buffers": _offsets(builder, [_write_buffer(builder, data) for data in buffers]),
        },
    )
    builder.Finish(model, file_identifier=b"TFL3")
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, name: str, fields: Mapping[str, Any]) -> int:
    """A table of the schema: scalars and offsets of what was written before, by the schema's names of the fields."""
    getattr(tflite, f"{name}Start")(builder)
    for key, value in fields.items():
        getattr(tflite, f"{name}Add{key}")(builder, value)
    return int(getattr(tflite, f"{name}End")(builder))


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _numbers(builder: flatbuffers.Builder, values: Sequence[Any], dtype: str) -> int:
    return int(builder.CreateNumpyVector(np.asarray(values, dtype=dtype)))


def _write_code(builder: flatbuffers.Builder, code: tuple[str, str, int]) -> int:
    builtin, custom_code, version = code
    number = int(getattr(tflite.BuiltinOperator, builtin))
    fields: dict[str, Any] = {"BuiltinCode": number, "DeprecatedBuiltinCode": min(number, 127), "Version": version}
    if custom_code:
        fields["CustomCode"] = builder.CreateString(custom_code)
    return _table(builder, "OperatorCode", fields)


def _write_subgraph(builder: flatbuffers.Builder, graph: Subgraph) -> int:
    return _table(
        builder,
        "SubGraph",
        {
            "Tensors": _offsets(builder, [_write_tensor(builder, tensor) for tensor in graph.tensors]),
            "Inputs": _numbers(builder, graph.inputs, "int32"),
            "Outputs": _numbers(builder, graph.outputs, "int32"),
            "Operators": _offsets(builder, [_write_operator(builder, operator) for operator in graph.operators]),
            "Name": builder.CreateString(graph.name),
        },
    )


def _write_tensor(builder: flatbuffers.Builder, tensor: Tensor) -> int:
    fields: dict[str, Any] = {
        "Shape": _numbers(builder, tensor.shape, "int32"),
        "Type": _TYPES[tensor.dtype],
        "Buffer": tensor.buffer,
        "Name": builder.CreateString(tensor.name),
    }
    if tensor.scale:
        quantization = {
            "Scale": _numbers(builder, tensor.scale, "float32"),
            "ZeroPoint": _numbers(builder, tensor.zero_point, "int64"),
            "QuantizedDimension": tensor.axis,
        }
        fields["Quantization"] = _table(builder, "QuantizationParameters", quantization)
    if tensor.variable:
        fields["IsVariable"] = True
    if tensor.shape_signature is not None:
        fields["ShapeSignature"] = _numbers(builder, tensor.shape_signature, "int32")
    return _table(builder, "Tensor", fields)


def _write_operator(builder: flatbuffers.Builder, operator: Operator) -> int:
    fields: dict[str, Any] = {
        "OpcodeIndex": operator.code,
        "Inputs": _numbers(builder, operator.inputs, "int32"),
        "Outputs": _numbers(builder, operator.outputs, "int32"),
    }
    if operator.intermediates:
        fields["Intermediates"] = _numbers(builder, operator.intermediates, "int32")
    if operator.options is not None:
        fields["BuiltinOptionsType"] = int(getattr(tflite.BuiltinOptions, operator.options.table))
        options = {
            name: builder.CreateString(value) if isinstance(value, str) else value
            for name, value in operator.options.fields.items()
        }
        fields["BuiltinOptions"] = _table(builder, operator.options.table, options)
    return _table(builder, "Operator", fields)


def _write_buffer(builder: flatbuffers.Builder, data: bytes) -> int:
    if not data:
        return _table(builder, "Buffer", {})
    builder.StartVector(1, len(data), _DATA_ALIGNMENT)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return _table(builder, "Buffer", {"Data": int(builder.EndVector())})
