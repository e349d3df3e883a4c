"""Constant subgraphs: operators whose result is known when the file is read are taken off.

Converters compute target shapes in the graph (SHAPE, STRIDED_SLICE, PACK in front of a RESHAPE) wherever the batch is
open; with the static shapes of the file, all of that is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.slices import PART, box_index, python_index

Values = npt.NDArray[Any]
Fold = Callable[[Node, Sequence[Values]], Any]

MAX_ELEMENTS = 1 << 22
"""Of a constant that is worked out."""

_NUMBERS = frozenset({"int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool"})
_WHOLE = frozenset({"int32", "int64"})


def fold(
    nodes: Iterable[Node], settle: Callable[[Node], Node] = lambda node: node
) -> tuple[list[Node], Mapping[int, Tensor]]:
    """The nodes that are left, in whose inputs what was worked out stands as a constant; and those constants.

    settle: gives a node that is left outputs of other shapes, which the nodes behind it then see.
    """
    known: dict[int, Tensor] = {}
    constants: dict[int, Tensor] = {}
    kept = []
    for node in nodes:
        inputs = tuple(None if tensor is None else known.get(tensor.index, tensor) for tensor in node.inputs)
        current = replace(node, inputs=inputs)
        values = _folded(current)
        if values is None:
            kept.append(settle(current))
            known.update({tensor.index: tensor for tensor in kept[-1].outputs})
        else:
            (result,) = current.outputs
            known[result.index] = constants[result.index] = replace(
                result, data=values, shape=result.own_shape, lifted=False
            )
    return kept, constants


def _folded(node: Node) -> Values | None:
    """The constant that comes out; None if it is none, or this is not known how to work out."""
    if len(node.outputs) != 1 or not node.inputs or node.inputs[0] is None:
        return None
    result = node.outputs[0]
    if result.dtype not in _NUMBERS or result.elements > MAX_ELEMENTS:
        return None
    try:
        if node.builtin == "SHAPE":
            found: Any = node.inputs[0].own_shape
        elif node.builtin == "RANK":
            found = len(node.inputs[0].own_shape)
        else:
            found = _worked_out(node)
        if found is None:
            return None
        values: Values = np.ascontiguousarray(np.asarray(found).astype(np.dtype(result.dtype)))
    except (UnsupportedError, ArithmeticError, IndexError, ValueError, TypeError):
        return None
    if values.size != result.elements:
        return None
    values = values.reshape(result.own_shape)
    values.flags.writeable = False
    return values


def _worked_out(node: Node) -> Any:
    given = [tensor for tensor in node.inputs if tensor is not None]
    if any(tensor.data is None or tensor.dtype not in _NUMBERS for tensor in given):
        return None
    moves, computes = _MOVES.get(node.builtin), _COMPUTES.get(node.builtin)
    whole = all(tensor.dtype in _WHOLE for tensor in given) and node.outputs[0].dtype in _WHOLE
    arrays = [np.asarray(tensor.data).reshape(tensor.own_shape) for tensor in given]
    if moves is not None:
        return moves(node, arrays)
    if computes is not None and whole:
        return computes(node, arrays)
    if node.builtin in ("QUANTIZE", "DEQUANTIZE"):
        return _converted(given[0], node.outputs[0])
    return None


def _converted(source: Tensor, result: Tensor) -> Any:
    """Real numbers to int8, or whole numbers of any type to real ones."""
    values = np.asarray(source.data)
    if result.dtype == "int8" and source.dtype == "float32" and result.quantization is not None:
        scaled = values / np.float32(result.scale)
        rounded = np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))
        return np.clip(rounded + result.zero_point, -128, 127)
    if result.dtype == "float32" and source.dtype == "float16":
        return values
    if result.dtype == "float32" and source.quantization is not None and not source.quantization.per_channel:
        return np.float32(source.scale) * (values.astype(np.int64) - source.zero_point).astype(np.float32)
    return None


def _axis(node: Node) -> int:
    return int(node.options.get("Axis", 0))


def _filled(node: Node, arrays: Sequence[Values]) -> Any:
    if math.prod(arrays[0].tolist()) > MAX_ELEMENTS:
        return None
    return np.full(arrays[0].tolist(), arrays[1].reshape(-1)[0])


def _tiled(node: Node, arrays: Sequence[Values]) -> Any:
    times = arrays[1].tolist()
    return np.tile(arrays[0], times) if math.prod(times) * arrays[0].size <= MAX_ELEMENTS else None


def _ranged(node: Node, arrays: Sequence[Values]) -> Any:
    first, end, step = (int(values.reshape(-1)[0]) for values in arrays)
    return np.arange(first, end, step) if abs(end - first) <= MAX_ELEMENTS else None


def _reduced(function: Callable[..., Any]) -> Fold:
    return lambda node, arrays: function(arrays[0], axis=tuple(arrays[1].reshape(-1).tolist()))


def _quotient(node: Node, arrays: Sequence[Values]) -> Any:
    """C's division, towards zero."""
    return np.sign(arrays[0]) * np.sign(arrays[1]) * (np.abs(arrays[0]) // np.abs(arrays[1]))


_MOVES: Mapping[str, Fold] = {
    "DENSIFY": lambda node, arrays: arrays[0],
    "RESHAPE": lambda node, arrays: arrays[0],
    "SQUEEZE": lambda node, arrays: arrays[0],
    "EXPAND_DIMS": lambda node, arrays: arrays[0],
    "TRANSPOSE": lambda node, arrays: np.transpose(arrays[0], arrays[1].tolist()),
    "STRIDED_SLICE": lambda node, arrays: arrays[0][python_index(node)],
    "SLICE": lambda node, arrays: arrays[0][box_index(reading.integers(node, 1), reading.integers(node, 2))],
    "PACK": lambda node, arrays: np.stack(arrays, axis=_axis(node)),
    "CONCATENATION": lambda node, arrays: np.concatenate(arrays, axis=_axis(node)),
    "GATHER": lambda node, arrays: np.take(arrays[0], arrays[1], axis=_axis(node)),
    "UNPACK": lambda node, arrays: np.take(arrays[0], int(node.options[PART]), axis=_axis(node)),
    "FILL": _filled,
    "TILE": _tiled,
    "BROADCAST_TO": lambda node, arrays: (
        np.broadcast_to(arrays[0], arrays[1].tolist()) if math.prod(arrays[1].tolist()) <= MAX_ELEMENTS else None
    ),
}
"""What moves elements, whatever they are. The result's type is the output tensor's."""

_COMPUTES: Mapping[str, Fold] = {
    "CAST": lambda node, arrays: arrays[0],
    "ADD": lambda node, arrays: arrays[0] + arrays[1],
    "SUB": lambda node, arrays: arrays[0] - arrays[1],
    "MUL": lambda node, arrays: arrays[0] * arrays[1],
    "DIV": _quotient,
    "FLOOR_DIV": lambda node, arrays: arrays[0] // arrays[1],
    "FLOOR_MOD": lambda node, arrays: arrays[0] % arrays[1],
    "MAXIMUM": lambda node, arrays: np.maximum(arrays[0], arrays[1]),
    "MINIMUM": lambda node, arrays: np.minimum(arrays[0], arrays[1]),
    "RANGE": _ranged,
    "REDUCE_PROD": _reduced(np.prod),
    "REDUCE_MAX": _reduced(np.max),
    "SUM": _reduced(np.sum),
}
"""What computes with whole numbers."""


def needed(nodes: Sequence[Node], outputs: Iterable[int]) -> list[Node]:
    """Without the nodes on which no output depends."""
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if any(tensor.index in wanted for tensor in node.outputs):
            kept.append(node)
            wanted.update(tensor.index for tensor in node.inputs if tensor is not None)
    return kept[::-1]
