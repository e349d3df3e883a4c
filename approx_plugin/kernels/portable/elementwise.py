"""ADD, SUB, MUL, MAXIMUM, MINIMUM, PRELU with broadcasting and constants; with one constant number: a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted, factor, numbers, structure
from approx_plugin.kernels.portable.table import look_up, looked_up
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.add import LEFT_SHIFT, Add, Sub
from approx_plugin.operators.binary import MAX_RANK, Binary, Operand
from approx_plugin.operators.extremum import Maximum, Minimum
from approx_plugin.operators.mul import Mul
from approx_plugin.operators.prelu import Prelu

Axis = tuple[int, int, int]
"""Elements along an axis of the output, and how far apart both operands' elements lie."""

Parameters = Callable[[Any, str], str]


def column(operator: Binary) -> Int8Array | None:
    """int8 [256]: all that the operator does where one operand is a constant number; None where none is."""
    first, second = operator.operands
    pairs = operator.table.reshape(256, 256)
    if first.values is not None and first.elements == 1:
        return np.ascontiguousarray(pairs[int(first.array.reshape(-1)[0]) + 128])
    if second.values is not None and second.elements == 1:
        return np.ascontiguousarray(pairs[:, int(second.array.reshape(-1)[0]) + 128])
    return None


def axes_of(operator: Binary) -> list[Axis]:
    """The output's axes, as few as possible, the innermost last."""
    first, second = operator.operands
    merged: list[Axis] = []
    for axis in zip(operator.output.own_shape, _strides(first), _strides(second)):
        if axis[0] == 1:
            continue
        if merged and all(outer == axis[0] * inner for outer, inner in zip(merged[-1][1:], axis[1:])):
            merged[-1] = (merged[-1][0] * axis[0], axis[1], axis[2])
        else:
            merged.append(axis)
    return merged or [(1, 0, 0)]


def _strides(operand: Operand) -> list[int]:
    """How far apart the elements lie along each axis, 0 where there is only one."""
    strides, step = [], 1
    for extent in reversed(operand.shape):
        strides.append(step if extent > 1 else 0)
        step *= extent
    return strides[::-1]


def _call(function: str, kind: str, parameters: Parameters | None) -> Callable[[Any, str], RuntimeCall]:
    """How `function` is called, whose parameters are a structure of `kind`."""

    def call(operator: Binary, symbol: str) -> RuntimeCall:
        table = column(operator)
        if table is not None:
            return look_up(symbol, table, operator.output.elements)
        axes = axes_of(operator)
        full = [(1, 0, 0)] * (MAX_RANK - len(axes)) + axes
        shape = structure(
            "approx_broadcast",
            f"{symbol}_shape",
            **{name: numbers(values) for name, values in zip(("count", "first", "second"), zip(*full))},
        )
        definitions = [shape]
        names, bytes_ = _operands(operator, symbol, definitions)
        arguments = [f"&{symbol}_shape"]
        if parameters is not None:
            definitions.append(parameters(operator, f"{symbol}_{kind}"))
            arguments.append(f"&{symbol}_{kind}")
        statement = f"{function}({', '.join([*arguments, *names, 'output'])});"
        return RuntimeCall((statement,), tuple(definitions), bytes_ + 12 * MAX_RANK + 64)

    return call


def _operands(operator: Binary, symbol: str, definitions: list[str]) -> tuple[Sequence[str], int]:
    """C expressions of both operands; constants are defined. And their bytes."""
    names, given, bytes_ = [], 0, 0
    for operand in operator.operands:
        if operand.values is None:
            given += 1
            names.append("input" if given == 1 else f"input_{given}")
        else:
            names.append(f"{symbol}_operand")
            definitions.append(constant(names[-1], operand.array))
            bytes_ += len(operand.values)
    return names, bytes_


def _work(kind: str) -> Callable[[Any, Memories], Work]:
    """The counts of the loop around the elements."""

    def work(operator: Binary, memories: Memories) -> Work:
        elements = operator.output.elements
        if column(operator) is not None:
            return looked_up(elements)
        return counted(kind, {"call": 1, "rows": elements // axes_of(operator)[-1][0], "elements": elements})

    return work


def _sum(operator: Add, name: str) -> str:
    first, second = operator.operands
    one, other = operator.multipliers
    return structure(
        "approx_sum",
        name,
        first=f"{{{-first.zero_point}, {factor(one)}}}",
        second=f"{{{-second.zero_point}, {factor(other)}}}",
        left_shift=LEFT_SHIFT,
        factor=factor(operator.output_multiplier),
        zero_point=operator.output.zero_point,
        minimum=operator.activation_min,
        maximum=operator.activation_max,
    )


def _product(operator: Mul, name: str) -> str:
    first, second = operator.operands
    return structure(
        "approx_product",
        name,
        first_offset=-first.zero_point,
        second_offset=-second.zero_point,
        factor=factor(operator.multiplier),
        zero_point=operator.output.zero_point,
        minimum=operator.activation_min,
        maximum=operator.activation_max,
    )


def _slopes(operator: Prelu, name: str) -> str:
    first, second = operator.operands
    return structure(
        "approx_slopes",
        name,
        input_offset=-first.zero_point,
        alpha_offset=-second.zero_point,
        positive=factor(operator.positive),
        negative=factor(operator.negative),
        zero_point=operator.output.zero_point,
    )


SERVICES = (
    Service(Sub, _call("approx_sub_s8", "sum", _sum), _work("runtime sum")),
    Service(Add, _call("approx_add_s8", "sum", _sum), _work("runtime sum")),
    Service(Mul, _call("approx_mul_s8", "product", _product), _work("runtime product")),
    Service(Minimum, _call("approx_minimum_s8", "", None), _work("runtime extremum")),
    Service(Maximum, _call("approx_maximum_s8", "", None), _work("runtime extremum")),
    Service(Prelu, _call("approx_prelu_s8", "slopes", _slopes), _work("runtime slopes")),
)
"""The first one whose class fits counts: derived classes stand in front."""
