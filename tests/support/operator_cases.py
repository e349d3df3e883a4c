"""Random networks of one operator: all kinds that `layer_cases` does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
from hypothesis import strategies as st
from layer_cases import ACTIVATIONS, Case, _int8, _numbers, _product_layer, _scale, _zero_point
from recurrent_cases import RECURRENT
from tflite_format import Options
from tflite_writer import ModelBuilder, _activation

Draw = Any


def _case(builder: ModelBuilder, draw: Draw, shape: Sequence[int]) -> Case:
    content = builder.build()
    return Case(content, _int8(_numbers(draw), 3, *shape[1:]), None, content)


def _shape(draw: Draw, least: int = 1, most: int = 4, rank: tuple[int, int] = (2, 4)) -> tuple[int, ...]:
    return (1, *(draw(st.integers(least, most)) for _ in range(draw(st.integers(*rank)) - 1)))


def _wide_scale(draw: Draw) -> float:
    """Ordinary scales mostly, extreme ones sometimes."""
    return float(np.float32(draw(st.floats(0.001, 0.5) | st.sampled_from((1e-6, 1e-3, 1.0, 100.0, 1e6)))))


# ---- one input, element by element


@st.composite
def unary(draw: Draw, builtin: str, options: Callable[[Draw], Options | None] = lambda draw: None) -> Case:
    builder, shape = ModelBuilder(), _shape(draw)
    x = builder.input(shape, _wide_scale(draw), _zero_point(draw))
    scale, zero_point = draw(st.just(x.scale[0]) | st.just(None)), _zero_point(draw)
    y = builder.layer(
        builtin, [x], shape, scale=scale or _wide_scale(draw), zero_point=zero_point, options=options(draw)
    )
    builder.output(y)
    content = builder.build()
    every = np.resize(np.arange(-128, 128), (-(-256 // int(np.prod(shape))), *shape[1:])).astype(np.int8)
    return Case(content, every, None, content)


@st.composite
def smooth(draw: Draw, builtin: str, options: Callable[[Draw], Options | None] = lambda draw: None) -> Case:
    """Functions with a fixed output quantization, or any."""
    builder, shape = ModelBuilder(), (1, 16)
    # exp leaves what TensorFlow Lite's kernel converts to int32 soon.
    most = 0.03 if builtin == "EXP" else 0.2
    x = builder.input(shape, float(np.float32(draw(st.floats(0.001, most)))), _zero_point(draw))
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(builtin)
    scale, zero_point = fixed or (_scale(draw), _zero_point(draw))
    builder.output(builder.layer(builtin, [x], shape, scale=scale, zero_point=zero_point, options=options(draw)))
    content = builder.build()
    return Case(content, np.arange(-128, 128).reshape(16, 16).astype(np.int8), None, content)


def _alpha(draw: Draw) -> Options:
    return Options("LeakyReluOptions", {"Alpha": draw(st.sampled_from((0.0, 0.01, 0.1, 0.3, 1.0, 1.5)))})


def _approximate(draw: Draw) -> Options:
    return Options("GeluOptions", {"Approximate": draw(st.booleans())})


# ---- two operands


_ACTIVATED = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}


@st.composite
def binary(draw: Draw, builtin: str) -> Case:
    """Constants, other activations and the same one twice, with axes of length 1 on either side."""
    builder = ModelBuilder()
    full = (1, *(draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3)))))
    form = draw(st.sampled_from(("constant", "number", "activation", "twice")))
    one_scale = builtin in ("MAXIMUM", "MINIMUM")
    scale, zero_point = _wide_scale(draw), _zero_point(draw)
    shrinks = form == "constant" and builtin != "PRELU"
    source_shape = tuple(draw(st.sampled_from((extent, 1))) if shrinks else extent for extent in full)
    x = builder.input(source_shape, scale, zero_point)
    other_scale, other_zero = scale, zero_point
    if not one_scale:
        other_scale, other_zero = draw(st.just(scale) | st.just(None)), _zero_point(draw)
        other_scale = other_scale or _wide_scale(draw)
    if form in ("constant", "number"):
        shape = () if form == "number" else tuple(draw(st.sampled_from((extent, 1))) for extent in full)
        if form == "constant" and draw(st.booleans()):
            shape = shape[draw(st.integers(0, len(shape) - 1)) :]
        data = _int8(_numbers(draw), *shape) if shape else np.array(draw(st.integers(-128, 127)), np.int8)
        other = builder.tensor(shape, scale=other_scale, zero_point=other_zero, data=data)
        result_shape = np.broadcast_shapes(source_shape, shape)
    elif form == "activation":
        # The largest elements of the input along the axes that become 1.
        axes = sorted(draw(st.sets(st.integers(1, len(full) - 1))))
        pooled = tuple(1 if axis in axes else extent for axis, extent in enumerate(full))
        other = x
        if axes:
            options = Options("ReducerOptions", {"KeepDims": True})
            other = builder.layer("REDUCE_MAX", [x, builder.numbers(axes)], pooled, options=options)
        if not one_scale:
            other = builder.layer("QUANTIZE", [other], pooled, scale=other_scale, zero_point=other_zero)
        result_shape = full
    else:
        other, result_shape = x, full
    pair = [x, other] if builtin == "PRELU" or draw(st.booleans()) else [other, x]
    fused = None
    if builtin in _ACTIVATED:
        activation = _activation(draw(st.sampled_from(ACTIVATIONS)))
        fused = Options(_ACTIVATED[builtin], {"FusedActivationFunction": activation})
    if builtin == "MUL":
        spread = scale * other_scale * draw(st.sampled_from((20.0, 100.0, 1.0)))
    else:
        spread = max(scale, other_scale) * draw(st.sampled_from((1.0, 2.0, 0.3)))
    result = (scale, zero_point) if one_scale else (float(np.float32(spread)), _zero_point(draw))
    y = builder.layer(builtin, pair, result_shape, scale=result[0], zero_point=result[1], options=fused)
    builder.output(y)
    return _case(builder, draw, source_shape)


# ---- reductions


@st.composite
def reduction(draw: Draw, builtin: str) -> Case:
    builder = ModelBuilder()
    shape = _shape(draw, most=7)
    axes = sorted(draw(st.sets(st.integers(1, len(shape) - 1), min_size=1)))
    keep = draw(st.booleans())
    same = builtin in ("REDUCE_MAX", "REDUCE_MIN")
    x = builder.input(shape, _wide_scale(draw), _zero_point(draw))
    pooled = [1 if axis in axes else extent for axis, extent in enumerate(shape) if keep or axis not in axes]
    listed = [axis - len(shape) if draw(st.booleans()) else axis for axis in axes]
    scale = None if same else float(np.float32(x.scale[0] * draw(st.sampled_from((0.25, 0.9, 1.0, 3.0)))))
    if builtin == "SUM":
        scale = float(np.float32(x.scale[0] * 1.7))
    zero_point = None if same else _zero_point(draw)
    options = Options("ReducerOptions", {"KeepDims": keep})
    inputs = [x, builder.numbers(listed)]
    builder.output(builder.layer(builtin, inputs, pooled, scale=scale, zero_point=zero_point, options=options))
    return _case(builder, draw, shape)


# ---- movements


@st.composite
def transpose(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, rank=(3, 5))
    order = [0, *draw(st.permutations(range(1, len(shape))))]
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    builder.output(builder.layer("TRANSPOSE", [x, builder.numbers(order)], [shape[axis] for axis in order]))
    return _case(builder, draw, shape)


@st.composite
def strided_slice(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=6)
    begin, end, step, result = [0], [1], [1], [1]
    masks = dict.fromkeys(("BeginMask", "EndMask", "ShrinkAxisMask"), 0)
    for axis, extent in enumerate(shape[1:], 1):
        stride = draw(st.sampled_from((1, 2, -1, 3)))
        first, last = sorted(draw(st.tuples(st.integers(0, extent), st.integers(0, extent))))
        if first == last:
            first, last = 0, extent
        if stride < 0:
            masks["EndMask"] |= (first == 0) << axis
            first, last = last - 1, first - 1
            count = len(range(first, last, stride))
        elif draw(st.booleans()):
            masks["BeginMask"] |= 1 << axis
            masks["EndMask"] |= 1 << axis
            count = len(range(0, extent, stride))
        else:
            count = len(range(first, last, stride))
        begin.append(first)
        end.append(last if last >= 0 else 0)
        step.append(stride)
        result.append(count)
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    inputs = [x, *(builder.numbers(values) for values in (begin, end, step))]
    builder.output(builder.layer("STRIDED_SLICE", inputs, result, options=Options("StridedSliceOptions", masks)))
    return _case(builder, draw, shape)


@st.composite
def slice_(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=6)
    begin = [0, *(draw(st.integers(0, extent - 1)) for extent in shape[1:])]
    left = [extent - first for extent, first in zip(shape, begin)]
    size = [draw(st.just(-1) | st.integers(1, rest)) for rest in left]
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    result = [rest if count == -1 else count for rest, count in zip(left, size)]
    builder.output(builder.layer("SLICE", [x, builder.numbers(begin), builder.numbers(size)], result))
    return _case(builder, draw, shape)


@st.composite
def split(draw: Draw) -> Case:
    """Parts of an axis, put together again in another order."""
    builder, shape = ModelBuilder(), list(_shape(draw, most=4))
    axis = draw(st.integers(1, len(shape) - 1))
    parts = draw(st.integers(1, 3))
    shape[axis] *= parts
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    extent = shape[axis] // parts
    form = draw(st.sampled_from(("SPLIT", "SPLIT_V", "UNPACK")))
    sizes = [extent] * parts
    if form == "SPLIT_V" and extent > 1 and parts > 1:
        sizes[0], sizes[1] = sizes[0] - 1, sizes[1] + 1
    if form == "UNPACK":
        sizes = [1] * shape[axis]
    shapes = [[*shape[:axis], *([] if form == "UNPACK" else [size]), *shape[axis + 1 :]] for size in sizes]
    outputs = [builder.tensor(part, scale=x.scale[0], zero_point=x.zero_point[0]) for part in shapes]
    if form == "SPLIT":
        builder.operator(form, [builder.numbers(axis), x], outputs, Options("SplitOptions", {"NumSplits": parts}))
    elif form == "SPLIT_V":
        given = [x, builder.numbers([*sizes[:-1], -1] if draw(st.booleans()) else sizes), builder.numbers(axis)]
        builder.operator(form, given, outputs, Options("SplitVOptions", {"NumSplits": parts}))
    else:
        builder.operator(form, [x], outputs, Options("UnpackOptions", {"Num": len(sizes), "Axis": axis}))
    turned = outputs[::-1]
    if form == "UNPACK":
        packed = [len(turned), *shapes[0]]
        options = Options("PackOptions", {"ValuesCount": len(turned), "Axis": 1})
        builder.output(builder.layer("PACK", turned, [packed[1], packed[0], *packed[2:]], options=options))
    else:
        options = Options("ConcatenationOptions", {"Axis": axis - len(shape)})
        builder.output(builder.layer("CONCATENATION", turned, shape, options=options))
    return _case(builder, draw, shape)


@st.composite
def concatenation(draw: Draw) -> Case:
    """An activation, itself and a constant."""
    builder, shape = ModelBuilder(), _shape(draw)
    axis = draw(st.integers(1, len(shape) - 1))
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    parts = [x] * draw(st.integers(1, 3))
    extents = [shape[axis]] * len(parts)
    if draw(st.booleans()):
        extra = (*shape[:axis], draw(st.integers(1, 5)), *shape[axis + 1 :])
        data = _int8(_numbers(draw), *extra)
        constant = builder.tensor(extra, scale=x.scale[0], zero_point=x.zero_point[0], data=data)
        place = draw(st.integers(0, len(parts)))
        parts.insert(place, constant)
        extents.insert(place, extra[axis])
    result = (*shape[:axis], sum(extents), *shape[axis + 1 :])
    builder.output(
        builder.layer("CONCATENATION", parts, result, options=Options("ConcatenationOptions", {"Axis": axis}))
    )
    return _case(builder, draw, shape)


@st.composite
def gather(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=5)
    axis = draw(st.integers(1, len(shape) - 1))
    places = draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=7))
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    result = (*shape[:axis], len(places), *shape[axis + 1 :])
    inputs = [x, builder.numbers(places)]
    builder.output(builder.layer("GATHER", inputs, result, options=Options("GatherOptions", {"Axis": axis})))
    return _case(builder, draw, shape)


@st.composite
def tile(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw)
    times = [1, *(draw(st.integers(1, 3)) for _ in shape[1:])]
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    result = [extent * count for extent, count in zip(shape, times)]
    builder.output(builder.layer("TILE", [x, builder.numbers(times)], result))
    return _case(builder, draw, shape)


@st.composite
def reverse(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, rank=(3, 4))
    axis = draw(st.integers(1, len(shape) - 1))
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    builder.output(builder.layer("REVERSE_V2", [x, builder.numbers([axis])], shape))
    return _case(builder, draw, shape)


@st.composite
def broadcast_to(draw: Draw) -> Case:
    builder, full = ModelBuilder(), _shape(draw, rank=(3, 4))
    shape = (1, *(draw(st.sampled_from((1, extent))) for extent in full[1:]))
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    builder.output(builder.layer("BROADCAST_TO", [x, builder.numbers(full)], full))
    return _case(builder, draw, shape)


@st.composite
def padding(draw: Draw, builtin: str) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, least=2, rank=(2, 4))
    most = 3 if builtin != "MIRROR_PAD" else 1
    amounts = [(0, 0), *((draw(st.integers(0, most)), draw(st.integers(0, most))) for _ in shape[1:])]
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    inputs, options = [x, builder.numbers(np.array(amounts))], None
    if builtin == "PADV2":
        value = np.array(draw(st.integers(-128, 127)), np.int8)
        inputs.append(builder.tensor((), scale=x.scale[0], zero_point=x.zero_point[0], data=value))
    if builtin == "MIRROR_PAD":
        options = Options("MirrorPadOptions", {"Mode": draw(st.integers(0, 1))})
    result = [extent + sum(pair) for extent, pair in zip(shape, amounts)]
    builder.output(builder.layer(builtin, inputs, result, options=options))
    return _case(builder, draw, shape)


@st.composite
def resize(draw: Draw, builtin: str) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=5, rank=(4, 4))
    size = [draw(st.integers(1, 9)), draw(st.integers(1, 9))]
    flags = draw(st.sampled_from(((False, False), (True, False), (False, True))))
    names = {"RESIZE_BILINEAR": "ResizeBilinearOptions"}
    options = Options(
        names.get(builtin, "ResizeNearestNeighborOptions"), {"AlignCorners": flags[0], "HalfPixelCenters": flags[1]}
    )
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    inputs = [x, builder.numbers(size)]
    builder.output(builder.layer(builtin, inputs, (1, *size, shape[3]), options=options))
    return _case(builder, draw, shape)


@st.composite
def depth_and_space(draw: Draw, builtin: str) -> Case:
    builder, block = ModelBuilder(), draw(st.integers(1, 3))
    height, width, channels = (draw(st.integers(1, 3)) for _ in range(3))
    deep, flat = (1, height, width, channels * block**2), (1, height * block, width * block, channels)
    shape, result = (deep, flat) if builtin == "DEPTH_TO_SPACE" else (flat, deep)
    options = Options(
        {"DEPTH_TO_SPACE": "DepthToSpaceOptions"}.get(builtin, "SpaceToDepthOptions"), {"BlockSize": block}
    )
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    builder.output(builder.layer(builtin, [x], result, options=options))
    return _case(builder, draw, shape)


@st.composite
def batch_and_space(draw: Draw) -> Case:
    """To the batch and back."""
    builder, shape = ModelBuilder(), _shape(draw, most=5, rank=(4, 4))
    blocks = [draw(st.integers(1, 3)), draw(st.integers(1, 2))]
    pads = []
    for extent, block in zip(shape[1:3], blocks):
        before = draw(st.integers(0, 2))
        pads.append((before, -(extent + before) % block))
    inner = [(extent + sum(pair)) // block for extent, pair, block in zip(shape[1:3], pads, blocks)]
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    maps = builder.layer(
        "SPACE_TO_BATCH_ND",
        [x, builder.numbers(blocks), builder.numbers(np.array(pads))],
        (blocks[0] * blocks[1], *inner, shape[3]),
    )
    crops = [(draw(st.integers(0, 1)), 0) if count * block > 1 else (0, 0) for count, block in zip(inner, blocks)]
    result = [count * block - sum(pair) for count, block, pair in zip(inner, blocks, crops)]
    inputs = [maps, builder.numbers(blocks), builder.numbers(np.array(crops))]
    builder.output(builder.layer("BATCH_TO_SPACE_ND", inputs, (1, *result, shape[3])))
    return _case(builder, draw, shape)


@st.composite
def convolution(draw: Draw, builtin: str) -> Case:
    """Dilated convolutions, and grouped ones."""
    builder = ModelBuilder()
    padding = draw(st.sampled_from(("SAME", "VALID")))
    window, dilation = ((draw(st.integers(1, 3)), draw(st.integers(1, 3))) for _ in range(2))
    least = [(taps - 1) * apart + 1 if padding == "VALID" else 1 for taps, apart in zip(window, dilation)]
    extent = [low + draw(st.integers(0, 5)) for low in least]
    stride = (1, 1) if dilation != (1, 1) else (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    groups, channels, out = draw(st.sampled_from((1, 1, 2, 3))), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    deep = builtin == "DEPTHWISE_CONV_2D"
    shape = (1, *extent, channels if deep else channels * groups)
    filters = (1, *window, channels * out) if deep else (groups * out, *window, channels)
    count = channels * out if deep else groups * out
    layer = _product_layer(draw, window[0] * window[1] * channels, count, per_channel=draw(st.booleans()))
    weights = layer["rng"].randint(-127, 128, filters).astype(np.int8)
    x = builder.input(shape, layer["source"], layer["zero_points"][0])
    made = builder.depthwise_conv2d if deep else builder.conv2d
    y = made(
        x,
        weights,
        layer["weight"],
        np.zeros(count, np.int32) if layer["bias"] is None else layer["bias"],
        scale=layer["result"],
        zero_point=layer["zero_points"][1],
        stride=stride,
        padding=padding,
        dilation=dilation,
        activation=layer["activation"],
    )
    builder.output(y)
    return _case(builder, draw, shape)


@st.composite
def transpose_conv(draw: Draw) -> Case:
    builder = ModelBuilder()
    padding = draw(st.sampled_from(("SAME", "VALID")))
    kernel, stride = ((draw(st.integers(1, most)), draw(st.integers(1, most))) for most in (4, 3))
    shape = (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    out = draw(st.integers(1, 4))
    extent = []
    for size, taps, step in zip(shape[1:3], kernel, stride):
        least = (size - 1) * step + (taps if padding == "VALID" else 1)
        extent.append(least + draw(st.integers(0, step - 1)))
    layer = _product_layer(draw, max(1, kernel[0] * kernel[1] * shape[3] // (stride[0] * stride[1])), out, True)
    x = builder.input(shape, layer["source"], layer["zero_points"][0])
    data = layer["rng"].randint(-127, 128, (out, *kernel, shape[3])).astype(np.int8)
    filters = builder.tensor(data.shape, scale=layer["weight"], axis=0, data=data)
    target = builder.numbers([1, *extent, out])
    inputs = [target, filters, x]
    if layer["bias"] is not None:
        scales = layer["weight"] * np.float32(layer["source"])
        inputs.append(builder.tensor((out,), "int32", scale=scales, data=layer["bias"]))
    fields = {"Padding": int(padding == "VALID"), "StrideH": stride[0], "StrideW": stride[1]}
    y = builder.tensor((1, *extent, out), scale=layer["result"], zero_point=layer["zero_points"][1])
    builder.operator("TRANSPOSE_CONV", inputs, [y], Options("TransposeConvOptions", fields), version=3)
    builder.output(y)
    return _case(builder, draw, shape)


@st.composite
def rows_of(draw: Draw, builtin: str) -> Case:
    """Functions of rows of the last axis, with a fixed output quantization."""
    builder, shape = ModelBuilder(), _shape(draw, most=9)
    scale, zero_point = (1 / 128, 0) if builtin == "L2_NORMALIZATION" else (1 / 16, 127)
    least = 0.001 if builtin == "L2_NORMALIZATION" else 0.01
    x = builder.input(shape, float(np.float32(draw(st.floats(least, 1.0)))), _zero_point(draw))
    kind = {"L2_NORMALIZATION": "L2NormOptions", "LOG_SOFTMAX": "LogSoftmaxOptions"}[builtin]
    y = builder.layer(builtin, [x], shape, scale=scale, zero_point=zero_point, options=Options(kind, {}))
    builder.output(y)
    content, rng = builder.build(), _numbers(draw)
    spread = draw(st.sampled_from((0, 1, 30, 127)))
    inputs = rng.randint(-spread - 1, spread + 1, (5, *shape[1:])) + draw(st.sampled_from((0, x.zero_point[0])))
    return Case(content, np.clip(inputs, -128, 127).astype(np.int8), None, content)


@st.composite
def arg_max(draw: Draw, builtin: str) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=6)
    axis = draw(st.integers(1, len(shape) - 1))
    kind = draw(st.sampled_from(("int32", "int64")))
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    y = builder.tensor([*shape[:axis], *shape[axis + 1 :]], kind)
    place = builder.numbers(np.array(axis - len(shape) if draw(st.booleans()) else axis))
    number = {"int32": tflite.TensorType.INT32, "int64": tflite.TensorType.INT64}[kind]
    table = {"ARG_MAX": "ArgMaxOptions", "ARG_MIN": "ArgMinOptions"}[builtin]
    builder.operator(builtin, [x, place], [y], Options(table, {"OutputType": number}), version=2)
    builder.output(y)
    return _case(builder, draw, shape)


@st.composite
def wide_softmax(draw: Draw) -> Case:
    builder, shape = ModelBuilder(), _shape(draw, most=9)
    x = builder.input(shape, float(np.float32(draw(st.floats(0.001, 1.0)))), _zero_point(draw))
    y = builder.tensor(shape, "int16", scale=1 / 65536, zero_point=-32768)
    builder.operator("SOFTMAX", [x], [y], Options("SoftmaxOptions", {"Beta": draw(st.sampled_from((1.0, 0.5)))}))
    builder.output(y)
    return _case(builder, draw, shape)


@st.composite
def rsqrt(draw: Draw) -> Case:
    """Of what is not negative: the interpreter stops at other numbers."""
    builder, shape = ModelBuilder(), (1, 16)
    x = builder.input(shape, _wide_scale(draw), _zero_point(draw))
    builder.output(builder.layer("RSQRT", [x], shape, scale=_wide_scale(draw), zero_point=_zero_point(draw)))
    content = builder.build()
    every = np.arange(-128, 128).reshape(16, 16)
    return Case(content, np.maximum(every, x.zero_point[0]).astype(np.int8), None, content)


@st.composite
def batch_matmul(draw: Draw) -> Case:
    """Two activations that are cut from one input, or one and a constant.

    A left side that is transposed is not repeated, nor is the right one beside it: TensorFlow Lite's reference kernel
    takes the wrong numbers there.
    """
    builder, rng = ModelBuilder(), _numbers(draw)
    front = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2)))]
    rows, depth, columns = (draw(st.integers(1, 5)) for _ in range(3))
    turned = (draw(st.booleans()), draw(st.booleans()))
    one = (*front, *((depth, rows) if turned[0] else (rows, depth)))
    behind = front if turned[0] else [draw(st.sampled_from((extent, 1))) for extent in front]
    other = (*behind, *((columns, depth) if turned[1] else (depth, columns)))
    constant = draw(st.sampled_from((None, 1)))
    scales, zero_points = (_scale(draw), _scale(draw)), (_zero_point(draw), _zero_point(draw))
    sizes = [int(np.prod(shape)) for shape in (one, other)]
    whole = (1, sum(sizes) if constant is None else sizes[0])
    x = builder.input(whole, scales[0], zero_points[0])
    sides = []
    for place, shape in enumerate((one, other)):
        if place == constant:
            values = rng.randint(-128, 128, shape)
            sides.append(builder.tensor(shape, scale=scales[1], zero_point=zero_points[1], data=values))
            continue
        begin = [0, 0 if place == 0 else sizes[0]]
        cut = builder.layer("SLICE", [x, builder.numbers(begin), builder.numbers([1, sizes[place]])], (1, sizes[place]))
        sides.append(builder.layer("RESHAPE", [cut, builder.numbers(list(shape))], shape))
    scale = float(np.float32(scales[0] * sides[1].scale[0] * draw(st.sampled_from((1.0, 30.0, 300.0)))))
    options = Options("BatchMatMulOptions", {"AdjX": turned[0], "AdjY": turned[1]})
    result = (*np.broadcast_shapes(one[:-2], other[:-2]), rows, columns)
    y = builder.layer("BATCH_MATMUL", sides, result, scale=scale, zero_point=_zero_point(draw), options=options)
    builder.output(builder.layer("RESHAPE", [y, builder.numbers([1, -1])], (1, int(np.prod(result)))))
    content = builder.build()
    return Case(content, _int8(rng, 3, *whole[1:]), None, content)


CONVOLUTIONS = {kind: convolution(kind) for kind in ("CONV_2D", "DEPTHWISE_CONV_2D")}
"""Forms that CMSIS-NN serves and `layer_cases` does not have."""

STRATEGIES = {
    **{kind: unary(kind) for kind in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "QUANTIZE", "ABS", "HARD_SWISH")},
    "LEAKY_RELU": unary("LEAKY_RELU", _alpha),
    **{kind: smooth(kind) for kind in ("LOGISTIC", "TANH", "ELU", "EXP")},
    "GELU": smooth("GELU", _approximate),
    **{kind: binary(kind) for kind in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU")},
    **{kind: reduction(kind) for kind in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")},
    **{kind: padding(kind) for kind in ("PAD", "PADV2", "MIRROR_PAD")},
    **{kind: resize(kind) for kind in ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")},
    **{kind: depth_and_space(kind) for kind in ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")},
    "TRANSPOSE": transpose(),
    "TRANSPOSE_CONV": transpose_conv(),
    "STRIDED_SLICE": strided_slice(),
    "SLICE": slice_(),
    "SPLIT": split(),
    "CONCATENATION": concatenation(),
    "GATHER": gather(),
    "TILE": tile(),
    "REVERSE_V2": reverse(),
    "BROADCAST_TO": broadcast_to(),
    "BATCH_TO_SPACE_ND": batch_and_space(),
    **{kind: rows_of(kind) for kind in ("L2_NORMALIZATION", "LOG_SOFTMAX")},
    **{kind: arg_max(kind) for kind in ("ARG_MAX", "ARG_MIN")},
    "SOFTMAX_INT16": wide_softmax(),
    "RSQRT": rsqrt(),
    "BATCH_MATMUL": batch_matmul(),
    **RECURRENT,
}
"""Kind of operator -> its cases."""
