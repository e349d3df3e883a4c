"""What the operators' `read` have in common: options, activations, constants, multipliers, all checked.

Every function raises UnsupportedError with a reason and a hint when the file says something else than is supported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from approx_plugin.model.node import Node, ShapeError, UnsupportedError
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators.geometry import SAME, VALID, Window

FULL_INT8_HINT = (
    "quantise the model to full int8: tf.lite.TFLiteConverter with optimizations=[tf.lite.Optimize.DEFAULT], a "
    "representative_dataset, target_spec.supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8] and "
    "inference_input_type=inference_output_type=tf.int8"
)
REEXPORT_HINT = "export the model again with the TensorFlow Lite converter; this file is not consistent"

MAX_WINDOW = 256
"""Of a window that is larger than its input: all but a few of its taps would only ever see padding."""

NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
_REAL_LIMITS: dict[int, tuple[float, float]] = {
    NONE: (-math.inf, math.inf),
    RELU: (0.0, math.inf),
    RELU_N1_TO_1: (-1.0, 1.0),
    RELU6: (0.0, 6.0),
}
"""TFLite's number of a fused activation -> the real numbers that it passes."""


def option(node: Node, name: str) -> int:
    """An integer builtin option."""
    if name not in node.options:
        raise UnsupportedError(f"its option {name} is missing", REEXPORT_HINT)
    return int(node.options[name])


def activation(node: Node, position: int = 0, rank: int | None = None) -> Tensor:
    """The int8 per-tensor quantized activation at `position` of the inputs."""
    if position >= len(node.inputs) or node.inputs[position] is None:
        raise UnsupportedError(f"its input {position} is missing", REEXPORT_HINT)
    tensor = node.inputs[position]
    assert tensor is not None
    if tensor.data is not None:
        raise UnsupportedError(
            f'its input {position}, tensor "{tensor.name}", is a constant', "fold the constant into the layer before it"
        )
    return _checked_activation(tensor, rank)


def activation_or_constant(node: Node, position: int) -> Tensor:
    """The int8 per-tensor quantized tensor at `position` of the inputs, whether or not it is a constant."""
    tensor = operand(node, position)
    if tensor is None:
        raise UnsupportedError(f"its input {position} is missing", REEXPORT_HINT)
    return _checked_activation(tensor, None)


def output(node: Node, rank: int | None = None) -> Tensor:
    """The one int8 per-tensor quantized activation that comes out."""
    if len(node.outputs) != 1:
        raise UnsupportedError(f"it has {len(node.outputs)} outputs", "only operators with one output are supported")
    if node.outputs[0].data is not None:
        raise UnsupportedError("its output has constant data", REEXPORT_HINT)
    return _checked_activation(node.outputs[0], rank)


def operand(node: Node, position: int) -> Tensor | None:
    """The tensor at `position` of the inputs; None where it is missing."""
    return node.inputs[position] if position < len(node.inputs) else None


def integers(node: Node, position: int) -> list[int]:
    """The constant whole numbers at `position` of the inputs, in C order."""
    tensor = operand(node, position)
    if tensor is None:
        raise UnsupportedError(f"its input {position} is missing", REEXPORT_HINT)
    if tensor.data is None:
        raise UnsupportedError(
            f'its input {position}, tensor "{tensor.name}", is computed at run time',
            "only a constant is supported here",
        )
    if tensor.dtype not in ("int32", "int64", "int16", "int8", "uint8", "bool"):
        raise UnsupportedError(f'its input {position}, tensor "{tensor.name}", is {tensor.dtype}', REEXPORT_HINT)
    return [int(value) for value in tensor.data.reshape(-1).tolist()]


def axis(tensor: Tensor, number: int) -> int:
    """An axis of `tensor.own_shape`, counted from the front; negative numbers count from the back."""
    rank = len(tensor.own_shape)
    if not -rank <= number < rank:
        raise UnsupportedError(f"axis {number} of shape {list(tensor.own_shape)}", REEXPORT_HINT)
    return number % rank


def axes(tensor: Tensor, numbers: Sequence[int]) -> tuple[int, ...]:
    """Several axes, each once, as `axis`."""
    found = tuple(axis(tensor, number) for number in numbers)
    if len(set(found)) != len(found):
        raise UnsupportedError(f"axes {list(numbers)} name one axis twice", REEXPORT_HINT)
    return found


def own_shape(tensor: Tensor, expected: Sequence[int]) -> None:
    """Demand a shape of the output, as the file has it, that follows from the inputs."""
    if tensor.own_shape != tuple(expected):
        raise ShapeError(tensor.own_shape, tuple(int(extent) for extent in expected), REEXPORT_HINT)


def _checked_activation(tensor: Tensor, rank: int | None) -> Tensor:
    if tensor.dtype != "int8":
        raise UnsupportedError(f'activation "{tensor.name}" is {tensor.dtype}, not int8', FULL_INT8_HINT)
    quantization = tensor.quantization
    if quantization is None:
        raise UnsupportedError(f'activation "{tensor.name}" has no scale and zero point', FULL_INT8_HINT)
    if quantization.per_channel or len(quantization.scale) != 1:
        raise UnsupportedError(
            f'activation "{tensor.name}" has {len(quantization.scale)} scales',
            "activations need one scale for the tensor; only weights may have one a channel",
        )
    if tensor.element == "int8" and not -128 <= quantization.zero_point[0] <= 127:
        raise UnsupportedError(
            f'activation "{tensor.name}" has zero point {quantization.zero_point[0]}', "int8 needs -128 to 127"
        )
    if tensor.elements == 0:
        raise UnsupportedError(f'activation "{tensor.name}" has shape {list(tensor.shape)}: no elements', REEXPORT_HINT)
    if rank is not None and len(tensor.shape) != rank:
        raise UnsupportedError(
            f'activation "{tensor.name}" has shape {list(tensor.own_shape)}, not {rank} dimensions with a batch of 1',
            "use 2D layers with input [1, height, width, channels]",
        )
    return tensor


def same_quantization(node: Node, source: Tensor, result: Tensor) -> None:
    """Demand that an operator that only moves or compares values keeps scale and zero point."""
    if source.zero_point != result.zero_point or not math.isclose(source.scale, result.scale, rel_tol=1e-6):
        raise UnsupportedError(
            f"input (scale {source.scale:g}, zero point {source.zero_point}) and output (scale {result.scale:g}, "
            f"zero point {result.zero_point}) are quantized differently",
            f"{node.builtin} needs the same scale and zero point on both sides; " + REEXPORT_HINT,
        )


def same_shape(tensor: Tensor, expected: Sequence[int]) -> None:
    """Demand a shape of the output that follows from the inputs."""
    if tensor.shape != tuple(expected):
        raise ShapeError(tensor.shape, tuple(int(extent) for extent in expected), REEXPORT_HINT)


def weights(node: Node, shape: Sequence[int | None], channel_axis: int) -> tuple[Tensor, Int8Array]:
    """The constant int8 weights at input 1 and their tensor.

    shape: the expected extents, None where any will do. channel_axis: the axis that may have a scale a channel.
    The weights must be symmetric (zero point 0), as the TensorFlow Lite quantization specification has it.
    """
    tensor = node.inputs[1] if len(node.inputs) > 1 else None
    if tensor is None:
        raise UnsupportedError("its weights are missing", REEXPORT_HINT)
    if tensor.data is None:
        raise UnsupportedError(
            f'its weights "{tensor.name}" are computed at run time', "only constant weights are supported"
        )
    if tensor.dtype != "int8":
        raise UnsupportedError(f'its weights "{tensor.name}" are {tensor.dtype}, not int8', FULL_INT8_HINT)
    if len(tensor.shape) != len(shape) or any(e is not None and e != s for e, s in zip(shape, tensor.shape)):
        wanted = ", ".join("any" if extent is None else str(extent) for extent in shape)
        raise UnsupportedError(
            f'its weights "{tensor.name}" have shape {list(tensor.shape)}, expected [{wanted}]', REEXPORT_HINT
        )
    if tensor.elements == 0:
        raise UnsupportedError(f'its weights "{tensor.name}" have no elements', REEXPORT_HINT)
    quantization = tensor.quantization
    if quantization is None:
        raise UnsupportedError(f'its weights "{tensor.name}" have no scale', FULL_INT8_HINT)
    if any(quantization.zero_point):
        raise UnsupportedError(
            f'its weights "{tensor.name}" have a zero point other than 0',
            "quantise with symmetric int8 weights (TensorFlow 2.x converter, full int8)",
        )
    if quantization.axis is not None and (
        quantization.axis != channel_axis or len(quantization.scale) != tensor.shape[channel_axis]
    ):
        raise UnsupportedError(
            f'its weights "{tensor.name}" have {len(quantization.scale)} scales along dimension {quantization.axis}, '
            f"expected {tensor.shape[channel_axis]} along dimension {channel_axis}",
            REEXPORT_HINT,
        )
    return tensor, tensor.data


def bias(node: Node, channels: int) -> Int32Array:
    """The constant int32 bias [channels] at input 2, zeros where there is none."""
    tensor = node.inputs[2] if len(node.inputs) > 2 else None
    if tensor is None:
        return _read_only(np.zeros(channels, dtype=np.int32))
    if tensor.data is None:
        raise UnsupportedError(f'its bias "{tensor.name}" is computed at run time', "only a constant bias is supported")
    if tensor.dtype != "int32":
        raise UnsupportedError(f'its bias "{tensor.name}" is {tensor.dtype}, not int32', FULL_INT8_HINT)
    if tensor.elements != channels:
        raise UnsupportedError(
            f'its bias "{tensor.name}" has {tensor.elements} elements for {channels} output channels', REEXPORT_HINT
        )
    return _read_only(tensor.data.reshape(channels))


def _read_only(array: Int32Array) -> Int32Array:
    array.flags.writeable = False
    return array


def channel_multipliers(source: Tensor, filters: Tensor, result: Tensor, channels: int) -> tuple[Multiplier, ...]:
    """input_scale * weight_scale / output_scale of every output channel, in double precision.

    Source: TensorFlow Lite's PopulateConvolutionQuantizationParams (convolution, depthwise convolution).
    """
    assert filters.quantization is not None
    scales = filters.quantization.scale
    if len(scales) == 1:
        scales = scales * channels
    return tuple(checked_multiplier(source.scale * scale / result.scale) for scale in scales)


def checked_multiplier(real: float) -> Multiplier:
    """`real` as a Multiplier. Raises UnsupportedError where 32-bit fixed point does not reach."""
    if real >= 1 << 30:
        raise UnsupportedError(f"its scales give the multiplier {real:g}", REEXPORT_HINT)
    return quantize_multiplier(real)


def activation_limits(node: Node, result: Tensor) -> tuple[int, int]:
    """The fused activation as int8 limits of `result`.

    Source: TensorFlow Lite's CalculateActivationRangeQuantized: zero_point + round(limit / scale), in float32, halves
    away from zero, within int8.
    """
    number = option(node, "FusedActivationFunction")
    if number not in _REAL_LIMITS:
        name = {4: "TANH", 5: "SIGN_BIT"}.get(number, str(number))
        raise UnsupportedError(f"fused activation {name}", "use ReLU, ReLU6 or none")
    return quantized_limits(_REAL_LIMITS[number], result)


def quantized_limits(limits: tuple[float, float], result: Tensor) -> tuple[int, int]:
    """Real limits as int8 limits of `result`; see `activation_limits`."""
    low, high = (_quantized(limit, result) for limit in limits)
    return max(-128, low), min(127, high)


def _quantized(limit: float, tensor: Tensor) -> int:
    if math.isinf(limit):
        return -128 if limit < 0 else 127
    # Beyond 1000 the limit is clamped to int8 anyway; a tiny scale must not overflow the conversion.
    with np.errstate(over="ignore"):
        ratio = float(np.float32(limit) / np.float32(tensor.scale))
    steps = math.floor(min(abs(ratio), 1000.0) + 0.5)
    return tensor.zero_point + (steps if ratio >= 0 else -steps)


def window(node: Node, extent: tuple[int, int], kernel: tuple[int, int]) -> Window:
    """The sliding window of a convolution or pooling over an input of `extent` (height, width)."""
    scheme = option(node, "Padding")
    stride = (option(node, "StrideH"), option(node, "StrideW"))
    if scheme not in (SAME, VALID):
        raise UnsupportedError(f"padding scheme {scheme}", 'use "same" or "valid"')
    if min(stride) < 1 or min(kernel) < 1:
        raise UnsupportedError(f"stride {list(stride)} with window {list(kernel)}", REEXPORT_HINT)
    given = (int(node.options.get("DilationHFactor", 1)), int(node.options.get("DilationWFactor", 1)))
    if min(given) < 1:
        raise UnsupportedError(f"dilation {given[0]}x{given[1]}", REEXPORT_HINT)
    # Along an axis with one tap, dilation has no effect.
    dilation = (given[0] if kernel[0] > 1 else 1, given[1] if kernel[1] > 1 else 1)
    if any(window > max(size, MAX_WINDOW) for window, size in zip(kernel, extent)):
        raise UnsupportedError(
            f"window {list(kernel)} is far larger than its input {list(extent)}", "use a smaller window"
        )
    resolved = Window.resolve(scheme, extent, kernel, stride, dilation)
    if min(resolved.output) < 1:
        raise UnsupportedError(f"window {list(kernel)} does not fit into its input {list(extent)}", REEXPORT_HINT)
    return resolved
