"""Fully connected layers from packed tables: every plan on the virtual boards, groups, the table, the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from examined import CORES, core_errors, examined
from hypothesis import given
from hypothesis import strategies as st
from machine_assemblers import clang, function_sizes, gnu, unpadded

from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.packed.groups import Groups
from approx_plugin.kernels.packed.kernel import Packed, numbers
from approx_plugin.kernels.packed.plan import PackedPlan
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.pairs import channel_pairs
from approx_plugin.laboratory.operators import activation
from approx_plugin.model.quantization import quantize_multiplier
from approx_plugin.operators.fully_connected import FullyConnected

PACKED = Packed()
M33 = Platform("cortex-m33", True, "assembly")


def dense(
    inputs: int, outputs: int, rows: int = 1, zero_points: tuple[int, int] = (-128, -128), per_channel: bool = True
) -> FullyConnected:
    rng = np.random.default_rng(inputs + 7 * outputs)
    spread = 50.0 / (70.0 * 75.0 * np.sqrt(inputs))
    count = outputs if per_channel else 1
    return FullyConnected(
        index=0,
        name="fully_connected_0",
        label="dense",
        inputs=(activation(0, (rows, inputs), 0.02, zero_points[0]),),
        output=activation(1, (rows, outputs), 0.03, zero_points[1]),
        weights=rng.integers(-127, 128, (outputs, inputs), dtype=np.int8),
        bias=rng.integers(-3000, 3000, outputs, dtype=np.int32),
        multipliers=tuple(quantize_multiplier(float(spread * 2.0 ** rng.uniform(-2, 2))) for _ in range(count)),
        rows=rows,
        activation_min=-128,
        activation_max=127,
    )


LAYERS = {
    "one of everything": dense(1, 1, zero_points=(5, -3)),
    "fewer than a group": dense(6, 3, zero_points=(127, 0)),
    "groups that overlap": dense(64, 10),
    "rest of the inputs": dense(35, 9, zero_points=(-1, 4)),
    "several rows": dense(18, 8, rows=3, per_channel=False),
    "large": dense(128, 32),
    "two inputs": dense(2, 17),
    "one straight line": dense(8, 8),
    "one straight line and a rest": dense(7, 6),
}


@pytest.mark.parametrize("core", CORES)
def test_every_plan_computes_every_layer(core: str, tmp_path: Path) -> None:
    verdict = examined(PACKED, LAYERS.values(), core, tmp_path)
    assert float(np.median(np.abs(core_errors(verdict, core)))) < (0.12 if core == "cortex-m7" else 0.05)


@given(outputs=st.integers(1, 40), most=st.integers(1, 4))
def test_groups_cover_every_output(outputs: int, most: int) -> None:
    groups = Groups(outputs, 8, most)
    covered = {start + offset + n for start in groups.starts for offset in groups.offsets for n in range(2)}
    assert covered - {outputs} == set(range(outputs))
    if len(channel_pairs(outputs)) > 1:
        assert max(covered) == outputs - 1
    assert len({b - a for a, b in zip(groups.starts[:-1], groups.starts[1:-1])}) <= 1


def test_widened_inputs_are_not_read_before_they_are_written() -> None:
    """Where nothing loops, both stand in one straight line, which is scheduled as a whole."""
    for core in CORES:
        for name in ("one of everything", "one straight line", "one straight line and a rest"):
            plan = PACKED.plans((LAYERS[name],), Platform(core, True, "assembly"))[0]
            assert isinstance(plan, PackedPlan)
            (routine,) = plan.routines("layer")
            accesses = [one.access for one in routine.items if isinstance(one, Instruction) and one.access]
            places = [(number, access.stores) for number, access in enumerate(accesses) if access.region == "inputs"]
            last_store = max(number for number, stores in places if stores)
            assert all(number > last_store for number, stores in places if not stores), (core, name)


def test_refusals_say_why() -> None:
    layer = LAYERS["large"]
    assert "assembly" in str(PACKED.refusal((layer,), Platform("cortex-m4", True, "c")))
    low = dense(8, 4)
    low.weights[0, 0] = -128
    assert "-128" in str(PACKED.refusal((low,), M33))
    wide = dense(600, 2)
    wide.weights[:] = 127
    assert "int32" in str(PACKED.refusal((wide,), M33))
    assert numbers(layer) is not None


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["groups that overlap", "several rows", "rest of the inputs"])
def test_size_and_both_assemblers(name: str, core: str, tmp_path: Path) -> None:
    plan = PACKED.plans((LAYERS[name],), Platform(core, True, "assembly"))[0]
    (text,) = plan.emit("layer").sources.values()
    made = gnu(text, tmp_path, core)
    assert function_sizes(made) == {"layer_packed": plan.needs.code}
    assert unpadded(made) == unpadded(clang(text, tmp_path, core))
