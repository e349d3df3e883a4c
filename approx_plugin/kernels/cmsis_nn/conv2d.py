"""CONV_2D: `arm_convolve_wrapper_s8`."""

from __future__ import annotations

from approx_plugin.kernels.cmsis_nn import c_text
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant, Service
from approx_plugin.kernels.cmsis_nn.counting import CHANNEL_BYTES, Counts, inside, missed, streamed, unaligned_rows
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.operators.conv2d import Conv2D


def call(conv: Conv2D) -> CmsisCall:
    """`arm_convolve_wrapper_s8`.

    The library needs two im2col rows of int16, each rounded up to a multiple of 4 elements, except for 1x1 kernels
    without padding. (Arm Compiler 6, which CubeIDE does not use, would need a row for those as well; the check of
    the verification build would say so.)
    """
    height, width, channels = conv.input_shape
    kernel_h, kernel_w = conv.kernel
    params = c_text.fields(
        input_offset=-conv.input_zero_point,
        output_offset=conv.output_zero_point,
        stride=c_text.tile(conv.stride),
        padding=c_text.tile((conv.padding.top, conv.padding.left)),
        dilation=c_text.tile(conv.dilation),
        activation=c_text.limits(conv.activation_min, conv.activation_max),
    )
    input_dims = c_text.dims((1, height, width, channels))
    filter_dims = c_text.dims((conv.out_channels, kernel_h, kernel_w, conv.in_channels))
    output_dims = c_text.dims((1, *conv.output_shape))
    row = (kernel_h * kernel_w * channels + 3) // 4 * 4
    return CmsisCall(
        functions=("arm_convolve_wrapper_s8", "arm_convolve_wrapper_s8_get_buffer_size"),
        constants=(
            Constant("weights", conv.weights),
            Constant("bias", conv.bias),
            *c_text.requantisation(conv.multipliers),
        ),
        body=c_text.body(
            (
                c_text.declare("cmsis_nn_conv_params", "conv_params", params),
                c_text.declare("cmsis_nn_dims", "input_dims", input_dims),
                c_text.declare("cmsis_nn_dims", "filter_dims", filter_dims),
                c_text.declare("cmsis_nn_dims", "bias_dims", c_text.dims((1, 1, 1, conv.out_channels))),
                c_text.declare("cmsis_nn_dims", "output_dims", output_dims),
            ),
            "const cmsis_nn_per_channel_quant_params quant_params = "
            "{{.multiplier = (int32_t *){multipliers}, .shift = (int32_t *){shifts}}};\n"
            "return (int32_t)arm_convolve_wrapper_s8(context, &conv_params, &quant_params, &input_dims, input, "
            "&filter_dims, {weights}, &bias_dims, {bias}, &output_dims, output);",
        ),
        context_bytes=0 if _is_pointwise(conv) else 2 * row * 2,
        context_size=f"arm_convolve_wrapper_s8_get_buffer_size({c_text.address('cmsis_nn_conv_params', params)}, "
        f"{c_text.address('cmsis_nn_dims', input_dims)}, {c_text.address('cmsis_nn_dims', filter_dims)}, "
        f"{c_text.address('cmsis_nn_dims', output_dims)})",
    )


def _is_pointwise(conv: Conv2D) -> bool:
    """Whether the library takes its matrix product for 1x1 kernels without padding."""
    return conv.kernel == (1, 1) and conv.padding.top == 0 and conv.padding.left == 0 and conv.groups == 1


def _pointwise(conv: Conv2D, memories: Memories) -> Work:
    """1x1 without padding: one matrix product, or one for each row of the output if the stride is not 1."""
    height, width, outputs = conv.output_shape
    strided = conv.stride != (1, 1)
    calls, pixels = (height, width) if strided else (1, height * width)
    depth = conv.in_channels
    row_pairs, pixel_pairs, single = outputs // 2, pixels // 2, pixels % 2
    blocks, remaining = divmod(depth, 16)
    steps, rest = divmod(remaining, 4)
    counts: Counts = {
        "call": 1.0,
        "calls": float(calls),
        "sums": float(calls * row_pairs * depth),
        "row_pairs": float(calls * row_pairs),
        "tiles": float(calls * row_pairs * pixel_pairs),
        "mixed_tiles": float(calls * row_pairs * pixel_pairs if blocks and remaining else 0),
        "blocks": float(calls * row_pairs * pixel_pairs * blocks),
        "steps": float(calls * row_pairs * pixel_pairs * steps),
        "rests": float(calls * row_pairs * pixel_pairs * rest),
        "unaligned": float(calls * row_pairs * pixel_pairs * (depth // 4) if depth % 4 else 0),
        "single_tiles": float(calls * row_pairs * single),
        "single_steps": float(calls * row_pairs * single * (blocks * 4 + steps + rest)),
        "odd_products": float(calls * (outputs % 2) * pixels * depth),
        "flash_bytes": calls * row_pairs * missed(memories, 2 * (depth + CHANNEL_BYTES), pixel_pairs + single),
        "ram_bytes": streamed(conv, memories) * (1 if strided else row_pairs + outputs % 2),
    }
    return Work("cmsis_nn pointwise", counts)


def work(conv: Conv2D, memories: Memories) -> Work:
    """The counts of the library\'s loops."""
    if _is_pointwise(conv):
        return _pointwise(conv, memories)
    kernel_h, kernel_w = conv.kernel
    height, width, outputs = conv.output_shape
    pixels, depth = height * width, kernel_h * kernel_w * conv.in_channels
    pairs, single = divmod(pixels, 2)
    steps, rest = divmod(depth, 4)
    taps = int(inside(conv.window, conv.input_shape[:2]))
    rows = outputs // 2
    unaligned = unaligned_rows(outputs, depth)
    counts: Counts = {
        "call": 1.0,
        "steps": float(pairs * rows * steps),
        "rests": float(pairs * rows * rest),
        "single_steps": float(pairs * (outputs % 2) * (steps + rest) + single * outputs * (steps + rest)),
        "unaligned": float((pairs + single) * unaligned * steps),
        "outputs": float(pixels * outputs),
        "row_pairs": float(pairs * rows),
        "pixels": float(pixels),
        "taps": float(pixels * kernel_h * kernel_w),
        "copied": float(taps * conv.in_channels),
        "filled": float((pixels * kernel_h * kernel_w - taps) * conv.in_channels),
        "widened": float(pixels * (depth // 4)),
        "widened_rest": float(pixels * (depth % 4)),
        "flash_bytes": missed(memories, conv.weights.size + CHANNEL_BYTES * outputs, pairs + single),
        "ram_bytes": streamed(conv, memories),
    }
    return Work("cmsis_nn convolution", counts)


SERVICE = Service(Conv2D.kind, call, work)
