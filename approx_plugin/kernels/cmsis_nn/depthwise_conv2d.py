"""DEPTHWISE_CONV_2D: `arm_depthwise_conv_wrapper_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant, Service
from approx_plugin.kernels.cmsis_nn.counting import CHANNEL_BYTES, Counts, missed, streamed, valid
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D


def call(conv: DepthwiseConv2D) -> CmsisCall:
    """`arm_depthwise_conv_wrapper_s8`.

    The library needs a window of int16 for all channels, unless the depth multiplier is not 1, taps are dilated, or the
    kernel is 3x3 with at most one row and column of padding in front: those take no buffer.
    """
    _, height, width, channels = conv.inputs[0].shape
    kernel_h, kernel_w = conv.kernel
    out_channels = conv.output.shape[3]
    params = c_text.fields(
        input_offset=-conv.inputs[0].zero_point,
        output_offset=conv.output.zero_point,
        ch_mult=conv.depth_multiplier,
        stride=c_text.tile(conv.stride),
        padding=c_text.tile((conv.padding.top, conv.padding.left)),
        dilation=c_text.tile(conv.dilation),
        activation=c_text.limits(conv.activation_min, conv.activation_max),
    )
    input_dims = c_text.dims((1, height, width, channels))
    filter_dims = c_text.dims((1, kernel_h, kernel_w, out_channels))
    output_dims = c_text.dims(conv.output.shape)
    small = conv.kernel == (3, 3) and conv.padding.top <= 1 and conv.padding.left <= 1
    buffered = conv.depth_multiplier == 1 and conv.dilation == (1, 1) and not small
    return CmsisCall(
        functions=("arm_depthwise_conv_wrapper_s8", "arm_depthwise_conv_wrapper_s8_get_buffer_size"),
        constants=(
            Constant("weights", conv.weights),
            Constant("bias", conv.bias),
            *c_text.requantisation(conv.multipliers),
        ),
        body=c_text.body(
            (
                c_text.declare("cmsis_nn_dw_conv_params", "dw_conv_params", params),
                c_text.declare("cmsis_nn_dims", "input_dims", input_dims),
                c_text.declare("cmsis_nn_dims", "filter_dims", filter_dims),
                c_text.declare("cmsis_nn_dims", "bias_dims", c_text.dims((1, 1, 1, out_channels))),
                c_text.declare("cmsis_nn_dims", "output_dims", output_dims),
            ),
            "const cmsis_nn_per_channel_quant_params quant_params = "
            "{{.multiplier = (int32_t *){multipliers}, .shift = (int32_t *){shifts}}};\n"
            "return (int32_t)arm_depthwise_conv_wrapper_s8(context, &dw_conv_params, &quant_params, &input_dims, "
            "input, &filter_dims, {weights}, &bias_dims, {bias}, &output_dims, output);",
        ),
        context_bytes=channels * kernel_h * kernel_w * 2 if buffered else 0,
        context_size="arm_depthwise_conv_wrapper_s8_get_buffer_size("
        f"{c_text.address('cmsis_nn_dw_conv_params', params)}, {c_text.address('cmsis_nn_dims', input_dims)}, "
        f"{c_text.address('cmsis_nn_dims', filter_dims)}, {c_text.address('cmsis_nn_dims', output_dims)})",
    )


def work(conv: DepthwiseConv2D, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    window = conv.window
    _, height, width, channels = conv.inputs[0].shape
    outputs = conv.output.shape[3]
    pixels = window.output[0] * window.output[1]
    rows, columns = valid(window, (height, width))
    taps, lines = float(rows.sum() * columns.sum()), float(rows.sum() * len(columns))
    flash = missed(memories, conv.weights.size + CHANNEL_BYTES * outputs, pixels)
    counts: Counts = {"call": 1.0, "pixels": float(pixels), "flash_bytes": flash}
    counts["ram_bytes"] = streamed(conv, memories)
    if conv.depth_multiplier != 1 or conv.dilation != (1, 1):
        tile = 4 if conv.depth_multiplier % 4 == 0 else 1
        tiles = outputs // tile
        counts.update(
            outputs=float(pixels * outputs), taps=tiles * taps, lines=tiles * lines, tiles=float(pixels * tiles)
        )
        return Work("cmsis_nn depthwise multiplied by 4" if tile == 4 else "cmsis_nn depthwise multiplied", counts)
    quads, rest = divmod(channels, 4)
    if conv.kernel == (3, 3) and conv.padding.top <= 1 and conv.padding.left <= 1:
        counts.update(
            quads=float(pixels * quads),
            quad_taps=quads * taps,
            quad_lines=quads * lines,
            rests=float(pixels * rest),
            rest_taps=rest * taps,
        )
        return Work("cmsis_nn depthwise 3x3", counts)
    kernel = conv.kernel[0] * conv.kernel[1]
    counts.update(
        quads=float(pixels * quads),
        quad_steps=float(pixels * quads * (kernel // 2)),
        quad_odd=float(pixels * quads * (kernel % 2)),
        rests=float(pixels * rest),
        rest_taps=float(pixels * rest * kernel),
        copies=taps,
        fills=float(rows.sum()) * len(columns) * conv.kernel[1] - taps,
        copied=taps * channels,
        filled=(pixels * kernel - taps) * channels,
    )
    return Work("cmsis_nn depthwise", counts)


SERVICE = Service(DepthwiseConv2D.kind, call, work)
