"""Reads a .tflite file into a Graph, or says everything that stands against it.

A file that is damaged is told at once. Everything else is told together: the model as a whole (one subgraph, int8,
static shapes, batch 1), its tensors (constants complete), its operators (one message that lists every operator that is
not supported).
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from approx_plugin.errors import ModelError, raise_all
from approx_plugin.files import read_bytes
from approx_plugin.model.graph import Graph, State
from approx_plugin.model.node import Node, ShapeError, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.registry import OPERATORS
from approx_plugin.tflite.borders import take_off
from approx_plugin.tflite.checks import (
    CONSTANT_TYPES,
    beyond_reading,
    check_borders,
    dense,
    is_damage,
    wrong_as_a_whole,
    wrong_order,
    wrong_tensors,
    wrong_types,
)
from approx_plugin.tflite.dilation import with_dilations
from approx_plugin.tflite.expansion import expanded
from approx_plugin.tflite.file import FileModel, FileOperator, FileTensor, decode
from approx_plugin.tflite.folding import fold, needed
from approx_plugin.tflite.recurrent import with_kept_states
from approx_plugin.tflite.refusals import read_operator, refusals
from approx_plugin.tflite.variables import FileState, without_variables
from approx_plugin.tflite.wide import with_wide_outputs

MAX_BYTES = 1 << 28
"""Of a .tflite: no microcontroller holds a hundredth of it."""


def read_graph(path: Path) -> Graph:
    """The network in `path`. Raises ModelError, or ErrorGroup of several."""
    where = str(path)
    try:
        content = read_bytes(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelError("the model cannot be read", where=where, why=why, hint="check the path") from error
    file = decode(content, where)
    raise_all(beyond_reading(file, where))
    streaming = without_variables(file, where)
    file, kept = with_kept_states(with_wide_outputs(streaming.file))
    states = (*streaming.states, *kept)
    of_tensors = wrong_tensors(file, where)
    raise_all(of_tensors if any(is_damage(error) for error in of_tensors) else ())
    tensors = {index: _tensor(index, tensor) for index, tensor in enumerate(file.tensors)}
    errors = [
        *streaming.errors,
        *wrong_as_a_whole(file, where),
        *of_tensors,
        *wrong_order(file, tensors, where),
    ]
    raise_all(errors if any(is_damage(error) for error in errors) else ())
    of_other_types = wrong_types(file, tensors, where)
    decoded = expanded(_node(i, o, tensors) for i, o in enumerate(file.operators))
    left, worked_out = fold(decoded, lambda node: _settled(node, file))
    tensors.update(worked_out)
    kept_to_the_end = [*file.outputs, *(state.result for state in states)]
    nodes = with_dilations(needed(left, kept_to_the_end), kept_to_the_end)
    tensors.update({tensor.index: tensor for node in nodes for tensor in node.outputs})
    if of_other_types:
        inner = [node for node in nodes if not _converts_at_border(node, file)]
        raise_all([*errors, *of_other_types, *refusals(inner, where, also_read=False)[1]])
    computed = [n for n in file.outputs if tensors[n].data is None] or list(file.outputs)
    borders = take_off(nodes, [tensors[n] for n in file.inputs], [tensors[n] for n in computed])
    tensors.update(borders.tensors)
    operators, refused = refusals(borders.nodes, where)
    raise_all([*errors, *refused])
    check_borders(tensors, borders, operators, [state.result for state in states], where)
    return Graph(
        name=_c_identifier(path.stem),
        tensors=tensors,
        operators=tuple(operators),
        input=borders.inputs[0],
        output=borders.outputs[0],
        sha256=hashlib.sha256(content).hexdigest(),
        float_input=borders.float_input,
        float_output=borders.float_output,
        more_inputs=borders.inputs[1:],
        more_outputs=borders.outputs[1:],
        states=tuple(_state(state, tensors) for state in states),
        constant_outputs=tuple(tensors[n].name for n in file.outputs if n not in computed),
    )


def _state(state: FileState, tensors: dict[int, Tensor]) -> State:
    shape = tensors[state.source].shape[1:]
    initial = np.frombuffer(state.initial, np.int8).reshape(shape)
    return State(state.name, state.source, state.result, initial)


def _c_identifier(stem: str) -> str:
    """`stem` as a C identifier in lower case: "My-Net v2" gives "my_net_v2", "3d" gives "network_3d"."""
    name = re.sub(r"[^0-9a-z]+", "_", stem.lower()).strip("_")
    if not name:
        return "network"
    return f"network_{name}" if name[0].isdigit() else name


def _tensor(index: int, tensor: FileTensor) -> Tensor:
    """The file's tensor with typed, read-only data (raw bytes for types that numpy does not have).

    An activation gets a batch of 1 in front if its shape in the file has none.
    """
    data = tensor.data
    if data is not None:
        if tensor.sparsity and tensor.dtype in CONSTANT_TYPES:
            data = dense(tensor)
        elif tensor.dtype in CONSTANT_TYPES and data.size == math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize:
            data = np.frombuffer(data.tobytes(), dtype=np.dtype(tensor.dtype).newbyteorder("<"))
            data = data.astype(np.dtype(tensor.dtype)).reshape(tensor.shape)
        else:
            data = data.copy()
        data.flags.writeable = False
    lifted = data is None and tensor.shape[:1] != (1,)
    shape = (1, *tensor.shape) if lifted else tensor.shape
    return Tensor(index, tensor.name, shape, tensor.dtype, tensor.quantization, data, lifted, tensor.element)


def _node(index: int, operator: FileOperator, tensors: dict[int, Tensor]) -> Node:
    return Node(
        index,
        operator.builtin,
        tuple(None if number == -1 else tensors[number] for number in operator.inputs),
        tuple(tensors[number] for number in operator.outputs),
        operator.options,
    )


def _converts_at_border(node: Node, file: FileModel) -> bool:
    """Whether it may be a conversion that is taken off where there is one input and one output."""
    names = {"QUANTIZE", "DEQUANTIZE"}
    borders = {*file.inputs, *file.outputs}
    tensors = [tensor for tensor in (*node.inputs, *node.outputs) if tensor is not None]
    return node.builtin in names and any(t.index in borders and t.dtype != "int8" for t in tensors)


def _settled(node: Node, file: FileModel) -> Node:
    """The node with the shape that follows from its inputs, where the file leaves the output's shape open."""
    if node.builtin not in OPERATORS or not any(-1 in file.tensors[t.index].shape_signature for t in node.outputs):
        return node
    try:
        read_operator(node, 0)
    except ShapeError as error:
        signature = file.tensors[node.outputs[0].index].shape_signature
        fits = len(signature) == len(error.shape) and all(s in (-1, e) for s, e in zip(signature, error.shape))
        if fits and len(node.outputs) == 1:
            lifted = error.shape[:1] != (1,)
            shape = (1, *error.shape) if lifted else error.shape
            return replace(node, outputs=(replace(node.outputs[0], shape=shape, lifted=lifted),))
    except UnsupportedError:
        pass  # It is told when all operators are read.
    return node
