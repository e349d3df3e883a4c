"""The unpacked kernel's code: what two assemblers make of it, what a debugger sees, and how it reads.

`golden/` holds the exact output for small layers, so that a change of the generator shows as a change of generated code
in a review. `pytest tests/kernels --accept-golden` writes the files anew; read the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_assemblers import clang, code_sections, function_sizes, gnu
from networks import conv_graph, lowered_by

from approx_plugin.kernels.machine import text as written
from approx_plugin.kernels.unpacked.assembly import GroupCode, Phase, group_code, groups
from approx_plugin.kernels.unpacked.geometry import describe_slot, geometry, slots
from approx_plugin.kernels.unpacked.phases import cut
from approx_plugin.kernels.unpacked.plan import UnpackedPlan, plans
from approx_plugin.operators.conv2d import Conv2D

GOLDEN = Path(__file__).parent / "golden"

LAYERS: dict[str, dict[str, Any]] = {
    "odd_channels_limits": dict(size=(5, 7), channels=(3, 3), kernel=(3, 3), limits=(-100, 90), zero_points=(3, -7)),
    "stride_2_half_the_weights": dict(size=(7, 9), channels=(4, 2), kernel=(3, 3), stride=(2, 2), density=0.5),
    "one_channel_valid": dict(size=(4, 4), channels=(1, 1), kernel=(3, 3), same=False),
}


def convolution(name: str) -> Conv2D:
    conv = conv_graph(np.random.default_rng(17), **LAYERS[name]).operators[0]
    assert isinstance(conv, Conv2D)
    return conv


def layer_text(name: str, core: str, backend: str) -> str:
    """The layer's file as it goes into a project."""
    graph = conv_graph(np.random.default_rng(17), **LAYERS[name])
    program = lowered_by(graph, "unpacked", core, backend)
    return next(text for path, text in program.sources.items() if "approx_layer_00" in path)


def phases_of(plan: UnpackedPlan, count: int, name: str = "phase") -> list[GroupCode]:
    """The last group's functions, cut into so many phases."""
    part = groups(plan.slots, plan.constants, plan.block)[-1]
    return [
        group_code(
            f"{name}_{number}",
            plan.layout,
            plan.slots,
            Phase(tuple(run), first=number == 0, last=number == count - 1),
            plan.block,
            part,
            plan.constants,
        )
        for number, run in enumerate(cut(plan.order, part, plan.block, count))
    ]


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33"])
@pytest.mark.parametrize("name", LAYERS)
def test_single_issue_cores_get_this_code(name: str, core: str, golden: Any) -> None:
    # The plan is chosen by the costs of an ideal core; both have the same favourite here.
    golden(GOLDEN / f"{name}.s", layer_text(name, core, "assembly"))


@pytest.mark.parametrize("name", LAYERS)
def test_the_c_back_end_writes_this(name: str, golden: Any) -> None:
    golden(GOLDEN / f"{name}.c", layer_text(name, "cortex-m4", "c"))


def test_phases_hand_over_their_sums_like_this(golden: Any) -> None:
    plan = plans(convolution("stride_2_half_the_weights"), "assembly")[0]
    golden(GOLDEN / "three_phases.s", "\n".join(code.text for code in phases_of(plan, 3)))


@pytest.mark.parametrize("name", LAYERS)
def test_both_assemblers_make_the_same_of_it(name: str, tmp_path: Path) -> None:
    for core in ("cortex-m4", "cortex-m33", "cortex-m7"):
        text = layer_text(name, core, "assembly")
        assert code_sections(gnu(text, tmp_path, core)) == code_sections(clang(text, tmp_path, core))


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_the_size_is_the_assembled_size(density: float, tmp_path: Path) -> None:
    graph = conv_graph(np.random.default_rng(3), size=(9, 10), channels=(6, 6), kernel=(3, 3), density=density)
    conv = graph.operators[0]
    assert isinstance(conv, Conv2D)
    for plan in plans(conv, "assembly"):
        codes = [code for count in (1, 3) for code in phases_of(plan, count, f"of_{count}")]
        text = "\n".join([*written.head(["A test."]), *(code.text for code in codes)])
        sizes = function_sizes(gnu(text, tmp_path, "cortex-m4"))
        assert sizes == {code.name: code.size for code in codes}


@pytest.mark.parametrize("backend", ["assembly", "c"])
@pytest.mark.parametrize("name", LAYERS)
def test_lines_fit_a_page(name: str, backend: str) -> None:
    lines = layer_text(name, "cortex-m4", backend).splitlines()
    assert max(len(line.expandtabs(8)) for line in lines) <= 100


def test_a_slot_is_named_by_what_it_multiplies() -> None:
    even, odd = (convolution(name) for name in ("stride_2_half_the_weights", "odd_channels_limits"))
    layout = geometry(even, 4)
    assert describe_slot(layout, slots(layout), 3) == "row 0, column 1, channels 2 3"
    layout = geometry(odd, 3)
    found = [describe_slot(layout, slots(layout), slot) for slot in range(5)]
    assert found == [
        "row 0, column 0, channels 0 1",
        "row 0, column 0 channel 2, column 1 channel 0",
        "row 0, column 1, channels 1 2",
        "row 0, column 2, channels 0 1",
        "row 0, column 2, channel 2",
    ]
    # With a channel to fill up the pairs the third one stands alone.
    layout = geometry(odd, 4)
    assert describe_slot(layout, slots(layout), 1) == "row 0, column 0, channel 2"
