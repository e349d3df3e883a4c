"""Layers that remember, as `runtime_layers` draws them: their states are activations like any other."""

from __future__ import annotations

from typing import Any

import numpy as np

from approx_plugin.laboratory.extremes import CHANNELS, SCALES, SIZES, ZERO_POINTS, Random, draw_weights, pick
from approx_plugin.laboratory.forms import Form, activation
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.lstm import HIDDEN
from approx_plugin.operators.svdf import STATE_TYPE


def _constant(values: Any, scale: float) -> Tensor:
    return Tensor(0, "constant", values.shape, str(values.dtype), Quantization((scale,), (0,)), values)


def draw_lstm(random: Random) -> Form:
    """Cells of every format, with and without a limit; gates that hardly open, and that saturate."""
    features, cells, steps = pick(random, SIZES), pick(random, CHANNELS), int(random.integers(1, 5))
    weight = pick(random, (1e-4, 0.003, 0.05, 1.0))
    weights = [_constant(draw_weights(random, (cells, features)), weight) for _ in range(4)]
    weights += [_constant(draw_weights(random, (cells, cells)), weight) for _ in range(4)]
    spread = int(pick(random, (1, 10000, 1 << 30)))
    biases = [_constant(random.integers(-spread, spread, cells).astype(np.int32), 1.0) for _ in range(4)]
    source = activation(0, (1, steps, features), pick(random, SCALES), pick(random, ZERO_POINTS))
    zero_point = pick(random, ZERO_POINTS)
    state = activation(1, (1, cells), 1 / 128, zero_point)
    cell = activation(2, (1, 2 * cells), 2.0 ** int(random.integers(-15, -8)), 0)
    options = {
        "CellClip": pick(random, (0.0, 10.0, 0.01)),
        f"{HIDDEN}Scale": pick(random, (1 / 128, 0.001, 1.0)),
        f"{HIDDEN}ZeroPoint": zero_point,
    }
    missing = (None,) * 3
    return Form((source, *weights, *missing, *biases, None, None, state, cell), options, 1 / 128, zero_point)


def _svdf(random: Random) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
    """State, weights for features and over time, bias, options."""
    width, memory, rank = pick(random, (1, 2)), pick(random, SIZES), int(random.integers(1, 4))
    units = pick(random, CHANNELS)
    filters = units * rank
    zero_point = pick(random, ZERO_POINTS) if width == 1 else 0
    state = activation(1, (1, filters * memory * width), pick(random, (1e-4, 0.01, 1.0)), zero_point)
    limit = 1 << (8 * width - 1)
    time = random.integers(-limit, limit, (filters, memory)).astype(np.int8 if width == 1 else np.int16)
    weights = draw_weights(random, (filters, pick(random, SIZES)))
    bias = random.integers(-(1 << 20), 1 << 20, units).astype(np.int32)
    options = {STATE_TYPE: width, "Rank": rank, "FusedActivationFunction": 1}
    return state, _constant(weights, 0.01), _constant(time, 1 / limit), _constant(bias, 1.0), options


def draw_svdf(random: Random) -> Form:
    """States of 8 and 16 bits."""
    state, weights, time, bias, options = _svdf(random)
    source = activation(0, (1, weights.shape[1]), pick(random, SCALES), pick(random, ZERO_POINTS))
    return Form((source, weights, time, bias, state), options, state.scale, state.zero_point)


def draw_svdf_time(random: Random) -> Form:
    """The other half."""
    state, weights, time, bias, options = _svdf(random)
    scale = state.scale * pick(random, (0.05, 1.0, 10.0))
    return Form((state, weights, time, bias, state), options, scale, pick(random, ZERO_POINTS))
