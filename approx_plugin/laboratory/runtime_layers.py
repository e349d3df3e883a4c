"""Layers of the kinds that our own runtime serves, usual and extreme: shapes of any rank, broadcasting, constants.

They are drawn as nodes of a file and read by the operators' own readers, which know what follows from what. Tests alone
draw them, no calibration does: the runtime's coefficients are assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from approx_plugin.laboratory.extremes import (
    CHANNELS,
    EDGES,
    LIMITS,
    SCALES,
    SIZES,
    STRIDES,
    ZERO_POINTS,
    Random,
    draw_products,
    draw_weights,
    largest_sums,
    pick,
)
from approx_plugin.laboratory.forms import Form, Shape, activation
from approx_plugin.laboratory.operators import RESULT_SCALE
from approx_plugin.laboratory.recurrent_layers import draw_lstm, draw_svdf, draw_svdf_time
from approx_plugin.model.node import Node, ShapeError, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.geometry import SAME, VALID, Window
from approx_plugin.operators.reading import NONE, RELU, RELU6, RELU_N1_TO_1
from approx_plugin.operators.registry import OPERATORS
from approx_plugin.operators.slices import PART, PARTS
from approx_plugin.operators.transpose_conv import TransposeConv

MAX_ELEMENTS = 6000
"""Of an input or output: all buffers of a step fit the smallest board."""

RATIOS = (1.0, 1.0, 0.3, 3.0, 1e-3, 1000.0)
"""Output scales for each input scale."""

ACTIVATIONS = (NONE, NONE, NONE, RELU, RELU6, RELU_N1_TO_1)
FUSED = "FusedActivationFunction"


def draw_runtime(random: Random, kind: str) -> Operator:
    """One layer of a kind of `FORMS`. No alias: nothing computes that."""
    while True:
        form = FORMS[kind](random)
        try:
            operator = _read(kind, form)
        except UnsupportedError:
            # Scales that are too far apart for the operator's fixed point, say.
            continue
        sizes = [tensor.elements for tensor in (*operator.inputs, operator.output)]
        if max(sizes) <= MAX_ELEMENTS and not operator.is_alias:
            return _transposed(random, operator) if isinstance(operator, TransposeConv) else operator


def _read(kind: str, form: Form) -> Operator:
    """What the reader makes of it, which says as well which shape comes out."""
    given = [tensor for tensor in form.inputs if tensor is not None]
    first = next(tensor for tensor in given if tensor.data is None)
    scale = first.scale if form.scale is None else form.scale
    zero_point = first.zero_point if form.zero_point is None else form.zero_point

    def read(own_shape: Shape) -> Operator:
        output = activation(1 + max(tensor.index for tensor in given), own_shape, scale, zero_point)
        output = replace(output, element=form.element)
        return OPERATORS[kind].read(Node(0, kind, form.inputs, (output,), form.options), 0, f"{kind.lower()}_0")

    try:
        return read(form.shape or first.own_shape)
    except ShapeError as error:
        return read(error.shape)


def _constant(random: Random, like: Tensor) -> Tensor:
    """Random values in the place of an activation; its shape is the file's."""
    values = random.integers(-128, 128, like.own_shape).astype(np.int8)
    return replace(like, shape=like.own_shape, lifted=False, data=values)


def _numbers(values: Any) -> Tensor:
    """A constant int32 operand."""
    data = np.array(values, dtype=np.int32)
    return Tensor(0, "numbers", data.shape, "int32", None, data)


def _shape(random: Random, least: int = 1, most: int = 4) -> Shape:
    """Of `least` to `most` axes, with or without a batch of 1."""
    rank = int(random.integers(least, most + 1))
    sizes = [pick(random, SIZES) for _ in range(rank - 1)]
    shape = (*sizes, pick(random, CHANNELS))
    return (1, *shape[1:]) if random.random() < 0.5 else shape


def _source(random: Random, own_shape: Shape) -> Tensor:
    return activation(0, own_shape, pick(random, SCALES), pick(random, ZERO_POINTS))


def _axis(random: Random, shape: Shape) -> int:
    """Any axis, from the front or the back."""
    return int(random.integers(-len(shape), len(shape)))


def _rescaled(random: Random, source: Tensor, ratios: Sequence[float], **options: Any) -> Form:
    return Form((source,), options, source.scale * pick(random, ratios), pick(random, ZERO_POINTS))


def _table(random: Random) -> Form:
    """An elementwise function. Options that a kind does not have are not looked at."""
    alpha, approximate = pick(random, (0.0, 0.01, 0.3, 1.0, 1.5)), bool(random.integers(2))
    return _rescaled(random, _source(random, _shape(random)), RATIOS, Alpha=alpha, Approximate=approximate)


def _operands(random: Random) -> tuple[Tensor, Tensor]:
    """Two activations, or one and a constant, a constant number perhaps, or one twice; axes of 1 on either side."""
    full = _shape(random)
    first, second = (
        tuple(1 if random.random() < thinned else extent for extent in full) for thinned in pick(random, THINNED)
    )
    if random.random() < 0.3:
        second = second[int(random.integers(len(second))) :]
    one = _source(random, first)
    other = activation(1, second, pick(random, SCALES), pick(random, ZERO_POINTS))
    form = pick(random, ("activation", "activation", "constant", "constant", "number", "twice"))
    if form == "twice":
        return one, one
    if form == "number":
        other = replace(other, shape=(), lifted=False)
    if form != "activation":
        other = _constant(random, other)
    return (one, other) if random.random() < 0.6 else (other, one)


THINNED = ((0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.4, 0.4))
"""How many axes of both operands have length 1."""


def _sum(random: Random) -> Form:
    one, other = _operands(random)
    scale = max(one.scale, other.scale) * pick(random, (1.0, 0.1, 50.0))
    return Form((one, other), {FUSED: pick(random, ACTIVATIONS)}, scale, pick(random, ZERO_POINTS))


def _product(random: Random) -> Form:
    """Also one whose results nearly all saturate, and one in which hardly any is not zero."""
    one, other = _operands(random)
    scale = one.scale * other.scale * pick(random, (100.0, 20.0, 1.0, 1e6))
    return Form((one, other), {FUSED: pick(random, ACTIVATIONS)}, scale, pick(random, ZERO_POINTS))


def _slopes(random: Random) -> Form:
    one, other = _operands(random)
    return Form((one, other), {}, one.scale * pick(random, RATIOS), pick(random, ZERO_POINTS))


def _extremum(random: Random) -> Form:
    one, other = _operands(random)
    return Form((one, replace(other, quantization=one.quantization)), {}, one.scale, one.zero_point)


def _reduced(random: Random) -> tuple[Tensor, Tensor, bool]:
    """An input, the axes, and whether they stay."""
    shape = _shape(random)
    chosen = random.permutation(len(shape))[: int(random.integers(1, len(shape) + 1))]
    axes = [int(axis) - len(shape) * int(random.integers(2)) for axis in chosen]
    return _source(random, shape), _numbers(axes), bool(random.integers(2))


def _mean(random: Random) -> Form:
    source, axes, kept = _reduced(random)
    form = _rescaled(random, source, RATIOS, KeepDims=kept)
    return replace(form, inputs=(source, axes))


def _reduced_extremum(random: Random) -> Form:
    source, axes, kept = _reduced(random)
    return Form((source, axes), {"KeepDims": kept})


def _joined(random: Random, shapes: Sequence[Shape], axis: int) -> Form:
    """Operands of these shapes, of which all but one may be constants."""
    scale, zero_point = pick(random, SCALES), pick(random, ZERO_POINTS)
    tensors = [activation(number, shape, scale, zero_point) for number, shape in enumerate(shapes)]
    given = int(random.integers(len(tensors)))
    for number, tensor in enumerate(tensors):
        if number != given and random.random() < 0.3:
            tensors[number] = _constant(random, tensor)
    return Form(tuple(tensors), {"Axis": axis})


def _concatenation(random: Random) -> Form:
    """Up to 6 operands: some of the arguments lie on the stack."""
    shape = _shape(random)
    axis = _axis(random, shape)
    front = axis % len(shape)
    extents = [int(pick(random, SIZES)) for _ in range(int(random.integers(1, 7)))]
    return _joined(random, [(*shape[:front], extent, *shape[front + 1 :]) for extent in extents], axis)


def _pack(random: Random) -> Form:
    shape = _shape(random, most=3)
    axis = int(random.integers(-len(shape) - 1, len(shape) + 1))
    return _joined(random, [shape] * int(random.integers(1, 6)), axis)


def _strided_slice(random: Random) -> Form:
    """Steps of both signs, and all five masks; an ellipsis stands at the end."""
    shape = _shape(random)
    rows: list[tuple[int, int, int]] = []
    masks = dict.fromkeys(("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"), 0)
    for extent in shape[: int(random.integers(1, len(shape) + 1))]:
        if random.random() < 0.1 and not masks["NewAxisMask"]:
            masks["NewAxisMask"] |= 1 << len(rows)
            rows.append((0, 1, 1))
        bit = 1 << len(rows)
        step = pick(random, (1, 1, 2, 3, -1, -2))
        ends = sorted(random.choice(extent + 1, 2, replace=False).tolist())
        if random.random() < 0.2:
            masks["ShrinkAxisMask"] |= bit
            ends, step = [ends[0], ends[0] + 1], 1
        elif step < 0:
            ends = [ends[1] - 1, ends[0] - 1]
            masks["EndMask"] |= bit if ends[1] < 0 else 0
        elif random.random() < 0.4:
            masks[pick(random, ("BeginMask", "EndMask"))] |= bit
        rows.append((ends[0], ends[1], step))
    if random.random() < 0.2:
        masks["EllipsisMask"] |= 1 << len(rows)
        rows.append((0, 0, 1))
    return Form((_source(random, shape), *(_numbers(column) for column in zip(*rows))), masks)


def _slice(random: Random) -> Form:
    shape = _shape(random)
    begin = [int(random.integers(extent)) for extent in shape]
    size = [pick(random, (-1, int(random.integers(1, e - b + 1)))) for e, b in zip(shape, begin)]
    return Form((_source(random, shape), _numbers(begin), _numbers(size)))


def _split(random: Random) -> Form:
    shape = list(_shape(random))
    axis, parts = _axis(random, tuple(shape)), int(random.integers(1, 5))
    shape[axis] = parts * int(random.integers(1, 5))
    options = {PART: int(random.integers(parts)), PARTS: parts}
    return Form((_numbers(axis), _source(random, tuple(shape))), options)


def _split_v(random: Random) -> Form:
    shape = list(_shape(random))
    axis, sizes = _axis(random, tuple(shape)), [int(pick(random, SIZES)) for _ in range(int(random.integers(1, 5)))]
    shape[axis] = sum(sizes)
    options = {PART: int(random.integers(len(sizes))), PARTS: len(sizes)}
    if random.random() < 0.4:
        sizes[-1] = -1
    return Form((_source(random, tuple(shape)), _numbers(sizes), _numbers(axis)), options)


def _unpack(random: Random) -> Form:
    shape = _shape(random)
    axis = _axis(random, shape)
    options = {"Axis": axis, PART: int(random.integers(shape[axis])), PARTS: shape[axis]}
    return Form((_source(random, shape),), options)


def _gather(random: Random) -> Form:
    """Positions in any order, several times, as a list or a table of them, or a single one."""
    shape = _shape(random)
    axis = _axis(random, shape)
    wanted = pick(random, ((), (1,), (4,), (9,), (2, 3)))
    return Form((_source(random, shape), _numbers(random.integers(shape[axis], size=wanted))), {"Axis": axis})


def _tile(random: Random) -> Form:
    shape = _shape(random)
    return Form((_source(random, shape), _numbers([pick(random, (1, 1, 2, 3)) for _ in shape])))


def _broadcast_to(random: Random) -> Form:
    """Axes of 1, and axes that the input does not have at all."""
    full = _shape(random)
    shape = tuple(1 if random.random() < 0.4 else extent for extent in full)
    return Form((_source(random, shape[int(random.integers(len(shape))) :]), _numbers(full)))


def _reverse(random: Random) -> Form:
    shape = _shape(random)
    axes = random.permutation(len(shape))[: int(random.integers(1, len(shape) + 1))]
    return Form((_source(random, shape), _numbers(axes)))


def _transpose(random: Random) -> Form:
    shape = _shape(random, least=2, most=5)
    return Form((_source(random, shape), _numbers(random.permutation(len(shape)))))


def _padded(random: Random) -> Form:
    """By the zero point or, for PADV2, a number. Mirrored, not all of these amounts are possible."""
    shape = _shape(random)
    most = pick(random, ((0, 1), (0, 1, 2), (0, 0, 5)))
    amounts = [(pick(random, most), pick(random, most)) for _ in shape]
    value = pick(random, (-128, 127, 0, -5))
    return Form((_source(random, shape), _numbers(amounts), _numbers(value)), {"Mode": int(random.integers(2))})


def _map(random: Random) -> tuple[int, int, int]:
    """Height, width and channels."""
    return pick(random, SIZES), pick(random, SIZES), pick(random, CHANNELS)


def _maps(random: Random) -> int:
    """How many there are."""
    return int(pick(random, (1, 1, 1, 2, 3)))


def _resized(random: Random) -> Form:
    """Larger and smaller."""
    aligned, half = pick(random, ((False, False), (True, False), (False, True)))
    source = _source(random, (_maps(random), *_map(random)))
    size = _numbers([pick(random, (*SIZES, 16)) for _ in range(2)])
    return Form((source, size), {"AlignCorners": aligned, "HalfPixelCenters": half})


def _depth_to_space(random: Random) -> Form:
    (height, width, channels), block = _map(random), pick(random, (1, 2, 2, 3))
    return Form((_source(random, (_maps(random), height, width, channels * block * block)),), {"BlockSize": block})


def _space_to_depth(random: Random) -> Form:
    (height, width, channels), block = _map(random), pick(random, (1, 2, 2, 3))
    return Form((_source(random, (_maps(random), height * block, width * block, channels)),), {"BlockSize": block})


def _space_to_batch(random: Random) -> Form:
    """Blocks of pixels, or of rows alone."""
    shape = _map(random)
    blocks = [pick(random, (1, 2, 3)) for _ in range(int(random.integers(1, 3)))]
    front = [int(random.integers(3)) for _ in blocks]
    behind = [-(extent + before) % block for extent, before, block in zip(shape, front, blocks)]
    return Form((_source(random, (_maps(random), *shape)), _numbers(blocks), _numbers([*zip(front, behind)])))


def _batch_to_space(random: Random) -> Form:
    blocks = [pick(random, (1, 2, 3)) for _ in range(int(random.integers(1, 3)))]
    crops = [(int(random.integers(2)), int(random.integers(2))) for _ in blocks]
    maps = int(np.prod(blocks)) * _maps(random)
    return Form((_source(random, (maps, *_map(random))), _numbers(blocks), _numbers(crops)))


def _transpose_conv(random: Random) -> Form:
    """The geometry and the weights; `_transposed` replaces what their scale decides."""
    extent, channels, out = (pick(random, SIZES), pick(random, SIZES)), pick(random, CHANNELS), pick(random, CHANNELS)
    kernel = (pick(random, EDGES), pick(random, EDGES))
    stride = (pick(random, STRIDES), pick(random, STRIDES))
    scheme = pick(random, (SAME, VALID))
    window = Window.resolve(scheme, extent, kernel, stride)
    values = draw_weights(random, (out, *kernel, channels))
    weights = Tensor(1, "weights", values.shape, "int8", Quantization((0.01,), (0,)), values)
    source = _source(random, (1, *(max(1, count) for count in window.output), channels))
    options = {"Padding": scheme, "StrideH": stride[0], "StrideW": stride[1]}
    target = _numbers((1, *extent, out))
    return Form((target, weights, source), options, RESULT_SCALE, pick(random, ZERO_POINTS))


def _transposed(random: Random, operator: TransposeConv) -> TransposeConv:
    """With the biases, multipliers and limits of any extreme convolution: no output has more taps than the kernel."""
    bias, multipliers = draw_products(random, largest_sums(operator.weights, (1, 2, 3)), len(operator.weights))
    low, high = pick(random, LIMITS)
    return replace(operator, bias=bias, multipliers=multipliers, activation_min=low, activation_max=high)


def _rows(random: Random) -> Form:
    """Functions of rows, with the output that TensorFlow Lite demands."""
    return Form((_source(random, _shape(random)),), {}, 1 / 128, 0)


def _logarithms(random: Random) -> Form:
    return replace(_rows(random), scale=1 / 16, zero_point=127)


def _index(random: Random) -> Form:
    """The index of an element, of 4 bytes or 8."""
    shape = _shape(random)
    axis = _axis(random, shape)
    width, element = pick(random, ((4, "int32"), (8, "int64")))
    kept = tuple(extent for place, extent in enumerate(shape) if place != axis % len(shape))
    return Form((_source(random, shape), _numbers(axis)), {}, 1.0, 0, element=element, shape=(*kept, width))


def _wide_softmax(random: Random) -> Form:
    shape = _shape(random)
    source = _source(random, shape)
    return Form((source,), {"Beta": 1.0}, 1 / 65536, -32768, element="int16", shape=(*shape, 2))


def _matrices(random: Random) -> Form:
    """Either side transposed, repeated or a constant."""
    front = tuple(int(random.integers(1, 4)) for _ in range(int(random.integers(0, 4))))
    rows, depth, columns = (pick(random, SIZES) for _ in range(3))
    turned = (bool(random.integers(2)), bool(random.integers(2)))
    inner = ((depth, rows) if turned[0] else (rows, depth), (columns, depth) if turned[1] else (depth, columns))
    sides = []
    for place, matrix in enumerate(inner):
        repeated = tuple(1 if random.random() < 0.3 else extent for extent in front)
        shape = repeated[int(random.integers(len(front) + 1)) if place else 0 :]
        sides.append(activation(place, (*shape, *matrix), pick(random, SCALES), pick(random, ZERO_POINTS)))
    constant = int(random.integers(4))
    if constant < 2:
        sides[constant] = _constant(random, sides[constant])
    scale = sides[0].scale * sides[1].scale * pick(random, (1.0, 30.0, 1000.0))
    return Form(tuple(sides), {"AdjX": turned[0], "AdjY": turned[1]}, scale, pick(random, ZERO_POINTS))


TABLES = (
    *("ABS", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE"),
    *("RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RSQRT", "TANH"),
)

FORMS: Mapping[str, Callable[[Random], Form]] = MappingProxyType(
    {
        **dict.fromkeys(TABLES, _table),
        "ADD": _sum,
        "SUB": _sum,
        "MUL": _product,
        "MAXIMUM": _extremum,
        "MINIMUM": _extremum,
        "PRELU": _slopes,
        "MEAN": _mean,
        "SUM": _mean,
        "REDUCE_MAX": _reduced_extremum,
        "REDUCE_MIN": _reduced_extremum,
        "CONCATENATION": _concatenation,
        "PACK": _pack,
        "STRIDED_SLICE": _strided_slice,
        "SLICE": _slice,
        "SPLIT": _split,
        "SPLIT_V": _split_v,
        "UNPACK": _unpack,
        "GATHER": _gather,
        "TILE": _tile,
        "BROADCAST_TO": _broadcast_to,
        "REVERSE_V2": _reverse,
        "TRANSPOSE": _transpose,
        "PAD": _padded,
        "PADV2": _padded,
        "MIRROR_PAD": _padded,
        "RESIZE_NEAREST_NEIGHBOR": _resized,
        "RESIZE_BILINEAR": _resized,
        "DEPTH_TO_SPACE": _depth_to_space,
        "SPACE_TO_DEPTH": _space_to_depth,
        "SPACE_TO_BATCH_ND": _space_to_batch,
        "BATCH_TO_SPACE_ND": _batch_to_space,
        "TRANSPOSE_CONV": _transpose_conv,
        "L2_NORMALIZATION": _rows,
        "LOG_SOFTMAX": _logarithms,
        "BATCH_MATMUL": _matrices,
        "ARG_MAX": _index,
        "ARG_MIN": _index,
        "SOFTMAX_INT16": _wide_softmax,
        "UNIDIRECTIONAL_SEQUENCE_LSTM": draw_lstm,
        "SVDF": draw_svdf,
        "SVDF_TIME": draw_svdf_time,
    }
)
"""Kind -> a node of this kind. ADD and PAD as well: the library serves some of their forms, the runtime the others."""
