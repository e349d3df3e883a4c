"""Reads a .tflite file into a Graph, or says everything that stands against it.

A file that is damaged is told at once. Everything else is told together: the model as a whole (one subgraph, int8,
static shapes, batch 1), its tensors (constants complete), its operators (one message that lists every operator that is
not supported).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from approx_plugin.errors import ModelError, raise_all
from approx_plugin.files import read_bytes
from approx_plugin.model.graph import Graph
from approx_plugin.model.node import Node, ShapeError, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.reading import FULL_INT8_HINT, REEXPORT_HINT
from approx_plugin.operators.registry import HINTS, OPERATORS, operator_name
from approx_plugin.tflite.borders import Borders, take_off
from approx_plugin.tflite.expansion import expanded
from approx_plugin.tflite.file import FileModel, FileOperator, FileTensor, decode
from approx_plugin.tflite.folding import fold, needed

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
    raise_all(_beyond_reading(file, where))
    tensors = {index: _tensor(index, tensor) for index, tensor in enumerate(file.tensors)}
    errors = [*_wrong_as_a_whole(file, where), *_wrong_tensors(file, where), *_wrong_order(file, tensors, where)]
    raise_all(errors if any(_is_damage(error) for error in errors) else ())
    wrong_types = _wrong_types(file, tensors, where)
    decoded = expanded(_node(i, o, tensors) for i, o in enumerate(file.operators))
    left, worked_out = fold(decoded, lambda node: _settled(node, file))
    tensors.update(worked_out)
    nodes = needed(left, file.outputs)
    tensors.update({tensor.index: tensor for node in nodes for tensor in node.outputs})
    if wrong_types:
        inner = [node for node in nodes if not _converts_at_border(node, file)]
        raise_all([*errors, *wrong_types, *_refusals(inner, file, where, also_read=False)[1]])
    computed = [n for n in file.outputs if tensors[n].data is None] or list(file.outputs)
    borders = take_off(nodes, [tensors[n] for n in file.inputs], [tensors[n] for n in computed])
    tensors.update(borders.tensors)
    operators, refusals = _refusals(borders.nodes, file, where)
    raise_all([*errors, *refusals])
    _check_borders(tensors, borders, operators, where)
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
        constant_outputs=tuple(tensors[n].name for n in file.outputs if n not in computed),
    )


def _c_identifier(stem: str) -> str:
    """`stem` as a C identifier in lower case: "My-Net v2" gives "my_net_v2", "3d" gives "network_3d"."""
    name = re.sub(r"[^0-9a-z]+", "_", stem.lower()).strip("_")
    if not name:
        return "network"
    return f"network_{name}" if name[0].isdigit() else name


def _beyond_reading(file: FileModel, where: str) -> list[ModelError]:
    """What keeps the rest from being looked at."""
    if file.subgraphs == 0:
        return [_subgraphs(file, where)]
    errors = []
    if not file.operators:
        errors.append(
            ModelError(
                "the model has no operators", where=where, why="there is nothing to generate", hint=REEXPORT_HINT
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


def _subgraphs(file: FileModel, where: str) -> ModelError:
    return ModelError(
        f"the model has {file.subgraphs} subgraphs",
        where=where,
        why="a network without control flow and variables has exactly one",
        hint="export without tf.while_loop, tf.cond, variables and several signatures",
    )


def _wrong_as_a_whole(file: FileModel, where: str) -> list[ModelError]:
    """The number of subgraphs; a model without inputs or outputs."""
    errors = [_subgraphs(file, where)] if file.subgraphs != 1 else []
    for what, numbers in (("input", file.inputs), ("output", file.outputs)):
        if not numbers:
            errors.append(
                ModelError(
                    f"the model has no {what}",
                    where=where,
                    why=f"a network has at least one {what}",
                    hint=REEXPORT_HINT,
                )
            )
    return errors


def _wrong_tensors(file: FileModel, where: str) -> list[ModelError]:
    """Inputs of dynamic shapes or another batch size than 1; constants that are incomplete or stored sparse.

    Shapes inside of the network follow from those of its inputs, so the file's static ones count there.
    """
    errors = []
    for source in (file.tensors[number] for number in file.inputs):
        if source.shape and source.shape[0] != 1:
            errors.append(
                ModelError(
                    f'input "{source.name}" has shape {list(source.shape)}: batch size {source.shape[0]}',
                    where=where,
                    why="the firmware computes one input at a time",
                    hint="export the model with batch size 1",
                )
            )
        # Keras exports leave the batch open, [-1, 32, 32, 3], with 1 as its static value; that is no dynamic shape.
        if -1 in source.shape_signature[1:]:
            errors.append(
                ModelError(
                    f'tensor "{source.name}" has the dynamic shape {list(source.shape_signature)}',
                    where=where,
                    why="memory is planned before the network runs",
                    hint="give the input layer a fixed shape, in Keras keras.Input(shape, batch_size=1), and export "
                    "again",
                )
            )
    sparse = [tensor.name for tensor in file.tensors if tensor.sparse]
    if sparse:
        errors.append(
            ModelError(
                f'{len(sparse)} constants are stored sparse, the first one is "{sparse[0]}"',
                where=where,
                why="dense constants are read",
                hint="export without tf.lite.Optimize.EXPERIMENTAL_SPARSITY: zeros may stay zeros in dense weights",
            )
        )
    for tensor in file.tensors:
        errors += _wrong_constant(tensor, where)
        if math.prod(tensor.shape) > MAX_ELEMENTS:
            errors.append(
                ModelError(
                    f'tensor "{tensor.name}" of shape {list(tensor.shape)} has {math.prod(tensor.shape):,} elements',
                    where=where,
                    why=f"more than {MAX_ELEMENTS:,} fit into the memory of no microcontroller",
                    hint="export the model for a smaller input",
                )
            )
    return errors


def _wrong_constant(tensor: FileTensor, where: str) -> list[ModelError]:
    if tensor.data is None or tensor.dtype not in _CONSTANT_TYPES or tensor.sparse:
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
    """The file's tensor with typed, read-only data (raw bytes for types that numpy does not have, and sparse ones).

    An activation gets a batch of 1 in front if its shape in the file has none.
    """
    data = tensor.data
    if data is not None:
        if tensor.dtype in _CONSTANT_TYPES and data.size == math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize:
            data = np.frombuffer(data.tobytes(), dtype=np.dtype(tensor.dtype).newbyteorder("<"))
            data = data.astype(np.dtype(tensor.dtype)).reshape(tensor.shape)
        else:
            data = data.copy()
        data.flags.writeable = False
    lifted = data is None and tensor.shape[:1] != (1,)
    shape = (1, *tensor.shape) if lifted else tensor.shape
    return Tensor(index, tensor.name, shape, tensor.dtype, tensor.quantization, data, lifted)


def _wrong_order(file: FileModel, tensors: dict[int, Tensor], where: str) -> list[ModelError]:
    """Activations that are used before an operator gives them their value, or that get it twice."""
    errors = []
    known = {*file.inputs, *(index for index, tensor in tensors.items() if tensor.data is not None)}
    known.update(index for index, tensor in enumerate(file.tensors) if tensor.variable)
    for index, operator in enumerate(file.operators):
        for number in operator.inputs:
            if number != -1 and number not in known:
                known.add(number)
                if operator.builtin.startswith("CUSTOM"):
                    continue  # Scratch of its own, perhaps; the operator itself is refused.
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
    for name in (tensors[number].name for number in file.outputs if number not in known):
        errors.append(
            ModelError(f'output "{name}" is never computed', where=where, why="no operator has it", hint=REEXPORT_HINT)
        )
    return errors


def _is_damage(error: ModelError) -> bool:
    """Whether a mistake makes all that could be said about operators worthless."""
    return REEXPORT_HINT in (error.hint or "")


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


def _refusals(
    nodes: Sequence[Node], file: FileModel, where: str, *, also_read: bool = True
) -> tuple[list[Operator], list[ModelError]]:
    """All operators, and one error that lists those that are not supported.

    also_read: whether forms count as well as kinds.
    """
    found: list[Operator] = []
    refused: dict[tuple[str, str, str], list[Node]] = {}
    for index, node in enumerate(nodes):
        try:
            if also_read or node.builtin not in OPERATORS:
                found.append(_read(node, index))
        except UnsupportedError as error:
            refused.setdefault((node.builtin, error.reason, error.hint), []).append(node)
    if not refused:
        return found, []
    count = sum(map(len, refused.values()))
    lines = [_listed(some, reason, hint) for (_, reason, hint), some in refused.items()]
    return found, [
        ModelError(
            f"{count} {'operator is' if count == 1 else 'operators are'} not supported in this form:\n"
            + "\n".join(lines),
            where=where,
            why=f"supported are {', '.join(OPERATORS)}, and QUANTIZE and DEQUANTIZE at the borders",
            hint="change the model as said beside each operator, and export it again",
        )
    ]


def _read(node: Node, index: int) -> Operator:
    operator = OPERATORS.get(node.builtin)
    if operator is None:
        raise UnsupportedError("this kind is not supported", _hint(node))
    return operator.read(node, index, operator_name(node.builtin, index))


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
        _read(node, 0)
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


def _hint(node: Node) -> str:
    if node.builtin == "CUSTOM ethos-u":
        return "the model was compiled for an Ethos-U: give the .tflite from before Vela"
    if node.builtin.startswith("CUSTOM Flex"):
        return (
            "it needs TensorFlow itself: convert with target_spec.supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
        )
    if node.builtin == "DEQUANTIZE":
        return "such conversions are supported at the input and output only: " + FULL_INT8_HINT
    return HINTS.get(node.builtin, "replace it by supported operators, or leave it out")


def _listed(nodes: Sequence[Node], reason: str, hint: str) -> str:
    """One line for the nodes that are refused for one reason."""
    first = nodes[0]
    name = first.outputs[0].name if first.outputs else ""
    if len(nodes) == 1:
        return f'    operator {first.index} {first.builtin} "{name}": {reason}; {hint}'
    numbers = ", ".join(str(node.index) for node in nodes)
    return f'    operators {numbers} ({len(nodes)} times) {first.builtin}, the first one "{name}": {reason}; {hint}'


def _check_borders(tensors: dict[int, Tensor], borders: Borders, operators: Sequence[Operator], where: str) -> None:
    """Every input has to go somewhere, every output has to come from somewhere, and both are int8."""
    errors = []
    read = {tensor.index for operator in operators for tensor in operator.inputs}
    made = {operator.output.index for operator in operators}
    if not operators:
        errors.append(
            ModelError("the model only converts its input", where=where, why="there is no layer", hint=REEXPORT_HINT)
        )
    elif not any(index in read for index in borders.inputs):
        errors.append(
            ModelError(
                f'input "{tensors[borders.inputs[0]].name}" is not used',
                where=where,
                why="no operator reads it",
                hint=REEXPORT_HINT,
            )
        )
    elif not any(index in made for index in borders.outputs):
        errors.append(
            ModelError(
                f'output "{tensors[borders.outputs[0]].name}" is not computed by an operator',
                where=where,
                why="it is the input or a constant",
                hint=REEXPORT_HINT,
            )
        )
    for index in sorted({*borders.inputs, *borders.outputs}):
        tensor, way = tensors[index], "input" if index in borders.inputs else "output"
        scales = 0 if tensor.quantization is None else len(tensor.quantization.scale)
        if tensor.data is not None:
            errors.append(
                ModelError(
                    f'output "{tensor.name}" is a constant',
                    where=where,
                    why="no operator computes it",
                    hint="leave it out: the application knows its value",
                )
            )
        elif tensor.dtype != "int8" or scales != 1:
            kind = f"{tensor.dtype} with {scales} scales" if tensor.dtype == "int8" else tensor.dtype
            errors.append(
                ModelError(
                    f'{way} "{tensor.name}" is {kind}',
                    where=where,
                    why="what goes in and comes out is int8 with one scale, if need be through QUANTIZE and DEQUANTIZE",
                    hint=FULL_INT8_HINT,
                )
            )
    raise_all(errors)
