"""What is drawn: the same layers for the same seed, of every kind, within their limits, with plans that are offered."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from toy_kernels import Padded

from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.cmsis_nn.registry import SERVICES
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.portable.registry import serves
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.TEMPLATE import Loop
from approx_plugin.laboratory.drawing import REGISTERED, Drawn, draw_layers, unpriced
from approx_plugin.laboratory.extremes import DRAWERS, draw_extreme, draw_run
from approx_plugin.laboratory.harness import draw_subjects
from approx_plugin.laboratory.layers import MAX_ACTIVATION, MAX_MACS
from approx_plugin.laboratory.runtime_layers import FORMS, draw_runtime
from approx_plugin.model.operator import Operator
from approx_plugin.operators.binary import Binary
from approx_plugin.operators.concatenation import Concatenation
from approx_plugin.operators.registry import OPERATORS
from approx_plugin.operators.selection import Selection
from approx_plugin.operators.transpose_conv import TransposeConv

PLATFORM = unpriced(load_board("nucleo-u575zi-q"), "assembly")
COMPUTED = {kind for kind, operator in OPERATORS.items() if kind in SERVICES or serves(operator)}
CALIBRATED = {*SERVICES}
"""The runtime's coefficients are assumed: its other kinds are not among the layers whose cycles are recorded."""


def same(drawn: Drawn) -> tuple[object, ...]:
    """What makes a drawn layer what it is."""
    shapes = tuple(tensor.shape for operator in drawn.operators for tensor in (*operator.inputs, operator.output))
    return (*(operator.fingerprint for operator in drawn.operators), shapes, drawn.kernel.name, drawn.variant)


def test_a_seed_gives_the_same_layers() -> None:
    assert [*map(same, draw_layers(4, 0.1, PLATFORM))] == [*map(same, draw_layers(4, 0.1, PLATFORM))]
    assert [*map(same, draw_layers(4, 0.1, PLATFORM))] != [*map(same, draw_layers(5, 0.1, PLATFORM))]


def test_training_and_held_out_layers_are_not_the_same() -> None:
    training = {same(d) for d in draw_layers(1, 1.0, PLATFORM) if hasattr(d.operators[0], "weights")}
    assert not training & {same(d) for d in draw_layers(2, 0.5, PLATFORM) if hasattr(d.operators[0], "weights")}


def test_the_layers_are_those_whose_cycles_were_recorded() -> None:
    """Of these two kernels. Another digest, or further kernels, ask for a calibration: docs/costs.md says how."""
    kernels = [KERNELS["unpacked"], KERNELS["cmsis_nn"]]
    digest = hashlib.sha256(repr([*map(same, draw_layers(2, 0.5, PLATFORM, kernels))]).encode()).hexdigest()
    assert digest[:16] == "a84bf52b56a4f7bd"


def test_layers_stay_within_their_limits() -> None:
    kinds = set()
    for drawn in draw_layers(7, 0.5, PLATFORM):
        (operator,) = drawn.operators
        kinds.add(operator.kind)
        assert max(operator.inputs[0].elements, operator.output.elements) <= 2 * MAX_ACTIVATION
        if operator.kind == "CONV_2D":
            assert operator.macs <= MAX_MACS
        assert consistent(operator)
        assert drawn.numbered(5).plan(PLATFORM).operators[0].name.endswith("_5")
    assert kinds == CALIBRATED


def consistent(operator: Operator) -> bool:
    """The reference accepts it."""
    values = [np.zeros((1, *tensor.shape[1:]), np.int8) for tensor in operator.inputs]
    return operator.compute(values).shape == operator.output.shape


def test_extremes_are_consistent_and_reach_the_ends() -> None:
    random = np.random.default_rng(3)
    drawn = [draw_extreme(random) for _ in range(600)]
    assert {*DRAWERS} == {operator.kind for operator in drawn} == CALIBRATED
    assert all(map(consistent, drawn))
    convolutions: list[Any] = [o for o in drawn if o.kind in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    ends = (
        lambda o: o.inputs[0].elements == 1,
        lambda o: o.inputs[0].shape[3] == 1,
        lambda o: o.output.elements == 1,
        lambda o: o.stride[0] > o.kernel[0],
        lambda o: o.kernel[0] > o.inputs[0].shape[1],
        lambda o: not o.weights.any(),
        lambda o: o.inputs[0].zero_point == 127 and o.output.zero_point == -128,
        lambda o: int(np.abs(o.bias.astype(np.int64)).max()) > 2**31 - 2**20,
        lambda o: all(m.mantissa == 0 for m in o.multipliers),
        lambda o: any(m.shift > 2 for m in o.multipliers),
        lambda o: any(m.mantissa and m.shift < -12 for m in o.multipliers),
        lambda o: o.activation_min == o.activation_max,
    )
    assert [any(map(holds, convolutions)) for holds in ends] == [True] * len(ends)


def test_every_kind_that_is_computed_has_a_drawer() -> None:
    assert {*DRAWERS, *FORMS} == COMPUTED == {*OPERATORS} - {"EXPAND_DIMS", "RESHAPE", "SQUEEZE"}


@pytest.mark.parametrize("kind", FORMS)
def test_layers_of_the_runtime_are_consistent_and_differ(kind: str) -> None:
    drawn = [draw_runtime(np.random.default_rng(seed), kind) for seed in range(40)]
    assert {operator.kind for operator in drawn} == {kind}
    assert all(map(consistent, drawn)) and not any(operator.is_alias for operator in drawn)
    assert sum(KERNELS["runtime"].suits((operator,)) for operator in drawn) >= 20
    inputs = [tensor for operator in drawn for tensor in operator.inputs]
    assert {-128, 127} <= {tensor.zero_point for tensor in inputs}
    assert any(tensor.shape[-1] == 1 for tensor in (*inputs, *(operator.output for operator in drawn)))
    assert len({tensor.shape for tensor in inputs}) > 10
    again = draw_runtime(np.random.default_rng(7), kind)
    assert (again.fingerprint, again.output.shape) == (drawn[7].fingerprint, drawn[7].output.shape)


def test_layers_of_the_runtime_reach_the_ends() -> None:
    random = np.random.default_rng(6)
    drawn: list[Any] = [draw_runtime(random, kind) for kind in FORMS for _ in range(40)]
    assert {len(tensor.own_shape) for o in drawn for tensor in o.inputs} >= {1, 2, 3, 4}
    binaries = [o for o in drawn if isinstance(o, Binary)]
    joined = [o for o in drawn if isinstance(o, Concatenation)]
    transposed = [o for o in drawn if isinstance(o, TransposeConv)]
    ends = (
        any(o.inputs[0].own_shape[0] > 1 and o.inputs[0].lifted for o in drawn),
        any(o.output.own_shape == () for o in drawn),
        any(not o.same_shapes and len(o.inputs) == 2 for o in binaries),
        any(len(o.inputs) == 2 and o.inputs[0] is o.inputs[1] for o in binaries),
        any(o.operands[0].values is not None and o.operands[0].elements > 1 for o in binaries),
        any(o.operands[1].values is not None and o.operands[1].elements == 1 for o in binaries),
        any(len(o.inputs) > 3 for o in joined),
        any(values is not None for o in joined for values in o.constants),
        any(o.fill != o.inputs[0].zero_point for o in drawn if isinstance(o, Selection)),
        any(o.stride[0] > o.weights.shape[1] for o in transposed),
        any(o.crop != (0, 0) for o in transposed),
        any(o.activation_min == o.activation_max for o in transposed),
        any(m.shift > 2 for o in transposed for m in o.multipliers),
    )
    assert [*ends] == [True] * len(ends)


def test_sums_of_extremes_stay_within_int32() -> None:
    random = np.random.default_rng(4)
    layers: list[Any] = [draw_extreme(random) for _ in range(400)]
    seen = 0
    for operator in layers:
        if operator.kind not in ("CONV_2D", "FULLY_CONNECTED"):
            continue
        weights = operator.weights.reshape(len(operator.weights), -1).astype(np.int64)
        above, below = (weights * (x - operator.inputs[0].zero_point) for x in (127, -128))
        left = np.array([2 ** max(m.shift, 0) for m in operator.multipliers])
        assert ((np.maximum(above, below).sum(axis=1) + operator.bias) * left).max() < 2**31
        assert ((np.minimum(above, below).sum(axis=1) + operator.bias) * left).min() >= -(2**31)
        seen += 1
    assert seen > 50


def test_a_run_passes_on_what_it_makes() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        run = draw_run(random, 3)
        assert all(map(consistent, run))
        assert all(before.output.index in [t.index for t in after.inputs] for before, after in zip(run, run[1:]))
        made = [operator.output.index for operator in run]
        read = [t.index for operator in run for t in operator.inputs if t.index not in made]
        assert len({*made, *read}) == len(made) + len(read)


def test_a_subject_can_be_drawn_alone_and_a_new_kernel_changes_no_other() -> None:
    everything = [*draw_subjects(8, range(40), PLATFORM)]
    alone = [*draw_subjects(8, [17], PLATFORM)]
    assert [same(s.drawn) for s in alone] == [same(s.drawn) for s in everything if s.number == 17]
    more = [*draw_subjects(8, range(40), PLATFORM, (Padded(), *REGISTERED))]
    assert [same(s.drawn) for s in more if s.drawn.kernel.name != Padded.name] == [same(s.drawn) for s in everything]
    runs = [s.drawn for s in more if s.drawn.kernel.name == Padded.name]
    assert len(runs) > 5 and {drawn.kinds for drawn in runs} == {"PAD + MAX_POOL_2D"}


def test_kernels_that_refuse_get_nothing() -> None:
    without_dsp = Platform("cortex-m4", False, "assembly", PLATFORM.costs)
    assert {s.drawn.kernel.name for s in draw_subjects(1, range(30), without_dsp)} == {"cmsis_nn", "runtime"}


def test_plans_of_one_name_are_told() -> None:
    class Twice(Loop):
        def plans(self, operators: Any, platform: Platform) -> Any:
            return 2 * [*super().plans(operators, platform)]

    with pytest.raises(ValueError, match="template offers several plans of one name"):
        [*draw_subjects(4, range(60), PLATFORM, (Twice(),))]


def test_all_plans_are_drawn() -> None:
    drawn = [d for seed in range(3) for d in draw_layers(seed, 0.3, PLATFORM) if d.kernel.name == "unpacked"]
    offered = [[p.variant for p in d.kernel.plans(d.operators, PLATFORM)] for d in drawn]
    ranks = [variants.index(d.variant) for d, variants in zip(drawn, offered)]
    assert 0.2 < ranks.count(0) / len(ranks) < 0.7
    assert len(set(ranks)) > 8
