"""The C of the host against NumPy's integers and exact definitions, for every processor and for this one."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import conv_graph

from approx_plugin.approximation.bases.transformed import POINTS_T22, POINTS_T42
from approx_plugin.laboratory import operators as drawn
from approx_plugin.laboratory.operators import activation
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array
from approx_plugin.native import products
from approx_plugin.native.library import SWITCH, load
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import SAME, VALID, Window


def conv(seed: int = 1, **arguments: Any) -> Conv2D:
    made = conv_graph(np.random.default_rng(seed), **arguments).operators[0]
    assert isinstance(made, Conv2D)
    return made


def depthwise(size: tuple[int, int], channels: int, kernel: tuple[int, int], stride: int, scheme: int) -> Operator:
    rng = np.random.default_rng(channels)
    window = Window.resolve(scheme, size, kernel, (stride, stride))
    return drawn.depthwise_conv2d(
        activation(0, (*size, channels), 0.02, -7),
        window,
        zero_point=3,
        weights=rng.integers(-127, 128, (*kernel, channels), dtype=np.int8),
        bias=rng.integers(-3000, 3000, channels, dtype=np.int32),
        multipliers=tuple(quantize_multiplier(float(x)) for x in rng.uniform(0.0005, 0.02, channels)),
        limits=(-128, 127),
    )


PLAIN = conv(size=(9, 11), channels=(12, 9), kernel=(3, 3), zero_points=(127, 5))
ODD = conv(size=(7, 5), channels=(5, 3), kernel=(3, 3), zero_points=(-1, 4), limits=(-100, 90))
LAYERS: dict[str, Operator] = {
    "3x3": PLAIN,
    "odd channels, limits": ODD,
    "first layer": conv(size=(12, 14), channels=(3, 8), kernel=(3, 3), stride=(2, 2)),
    "10x4": conv(size=(13, 9), channels=(1, 4), kernel=(10, 4), stride=(2, 2), zero_points=(83, -128)),
    "1x1": conv(size=(3, 5), channels=(16, 17), kernel=(1, 1)),
    "one output": conv(size=(3, 3), channels=(4, 1), kernel=(3, 3), same=False),
    "stride over the window": conv(size=(9, 11), channels=(4, 2), kernel=(1, 1), stride=(3, 2)),
    "sums that wrap": replace(ODD, bias=np.full(3, 2**31 - 9, np.int32)),
    "shift to the left": replace(ODD, multipliers=(Multiplier(2**31 - 1, 3),) * 3),
    "one multiplier for all": replace(ODD, multipliers=ODD.multipliers[:1]),
    "far shift": replace(ODD, multipliers=(Multiplier(2**30, -20),) * 3),
    "no padding": depthwise((8, 9), 10, (3, 3), 1, VALID),
    "depthwise, stride 2": depthwise((9, 7), 17, (3, 3), 2, SAME),
    "depthwise, one channel": depthwise((6, 6), 1, (5, 3), 1, SAME),
    "t42": POINTS_T42.rebuild(PLAIN, POINTS_T42.coefficients(PLAIN), POINTS_T42.bias(PLAIN)),
    "t22, odd channels": POINTS_T22.rebuild(ODD, POINTS_T22.coefficients(ODD) + 3, POINTS_T22.bias(ODD) - 5),
}


@pytest.fixture(params=["", "portable"])
def built(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> None:
    """The library for this processor, and for any."""
    folder = Path(tmp_path_factory.getbasetemp()) / "native-cache"
    found = load({**os.environ, "XDG_CACHE_HOME": str(folder), SWITCH: request.param})
    if found is None:
        pytest.skip("needs a C compiler for this machine")
    monkeypatch.setattr(products, "library", lambda: found)


def images(operator: Operator) -> Sequence[Int8Array]:
    rng = np.random.default_rng(7)
    shape = operator.inputs[0].shape[1:]
    drawn_ones = rng.integers(-128, 128, (5, *shape))
    return [np.concatenate([drawn_ones, np.full((1, *shape), -128), np.full((1, *shape), 127)]).astype(np.int8)]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", LAYERS)
def test_c_computes_what_numpy_does(name: str) -> None:
    operator = LAYERS[name]
    layer = operator._native  # type: ignore[attr-defined]
    if name == "far shift":
        assert layer is None, "32 bits would not be exact"
        return
    (values,) = images(operator)
    by_c = layer(values)
    numpy = operator._by_maps if hasattr(operator, "_by_maps") else operator._by_matrices  # type: ignore[attr-defined]
    assert by_c is not None and np.array_equal(by_c, numpy(values))
    assert len(np.unique(by_c)) > 1, "the layer says something"


def test_without_a_compiler_numpy_computes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load({"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}) is None
    assert load({**os.environ, SWITCH: "0"}) is None
    (values,) = images(PLAIN)
    wanted = PLAIN.compute([values])
    monkeypatch.setattr(products, "library", lambda: None)
    assert np.array_equal(PLAIN.compute([values]), wanted)


def test_a_broken_library_is_not_used(tmp_path: Path) -> None:
    if load({**os.environ, "XDG_CACHE_HOME": str(tmp_path / "whole")}) is None:
        pytest.skip("needs a C compiler for this machine")
    (library,) = (tmp_path / "whole").rglob("*.so")
    broken = tmp_path / "broken" / library.relative_to(tmp_path / "whole")
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a library")
    assert load({**os.environ, "XDG_CACHE_HOME": str(tmp_path / "broken")}) is None


def test_operators_go_to_other_processes() -> None:
    (values,) = images(PLAIN)
    wanted = PLAIN.compute([values])
    assert np.array_equal(pickle.loads(pickle.dumps(PLAIN)).compute([values]), wanted)
