"""SOFTMAX: `arm_softmax_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Service
from approx_plugin.kernels.cmsis_nn.counting import Counts
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.softmax import Softmax


def call(softmax: Softmax) -> CmsisCall:
    """`arm_softmax_s8`, which has no status; no buffer."""
    size = softmax.output.shape[-1]
    numbers = (
        softmax.output.elements // size,
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


def work(softmax: Softmax, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    rows = softmax.output.elements // softmax.output.shape[-1]
    counts: Counts = {"call": 1.0, "rows": float(rows), "elements": float(softmax.output.elements)}
    return Work("cmsis_nn softmax", counts)


SERVICE = Service(Softmax.kind, call, work)
