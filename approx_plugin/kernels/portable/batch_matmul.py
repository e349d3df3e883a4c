"""`approx_batch_matmul_s8`: BATCH_MATMUL."""

from __future__ import annotations

import math

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted, factor, numbers, structure
from approx_plugin.operators.batch_matmul import MAX_RANK, BatchMatmul


def call(operator: BatchMatmul, symbol: str) -> RuntimeCall:
    """Transposed operands are read in another order; a constant one is stored as in the file."""
    (left, right), (left_turned, right_turned) = (_full(shape) for shape in operator.shapes), operator.turned
    rows, columns = operator.output.own_shape[-2:]
    shape = structure(
        "approx_matmul",
        f"{symbol}_matmul",
        count=numbers([max(pair) for pair in zip(left[:3], right[:3])]),
        left_pitch=numbers(_pitches(left)),
        right_pitch=numbers(_pitches(right)),
        rows=rows,
        columns=columns,
        depth=operator.depth,
        row_pitch=1 if left_turned else left[4],
        left_step=left[4] if left_turned else 1,
        column_pitch=right[4] if right_turned else 1,
        right_step=1 if right_turned else right[4],
        left_offset=-operator.zero_points[0],
        right_offset=-operator.zero_points[1],
        factor=factor(operator.multiplier),
        zero_point=operator.output.zero_point,
    )
    definitions, names, free = [shape], [], iter(("input", "input_2"))
    for side, values in zip(("left", "right"), operator.constants):
        if values is None:
            names.append(next(free))
        else:
            names.append(f"{symbol}_{side}")
            definitions.append(constant(names[-1], values))
    statement = f"approx_batch_matmul_s8(&{symbol}_matmul, {names[0]}, {names[1]}, output);"
    return RuntimeCall((statement,), definitions, operator.parameter_bytes + 84)


def _full(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*(1,) * (MAX_RANK - len(shape)), *shape)


def _pitches(shape: tuple[int, ...]) -> list[int]:
    """How far apart matrices lie along the three axes in front; 0 along those that are repeated."""
    return [math.prod(shape[axis + 1 :]) if shape[axis] > 1 else 0 for axis in range(3)]


def work(operator: BatchMatmul, memories: Memories) -> Work:
    """Every product once."""
    return counted(
        "runtime matrix product", {"call": 1, "outputs": operator.output.elements, "products": operator.macs}
    )


SERVICE = Service(BatchMatmul, call, work)
