"""Calls of CMSIS-NN functions with everything that they need, what they must give, and strategies that make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cmsis_nn_reference as reference
import numpy as np
from cmsis_nn_machines import Array, Machine, Output, Struct
from hypothesis import strategies as st

SUCCESS = 0
Pair = tuple[int, int]  # (vertical, horizontal)


@dataclass(frozen=True, eq=False)
class Quantisation:
    """Scales of the output channels; one entry for all where not per_channel."""

    multipliers: Array
    shifts: Array
    input_offset: int
    output_offset: int
    limits: Pair


@dataclass(frozen=True, eq=False)
class Window:
    """How a kernel slides. `input` and `output` are the shapes [n, h, w, c]."""

    input: tuple[int, int, int, int]
    output: tuple[int, int, int, int]
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    def taps(self, values: Array, fill: int) -> Array:
        out = (self.output[1], self.output[2])
        return reference.taps(values, self.kernel, self.stride, self.padding, self.dilation, out, fill)

    @property
    def numbers(self) -> tuple[int, ...]:
        """stride and padding as (w, h) tiles."""
        return (*self.stride[::-1], *self.padding[::-1])


@dataclass(frozen=True, eq=False)
class Convolution:
    """depthwise: filters are [h, w, out c], else [out c, h, w, c / groups]."""

    window: Window
    depthwise: bool
    values: Array
    filters: Array
    bias: Array | None
    quantisation: Quantisation

    def expected(self) -> Array:
        q = self.quantisation
        windows = self.window.taps(self.values.astype(np.int64) + q.input_offset, 0)
        sums = reference.depthwise_sums if self.depthwise else reference.convolution_sums
        bias = None if self.bias is None else self.bias.astype(np.int64)
        return reference.outputs(
            sums(windows, self.filters.astype(np.int64), bias), q.multipliers, q.shifts, q.output_offset, q.limits
        )

    def run(self, machine: Machine) -> Array:
        q, w = self.quantisation, self.window
        numbers = (*w.numbers, *w.dilation[::-1], *q.limits)
        channels = w.output[3]
        if self.depthwise:
            name = "arm_depthwise_conv_wrapper_s8"
            filter_dims = Struct(1, *self.filters.shape)
            params = Struct(q.input_offset, q.output_offset, channels // w.input[3], *numbers)
        else:
            name = "arm_convolve_wrapper_s8"
            filter_dims = Struct(*self.filters.shape)
            params = Struct(q.input_offset, q.output_offset, *numbers)
        dims, output_dims = Struct(*w.input), Struct(*w.output)
        size = machine.call(f"{name}_get_buffer_size", params, dims, filter_dims, output_dims)
        if not self.depthwise and w.kernel == (1, 1) and self.filters.shape[3] != w.input[3]:
            # CMSIS-NN 7.0.0 asks for nothing for a grouped 1x1 convolution and then fails without: two columns.
            size = max(size, 4 * (self.filters.shape[3] + 3))
        output = Output(int(np.prod(w.output)))
        status = machine.call(
            name,
            scratch(size),
            params,
            Struct(q.multipliers, q.shifts),
            dims,
            self.values,
            filter_dims,
            self.filters,
            Struct(1, 1, 1, channels),
            self.bias,
            output_dims,
            output,
        )
        return finished(status, output).reshape(w.output)


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """values [n, inputs], filters [outputs, inputs]. function: which of the three, by the end of its name."""

    function: str
    per_channel: bool
    filter_offset: int
    values: Array
    filters: Array
    bias: Array | None
    quantisation: Quantisation

    def expected(self) -> Array:
        q, outputs = self.quantisation, len(self.filters)
        values = self.values.astype(np.int64) + q.input_offset
        sums = values @ (self.filters.astype(np.int64) + self.filter_offset).T
        if self.bias is not None:
            sums = sums + self.bias
        repeat = 1 if self.per_channel else outputs
        scales = np.repeat(q.multipliers, repeat), np.repeat(q.shifts, repeat)
        return reference.outputs(sums, *scales, q.output_offset, q.limits)

    def run(self, machine: Machine) -> Array:
        q = self.quantisation
        (batches, inputs), outputs = self.values.shape, len(self.filters)
        quant = {
            "arm_fully_connected_s8": Struct(int(q.multipliers[0]), int(q.shifts[0])),
            "arm_fully_connected_per_channel_s8": Struct(q.multipliers, q.shifts),
            "arm_fully_connected_wrapper_s8": Struct(q.multipliers, q.shifts, int(self.per_channel)),
        }[self.function]
        filter_dims = Struct(inputs, 1, 1, outputs)
        output = Output(batches * outputs)
        status = machine.call(
            self.function,
            scratch(machine.call("arm_fully_connected_s8_get_buffer_size", filter_dims)),
            Struct(q.input_offset, self.filter_offset, q.output_offset, *q.limits),
            quant,
            Struct(batches, 1, 1, inputs),
            self.values,
            filter_dims,
            self.filters,
            Struct(1, 1, 1, outputs),
            self.bias,
            Struct(batches, 1, 1, outputs),
            output,
        )
        return finished(status, output).reshape(batches, outputs)


@dataclass(frozen=True, eq=False)
class Pooling:
    window: Window
    is_maximum: bool
    values: Array
    limits: Pair

    def expected(self) -> Array:
        return reference.pooled(self.values, self.window.taps, self.is_maximum, self.limits)

    def run(self, machine: Machine) -> Array:
        w = self.window
        size = 0 if self.is_maximum else machine.call("arm_avgpool_s8_get_buffer_size", w.output[2], w.input[3])
        output = Output(int(np.prod(w.output)))
        status = machine.call(
            "arm_max_pool_s8" if self.is_maximum else "arm_avgpool_s8",
            scratch(size),
            Struct(*w.numbers, *self.limits),
            Struct(*w.input),
            self.values,
            Struct(1, *w.kernel, 1),
            Struct(*w.output),
            output,
        )
        return finished(status, output).reshape(w.output)


@dataclass(frozen=True, eq=False)
class Addition:
    """Each operand has (offset, multiplier, shift), the output too."""

    values: tuple[Array, Array]
    operands: tuple[tuple[int, int, int], tuple[int, int, int]]
    left_shift: int
    output: tuple[int, int, int]
    limits: Pair

    def expected(self) -> Array:
        offset, multiplier, shift = self.output
        sums = sum(
            np.array([reference.requantise((int(v) + o) << self.left_shift, m, s) for v in values], np.int64)
            for values, (o, m, s) in zip(self.values, self.operands)
        )
        sums = np.asarray(sums)[:, None]
        return reference.outputs(sums, [multiplier], [shift], offset, self.limits)[:, 0]

    def run(self, machine: Machine) -> Array:
        output = Output(len(self.values[0]))
        status = machine.call(
            "arm_elementwise_add_s8",
            *self.values,
            *self.operands[0],
            *self.operands[1],
            self.left_shift,
            output,
            *self.output,
            *self.limits,
            len(self.values[0]),
        )
        return finished(status, output)


@dataclass(frozen=True, eq=False)
class Softmax:
    values: Array  # [rows, size]
    multiplier: int
    shift: int
    diff_min: int

    def expected(self) -> Array:
        rows = [reference.softmax_row(r.tolist(), self.multiplier, self.shift, self.diff_min) for r in self.values]
        return np.array(rows, np.int8)

    def run(self, machine: Machine) -> Array:
        output = Output(self.values.size)
        numbers = (*self.values.shape, self.multiplier, self.shift, self.diff_min)
        machine.call("arm_softmax_s8", self.values, *numbers, output)
        return finished(SUCCESS, output).reshape(self.values.shape)


@dataclass(frozen=True, eq=False)
class Padding:
    values: Array  # [n, h, w, c]
    before: tuple[int, ...]
    behind: tuple[int, ...]
    fill: int

    def expected(self) -> Array:
        return np.pad(self.values, list(zip(self.before, self.behind)), constant_values=self.fill)

    def run(self, machine: Machine) -> Array:
        shape = np.add(np.add(self.values.shape, self.before), self.behind)
        output = Output(int(np.prod(shape)))
        dims = (Struct(*self.values.shape), Struct(*self.before), Struct(*self.behind))
        status = machine.call("arm_pad_s8", self.values, output, self.fill, *dims)
        return finished(status, output).reshape(shape)


def scratch(size: int) -> Struct:
    """A context with exactly the bytes asked for, aligned for any type."""
    return Struct(np.zeros((size + 7) // 8, np.int64) if size else None, size)


def finished(status: int, output: Output) -> Array:
    assert status == SUCCESS
    output.assert_guards_untouched()
    return output.values


# Strategies. Shapes are drawn one by one, so that they shrink; values come from a drawn seed.

EXTREMES = np.array([-128, -127, -1, 0, 1, 126, 127], np.int8)


@st.composite
def int8s(draw: Any, shape: tuple[int, ...]) -> Array:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["all", "all", "small", "extremes", "least", "greatest"]))
    if kind in ("all", "small"):
        bound = 128 if kind == "all" else 3
        return random.integers(-bound, bound, shape, dtype=np.int8)
    if kind == "extremes":
        return random.choice(EXTREMES, shape)
    return np.full(shape, -128 if kind == "least" else 127, np.int8)


@st.composite
def biases(draw: Any, channels: int, may_be_absent: bool = True) -> Array | None:
    kind = draw(st.sampled_from(["small", "small", "any", "none"] if may_be_absent else ["small", "any"]))
    if kind == "none":
        return None
    bound = draw(st.sampled_from([1 << 5, 1 << 12])) if kind == "small" else 1 << 31
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random.integers(-bound, bound, channels).astype(np.int32)


limits = st.sampled_from([(-128, 127), (-128, 127), (0, 127), (-128, 0), (-5, 90), (3, 3)])
input_offsets = st.sampled_from([128, -127, 0]) | st.integers(-127, 128)
zero_points = st.integers(-128, 127)


@st.composite
def multipliers(draw: Any, count: int) -> Array:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = random.integers(1 << 30, 1 << 31, count).astype(np.int32)
    special = draw(st.sampled_from([None, None, 1 << 30, (1 << 31) - 1, 0]))
    if special is not None:
        made[0] = special
    return made


@st.composite
def quantisations(draw: Any, channels: int, depth: int) -> Quantisation:
    """Scales that spread a sum of `depth` products over the int8 range, scales near 1, or any scales at all."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    centre = -(6 + depth.bit_length() // 2)
    usual = (centre - 2, centre + 2)
    low, high = draw(st.sampled_from([usual, usual, (-3, 1), (-3, 1), (-31, 30), (-31, -28), (0, 30)]))
    return Quantisation(
        draw(multipliers(channels)),
        random.integers(low, high + 1, channels).astype(np.int32),
        draw(input_offsets),
        draw(zero_points),
        draw(limits),
    )


@st.composite
def windows(draw: Any, channels: int, *, dilated: bool = False, batches: int = 2) -> Window:
    """SAME, VALID and any padding in between; output channels are filled in by the caller."""

    def direction() -> tuple[int, ...]:
        size, kernel, stride = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 3)) if dilated else 1
        reach = (kernel - 1) * dilation + 1
        kind = draw(st.sampled_from(["same", "valid", "any"]))
        if kind == "same":
            output = -(-size // stride)
            return size, kernel, stride, dilation, max(0, (output - 1) * stride + reach - size) // 2, output
        most = 0 if kind == "valid" else reach - 1
        before, behind = draw(st.integers(0, most)), draw(st.integers(0, most))
        size = max(size, reach - before - behind, 1)
        return size, kernel, stride, dilation, before, (size + before + behind - reach) // stride + 1

    h, w = direction(), direction()
    n = draw(st.integers(1, batches))
    pairs = tuple(zip(h, w))
    return Window((n, *pairs[0], channels), (n, *pairs[5], channels), pairs[1], pairs[2], pairs[4], pairs[3])


def with_output_channels(window: Window, channels: int) -> Window:
    n, h, w, _ = window.output
    return Window(window.input, (n, h, w, channels), window.kernel, window.stride, window.padding, window.dilation)


@st.composite
def convolutions(draw: Any) -> Convolution:
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    depth, per_group = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    window = draw(windows(depth * groups, dilated=draw(st.booleans())))
    window = with_output_channels(window, per_group * groups)
    channels, size = per_group * groups, window.kernel[0] * window.kernel[1] * depth
    return Convolution(
        window,
        False,
        draw(int8s(window.input)),
        draw(int8s((channels, *window.kernel, depth))),
        draw(biases(channels, may_be_absent=groups == 1)),
        draw(quantisations(channels, size)),
    )


@st.composite
def depthwise_convolutions(draw: Any) -> Convolution:
    multiplier = draw(st.sampled_from([1, 1, 1, 2, 3, 4, 8]))
    inputs = draw(st.integers(1, 11))
    dilated = draw(st.sampled_from([False, False, True]))
    window = with_output_channels(draw(windows(inputs, dilated=dilated)), inputs * multiplier)
    return Convolution(
        window,
        True,
        draw(int8s(window.input)),
        draw(int8s((*window.kernel, inputs * multiplier))),
        draw(biases(inputs * multiplier)),
        draw(quantisations(inputs * multiplier, window.kernel[0] * window.kernel[1])),
    )


@st.composite
def fully_connected(draw: Any) -> FullyConnected:
    kind = draw(st.sampled_from(["s8", "per_channel_s8", "wrapper_s8"]))
    per_channel = kind == "per_channel_s8" or (kind == "wrapper_s8" and draw(st.booleans()))
    batches, inputs, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 40)), draw(st.integers(1, 12))
    return FullyConnected(
        f"arm_fully_connected_{kind}",
        per_channel,
        draw(st.sampled_from([0, 0, 0, 7, -128, 127])),
        draw(int8s((batches, inputs))),
        draw(int8s((outputs, inputs))),
        draw(biases(outputs)),
        draw(quantisations(outputs if per_channel else 1, inputs)),
    )


@st.composite
def poolings(draw: Any, is_maximum: bool) -> Pooling:
    window = draw(windows(draw(st.integers(1, 9))))
    return Pooling(window, is_maximum, draw(int8s(window.input)), draw(limits))


@st.composite
def additions(draw: Any) -> Addition:
    count = draw(st.integers(1, 23))
    shifts = st.integers(-8, 0)
    operands = tuple((draw(input_offsets), int(draw(multipliers(1))[0]), draw(shifts)) for _ in range(2))
    return Addition(
        (draw(int8s((count,))), draw(int8s((count,)))),
        operands,  # type: ignore[arg-type]
        20,  # the only one that TensorFlow Lite uses for int8
        (draw(zero_points), int(draw(multipliers(1))[0]), draw(st.sampled_from([-18, -19, -20, -21, 0, -31]))),
        draw(limits),
    )


def softmax_parameters(scale: float) -> tuple[int, int, int]:
    """multiplier, shift, diff_min for inputs of a scale, as TensorFlow Lite's kernel prepares them (beta 1)."""
    mantissa, exponent = np.frexp(min(scale * 2.0**26, 2.0**31 - 1))
    multiplier, shift = round(float(mantissa) * 2**31), int(exponent)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return multiplier, shift, -int(np.floor(31 * 2.0**26 / 2.0**shift))


@st.composite
def softmaxes(draw: Any) -> Softmax:
    rows, size = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 3, 10, 12, 100, 257]))
    scale = draw(st.floats(2.0**-9, 2.0))
    return Softmax(draw(int8s((rows, size))), *softmax_parameters(scale))


@st.composite
def paddings(draw: Any) -> Padding:
    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(4))

    return Padding(draw(int8s(some(1, 4))), some(0, 2), some(0, 2), draw(zero_points))


CASES = {
    "convolution": convolutions(),
    "depthwise_convolution": depthwise_convolutions(),
    "fully_connected": fully_connected(),
    "max_pooling": poolings(is_maximum=True),
    "average_pooling": poolings(is_maximum=False),
    "addition": additions(),
    "softmax": softmaxes(),
    "padding": paddings(),
}
