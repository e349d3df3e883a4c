"""`approx_transpose_conv_s8`: TRANSPOSE_CONV."""

from __future__ import annotations

from approx_plugin.kernels.c_lines import array
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted, factor, structure
from approx_plugin.operators.transpose_conv import TransposeConv


def call(operator: TransposeConv, symbol: str) -> RuntimeCall:
    """Weights and bias as in the file, a factor for each channel."""
    _, height, width, in_channels = operator.inputs[0].shape
    channels, kernel_h, kernel_w, _ = operator.weights.shape
    shape = structure(
        "approx_transposed",
        f"{symbol}_shape",
        input_height=height,
        input_width=width,
        input_channels=in_channels,
        kernel_height=kernel_h,
        kernel_width=kernel_w,
        stride_down=operator.stride[0],
        stride_across=operator.stride[1],
        top=operator.crop[0],
        left=operator.crop[1],
        height=operator.output.shape[1],
        width=operator.output.shape[2],
        channels=channels,
        input_offset=-operator.inputs[0].zero_point,
        zero_point=operator.output.zero_point,
        minimum=operator.activation_min,
        maximum=operator.activation_max,
    )
    texts = [factor(multiplier) for multiplier in operator.multipliers]
    factors = f"static const approx_factor {symbol}_factors[{channels}] = {{\n{array(texts)}\n}};\n"
    weights, bias = (constant(f"{symbol}_{name}", getattr(operator, name)) for name in ("weights", "bias"))
    arguments = f"&{symbol}_shape, {symbol}_weights, {symbol}_bias, {symbol}_factors, input, output"
    return RuntimeCall(
        (f"approx_transpose_conv_s8({arguments});",),
        (shape, weights, bias, factors),
        operator.parameter_bytes + 8 * channels + 64,
    )


def work(operator: TransposeConv, memories: Memories) -> Work:
    """Every product once."""
    return counted(
        "runtime transposed convolution",
        {"call": 1, "outputs": operator.output.elements, "products": operator.macs},
    )


SERVICE = Service(TransposeConv, call, work)
