"""PAD: `arm_pad_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Service
from approx_plugin.kernels.cmsis_nn.counting import COPY_BLOCK, Counts, streamed
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.pad import Pad


def call(pad: Pad) -> CmsisCall:
    """`arm_pad_s8`; no buffer."""
    before = c_text.dims((0, pad.padding.top, pad.padding.left, 0))
    after = c_text.dims((0, pad.padding.bottom, pad.padding.right, 0))
    return CmsisCall(
        functions=("arm_pad_s8",),
        constants=(),
        body=c_text.body(
            (
                c_text.declare("cmsis_nn_dims", "input_dims", c_text.dims(pad.inputs[0].shape)),
                c_text.declare("cmsis_nn_dims", "before", before),
                c_text.declare("cmsis_nn_dims", "after", after),
            ),
            f"return (int32_t)arm_pad_s8(input, output, {pad.output.zero_point}, &input_dims, &before, &after);",
        ),
    )


def work(pad: Pad, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    inside = pad.inputs[0].elements
    counts: Counts = {
        "call": 1.0,
        "rows": float(pad.inputs[0].shape[1]),
        "copied": float(inside),
        "copied_rest": float(pad.inputs[0].shape[1] * (inside // pad.inputs[0].shape[1] % COPY_BLOCK)),
        "filled": float(pad.output.elements - inside),
        "ram_bytes": streamed(pad, memories),
    }
    return Work("cmsis_nn pad", counts)


SERVICE = Service(Pad.kind, call, work)
