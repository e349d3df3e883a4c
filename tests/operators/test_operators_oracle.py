"""Every operator that CMSIS-NN does not serve, on random shapes and parameters, against TensorFlow Lite's reference."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import tflite_oracle
from hypothesis import HealthCheck, given, settings
from layer_cases import Case, graph_of
from operator_cases import CONVOLUTIONS, STRATEGIES

from approx_plugin.errors import ModelError
from approx_plugin.operators.reduction import Reduction
from approx_plugin.reference.executor import run

CASES = {**STRATEGIES, **CONVOLUTIONS}

WITHOUT_REFERENCE = ("ELU",)
"""Kinds that the set of reference kernels lacks: the optimised kernel is a table of the same function."""


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "SUM"])
def test_equals_tflite_reference_kernels(kind: str) -> None:
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")

    compared: list[Case] = []

    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES[kind])
    def check(case: Case) -> None:
        try:
            graph = graph_of(case.content)
        except ModelError as error:
            # Scales that fixed point, or the 16 bits of HARD_SWISH, do not reach.
            assert "give the multiplier" in str(error) or kind == "HARD_SWISH"
            return
        try:
            wanted = tflite_oracle.outputs(case.for_tflite, case.inputs, reference=kind not in WITHOUT_REFERENCE)
        except RuntimeError as error:
            # The interpreter refuses what our fixed point still reaches: a factor of 2**30 or more between two scales.
            assert "no_integer_overflow_from_quantization" in str(error)
            return
        compared.append(case)
        got = run(graph, case.inputs)
        np.testing.assert_array_equal(got, np.frombuffer(wanted.tobytes(), np.int8).reshape(got.shape))

    check()
    assert len(compared) >= 20, "or the oracle has said nothing"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=STRATEGIES["SUM"])
def test_sums_in_exact_arithmetic(case: Case) -> None:
    """tflite_runtime 2.14 gives 0 and -1 for many sums, whatever the numbers: this operator has another oracle."""
    graph = graph_of(case.content)
    (operator,) = graph.operators
    assert isinstance(operator, Reduction)
    source, result = graph.input_tensor, graph.output_tensor
    factor = naive.multiplier(source.scale / result.scale)
    axes = tuple(axis + 1 for axis in operator.axes)
    wide = case.inputs.reshape(len(case.inputs), *source.own_shape).astype(int) - source.zero_point
    expected = [
        naive.clamp(naive.scaled(int(total), factor) + result.zero_point, (-128, 127))
        for total in wide.sum(axis=axes).reshape(-1)
    ]
    assert run(graph, case.inputs).reshape(-1).tolist() == expected
