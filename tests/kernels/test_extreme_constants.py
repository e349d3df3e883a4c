"""Biases, multipliers and zero points at the ends of their ranges: every kernel against numbers in 32-bit registers.

The numbers are computed here, one at a time, in Python's integers. A channel is drawn on its own; what is refused alone
goes to the library only, the others make a layer of unpacked kernels.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import naive
import numpy as np
import numpy.typing as npt
import pytest
import tflite_oracle
from arm_call import CmsisNnTree, portable_subset, run_program
from host_call import run_on_host
from layer_cases import graph_of
from networks import conv_graph, lowered_by
from tflite_writer import ModelBuilder

from approx_plugin.kernels.unpacked import requantise
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.reference.executor import run

EDGES = (0, 1, 2**27, 2**30 - 300, 2**30, 2**31 - 129, 2**31 - 128, 2**31 - 1)
CHANNELS = 24


def wrapped(value: int) -> int:
    """As a 32-bit register holds it."""
    return (value + 2**31) % 2**32 - 2**31


def output(total: int, multiplier: Multiplier, zero_point: int, limits: tuple[int, int]) -> int:
    """One output of the sum `total`, which may have left 32 bits."""
    shifted = wrapped(wrapped(total) * 2 ** max(multiplier.shift, 0))
    second = naive.scaled(shifted, (multiplier.mantissa, min(multiplier.shift, 0)))
    return naive.clamp(wrapped(second + zero_point), limits)


def bias(rng: random.Random) -> int:
    """Anywhere, or within a few hundred of an edge."""
    near = rng.choice((1, -1)) * rng.choice(EDGES) + rng.randint(-300, 300)
    return max(-(2**31), min(2**31 - 1, rng.choice((near, rng.randint(-(2**31), 2**31 - 1), rng.randint(-999, 999)))))


def multiplier(rng: random.Random) -> Multiplier:
    """Of the whole range, 0 included."""
    if rng.randrange(12) == 0:
        return Multiplier(0, 0)
    mantissa = rng.choice((2**30, 2**30 + 1, 2**31 - 1, rng.randrange(2**30, 2**31)))
    return Multiplier(mantissa, rng.choice((rng.randint(-31, 31), rng.randint(-22, 2))))


def layer(seed: int, refused: bool) -> Graph:
    """A 1x3 convolution of two channels with extreme constants; refused: also channels that unpacked kernels refuse."""
    rng = random.Random(seed)
    zero_points = rng.choice((-128, 127, rng.randint(-128, 127))), rng.choice((-128, 127, rng.randint(-128, 127)))
    limits = rng.choice(((-128, 127), (zero_points[1], 127), (-100, 90)))
    graph = conv_graph(
        np.random.default_rng(seed),
        size=(3, 5),
        channels=(2, CHANNELS),
        kernel=(1, 3),
        zero_points=zero_points,
        limits=limits,
        density=rng.choice((1.0, 0.3)),
    )
    (conv,) = graph.operators
    assert isinstance(conv, Conv2D)
    weights = conv.weights.copy()
    biases, multipliers = np.zeros(CHANNELS, np.int32), list(conv.multipliers)
    for channel in range(CHANNELS):
        while True:
            weights[channel] = np.where(
                weights[channel] != 0, rng.choice((weights[channel], np.int8(1), np.int8(-128))), np.int8(0)
            )
            biases[channel], multipliers[channel] = bias(rng), multiplier(rng)
            alone = replace(
                conv,
                weights=weights[channel : channel + 1],
                bias=biases[channel : channel + 1],
                multipliers=(multipliers[channel],),
            )
            if refused or requantise.obstacle(alone) is None:
                break
    changed = replace(conv, weights=weights, bias=biases, multipliers=tuple(multipliers))
    return graph.with_operators({0: changed})


def values(seed: int, graph: Graph) -> npt.NDArray[np.int8]:
    """Random inputs, and the ends of the range."""
    inputs = np.random.default_rng(seed).integers(-128, 128, (4, *graph.input_tensor.shape[1:]), dtype=np.int8)
    inputs[2], inputs[3] = -128, 127
    return inputs


def expected(graph: Graph, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The layer's outputs, number by number."""
    (conv,) = graph.operators
    assert isinstance(conv, Conv2D)
    zero, limits = conv.output_zero_point, (conv.activation_min, conv.activation_max)
    sums = np.zeros((len(inputs), *conv.output_shape), object)
    padded = np.full((len(inputs), conv.input_shape[0], conv.input_shape[1] + 2, 2), conv.input_zero_point, object)
    padded[:, :, 1:-1] = inputs
    for tap in range(3):
        window = padded[:, :, tap : tap + conv.input_shape[1]] - conv.input_zero_point
        sums = sums + window @ conv.weights[:, 0, tap].astype(object).T
    sums = sums + conv.bias.astype(object)
    flat = [
        output(int(total), conv.multipliers[i % CHANNELS], zero, limits) for i, total in enumerate(sums.reshape(-1))
    ]
    return np.array(flat, np.int8).reshape(sums.shape)


@pytest.mark.parametrize("seed", range(40))
def test_the_reference(seed: int) -> None:
    graph = layer(seed, refused=True)
    inputs = values(seed, graph)
    np.testing.assert_array_equal(run(graph, inputs), expected(graph, inputs))


@pytest.mark.parametrize("kernel", ["unpacked", "cmsis_nn"])
@pytest.mark.parametrize("seed", range(5))
def test_c_on_this_computer(seed: int, kernel: str, tmp_path: Path) -> None:
    """Nothing undefined on the way."""
    graph = layer(seed, refused=kernel == "cmsis_nn")
    inputs = values(seed, graph)
    program = lowered_by(graph, kernel, "cortex-m4", "c")
    np.testing.assert_array_equal(run_on_host(program, tmp_path, inputs), expected(graph, inputs))


@pytest.mark.parametrize("backend", ["assembly", "c"])
@pytest.mark.parametrize("seed", range(5))
def test_unpacked_kernels(seed: int, backend: str, tmp_path: Path) -> None:
    graph = layer(seed, refused=False)
    inputs = values(seed, graph)
    program = lowered_by(graph, "unpacked", "cortex-m4", backend)
    answers = run_program(program, tmp_path, "cortex-m4", inputs, portable_subset())
    np.testing.assert_array_equal(answers, expected(graph, inputs))


@pytest.mark.parametrize("seed", range(4))
def test_library(seed: int, cmsis_nn: Path, tmp_path: Path) -> None:
    """A real CMSIS-NN wraps where the reference does."""
    graph = layer(seed, refused=True)
    inputs = values(seed, graph)
    program = lowered_by(graph, "cmsis_nn", "cortex-m4", "assembly")
    tree = CmsisNnTree(cmsis_nn / "Include", tuple(sorted((cmsis_nn / "Source").rglob("*_s8*.c"))))
    answers = run_program(program, tmp_path, "cortex-m4", inputs, tree)
    np.testing.assert_array_equal(answers, expected(graph, inputs))


def test_tflite_wraps_alike() -> None:
    """The reference kernels of TensorFlow Lite, on biases at the edges and scales that shift far in both directions."""
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    rng = random.Random(7)
    for zero_point in (-128, 5, 127):
        builder = ModelBuilder()
        scales = np.array([2.0 ** rng.randint(-30, 25) * rng.uniform(1, 2) for _ in range(40)], np.float32)
        biases = np.array([bias(rng) for _ in scales], np.int32)
        weights = np.random.default_rng(zero_point + 128).integers(-127, 128, (40, 1, 1, 3)).astype(np.int8)
        x = builder.input((1, 4, 4, 3), 1.0, zero_point)
        builder.output(builder.conv2d(x, weights, scales, biases, scale=1.0, zero_point=zero_point))
        content = builder.build()
        inputs = np.random.default_rng(1).integers(-128, 128, (3, 4, 4, 3), dtype=np.int8)
        np.testing.assert_array_equal(run(graph_of(content), inputs), tflite_oracle.outputs(content, inputs))
