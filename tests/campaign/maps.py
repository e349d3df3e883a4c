"""Layers over maps, as networks for microcontrollers have them: windows, products, pools."""

from __future__ import annotations

from typing import Any

import numpy as np
from tflite_format import Options, Tensor

from tests.campaign.grower import ACTIVATIONS, CHANNELS, Grower

EDGES = (1, 1, 2, 3, 3, 3, 4, 5)


def window(net: Grower, dilates: bool = True) -> dict[str, Any]:
    """size, stride, padding, and dilation where there may be one; at least one output."""
    height, width = net.last.shape[1:3]
    padding = net.pick(("SAME", "VALID"))
    size = [net.pick(EDGES), net.pick(EDGES)]
    stride = [net.pick((1, 1, 1, 2, 3)), net.pick((1, 1, 1, 2, 3))]
    dilation = [1, 1]
    if dilates and net.chance(0.2):
        dilation, stride = [net.pick((1, 2, 3)), net.pick((1, 2, 3))], [1, 1]
    for number, extent in enumerate((height, width)):
        if (size[number] - 1) * dilation[number] + 1 > extent and padding == "VALID":
            size[number] = 1
    found = {"size": tuple(size), "stride": tuple(stride), "padding": padding}
    return {**found, "dilation": tuple(dilation)} if dilates else found


def conv2d(net: Grower) -> Tensor:
    """A convolution; pointwise and 3x3 ones most often."""
    place = window(net)
    if net.chance(0.3):
        place = {"size": (1, 1), "stride": (1, 1), "padding": "SAME", "dilation": (1, 1)}
    out, size = net.pick(CHANNELS), place.pop("size")
    weights = net.weights(out, *size, net.last.shape[3])
    return net.builder.conv2d(
        net.last, weights, **net.products(net.last, weights, 0), activation=net.pick(ACTIVATIONS), **place
    )


def square(net: Grower) -> Tensor:
    """A 3x3 convolution of even channels at stride 1, as most networks have them: what Winograd's kernels take."""
    x = net.last
    if x.shape[3] % 2:
        even = net.weights(x.shape[3] + 1, 1, 1, x.shape[3])
        x = net.builder.conv2d(x, even, **net.products(x, even, 0))
    padding = "SAME" if min(x.shape[1:3]) < 3 or net.chance(0.6) else "VALID"
    weights = net.weights(net.pick((2, 4, 8, 8, 16)), 3, 3, x.shape[3])
    made = net.products(x, weights, 0)
    return net.builder.conv2d(x, weights, **made, padding=padding, activation=net.pick(ACTIVATIONS))


def grouped(net: Grower) -> Tensor:
    """A convolution whose channels come in groups."""
    channels = net.last.shape[3]
    groups = max(count for count in (1, 2, 3, 4) if channels % count == 0)
    place = window(net, dilates=False)
    size = place.pop("size")
    weights = net.weights(groups * net.pick((1, 2, 3)), *size, channels // groups)
    return net.builder.conv2d(net.last, weights, **net.products(net.last, weights, 0), **place)


def depthwise_conv2d(net: Grower) -> Tensor:
    """A depthwise convolution, with several outputs a channel now and then."""
    place = window(net)
    size = place.pop("size")
    channels = net.last.shape[3] * (net.pick((1, 1, 1, 2, 3)) if net.last.shape[3] <= 8 else 1)
    weights = net.weights(1, *size, channels)
    return net.builder.depthwise_conv2d(
        net.last, weights, **net.products(net.last, weights, 3), activation=net.pick(ACTIVATIONS), **place
    )


def transpose_conv(net: Grower) -> Tensor:
    """A transposed convolution."""
    x, padding = net.last, net.pick(("SAME", "VALID"))
    kernel, stride = (net.pick((1, 2, 3)), net.pick((1, 2, 3))), (net.pick((1, 2)), net.pick((1, 2)))
    extent = [
        (size - 1) * step + (taps if padding == "VALID" else 1)
        for size, taps, step in zip(x.shape[1:3], kernel, stride)
    ]
    weights = net.weights(net.pick((1, 2, 5)), *kernel, x.shape[3])
    made = net.products(x, weights, 0)
    scales = np.broadcast_to(made["weight_scale"], (len(weights),))
    shape = (1, *extent, len(weights))
    inputs = [net.builder.numbers(shape), net.builder.tensor(weights.shape, scale=scales, data=weights), x]
    if net.chance(0.7):
        bias_scales = scales * np.float32(x.scale[0])
        inputs.append(net.builder.tensor((len(weights),), "int32", scale=bias_scales, data=made["bias"]))
    fields = {"Padding": int(padding == "VALID"), "StrideH": stride[0], "StrideW": stride[1]}
    result = net.builder.tensor(shape, scale=made["scale"], zero_point=made["zero_point"])
    net.builder.operator("TRANSPOSE_CONV", inputs, [result], Options("TransposeConvOptions", fields), version=3)
    return result


def max_pool2d(net: Grower) -> Tensor:
    """Also with windows over all of a map."""
    return _pool(net, "max_pool2d")


def average_pool2d(net: Grower) -> Tensor:
    """As `max_pool2d`."""
    return _pool(net, "average_pool2d")


def _pool(net: Grower, kind: str) -> Tensor:
    place = window(net, dilates=False)
    if net.chance(0.2):
        place = {"size": net.last.shape[1:3], "stride": (1, 1), "padding": "VALID"}
    made: Tensor = getattr(net.builder, kind)(net.last, activation=net.pick(ACTIVATIONS), **place)
    return made


def pad(net: Grower) -> Tensor:
    """Rows and columns around a map, in front of what reads it."""
    amounts = [(0, 0), *((net.pick((0, 1, 2)), net.pick((0, 1, 2))) for _ in range(2)), (0, 0)]
    return net.builder.pad(net.last, amounts)


def residual(net: Grower) -> Tensor:
    """A convolution that keeps the shape, and the sum of what went in and came out."""
    x = net.last
    weights = net.weights(x.shape[3], net.pick((1, 3)), net.pick((1, 3)), x.shape[3])
    y = net.builder.conv2d(x, weights, **net.products(x, weights, 0), activation=net.pick(ACTIVATIONS))
    pair = [x, y] if net.chance(0.5) else [y, x]
    scale = float(np.float32(max(x.scale[0], y.scale[0]) * net.pick((1.0, 2.0, 0.4))))
    return net.builder.add(*pair, scale=scale, zero_point=net.zero_point(), activation=net.pick(ACTIVATIONS))


def resize(net: Grower) -> Tensor:
    """By either method."""
    kind, options = net.pick(
        (("RESIZE_BILINEAR", "ResizeBilinearOptions"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"))
    )
    size = [net.pick((1, 3, 6, 9)), net.pick((1, 4, 5, 8))]
    corners = net.pick(((False, False), (True, False), (False, True)))
    flags = Options(options, {"AlignCorners": corners[0], "HalfPixelCenters": corners[1]})
    inputs = [net.last, net.builder.numbers(size)]
    return net.builder.layer(kind, inputs, (1, *size, net.last.shape[3]), options=flags)


def space_to_depth(net: Grower) -> Tensor:
    """Blocks of pixels become channels."""
    _, height, width, channels = net.last.shape
    block = max(count for count in (1, 2, 3) if height % count == 0 and width % count == 0)
    shape = (1, height // block, width // block, channels * block**2)
    options = Options("SpaceToDepthOptions", {"BlockSize": block})
    return net.builder.layer("SPACE_TO_DEPTH", [net.last], shape, options=options)


def depth_to_space(net: Grower) -> Tensor:
    """Channels become blocks of pixels."""
    _, height, width, channels = net.last.shape
    block = max(count for count in (1, 2, 3) if channels % count**2 == 0)
    shape = (1, height * block, width * block, channels // block**2)
    options = Options("DepthToSpaceOptions", {"BlockSize": block})
    return net.builder.layer("DEPTH_TO_SPACE", [net.last], shape, options=options)
