"""The second-order update against least squares by other means, in both bases, and what it makes of a layer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_convolution import activation, convolution, network

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.bases.transformed import POINTS_T22, POINTS_T42, Transformed
from approx_plugin.approximation.basis import Basis
from approx_plugin.approximation.grouping import Grouping, single
from approx_plugin.approximation.moments import DAMPING, gather_moments
from approx_plugin.approximation.reconstruction import candidates, eliminate, rounded
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import padded
from approx_plugin.operators.transformed_conv2d import TransformedConv2D

BASES = {"taps": TAPS, "t22": POINTS_T22, "t42": POINTS_T42}


def layer(
    rng: np.random.Generator,
    extent: tuple[int, int] = (9, 7),
    channels: tuple[int, int] = (3, 4),
    zero_point: int = -5,
    padding: tuple[int, int, int, int] = (1, 1, 1, 1),
) -> Conv2D:
    weights = rng.integers(-127, 128, (channels[1], 3, 3, channels[0]), dtype=np.int8)
    return convolution(weights, activation(0, (*extent, channels[0]), zero_point), padding=padding)


def images_of(conv: Conv2D, rng: np.random.Generator, count: int = 12) -> np.ndarray:
    """Neighbouring pixels and channels are alike, as in pictures."""
    height, width, channels = conv.input_shape
    rough = rng.normal(size=(count, height + 2, width + 2, channels)).cumsum(axis=1).cumsum(axis=2)
    smooth = rough[:, 2:, 2:] + 0.5 * rough[:, 1:-1, 2:] + 0.7 * rough[..., 2:, 2:, ::-1]
    scaled = smooth / np.abs(smooth).max() * 140
    made: np.ndarray = np.clip(np.rint(scaled), -128, 127).astype(np.int8)
    return made


def exact_sums(conv: Conv2D, images: np.ndarray, basis: Basis, coefficients: np.ndarray) -> np.ndarray:
    """float64 [outputs of all samples, channels] without bias, by the basis' own description."""
    effects = basis.effects(conv)
    flat = coefficients.reshape(len(coefficients), -1).astype(np.float64)
    parts = [np.einsum("so,jo,co->sjc", v, effects, flat) for v in basis.operands(conv, images)]
    return np.reshape(np.concatenate(parts), (-1, len(coefficients)))


@pytest.mark.parametrize("name", BASES)
def test_curvature_is_the_variance_of_a_change_and_noise(name: str) -> None:
    rng = np.random.default_rng(3)
    conv, basis = layer(rng), BASES[name]
    images = images_of(conv, rng)
    moments = gather_moments(network(conv), {0: basis}, images)[0]
    change = rng.normal(size=basis.coefficients(conv).shape)
    errors = exact_sums(conv, images, basis, change)
    flat = change.reshape(len(change), -1)
    np.testing.assert_allclose(flat @ moments.mean, errors.mean(axis=0), rtol=1e-9, atol=1e-9)
    effects = basis.effects(conv)
    noise = DAMPING * images.astype(np.float64).var() * (effects.T @ effects / len(effects)) * basis.noise(conv)
    found = np.einsum("co,op,cp->c", flat, moments.curvature, flat)
    np.testing.assert_allclose(found, errors.var(axis=0) + np.einsum("co,op,cp->c", flat, noise, flat), rtol=1e-9)


def test_noise_of_points_is_that_of_noisy_pixels() -> None:
    rng = np.random.default_rng(4)
    conv = layer(rng, extent=(4, 2), channels=(2, 1), zero_point=0)
    for basis in (POINTS_T22, POINTS_T42):
        patches = rng.normal(size=(200_000, *basis.form.patch, 2))
        points = basis.form.transformed(patches).reshape(len(patches), -1)
        np.testing.assert_allclose(
            points.T @ points / len(points), basis.noise(conv), atol=0.015 * basis.noise(conv).max()
        )


def problem(rng: np.random.Generator, operands: int = 8) -> tuple[np.ndarray, np.ndarray]:
    samples = rng.normal(size=(300, operands)) @ rng.normal(size=(operands, operands))
    return rng.normal(size=(3, operands)) * 20, samples.T @ samples / 300


def loss(change: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.einsum("co,op,cp->c", change, curvature, change)
    return found


def test_what_is_left_is_the_best_that_can_be_had_without_what_is_gone() -> None:
    wanted, curvature = problem(np.random.default_rng(5))
    groups = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    for stage in eliminate(wanted, np.linalg.inv(curvature), groups, np.ones(3))[1:-1]:
        kept = np.flatnonzero(~stage.dropped)
        assert not stage.coefficients[:, stage.dropped].any()
        # Least squares with the kept ones alone: H_kk c = H_k: wanted.
        best = np.linalg.solve(curvature[np.ix_(kept, kept)], curvature[kept] @ wanted.T).T
        np.testing.assert_allclose(stage.coefficients[:, kept], best, rtol=1e-6, atol=1e-6)


def test_the_first_group_to_go_is_the_cheapest_of_all() -> None:
    wanted, curvature = problem(np.random.default_rng(6))
    groups, weights = np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([1.0, 4.0, 0.25])
    first = eliminate(wanted, np.linalg.inv(curvature), groups, weights)[1]
    costs = []
    for group in range(4):
        kept = np.flatnonzero(groups != group)
        best = np.zeros_like(wanted)
        best[:, kept] = np.linalg.solve(curvature[np.ix_(kept, kept)], curvature[kept] @ wanted.T).T
        costs.append(float(weights @ loss(best - wanted, curvature)))
    assert set(groups[first.dropped]) == {int(np.argmin(costs))}
    assert first.cost == pytest.approx(min(costs))


def test_rounding_takes_up_its_errors_and_keeps_to_the_limits() -> None:
    rng = np.random.default_rng(7)
    better = 0
    for _ in range(20):
        wanted, curvature = problem(rng)
        kept = np.arange(8) != 3
        wanted[:, 3] = 0
        made = rounded(wanted, kept, curvature, (-30, 30))
        assert not made[:, 3].any() and np.abs(made).max() <= 30
        nearest = np.clip(np.rint(wanted), -30, 30)
        better += loss(made - wanted, curvature).sum() <= loss(nearest - wanted, curvature).sum()
    assert better >= 18


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", BASES)
def test_candidates_drop_more_and_more_and_stay_close(name: str, shared: bool) -> None:
    rng = np.random.default_rng(8)
    conv, basis = layer(rng, extent=(13, 10), channels=(4, 5)), BASES[name]
    images = images_of(conv, rng, 40)
    graph = network(conv)
    alone = single(basis, conv)
    grouping = Grouping(basis, "pairs of channels", alone.groups // 2, shared)
    moments = gather_moments(graph, {0: basis}, images)[0]
    found = candidates(conv, moments, grouping, (0.1, 0.3, 0.5, 0.8))
    assert [one.level for one in found] == [0.1, 0.3, 0.5, 0.8]
    exact = conv.compute([images]).astype(np.int64)
    errors = []
    for one in found:
        share = 1 - one.kept_share
        assert one.level - 0.03 <= share <= one.level + 0.1
        gone = (one.coefficients == 0).reshape(len(one.coefficients), -1)
        pairs = gone.reshape(len(gone), -1, 2).all(axis=2)
        assert 2 * pairs.sum() >= 0.95 * (one.products - one.kept)
        if shared:
            dropped = pairs.all(axis=0).sum() * 2 * len(gone)
            assert dropped >= 0.9 * (one.products - one.kept)
        errors.append(float(np.abs(one.operator.compute([images]) - exact).mean()))
        plain = np.where(one.coefficients == 0, 0, basis.coefficients(conv))
        naive = basis.rebuild(conv, plain, basis.bias(conv))
        assert errors[-1] < 0.9 * float(np.abs(naive.compute([images]) - exact).mean())
    assert errors == sorted(errors)


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 9), width=st.integers(1, 9), channels=st.integers(1, 5), outputs=st.integers(1, 4),
    zero_point=st.integers(-128, 127), same=st.booleans(), name=st.sampled_from(["t22", "t42"]), seed=st.integers(0, 9),
)  # fmt: skip
def test_a_transformed_convolution_computes_what_its_points_say(
    height: int, width: int, channels: int, outputs: int, zero_point: int, same: bool, name: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    if not same:
        height, width = height + 2, width + 2
    padding = (1, 1, 1, 1) if same else (0, 0, 0, 0)
    conv = layer(rng, (height, width), (channels, outputs), zero_point, padding)
    basis = BASES[name]
    assert isinstance(basis, Transformed)
    form = basis.form
    coefficients = basis.coefficients(conv) + rng.integers(-40, 41, basis.coefficients(conv).shape).astype(np.int16)
    operator = basis.rebuild(conv, coefficients, basis.bias(conv) + 7)
    assert isinstance(operator, TransformedConv2D)
    images = rng.integers(-128, 128, (3, *conv.input_shape), dtype=np.int8)
    # By loops over tiles, in whole numbers.
    (down, across), (tall, wide) = form.tile, form.patch
    around = padded(images, conv.padding, zero_point, np.int64) - zero_point
    around = np.pad(around, ((0, 0), (0, 8), (0, 8), (0, 0)), constant_values=0)
    expected = np.zeros((3, *conv.output_shape), np.int64)
    for image, y, x in itertools.product(
        range(3), range(0, expected.shape[1], down), range(0, expected.shape[2], across)
    ):
        patch = around[image, y : y + tall, x : x + wide].reshape(-1, channels)
        points = np.einsum("opc,pc->po", coefficients.astype(np.int64), form.inputs @ patch)
        sums = (form.outputs @ points + basis.bias(conv) + 7).reshape(down, across, outputs)
        made = ((sums * operator.multipliers >> 32) + operator.addends) >> operator.exponent
        made = np.clip(made, -128, 127)
        space = expected[image, y : y + down, x : x + across]
        space[...] = made[: space.shape[0], : space.shape[1]]
    np.testing.assert_array_equal(operator.compute([images]), expected)
    lowest, highest = operator.sum_limits
    assert (lowest <= highest).all()


def test_exact_points_give_the_convolution_up_to_a_rounding() -> None:
    rng = np.random.default_rng(9)
    conv = layer(rng, (12, 9), (5, 6))
    images = rng.integers(-128, 128, (6, *conv.input_shape), dtype=np.int8)
    for basis in (POINTS_T22, POINTS_T42):
        same = basis.rebuild(conv, basis.coefficients(conv), basis.bias(conv))
        difference = same.compute([images]).astype(int) - conv.compute([images])
        assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 0.01


def test_sums_that_could_leave_int32_are_refused() -> None:
    conv = layer(np.random.default_rng(10), channels=(4, 1))
    large = np.full(POINTS_T42.coefficients(conv).shape, 32767, np.int16)
    with pytest.raises(ValueError, match="could leave int32"):
        POINTS_T42.rebuild(conv, large, POINTS_T42.bias(conv))
    with pytest.raises(ValueError, match="int16"):
        POINTS_T42.rebuild(conv, large.astype(np.int64) * 2, POINTS_T42.bias(conv))
