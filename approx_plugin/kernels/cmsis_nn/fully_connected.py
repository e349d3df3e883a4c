"""FULLY_CONNECTED: `arm_fully_connected_s8`, per channel `arm_fully_connected_wrapper_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant, Service
from approx_plugin.kernels.cmsis_nn.counting import CHANNEL_BYTES, Counts, missed, streamed, unaligned_rows
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.fully_connected import FullyConnected


def call(dense: FullyConnected) -> CmsisCall:
    """`arm_fully_connected_s8`, or `arm_fully_connected_wrapper_s8` for a multiplier an output; no buffer."""
    out_features, in_features = dense.weights.shape
    per_channel = len(dense.multipliers) > 1
    params = c_text.fields(
        input_offset=-dense.inputs[0].zero_point,
        filter_offset=0,
        output_offset=dense.output.zero_point,
        activation=c_text.limits(dense.activation_min, dense.activation_max),
    )
    filter_dims = c_text.dims((in_features, 1, 1, out_features))
    declarations = [
        c_text.declare("cmsis_nn_fc_params", "fc_params", params),
        c_text.declare("cmsis_nn_dims", "input_dims", c_text.dims((dense.rows, 1, 1, in_features))),
        c_text.declare("cmsis_nn_dims", "filter_dims", filter_dims),
        c_text.declare("cmsis_nn_dims", "bias_dims", c_text.dims((1, 1, 1, out_features))),
        c_text.declare("cmsis_nn_dims", "output_dims", c_text.dims((dense.rows, 1, 1, out_features))),
    ]
    constants = [Constant("weights", dense.weights), Constant("bias", dense.bias)]
    if per_channel:
        function = "arm_fully_connected_wrapper_s8"
        constants += c_text.requantisation(dense.multipliers)
        quantization = (
            "const cmsis_nn_quant_params quant_params = "
            "{{.multiplier = (int32_t *){multipliers}, .shift = (int32_t *){shifts}, .is_per_channel = 1}};\n"
        )
    else:
        function = "arm_fully_connected_s8"
        (only,) = dense.multipliers
        scaling = c_text.fields(multiplier=only.mantissa, shift=only.shift)
        declarations.append(c_text.declare("cmsis_nn_per_tensor_quant_params", "quant_params", scaling))
        quantization = ""
    return CmsisCall(
        functions=(function, "arm_fully_connected_s8_get_buffer_size"),
        constants=tuple(constants),
        body=c_text.body(
            declarations,
            quantization + f"return (int32_t){function}(context, &fc_params, &quant_params, &input_dims, input, "
            "&filter_dims, {weights}, &bias_dims, {bias}, &output_dims, output);",
        ),
        context_size=f"arm_fully_connected_s8_get_buffer_size({c_text.address('cmsis_nn_dims', filter_dims)})",
    )


def work(dense: FullyConnected, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    outputs, depth = dense.weights.shape
    pairs, single = divmod(outputs, 2)
    steps, rest = divmod(depth, 4)
    rows = dense.rows
    per_channel = len(dense.multipliers) > 1
    footprint = dense.weights.size + (CHANNEL_BYTES if per_channel else 4) * outputs
    counts: Counts = {
        "call": float(rows),
        "pairs": float(rows * pairs),
        "steps": float(rows * pairs * steps),
        "rests": float(rows * pairs * rest),
        "single_steps": float(rows * single * (steps + rest)),
        "single": float(rows * single),
        "unaligned": float(rows * unaligned_rows(outputs, depth) * steps),
        "flash_bytes": missed(memories, footprint, rows),
        "ram_bytes": streamed(dense, memories),
    }
    return Work("cmsis_nn fully connected per channel" if per_channel else "cmsis_nn fully connected", counts)


SERVICE = Service(FullyConnected.kind, call, work)
