"""MAX_POOL_2D and AVERAGE_POOL_2D: `arm_max_pool_s8`, `arm_avgpool_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Service
from approx_plugin.kernels.cmsis_nn.counting import COPY_BLOCK, Counts, inside, streamed
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pool2d import Pool2D

FUNCTIONS = {MaxPool2D.kind: "arm_max_pool_s8", AveragePool2D.kind: "arm_avgpool_s8"}


def call(pool: Pool2D) -> CmsisCall:
    """Both poolings have the same parameters; the average needs one int32 sum a channel."""
    function = FUNCTIONS[pool.kind]
    channels = pool.output.shape[3]
    average = pool.kind == AveragePool2D.kind
    params = c_text.fields(
        stride=c_text.tile(pool.stride),
        padding=c_text.tile((pool.padding.top, pool.padding.left)),
        activation=c_text.limits(pool.activation_min, pool.activation_max),
    )
    return CmsisCall(
        functions=(function, f"{function}_get_buffer_size") if average else (function,),
        constants=(),
        body=c_text.body(
            (
                c_text.declare("cmsis_nn_pool_params", "pool_params", params),
                c_text.declare("cmsis_nn_dims", "input_dims", c_text.dims(pool.inputs[0].shape)),
                c_text.declare("cmsis_nn_dims", "filter_dims", c_text.dims((1, *pool.kernel, 1))),
                c_text.declare("cmsis_nn_dims", "output_dims", c_text.dims(pool.output.shape)),
            ),
            f"return (int32_t){function}(context, &pool_params, &input_dims, input, &filter_dims, "
            "&output_dims, output);",
        ),
        context_bytes=4 * channels if average else 0,
        context_size=f"{function}_get_buffer_size({pool.output.shape[2]}, {channels})" if average else "0",
    )


def work(pool: Pool2D, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    _, height, width, channels = pool.inputs[0].shape
    window = pool.window
    pixels = window.output[0] * window.output[1]
    taps = inside(window, (height, width))
    counts: Counts = {
        "call": 1.0,
        "pixels": float(pixels),
        "taps": taps,
        "first_elements": float(pixels * channels),
        "further_elements": (taps - pixels) * channels,
        "ram_bytes": streamed(pool, memories),
    }
    if pool.kind == AveragePool2D.kind:
        return Work("cmsis_nn average pool", counts)
    counts["further_rest"] = (taps - pixels) * (channels % 4)
    counts["first_rest"] = float(pixels * (channels % COPY_BLOCK))
    return Work("cmsis_nn max pool", counts)


MAXIMUM = Service(MaxPool2D.kind, call, work)
AVERAGE = Service(AveragePool2D.kind, call, work)
