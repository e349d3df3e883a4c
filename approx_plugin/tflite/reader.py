"""Reads a .tflite file into a Graph, or says everything that stands against it.

Three steps, each of which reports all that it finds: the model as a whole (one subgraph, int8, static shapes, batch 1),
its tensors (constants complete), its operators (one message that lists every operator that is not supported).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from approx_plugin.errors import ModelError, raise_all
from approx_plugin.files import read_bytes
from approx_plugin.model.graph import Graph
from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.reading import FULL_INT8_HINT, REEXPORT_HINT
from approx_plugin.operators.registry import HINTS, OPERATORS, operator_name
from approx_plugin.tflite.borders import Borders, take_off
from approx_plugin.tflite.file import FileModel, FileOperator, FileTensor, decode

MAX_BYTES = 1 << 28
"""Of a .tflite: no microcontroller holds a hundredth of it."""

MAX_ELEMENTS = 1 << 26
"""Of a tensor, for the same reason. Larger ones would only keep the reference and the search busy."""

_CONSTANT_TYPES = frozenset({"int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool"})
"""Element types that numpy reads directly."""


def read_graph(path: Path) -> Graph:
    """The network in `path`. Raises ModelError, or ErrorGroup of several."""
    where = str(path)
    try:
        content = read_bytes(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelError("the model cannot be read", where=where, why=why, hint="check the path") from error
    file = decode(content, where)
    raise_all(_wrong_as_a_whole(file, where))
    raise_all(_wrong_tensors(file, where))
    tensors = {index: _tensor(index, tensor) for index, tensor in enumerate(file.tensors)}
    raise_all(_wrong_order(file, tensors, where))
    raise_all(_wrong_types(file, tensors, where))
    nodes = [_node(index, operator, tensors) for index, operator in enumerate(file.operators)]
    borders = take_off(nodes, file.inputs[0], file.outputs[0])
    operators = _operators(borders, where)
    _check_borders(tensors, borders, operators, where)
    return Graph(
        name=_c_identifier(path.stem),
        tensors=tensors,
        operators=operators,
        input=borders.input,
        output=borders.output,
        sha256=hashlib.sha256(content).hexdigest(),
        float_input=borders.float_input,
        float_output=borders.float_output,
    )


def _c_identifier(stem: str) -> str:
    """`stem` as a C identifier in lower case: "My-Net v2" gives "my_net_v2", "3d" gives "network_3d"."""
    name = re.sub(r"[^0-9a-z]+", "_", stem.lower()).strip("_")
    if not name:
        return "network"
    return f"network_{name}" if name[0].isdigit() else name


def _wrong_as_a_whole(file: FileModel, where: str) -> list[ModelError]:
    """What keeps the rest from being looked at."""
    if file.subgraphs != 1:
        return [
            ModelError(
                f"the model has {file.subgraphs} subgraphs",
                where=where,
                why="a network without control flow has exactly one",
                hint="export without tf.while_loop, tf.cond and several signatures",
            )
        ]
    errors = []
    if not file.operators:
        errors.append(
            ModelError(
                "the model has no operators", where=where, why="there is nothing to generate", hint=REEXPORT_HINT
            )
        )
    for what, numbers in (("inputs", file.inputs), ("outputs", file.outputs)):
        if len(numbers) != 1:
            errors.append(
                ModelError(
                    f"the model has {len(numbers)} {what}",
                    where=where,
                    why="networks with one input and one output are supported",
                    hint=f"export a model with one of its {what}",
                )
            )
    count = len(file.tensors)
    named = [*file.inputs, *file.outputs, *(n for o in file.operators for n in (*o.inputs, *o.outputs) if n != -1)]
    wild = sorted({number for number in named if not 0 <= number < count})
    if wild:
        errors.append(
            ModelError(
                f"tensor {wild[0]} is named, but there are {count}",
                where=where,
                why="the file is damaged",
                hint=REEXPORT_HINT,
            )
        )
    return errors


def _wrong_tensors(file: FileModel, where: str) -> list[ModelError]:
    """Dynamic shapes, another batch size than 1, constants that are incomplete or stored in a way that is not read."""
    errors = []
    source = file.tensors[file.inputs[0]]
    if source.shape and source.shape[0] != 1:
        errors.append(
            ModelError(
                f'input "{source.name}" has shape {list(source.shape)}: batch size {source.shape[0]}',
                where=where,
                why="the firmware computes one input at a time",
                hint="export the model with batch size 1",
            )
        )
    for tensor in file.tensors:
        if math.prod(tensor.shape) > MAX_ELEMENTS:
            errors.append(
                ModelError(
                    f'tensor "{tensor.name}" of shape {list(tensor.shape)} has {math.prod(tensor.shape):,} elements',
                    where=where,
                    why=f"more than {MAX_ELEMENTS:,} fit into the memory of no microcontroller",
                    hint="export the model for a smaller input",
                )
            )
        # Keras exports leave the batch open, [-1, 32, 32, 3], with 1 as its static value; that is no dynamic shape.
        if -1 in tensor.shape_signature[1:] or (tensor.shape_signature[:1] == (-1,) and tensor.shape[:1] != (1,)):
            errors.append(
                ModelError(
                    f'tensor "{tensor.name}" has the dynamic shape {list(tensor.shape_signature)}',
                    where=where,
                    why="memory is planned before the network runs",
                    hint="give the input layer a fixed height and width and export again",
                )
            )
        for wrong, what in ((tensor.sparse, "stored sparse"), (tensor.variable, "a variable that keeps its value")):
            if wrong:
                errors.append(
                    ModelError(
                        f'tensor "{tensor.name}" is {what}',
                        where=where,
                        why="dense constants and activations are supported",
                        hint="export a feed-forward network with dense weights",
                    )
                )
        errors += _wrong_constant(tensor, where)
    return errors


def _wrong_constant(tensor: FileTensor, where: str) -> list[ModelError]:
    if tensor.data is None or tensor.dtype not in _CONSTANT_TYPES:
        return []
    expected = math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
    if tensor.data.size == expected:
        return []
    return [
        ModelError(
            f'constant "{tensor.name}" has {tensor.data.size} bytes of data',
            where=where,
            why=f"{tensor.dtype} {list(tensor.shape)} needs {expected} bytes",
            hint=REEXPORT_HINT,
        )
    ]


def _tensor(index: int, tensor: FileTensor) -> Tensor:
    """The file's tensor with typed, read-only data (raw bytes for types that numpy does not have)."""
    data = tensor.data
    if data is not None:
        if tensor.dtype in _CONSTANT_TYPES:
            data = np.frombuffer(data.tobytes(), dtype=np.dtype(tensor.dtype).newbyteorder("<"))
            data = data.astype(np.dtype(tensor.dtype)).reshape(tensor.shape)
        else:
            data = data.copy()
        data.flags.writeable = False
    return Tensor(index, tensor.name, tensor.shape, tensor.dtype, tensor.quantization, data)


def _wrong_order(file: FileModel, tensors: dict[int, Tensor], where: str) -> list[ModelError]:
    """Activations that are used before an operator gives them their value, or that get it twice."""
    errors = []
    known = {file.inputs[0], *(index for index, tensor in tensors.items() if tensor.data is not None)}
    for index, operator in enumerate(file.operators):
        for number in operator.inputs:
            if number != -1 and number not in known:
                known.add(number)
                errors.append(
                    ModelError(
                        f'operator {index} {operator.builtin} uses tensor "{tensors[number].name}", '
                        "which is neither computed before it nor a constant",
                        where=where,
                        why="a constant lost its data, or the operators are not in execution order",
                        hint=REEXPORT_HINT,
                    )
                )
        for number in operator.outputs:
            if number in known:
                errors.append(
                    ModelError(
                        f'operator {index} {operator.builtin} computes tensor "{tensors[number].name}" a second time',
                        where=where,
                        why="every tensor has one value in a feed-forward network",
                        hint=REEXPORT_HINT,
                    )
                )
            known.add(number)
    if file.outputs[0] not in known:
        name = tensors[file.outputs[0]].name
        errors.append(
            ModelError(f'output "{name}" is never computed', where=where, why="no operator has it", hint=REEXPORT_HINT)
        )
    return errors


_OTHER_QUANTIZATIONS = {
    "float32": "float32: the model is not quantised, or only its weights are (dynamic range)",
    "float16": "float16",
    "uint8": "uint8: the scheme of TensorFlow 1",
    "int16": "int16: the 16x8 scheme",
}


def _wrong_types(file: FileModel, tensors: dict[int, Tensor], where: str) -> list[ModelError]:
    """A model that has no int8 activation at all: one message instead of one for every operator."""
    named = {number for operator in file.operators for number in (*operator.inputs, *operator.outputs)}
    activations = [tensors[number] for number in sorted(named - {-1}) if tensors[number].data is None]
    types = [tensor.dtype for tensor in activations]
    if "int8" in types:
        return []
    most = max(sorted(set(types)), key=types.count)
    return [
        ModelError(
            f"the model computes in {_OTHER_QUANTIZATIONS.get(most, most)}",
            where=where,
            why="kernels are generated for int8 activations and int8 weights",
            hint=FULL_INT8_HINT,
        )
    ]


def _node(index: int, operator: FileOperator, tensors: dict[int, Tensor]) -> Node:
    return Node(
        index,
        operator.builtin,
        tuple(None if number == -1 else tensors[number] for number in operator.inputs),
        tuple(tensors[number] for number in operator.outputs),
        operator.options,
    )


def _operators(borders: Borders, where: str) -> tuple[Operator, ...]:
    """All operators between the borders. Raises one ModelError that lists all that are not supported."""
    found: list[Operator] = []
    refused: list[tuple[Node, UnsupportedError]] = []
    for index, node in enumerate(borders.nodes):
        try:
            found.append(_read(node, index))
        except UnsupportedError as error:
            refused.append((node, error))
    if refused:
        lines = [_listed(node, error) for node, error in refused]
        plural = "operator is" if len(lines) == 1 else "operators are"
        raise ModelError(
            f"{len(lines)} {plural} not supported in this form:\n" + "\n".join(lines),
            where=where,
            why=f"supported are {', '.join(OPERATORS)}, and QUANTIZE and DEQUANTIZE at the borders",
            hint="change the model as said beside each operator, and export it again",
        )
    return tuple(found)


def _read(node: Node, index: int) -> Operator:
    operator = OPERATORS.get(node.builtin)
    if operator is None:
        hint = _conversion_hint(node) or HINTS.get(node.builtin, "replace it by supported operators, or leave it out")
        raise UnsupportedError("this kind is not supported", hint)
    return operator.read(node, index, operator_name(node.builtin, index))


def _conversion_hint(node: Node) -> str:
    """What to do about a QUANTIZE or DEQUANTIZE that is not a border's plain conversion; "" for other operators."""
    if node.builtin not in ("QUANTIZE", "DEQUANTIZE"):
        return ""
    return "such conversions are supported at the input and output only: " + FULL_INT8_HINT


def _listed(node: Node, error: UnsupportedError) -> str:
    name = node.outputs[0].name if node.outputs else ""
    return f'    operator {node.index} {node.builtin} "{name}": {error.reason}; {error.hint}'


def _check_borders(tensors: dict[int, Tensor], borders: Borders, operators: Sequence[Operator], where: str) -> None:
    """The graph's int8 input has to go into an operator, and its output has to come out of one."""
    errors = []
    if not operators:
        errors.append(
            ModelError("the model only converts its input", where=where, why="there is no layer", hint=REEXPORT_HINT)
        )
    elif not any(tensor.index == borders.input for operator in operators for tensor in operator.inputs):
        errors.append(
            ModelError(
                f'input "{tensors[borders.input].name}" is not used',
                where=where,
                why="no operator reads it",
                hint=REEXPORT_HINT,
            )
        )
    elif not any(operator.output.index == borders.output for operator in operators):
        errors.append(
            ModelError(
                f'output "{tensors[borders.output].name}" is not computed by an operator',
                where=where,
                why="it is the input or a constant",
                hint=REEXPORT_HINT,
            )
        )
    raise_all(errors)
