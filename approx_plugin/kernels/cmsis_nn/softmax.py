"""SOFTMAX: `arm_softmax_s8`; for long rows, where its arithmetic is undefined, `approx_softmax_s8` of our runtime."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant, Service
from approx_plugin.kernels.cmsis_nn.counting import Counts
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.softmax import LONG_ROW, Softmax


def call(softmax: Softmax) -> CmsisCall:
    """`arm_softmax_s8`, which has no status, for short rows; no buffer. Long rows: no function of the library."""
    size = softmax.output.shape[-1]
    if size >= LONG_ROW:
        return _own(softmax)
    numbers = (
        softmax.rows,
        size,
        softmax.multiplier.mantissa,
        softmax.multiplier.shift,
        softmax.difference_min,
    )
    return CmsisCall(
        functions=("arm_softmax_s8",),
        constants=(),
        body=c_text.body(
            (),
            f"arm_softmax_s8(input, {', '.join(map(str, numbers))}, output);\nreturn 0;",
        ),
    )


def _own(softmax: Softmax) -> CmsisCall:
    """In int32, the library shifts by 32 from a sum of 512 on, and its sum wraps beyond 4096: see operators/softmax.py.

    Exponentials come from a table: one product for each value is left of their polynomial.
    """
    count = int(np.flatnonzero(softmax.exponentials)[-1]) + 1
    table = Constant("exponentials", softmax.exponentials[:count].astype(np.int32))
    numbers = f"{softmax.rows}, {softmax.output.shape[-1]}, {{exponentials}}, {count}"
    return CmsisCall(
        functions=(),
        constants=(table,),
        body=c_text.body((), f"approx_softmax_s8(input, {numbers}, output);\nreturn 0;"),
    )


def work(softmax: Softmax, memories: Memories) -> Work:
    """The counts of the library's loops. Our own kernel does less, and is priced as the library's."""
    counts: Counts = {"call": 1.0, "rows": float(softmax.rows), "elements": float(softmax.output.elements)}
    return Work("cmsis_nn softmax", counts)


SERVICE = Service(Softmax.kind, call, work)
