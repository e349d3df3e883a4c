"""The portable subset and the library give the bytes of an independent reference, on every kind of core."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import Any

import numpy as np
import pytest
from cmsis_nn_cases import (
    CASES,
    Addition,
    FullyConnected,
    Pooling,
    Quantisation,
    Softmax,
    Window,
    softmax_parameters,
)
from cmsis_nn_machines import UNTOUCHED, Arm, Host, Machine, Output, Struct, provide
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Cortex-M0+ runs the plain C of the subset on Arm, M4 and M33 the paths with packed multiplications.
MACHINES = ["subset-host", "subset-cortex-m0plus", "subset-cortex-m4", "subset-cortex-m33"]
MACHINES += ["library-host", "library-cortex-m4", "library-cortex-m33"]
EXAMPLES = int(os.environ.get("CMSIS_NN_EXAMPLES", "100"))
ARG_ERROR = -1


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    provider, _, core = request.param.partition("-")
    directory = request.getfixturevalue("cmsis_nn") if provider == "library" else None
    library, folder = provide(directory), tmp_path_factory.mktemp(request.param)
    if core == "host":
        return Host(library, folder)
    pytest.importorskip("unicorn")
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("needs arm-none-eabi-gcc")
    return Arm(library, core, folder)


@pytest.fixture(scope="module")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Host(provide(None), tmp_path_factory.mktemp("subset"))


@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CMSIS_NN_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_same_bytes_as_the_reference(machine: Machine, kind: str, data: st.DataObject) -> None:
    case: Any = data.draw(CASES[kind])
    np.testing.assert_array_equal(case.run(machine), case.expected())


def test_both_roundings_at_and_beside_their_halves(machine: Machine) -> None:
    """Every output is one (sum, multiplier, shift): the sum is the bias of a fully connected layer without inputs."""
    sums = [*range(-40, 41), *(s * (1 << b) + d for s in (-1, 1) for b in (12, 20, 30) for d in (-1, 0, 1))]
    multipliers = [1 << 30, (1 << 30) + 1, 3 << 29, (1 << 31) - 1]
    shifts = [2, 1, 0, -1, -2, -3, -10, -23, -31]
    entries = np.array(list(itertools.product(sums, multipliers, shifts)), np.int32)
    bias, *scales = (np.ascontiguousarray(column) for column in entries.T)
    quantisation = Quantisation(scales[0], scales[1], 0, 0, (-128, 127))
    filters = np.zeros((len(entries), 1), np.int8)
    name = "arm_fully_connected_per_channel_s8"
    case = FullyConnected(name, True, 0, np.zeros((1, 1), np.int8), filters, bias, quantisation)
    np.testing.assert_array_equal(case.run(machine), case.expected())


@pytest.mark.parametrize("scale", [0.01, 0.03, 0.09])
def test_softmax_of_many_short_rows(machine: Machine, scale: float) -> None:
    """Probabilities far from 0 and 1 show the last bits of exponential, sum and reciprocal."""
    values = np.random.default_rng(3).integers(-64, 64, (1500, 3), dtype=np.int8)
    case = Softmax(values, *softmax_parameters(scale))
    np.testing.assert_array_equal(case.run(machine), case.expected())


@pytest.mark.parametrize("size", [1, 2, 10, 12, 100])
@pytest.mark.parametrize("scale", [0.004, 0.05, 0.4])
def test_softmax_is_the_softmax(machine: Machine, size: int, scale: float) -> None:
    """Reference and C could share a mistake; the real function tells."""
    values = np.random.default_rng(size).integers(-128, 128, (4, size), dtype=np.int8)
    exponentials = np.exp((values.astype(float) - values.max(axis=1, keepdims=True)) * scale)
    wanted = np.clip(exponentials / exponentials.sum(axis=1, keepdims=True) * 256, 0, 255) - 128
    found = Softmax(values, *softmax_parameters(scale)).run(machine)
    assert np.abs(found - wanted).max() <= 1.01


def test_average_rounds_halves_away_from_zero(machine: Machine) -> None:
    values = np.array([[-1, -2, 1, 2, -3, -4, 0, -1, 127, 126, -127, -128]], np.int8).reshape(1, 1, 12, 1)
    window = Window((1, 1, 12, 1), (1, 1, 6, 1), (1, 2), (1, 2), (0, 0), (1, 1))
    found = Pooling(window, False, values, (-128, 127)).run(machine)
    assert found.ravel().tolist() == [-2, 2, -4, -1, 127, -128]


def call_convolution(machine: Machine, **changes: int) -> int:
    """Status of a 3x3 convolution of 4 channels in two groups, with some of its numbers changed."""
    number = {"stride": 1, "padding": 1, "dilation": 1, "n": 1, "size": 4, "inputs": 4, "depth": 2, "outputs": 6}
    number.update(changes)
    pair, size, channels = (number["stride"],) * 2, number["size"], number["outputs"]
    params = Struct(0, 0, *pair, *(number["padding"],) * 2, *(number["dilation"],) * 2, -128, 127)
    scales = Struct(np.full(8, 1 << 30, np.int32), np.zeros(8, np.int32))
    room = np.zeros(1000, np.int8)
    dims, filter_dims = Struct(number["n"], size, size, number["inputs"]), Struct(channels, 3, 3, number["depth"])
    output = Output(6 * 16)
    status = machine.call(
        "arm_convolve_wrapper_s8",
        *(Struct(None, 0), params, scales, dims, room, filter_dims, room, Struct(1, 1, 1, channels), None),
        *(Struct(1, 4, 4, channels), output),
    )
    output.assert_guards_untouched()
    return status


def test_convolution_accepts_what_the_error_cases_vary(subset: Machine) -> None:
    assert call_convolution(subset) == 0


@pytest.mark.parametrize(
    "change",
    [
        *({"stride": 0}, {"stride": -1}, {"padding": -1}, {"dilation": 0}, {"n": 0}, {"size": 0}),
        *({"inputs": 0}, {"depth": 0}, {"depth": 3}, {"depth": 8}, {"outputs": 0}, {"outputs": 5}),
    ],
    ids=str,
)
def test_convolution_rejects(subset: Machine, change: dict[str, int]) -> None:
    assert call_convolution(subset, **change) == ARG_ERROR


@pytest.mark.parametrize("inputs, outputs, multiplier", [(3, 4, 1), (3, 3, 2), (3, 0, 0), (0, 0, 1)])
def test_depthwise_rejects_channels_that_do_not_match(
    subset: Machine, inputs: int, outputs: int, multiplier: int
) -> None:
    room, output = np.zeros(100, np.int8), Output(100)
    scales = Struct(np.full(8, 1 << 30, np.int32), np.zeros(8, np.int32))
    status = subset.call(
        "arm_depthwise_conv_wrapper_s8",
        *(Struct(None, 0), Struct(0, 0, multiplier, 1, 1, 0, 0, 1, 1, -128, 127), scales),
        *(Struct(1, 4, 4, inputs), room, Struct(1, 1, 1, outputs), room, Struct(1, 1, 1, outputs), None),
        *(Struct(1, 4, 4, outputs), output),
    )
    assert status == ARG_ERROR
    assert (output.values == UNTOUCHED).all()


@pytest.mark.parametrize("function", ["arm_max_pool_s8", "arm_avgpool_s8"])
@pytest.mark.parametrize(
    "input_dims, kernel, params",
    [
        ((0, 4, 4, 1), (2, 2), (1, 1, 0, 0)),  # no batch
        ((1, 4, 4, 0), (2, 2), (1, 1, 0, 0)),  # no channel
        ((1, 4, 4, 1), (0, 2), (1, 1, 0, 0)),  # no kernel
        ((1, 4, 4, 1), (2, 2), (0, 1, 0, 0)),  # no stride
        ((1, 4, 4, 1), (2, 2), (1, 1, -1, 0)),
        ((1, 4, 4, 1), (2, 2), (1, 1, 2, 0)),  # the first window lies in the padding
        ((1, 1, 4, 1), (2, 2), (1, 4, 0, 0)),  # the last one does
    ],
)
def test_pooling_rejects(
    subset: Machine, function: str, input_dims: tuple[int, ...], kernel: tuple[int, int], params: tuple[int, ...]
) -> None:
    output = Output(16)
    arguments = (np.zeros(16, np.int8), Struct(1, *kernel, 1), Struct(1, 3, 3, 1), output)
    status = subset.call(function, Struct(None, 0), Struct(*params, -128, 127), Struct(*input_dims), *arguments)
    assert status == ARG_ERROR
    output.assert_guards_untouched()


def test_fully_connected_and_padding_reject_sizes_below_their_least(subset: Machine) -> None:
    room, output = np.zeros(16, np.int8), Output(16)
    for batches, inputs, outputs in [(0, 1, 1), (1, 0, 1), (1, 1, 0)]:
        status = subset.call(
            "arm_fully_connected_s8",
            *(Struct(None, 0), Struct(0, 0, 0, -128, 127), Struct(1 << 30, 0), Struct(batches, 1, 1, inputs), room),
            *(Struct(inputs, 1, 1, outputs), room, Struct(1, 1, 1, outputs), None),
            *(Struct(batches, 1, 1, outputs), output),
        )
        assert status == ARG_ERROR
    dims = (Struct(1, 2, 2, 1), Struct(0, -1, 0, 0), Struct(0, 0, 0, 0))
    assert subset.call("arm_pad_s8", room, output, 0, *dims) == ARG_ERROR
    assert (output.values == UNTOUCHED).all()


def test_addition_and_softmax_work_in_place(subset: Machine) -> None:
    values = np.random.default_rng(1).integers(-128, 128, 40, dtype=np.int8)
    ones = (0, 1 << 30, 0)
    wanted = Addition((values, values), (ones, ones), 0, ones, (-128, 127)).run(subset).copy()
    there = values.copy()
    subset.call("arm_elementwise_add_s8", there, there, *ones, *ones, 0, there, *ones, -128, 127, 40)
    np.testing.assert_array_equal(there, wanted)

    wanted = Softmax(values.reshape(4, 10), *softmax_parameters(0.05)).run(subset).copy()
    there = values.copy()
    subset.call("arm_softmax_s8", there, 4, 10, *softmax_parameters(0.05), there)
    np.testing.assert_array_equal(there.reshape(4, 10), wanted)


@pytest.mark.parametrize("size", [512, 1500, 4096, 8192, 9000])
def test_softmax_of_a_long_flat_row_is_zero(size: int, subset: Machine) -> None:
    """A probability is at most half of 1/256; the last shift exceeds 31 bits, and longer rows' sums 32."""
    found = Softmax(np.zeros((1, size), np.int8), *softmax_parameters(0.05)).run(subset)
    assert (found == -128).all()
