"""Depthwise convolutions on planes are proved from their machine code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from arm_call import build, portable_subset
from depthwise_cases import depthwise
from networks import lowered_by

from approx_plugin.laboratory.firmware import step_functions
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.proof.program import read_code
from approx_plugin.proof.step import PROVED, prove

APART = tuple(Multiplier((1 << 30) + 999, -shift) for shift in (2, 6, 12))

LAYERS: dict[str, DepthwiseConv2D] = {
    "twins": depthwise((5, 6), 4, (3, 3), zero_points=(-128, -128)),
    "odd, stride 2": depthwise((6, 5), 3, (3, 3), stride=(2, 2)),
    "dilated, multiplied": depthwise((7, 6), 2, (3, 2), dilation=(2, 1), multiplier=2, zero_points=(127, 5)),
    "exponents of their own": depthwise((4, 4), 3, (3, 3), multipliers=APART),
    "no padding, 5x5": depthwise((7, 8), 1, (5, 5), same=False),
}


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_proved(name: str, core: str, tmp_path: Path) -> None:
    layer = replace(LAYERS[name], index=0)
    source, result = layer.inputs[0], layer.output
    graph = Graph("depthwise", {0: source, 1: result}, (layer,), 0, 1, "0" * 64)
    program = lowered_by(graph, "planes", core)
    code = read_code(build(program, tmp_path, core, portable_subset()))
    names = step_functions(program, dict.fromkeys(code.functions, 0))
    (step,) = program.steps
    proof = prove(step, code, names[step.last.index])
    assert proof.verdict == PROVED, proof
    assert proof.outputs == result.elements
