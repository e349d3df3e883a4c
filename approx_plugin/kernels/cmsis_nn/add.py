"""ADD: `arm_elementwise_add_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Service
from approx_plugin.kernels.cmsis_nn.counting import Counts, streamed
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.add import LEFT_SHIFT, Add


def call(add: Add) -> CmsisCall:
    """`arm_elementwise_add_s8`; no buffer."""
    numbers = [
        *(-add.inputs[0].zero_point, add.multipliers[0].mantissa, add.multipliers[0].shift),
        *(-add.inputs[1].zero_point, add.multipliers[1].mantissa, add.multipliers[1].shift),
    ]
    output = [
        *(add.output.zero_point, add.output_multiplier.mantissa, add.output_multiplier.shift),
        *(add.activation_min, add.activation_max, add.output.elements),
    ]
    return CmsisCall(
        functions=("arm_elementwise_add_s8",),
        constants=(),
        body=c_text.body(
            (),
            f"return (int32_t)arm_elementwise_add_s8(input, input_2, {', '.join(map(str, numbers))}, "
            f"{LEFT_SHIFT}, output, {', '.join(map(str, output))});",
        ),
    )


def work(add: Add, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    quads, rest = divmod(add.output.elements, 4)
    counts: Counts = {
        "call": 1.0,
        "quads": float(quads),
        "rests": float(rest),
        "ram_bytes": streamed(add, memories),
    }
    return Work("cmsis_nn add", counts)


SERVICE = Service(Add.kind, call, work)
