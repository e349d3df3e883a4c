"""The bytes of a .tflite file as plain values. Only this module knows flatbuffers.

A flatbuffer carries no checksum and its readers trust every offset, so damage shows as any exception, or as nonsense.
Counts are therefore held against the file's size before anything loops over them, and whatever is raised becomes one
ModelError. Meaning is not checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from approx_plugin.errors import ModelError
from approx_plugin.model.quantization import Quantization
from approx_plugin.tflite.foreign import foreign
from approx_plugin.tflite.sparse import Compressed, Dense, Level, Sparsity

IDENTIFIER = b"TFL3"
_HEADER_BYTES = 8
_DIMENSIONS_MAX = 8
_BUILTIN_CODE_FIELD = 10
"""Of `builtin_code`, the fourth field of the OperatorCode table: 4 bytes of header, 2 bytes a field."""

Option = Union[int, float, bool]


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor as it stands in the file.

    shape_signature: the shape with -1 for what is only known at run time; empty if the file has none.
    dtype: numpy's name, or TFLite's in lower case where numpy has none ("int4", "string").
    data:  the raw bytes of its buffer, None where it has none.
    sparsity: how the data is stored, None if densely.
    element: what the bytes of an int8 tensor are, where that is something else (`tflite/wide.py`).
    """

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    sparsity: Sparsity | None
    variable: bool
    data: npt.NDArray[np.uint8] | None
    element: str = "int8"


@dataclass(frozen=True)
class FileOperator:
    """An operator as it stands in the file. inputs, outputs: tensor numbers, -1 for a missing optional input.

    texts: those of its options that are texts. intermediates: tensors that only say how something inside is quantized.
    """

    builtin: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Option]
    texts: Mapping[str, str] = field(default_factory=dict)
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class FileGraph:
    """A subgraph."""

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FileModel(FileGraph):
    """The first subgraph, how many there are, and the others.

    provided: tensors of the first one that have a value at the start although they are neither inputs nor constants.
    """

    subgraphs: int
    others: tuple[FileGraph, ...] = ()
    provided: tuple[int, ...] = ()


def decode(content: bytes, where: str) -> FileModel:
    """The file's content. Raises ModelError if it is no TensorFlow Lite model or is damaged."""
    hint = "export the model again with the TensorFlow Lite converter, and compare the file's size with the original"
    other = foreign(content) if content[4:8] != IDENTIFIER else None
    if other is not None:
        raise ModelError("the file is no TensorFlow Lite model", where=where, why=f"it is {other[0]}", hint=other[1])
    if len(content) < _HEADER_BYTES:
        raise ModelError(f"the file has only {len(content)} bytes", where=where, why="no model is so small", hint=hint)
    if content[4:8] != IDENTIFIER:
        raise ModelError(
            "the file is no TensorFlow Lite model",
            where=where,
            why=f"bytes 4 to 7 are {content[4:8]!r} instead of {IDENTIFIER!r}, the identifier of the format",
            hint="name the .tflite file that the TensorFlow Lite converter wrote",
        )
    try:
        return _Decoder(content).model()
    except _ImplausibleError as error:
        raise ModelError("the file is damaged", where=where, why=str(error), hint=hint) from error
    except Exception as error:
        # flatbuffers raises struct.error, IndexError, TypeError, ValueError, OverflowError ... on damaged files.
        raise ModelError(
            "the file is damaged", where=where, why=f"reading it failed with {type(error).__name__}: {error}", hint=hint
        ) from error


class _ImplausibleError(Exception):
    """The file says something that no converter writes."""


class _Decoder:
    """Reads one file. Every count is checked against the number of bytes before use."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = tflite.Model.GetRootAs(content, 0)

    def model(self) -> FileModel:
        count = self._checked(self._model.SubgraphsLength(), "subgraphs")
        if count == 0:
            return FileModel((), (), (), (), 0)
        codes = [
            _builtin(self._model.OperatorCodes(i))
            for i in range(self._checked(self._model.OperatorCodesLength(), "operator codes"))
        ]
        buffers = self._checked(self._model.BuffersLength(), "buffers")
        first, *others = (self._graph(self._model.Subgraphs(number), codes, buffers) for number in range(count))
        return FileModel(first.tensors, first.operators, first.inputs, first.outputs, count, tuple(others))

    def _graph(self, graph: Any, codes: list[str], buffers: int) -> FileGraph:
        return FileGraph(
            tuple(self._tensor(graph.Tensors(i), buffers) for i in self._range(graph.TensorsLength(), "tensors")),
            tuple(self._operator(graph.Operators(i), codes) for i in self._range(graph.OperatorsLength(), "operators")),
            self._vector(graph.InputsLength, graph.InputsAsNumpy),
            self._vector(graph.OutputsLength, graph.OutputsAsNumpy),
        )

    def _checked(self, count: int, what: str, size: int = 4) -> int:
        if not 0 <= count * size <= len(self._content):
            raise _ImplausibleError(f"it claims to have {count} {what}")
        return count

    def _range(self, count: int, what: str) -> range:
        return range(self._checked(count, what))

    def _vector(self, length: Callable[[], int], values: Callable[[], Any]) -> tuple[Any, ...]:
        """A vector of numbers; its length is checked before numpy is asked for it."""
        return tuple(values().tolist()) if self._checked(length(), "elements in a vector", 1) else ()

    def _tensor(self, tensor: Any, buffers: int) -> FileTensor:
        name = _text(tensor.Name())
        shape = self._vector(tensor.ShapeLength, tensor.ShapeAsNumpy)
        if len(shape) > _DIMENSIONS_MAX or any(extent < 0 for extent in shape):
            raise _ImplausibleError(f'tensor "{name}" has the shape {list(shape)}')
        number = tensor.Buffer()
        if number >= buffers:
            raise _ImplausibleError(f'tensor "{name}" names buffer {number}, but there are {buffers}')
        return FileTensor(
            name=name,
            shape=shape,
            shape_signature=self._vector(tensor.ShapeSignatureLength, tensor.ShapeSignatureAsNumpy),
            dtype=_name_of(tflite.TensorType, tensor.Type()).lower(),
            quantization=self._quantization(tensor.Quantization(), shape, name),
            sparsity=self._sparsity(tensor.Sparsity()),
            variable=bool(tensor.IsVariable()),
            data=self._data(self._model.Buffers(number)),
        )

    def _data(self, buffer: Any) -> npt.NDArray[np.uint8] | None:
        if buffer.Offset() > 1 or buffer.Size() > 1:
            raise _ImplausibleError("its constants lie behind the flatbuffer, as in models beyond 2 GB")
        if self._checked(buffer.DataLength(), "bytes in a buffer", 1) == 0:
            return None
        data: npt.NDArray[np.uint8] = buffer.DataAsNumpy()
        return data

    def _sparsity(self, parameters: Any) -> Sparsity | None:
        if parameters is None:
            return None
        levels: list[Level] = []
        for number in self._range(parameters.DimMetadataLength(), "levels of a sparse constant"):
            level = parameters.DimMetadata(number)
            if level.Format() == tflite.DimensionType.DENSE:
                levels.append(Dense(level.DenseSize()))
            else:
                segments = self._indexes(level.ArraySegments(), level.ArraySegmentsType())
                levels.append(Compressed(segments, self._indexes(level.ArrayIndices(), level.ArrayIndicesType())))
        return Sparsity(
            self._vector(parameters.TraversalOrderLength, parameters.TraversalOrderAsNumpy),
            self._vector(parameters.BlockMapLength, parameters.BlockMapAsNumpy),
            tuple(levels),
        )

    def _indexes(self, table: Any, kind: int) -> npt.NDArray[np.int64]:
        """A vector of indexes, whose numbers take 8, 16 or 32 bits."""
        name = _name_of(tflite.SparseIndexVector, kind)
        if table is None or not hasattr(tflite, name):
            raise _ImplausibleError("a sparse constant has a level without indexes")
        vector = getattr(tflite, name)()
        vector.Init(table.Bytes, table.Pos)
        return np.array(self._vector(vector.ValuesLength, vector.ValuesAsNumpy), np.int64)

    def _quantization(self, parameters: Any, shape: tuple[int, ...], name: str) -> Quantization | None:
        """None without scales. One scale is per tensor whatever the dimension says."""
        if parameters is None:
            return None
        scale = self._vector(parameters.ScaleLength, parameters.ScaleAsNumpy)
        zero_point = self._vector(parameters.ZeroPointLength, parameters.ZeroPointAsNumpy)
        if not scale:
            return None
        if not all(0.0 < value < float("inf") for value in scale):
            raise _ImplausibleError(f'tensor "{name}" has a scale that is not a positive finite number')
        if len(zero_point) not in (0, len(scale)):
            raise _ImplausibleError(f'tensor "{name}" has {len(scale)} scales and {len(zero_point)} zero points')
        axis = parameters.QuantizedDimension() if len(scale) > 1 else None
        if axis is not None and len(shape) == 1:
            axis = 0  # Converters of 2019 and 2020 wrote the dimension of the filter into the bias, too.
        if axis is not None and (not 0 <= axis < len(shape) or len(scale) != shape[axis]):
            raise _ImplausibleError(
                f'tensor "{name}" of shape {list(shape)} has {len(scale)} scales along dimension {axis}'
            )
        return Quantization(scale, zero_point or (0,) * len(scale), axis)

    def _operator(self, operator: Any, codes: list[str]) -> FileOperator:
        code = operator.OpcodeIndex()
        if code >= len(codes):
            raise _ImplausibleError(f"an operator names operator code {code}, but there are {len(codes)}")
        return FileOperator(
            codes[code],
            self._vector(operator.InputsLength, operator.InputsAsNumpy),
            self._vector(operator.OutputsLength, operator.OutputsAsNumpy),
            *_options(operator),
            self._vector(operator.IntermediatesLength, operator.IntermediatesAsNumpy),
        )


def _text(raw: bytes | None) -> str:
    """A name for messages and reports: one line, whatever bytes the file has."""
    text = (raw or b"").decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "?" for character in text)


def _name_of(enumeration: Any, number: int) -> str:
    """The name of a number in one of the tflite package's enumerations."""
    for name, value in vars(enumeration).items():
        if value == number and not name.startswith("_"):
            return str(name)
    return f"{enumeration.__name__}({number})"


def _builtin(code: Any) -> str:
    """The operator's name: old files have its number in 8 bits, newer ones in 32, and the larger one counts."""
    # The generated BuiltinCode() gives the field of 8 bits where the number would fit there: some writers leave it out.
    table = code._tab
    offset = table.Offset(_BUILTIN_CODE_FIELD)
    number = table.Get(flatbuffers.number_types.Int32Flags, offset + table.Pos) if offset else 0
    name = _name_of(tflite.BuiltinOperator, max(number, code.DeprecatedBuiltinCode()))
    if name == "CUSTOM":
        return f"CUSTOM {_text(code.CustomCode())}"
    return name


def _options(operator: Any) -> tuple[dict[str, Option], dict[str, str]]:
    """All scalar fields of the builtin options, and all texts among them, by their names in TFLite's schema."""
    table = operator.BuiltinOptions()
    name = _name_of(tflite.BuiltinOptions, operator.BuiltinOptionsType())
    if table is None or not hasattr(tflite, name) or not hasattr(getattr(tflite, name), "Init"):
        return {}, {}
    kind = getattr(tflite, name)
    options = kind()
    options.Init(table.Bytes, table.Pos)
    found: dict[str, Option] = {}
    texts: dict[str, str] = {}
    for name_, method in vars(kind).items():
        # Accessors of scalars take no argument; vectors have ...Length, ...AsNumpy and ...IsNone beside an indexed one.
        is_accessor = callable(method) and not isinstance(method, classmethod) and not name_.startswith("_")
        if is_accessor and method.__code__.co_argcount == 1 and not name_.endswith(("Length", "AsNumpy", "IsNone")):
            value = method(options)
            if isinstance(value, (int, float, bool)):
                found[name_] = value
            elif isinstance(value, bytes):
                texts[name_] = _text(value)
    return found, texts
