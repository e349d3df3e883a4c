"""What stands against a model: as a whole, in its tensors, at its borders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.errors import ModelError, raise_all
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.reading import FULL_INT8_HINT, REEXPORT_HINT
from approx_plugin.tflite.borders import Borders
from approx_plugin.tflite.file import FileModel, FileTensor
from approx_plugin.tflite.sparse import densified

MAX_ELEMENTS = 1 << 26
"""Of a tensor, for the same reason as the reader's limit of bytes. Larger ones would only keep the search busy."""

CONSTANT_TYPES = frozenset({"int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool"})
"""Element types that numpy reads directly."""


def beyond_reading(file: FileModel, where: str) -> list[ModelError]:
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
    named = [
        *file.inputs,
        *file.outputs,
        *(n for o in file.operators for n in (*o.inputs, *o.outputs, *o.intermediates) if n != -1),
    ]
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
        why="a network without control flow has one, and one more where variables are set",
        hint="export without tf.while_loop, tf.cond and several signatures",
    )


def wrong_as_a_whole(file: FileModel, where: str) -> list[ModelError]:
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


def wrong_tensors(file: FileModel, where: str) -> list[ModelError]:
    """Inputs of dynamic shapes or another batch size than 1; constants that are incomplete.

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
    if tensor.sparsity and tensor.data is not None and tensor.dtype in CONSTANT_TYPES:
        try:
            dense(tensor)
        except ValueError as error:
            what = f'constant "{tensor.name}" is stored sparse, in a way that is not understood'
            return [ModelError(what, where=where, why=str(error), hint=REEXPORT_HINT)]
    if tensor.data is None or tensor.dtype not in CONSTANT_TYPES or tensor.sparsity:
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


def dense(tensor: FileTensor) -> npt.NDArray[Any]:
    """The values of a constant that is stored sparse. Raises ValueError."""
    assert tensor.sparsity is not None and tensor.data is not None
    kind = np.dtype(tensor.dtype)
    if math.prod(tensor.shape) > MAX_ELEMENTS:
        raise ValueError(f"it has {math.prod(tensor.shape):,} elements")
    if tensor.data.size % kind.itemsize:
        raise ValueError(f"it has {tensor.data.size} bytes")
    values = np.frombuffer(tensor.data.tobytes(), kind.newbyteorder("<")).astype(kind)
    return densified(values, tensor.shape, tensor.sparsity)


def wrong_order(file: FileModel, tensors: dict[int, Tensor], where: str) -> list[ModelError]:
    """Activations that are used before an operator gives them their value, or that get it twice."""
    errors = []
    known = {*file.inputs, *(index for index, tensor in tensors.items() if tensor.data is not None)}
    known.update(index for index, tensor in enumerate(file.tensors) if tensor.variable)
    known.update(file.provided)
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


def is_damage(error: ModelError) -> bool:
    """Whether a mistake makes all that could be said about operators worthless."""
    return REEXPORT_HINT in (error.hint or "")


_OTHER_QUANTIZATIONS = {
    "float32": "float32: the model is not quantised, or only its weights are (dynamic range)",
    "float16": "float16",
    "uint8": "uint8: the scheme of TensorFlow 1",
    "int16": "int16: the 16x8 scheme",
}


def wrong_types(file: FileModel, tensors: dict[int, Tensor], where: str) -> list[ModelError]:
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


def check_borders(
    tensors: dict[int, Tensor], borders: Borders, operators: Sequence[Operator], states: Sequence[int], where: str
) -> None:
    """Every input has to go somewhere, every output has to come from somewhere, and both are int8.

    states: the tensors that become states.
    """
    errors = []
    read = {*states, *(tensor.index for operator in operators for tensor in operator.inputs)}
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
