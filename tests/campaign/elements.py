"""Layers over tensors of any rank: element by element, moved about, joined, reduced."""

from __future__ import annotations

import numpy as np
from tflite_format import Options, Tensor

from tests.campaign.grower import ACTIVATIONS, Grower

ACTIVATED = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}
FUNCTIONS = ("RELU", "RELU6", "RELU_N1_TO_1", "QUANTIZE", "LEAKY_RELU", "HARD_SWISH", "ABS", "LOGISTIC", "TANH", "GELU")


def function(net: Grower) -> Tensor:
    """A function of one element."""
    kind, x = net.pick(FUNCTIONS), net.last
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
    options = {
        "LEAKY_RELU": Options("LeakyReluOptions", {"Alpha": net.pick((0.0, 0.01, 0.3, 1.5))}),
        "GELU": Options("GeluOptions", {"Approximate": net.chance(0.5)}),
    }
    if kind in fixed:
        scale, zero_point = fixed[kind]
        return net.builder.layer(kind, [x], x.shape, scale=scale, zero_point=zero_point, options=options.get(kind))
    return net.builder.layer(kind, [x], x.shape, **net.result(x), options=options.get(kind))


def binary(net: Grower) -> Tensor:
    """With a constant, a number, the same tensor, or an earlier one of the same shape."""
    kind, x = net.pick(("ADD", "ADD", "SUB", "MUL", "MUL", "MAXIMUM", "MINIMUM", "PRELU")), net.last
    alike = kind in ("MAXIMUM", "MINIMUM")
    partners = [tensor for tensor in net.others if tensor.shape == x.shape and not alike]
    if partners and kind != "PRELU" and net.chance(0.6):
        other = net.pick(partners)
    elif kind != "PRELU" and net.chance(0.15):
        other = x
    else:
        shape = tuple(net.pick((extent, 1)) for extent in x.shape) if net.chance(0.8) else ()
        if shape and net.chance(0.5):
            shape = shape[int(net.rng.integers(len(shape))) :]
        if kind == "PRELU":
            shape = (1,) * (len(x.shape) - 2) + (x.shape[-1],)
        data = net.int8(*shape) if shape else np.array(net.pick((-128, 127, 5)), np.int8)
        scale = x.scale[0] if alike else float(np.float32(x.scale[0] * net.pick((1.0, 0.2, 4.0))))
        zero_point = x.zero_point[0] if alike else net.zero_point()
        other = net.builder.tensor(shape, scale=scale, zero_point=zero_point, data=data)
    pair = [x, other] if kind == "PRELU" or net.chance(0.6) else [other, x]
    if alike:
        return net.builder.layer(kind, pair, x.shape, scale=x.scale[0], zero_point=x.zero_point[0])
    fused = None
    if kind in ACTIVATED:
        number = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6").index(net.pick(ACTIVATIONS))
        fused = Options(ACTIVATED[kind], {"FusedActivationFunction": number})
    spread = x.scale[0] * other.scale[0] * 100 if kind in ("MUL", "PRELU") else max(x.scale[0], other.scale[0])
    scale = float(np.float32(spread * net.pick((1.0, 2.0, 0.3))))
    return net.builder.layer(kind, pair, x.shape, scale=scale, zero_point=net.zero_point(), options=fused)


def softmax(net: Grower) -> Tensor:
    """Over the last axis."""
    return net.builder.softmax(net.last, beta=net.pick((1.0, 1.0, 0.5, 2.0)))


def reduction(net: Grower) -> Tensor:
    """Over some of the axes behind the batch."""
    kind, x = net.pick(("MEAN", "MEAN", "REDUCE_MAX", "REDUCE_MIN")), net.last
    axes = [axis for axis in range(1, len(x.shape)) if net.chance(0.5)] or [len(x.shape) - 1]
    keep = net.chance(0.5)
    shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape) if keep or axis not in axes]
    result = net.result(x, (1.0, 0.8, 0.3)) if kind == "MEAN" else {}
    options = Options("ReducerOptions", {"KeepDims": keep})
    return net.builder.layer(kind, [x, net.builder.numbers(axes)], shape, **result, options=options)


def transpose(net: Grower) -> Tensor:
    """All axes but the batch change places."""
    order = [0, *(1 + net.rng.permutation(len(net.last.shape) - 1))]
    shape = [net.last.shape[axis] for axis in order]
    return net.builder.layer("TRANSPOSE", [net.last, net.builder.numbers(order)], shape)


def reshape(net: Grower) -> Tensor:
    """Flat, or with two axes exchanged in the shape alone."""
    shape = net.last.shape
    flat = (1, int(np.prod(shape)))
    return net.builder.reshape(net.last, flat if net.chance(0.5) else (1, *shape[:0:-1]))


def strided_slice(net: Grower) -> Tensor:
    """Every so many elements, forwards and backwards."""
    begin, end, step, shape, mask = [0], [1], [1], [1], 0
    for axis, extent in enumerate(net.last.shape[1:], 1):
        stride = net.pick((1, 1, 2, 3, -1))
        first = int(net.rng.integers(extent)) if stride > 0 and net.chance(0.5) else 0
        begin.append(first if stride > 0 else extent - 1)
        end.append(extent if stride > 0 else 0)
        mask |= (stride < 0) << axis
        step.append(stride)
        shape.append(len(range(first, extent, abs(stride))))
    places = [net.builder.numbers(values) for values in (begin, end, step)]
    options = Options("StridedSliceOptions", {"EndMask": mask})
    return net.builder.layer("STRIDED_SLICE", [net.last, *places], shape, options=options)


def concatenation(net: Grower) -> Tensor:
    """A tensor with itself, with a constant, and through another layer with its own quantization."""
    x = net.last
    axis = int(net.rng.integers(1, len(x.shape)))
    parts = [x] * net.pick((1, 2))
    for _ in range(net.pick((1, 2))):
        if net.chance(0.5):
            shape = (*x.shape[:axis], net.pick((1, 2, 3)), *x.shape[axis + 1 :])
            parts.append(net.builder.tensor(shape, scale=x.scale[0], zero_point=x.zero_point[0], data=net.int8(*shape)))
        else:
            parts.append(net.builder.layer("RELU", [x], x.shape))
    order = net.rng.permutation(len(parts))
    shape = (*x.shape[:axis], sum(part.shape[axis] for part in parts), *x.shape[axis + 1 :])
    options = Options("ConcatenationOptions", {"Axis": axis})
    return net.builder.layer("CONCATENATION", [parts[place] for place in order], shape, options=options)


def split(net: Grower) -> Tensor:
    """Two halves, exchanged."""
    x = net.last
    axes = [axis for axis, extent in enumerate(x.shape) if extent % 2 == 0]
    if not axes:
        return gather(net)
    axis = net.pick(axes)
    shape = (*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1 :])
    parts = [net.builder.tensor(shape, scale=x.scale[0], zero_point=x.zero_point[0]) for _ in range(2)]
    options = Options("SplitOptions", {"NumSplits": 2})
    net.builder.operator("SPLIT", [net.builder.numbers(np.array(axis)), x], parts, options)
    turned = Options("ConcatenationOptions", {"Axis": axis})
    return net.builder.layer("CONCATENATION", parts[::-1], x.shape, options=turned)


def gather(net: Grower) -> Tensor:
    """Some places of an axis, in any order, some of them twice."""
    x = net.last
    axis = int(net.rng.integers(1, len(x.shape)))
    places = net.rng.integers(x.shape[axis], size=net.pick((1, 2, 4, 7))).tolist()
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    options = Options("GatherOptions", {"Axis": axis})
    return net.builder.layer("GATHER", [x, net.builder.numbers(places)], shape, options=options)


def tile(net: Grower) -> Tensor:
    """Repeated along the axes."""
    times = [1, *(net.pick((1, 1, 2, 3)) for _ in net.last.shape[1:])]
    shape = [extent * count for extent, count in zip(net.last.shape, times)]
    return net.builder.layer("TILE", [net.last, net.builder.numbers(times)], shape)


def reverse(net: Grower) -> Tensor:
    """Along one axis."""
    axis = int(net.rng.integers(1, len(net.last.shape)))
    return net.builder.layer("REVERSE_V2", [net.last, net.builder.numbers([axis])], net.last.shape)


def padded(net: Grower) -> Tensor:
    """PADV2 and MIRROR_PAD, along all axes but the batch."""
    x, kind = net.last, net.pick(("PADV2", "MIRROR_PAD"))
    mirrored = kind == "MIRROR_PAD"
    pairs = [(net.pick((0, 1)), net.pick((0, 1))) if extent > 1 else (0, 0) for extent in x.shape[1:]]
    amounts = [(0, 0), *pairs]
    inputs = [x, net.builder.numbers(np.array(amounts))]
    options = Options("MirrorPadOptions", {"Mode": net.pick((0, 1))}) if mirrored else None
    if not mirrored:
        value = np.array(net.pick((-128, 127, 3)), np.int8)
        inputs.append(net.builder.tensor((), scale=x.scale[0], zero_point=x.zero_point[0], data=value))
    shape = [extent + sum(pair) for extent, pair in zip(x.shape, amounts)]
    return net.builder.layer(kind, inputs, shape, options=options)


def fully_connected(net: Grower) -> Tensor:
    """Of everything, or of each row."""
    x = net.last
    rows = net.chance(0.3)
    inputs = x.shape[-1] if rows else int(np.prod(x.shape))
    weights = net.weights(net.pick((1, 2, 3, 5, 10, 17)), inputs)
    made = net.products(x, weights, 0)
    if not rows or len(x.shape) == 2:
        return net.builder.fully_connected(x, weights, **made, activation=net.pick(ACTIVATIONS))
    y = net.builder.fully_connected(x, weights, **made)
    return net.builder.reshape(y, (*x.shape[:-1], len(weights)))
