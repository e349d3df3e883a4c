"""Sums of two activations: constants against the definition for all pairs, and the code on the virtual boards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from examined import CORES, core_errors, examined

from approx_plugin.kernels.added.constants import constants_of
from approx_plugin.kernels.added.kernel import Added
from approx_plugin.kernels.platform import Platform
from approx_plugin.laboratory.operators import activation
from approx_plugin.model.quantization import quantize_multiplier
from approx_plugin.operators.add import LEFT_SHIFT, Add, Sub

ADDED = Added()
VALUES = np.arange(-128, 128, dtype=np.int64)


def add(
    scales: tuple[float, float, float],
    zero_points: tuple[int, int, int] = (-128, 4, -128),
    shape: tuple[int, ...] = (3, 5, 7),
    limits: tuple[int, int] = (-128, 127),
    kind: type[Add] = Add,
) -> Add:
    """As the reader makes it."""
    twice = 2.0 * max(scales[:2])
    return kind(
        index=0,
        name="add_0",
        label="sum",
        inputs=(activation(0, shape, scales[0], zero_points[0]), activation(1, shape, scales[1], zero_points[1])),
        output=activation(2, shape, scales[2], zero_points[2]),
        multipliers=(quantize_multiplier(scales[0] / twice), quantize_multiplier(scales[1] / twice)),
        output_multiplier=quantize_multiplier(twice / ((1 << LEFT_SHIFT) * scales[2])),
        activation_min=limits[0],
        activation_max=limits[1],
    )


LAYERS = {
    "residual": add((0.0235, 0.0622, 0.0304)),
    "odd zero points": add((0.0256, 0.0647, 0.0304), (-17, 4, -128)),
    "limits": add((0.0235, 0.0622, 0.0304), limits=(-100, 90)),
    "one element": add((0.04, 0.03, 0.05), (-128, -128, -128), shape=(1, 1, 1)),
    "two elements": add((0.04, 0.03, 0.05), (-128, -128, -128), shape=(1, 1, 2)),
    "whole turns": add((0.05, 0.05, 0.07), (0, 0, 0), shape=(4, 4, 16)),
    "difference": add((0.05, 0.05, 0.07), (0, 0, 0), kind=Sub),
}


@pytest.mark.parametrize("name", LAYERS)
def test_constants_are_exact_for_all_pairs(name: str) -> None:
    layer = LAYERS[name]
    found = constants_of(layer)
    assert found is not None
    wanted = layer.pairs(*np.meshgrid(VALUES, VALUES, indexing="ij"))
    limited = np.clip(found.outputs(), layer.activation_min, layer.activation_max)
    np.testing.assert_array_equal(limited, wanted)


@pytest.mark.parametrize("core", CORES)
def test_every_layer_is_computed(core: str, tmp_path: Path) -> None:
    verdict = examined(ADDED, LAYERS.values(), core, tmp_path)
    assert float(np.median(np.abs(core_errors(verdict, core)))) < (0.15 if core == "cortex-m7" else 0.05)


def test_scales_that_are_too_far_apart_are_left_to_others() -> None:
    far = add((90.0, 0.01, 0.01), (0, 0, 0))
    assert "no exact constants" in str(ADDED.refusal((far,), Platform("cortex-m4", True, "assembly")))
