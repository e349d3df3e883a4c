"""`approx_arg_max_s8`, `approx_arg_min_s8`, `approx_softmax_s8_s16`: outputs whose numbers take several bytes."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted
from approx_plugin.operators.arg_max import ArgMax
from approx_plugin.operators.wide_softmax import WideSoftmax


def arg_max(operator: ArgMax, symbol: str) -> RuntimeCall:
    """No constants."""
    function = "approx_arg_min_s8" if operator.smallest else "approx_arg_max_s8"
    sizes = f"{operator.outer}, {operator.count}, {operator.inner}, {operator.width}"
    return RuntimeCall((f"{function}(input, {sizes}, output);",))


def arg_max_work(operator: ArgMax, memories: Memories) -> Work:
    """Every element once."""
    results = operator.outer * operator.inner
    return counted("runtime index", {"call": 1, "results": results, "elements": results * operator.count})


def softmax(operator: WideSoftmax, symbol: str) -> RuntimeCall:
    """The exponentials, up to the last one that is not 0."""
    count = int(np.count_nonzero(operator.exponentials))
    table = constant(f"{symbol}_exponentials", operator.exponentials[:count].astype(np.int32))
    rows = operator.inputs[0].elements // operator.size
    statement = f"approx_softmax_s8_s16(input, {rows}, {operator.size}, {symbol}_exponentials, {count}, output);"
    return RuntimeCall((statement,), (table,), 4 * count)


def softmax_work(operator: WideSoftmax, memories: Memories) -> Work:
    """Every element three times, and a reciprocal for each row."""
    elements = operator.inputs[0].elements
    return counted("runtime wide softmax", {"call": 1, "rows": elements // operator.size, "elements": elements})


SERVICES = (Service(ArgMax, arg_max, arg_max_work), Service(WideSoftmax, softmax, softmax_work))
