"""`approx_l2_normalization_s8`, `approx_log_softmax_s8`: functions of whole rows."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted, factor, structure
from approx_plugin.operators.l2_normalization import L2Normalization
from approx_plugin.operators.log_softmax import LogSoftmax


def normalization(operator: L2Normalization, symbol: str) -> RuntimeCall:
    """No constants."""
    size = operator.output.shape[-1]
    rows = operator.output.elements // size
    offset = -operator.inputs[0].zero_point
    return RuntimeCall((f"approx_l2_normalization_s8(input, {rows}, {size}, {offset}, output);",))


def normalization_work(operator: L2Normalization, memories: Memories) -> Work:
    """Every element twice, and a root for each row."""
    size = operator.output.shape[-1]
    rows = operator.output.elements // size
    return counted("runtime normalization", {"call": 1, "rows": rows, "elements": operator.output.elements})


def log_softmax(operator: LogSoftmax, symbol: str) -> RuntimeCall:
    """Two tables of the differences that count."""
    count = min(256, 1 - operator.difference_min)
    shape = structure(
        "approx_log_softmax",
        f"{symbol}_shape",
        rows=operator.rows,
        size=operator.output.shape[-1],
        count=count,
        reverse=factor(operator.reverse),
    )
    tables = [
        constant(f"{symbol}_{name}", getattr(operator, name)[:count].astype(np.int32)) for name in ("scaled", "terms")
    ]
    statement = f"approx_log_softmax_s8(&{symbol}_shape, {symbol}_scaled, {symbol}_terms, input, output);"
    return RuntimeCall((statement,), (*tables, shape), 8 * count + 20)


def log_softmax_work(operator: LogSoftmax, memories: Memories) -> Work:
    """Every element three times, and a logarithm for each row."""
    return counted("runtime log softmax", {"call": 1, "rows": operator.rows, "elements": operator.output.elements})


SERVICES = (
    Service(L2Normalization, normalization, normalization_work),
    Service(LogSoftmax, log_softmax, log_softmax_work),
)
