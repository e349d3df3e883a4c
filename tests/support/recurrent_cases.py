"""Random networks of one layer that remembers: LSTM and SVDF. The inputs of a case are one sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from layer_cases import Case, _int8, _numbers, _zero_point
from tflite_format import Options, Tensor
from tflite_writer import ModelBuilder

Draw = Any
INFERENCES = 4


def _constant(builder: ModelBuilder, rng: np.random.RandomState, shape: tuple[int, ...], scale: float) -> Tensor:
    return builder.tensor(shape, scale=scale, data=rng.randint(-127, 128, shape).astype(np.int8))


@st.composite
def lstm(draw: Draw) -> Case:
    """As a Keras layer becomes it; gates that saturate, and cells that reach their limit, among them."""
    builder, rng = ModelBuilder(), _numbers(draw)
    steps, features, cells = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    time_major = draw(st.booleans())
    shape = (steps, 1, features) if time_major and steps == 1 else (1, steps, features)
    scale = float(np.float32(draw(st.sampled_from((0.004, 0.05, 0.6)))))
    x = builder.input(shape, scale, _zero_point(draw))
    weight = draw(st.sampled_from((0.001, 0.01, 0.1)))
    weights = [_constant(builder, rng, (cells, features), weight * (1 + gate)) for gate in range(4)]
    weights += [_constant(builder, rng, (cells, cells), weight * (1 + gate)) for gate in range(4)]
    spread = int(draw(st.sampled_from((0, 3000, 1 << 20))))
    biases = [
        builder.tensor((cells,), "int32", scale=0.001, data=rng.randint(-spread, spread + 1, cells).astype(np.int32))
        for _ in range(4)
    ]
    hidden = (1 / 128, draw(st.integers(-5, 5)))
    state = builder.tensor((1, cells), scale=hidden[0], zero_point=hidden[1], variable=True, name="output state")
    bits = draw(st.integers(0, 6))
    cell = builder.tensor((1, cells), "int16", scale=2.0 ** (bits - 15), variable=True, name="cell state")
    inner = [builder.tensor((), "int16", scale=2.0**-12) for _ in range(4)]
    inner.append(builder.tensor((), scale=hidden[0], zero_point=hidden[1]))
    y = builder.tensor((*shape[:2], cells), scale=hidden[0], zero_point=hidden[1])
    clip = draw(st.sampled_from((0.0, 10.0, 2.0**bits / 3)))
    options = {"FusedActivationFunction": 4, "CellClip": clip, "TimeMajor": time_major and steps == 1}
    builder.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [x, *weights, *[None] * 3, *biases, None, None, state, cell, *[None] * 4],
        [y],
        Options("UnidirectionalSequenceLSTMOptions", options),
        intermediates=inner,
    )
    builder.output(y)
    content = builder.build()
    return Case(content, _int8(rng, INFERENCES, *shape[1:]), None, content)


@st.composite
def svdf(draw: Draw, state_type: str = "int16") -> Case:
    """One of 16 bits. That of 8 bits is only known to TensorFlow Lite Micro."""
    builder, rng = ModelBuilder(), _numbers(draw)
    features, units, rank, memory = (draw(st.integers(1, most)) for most in (6, 5, 3, 6))
    filters = units * rank
    x = builder.input((1, features), 0.05, _zero_point(draw))
    limit = 127 if state_type == "int8" else 32767
    time = rng.randint(-limit, limit + 1, (filters, memory)).astype(state_type)
    zero_point = _zero_point(draw) if state_type == "int8" else 0
    scale = 0.05 * 0.01 * draw(st.sampled_from((0.5, 3.0, 1000.0)))
    state = builder.tensor(
        (1, filters * memory), state_type, scale=scale, zero_point=zero_point, variable=True, name="state"
    )
    bias = builder.tensor((units,), "int32", scale=1e-5, data=rng.randint(-1000, 1000, units).astype(np.int32))
    y = builder.tensor((1, units), scale=scale * 0.001 * limit * draw(st.sampled_from((2.0, 30.0))), zero_point=-128)
    inputs = [
        x,
        _constant(builder, rng, (filters, features), 0.01),
        builder.tensor((filters, memory), state_type, scale=0.001, data=time),
        bias if draw(st.booleans()) else None,
        state,
    ]
    builder.operator("SVDF", inputs, [y], Options("SVDFOptions", {"Rank": rank, "FusedActivationFunction": 1}))
    builder.output(y)
    content = builder.build()
    return Case(content, _int8(rng, INFERENCES, features), None, content)


RECURRENT = {"UNIDIRECTIONAL_SEQUENCE_LSTM": lstm(), "SVDF": svdf()}
"""Kind of operator -> its cases."""
