"""What is proved is right, what is wrong is refuted, and the proof's core computes numbers as a real one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arm_call import build, portable_subset

from approx_plugin.boards.loader import load_board
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program, Step
from approx_plugin.laboratory.firmware import step_functions
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.proof.machine import Machine
from approx_plugin.proof.memory import Memory
from approx_plugin.proof.program import Code, read_code
from approx_plugin.proof.semantics import HANDLERS
from approx_plugin.proof.step import APART, BUFFERS, PROVED, REFUTED, SAMPLED, Proof, prove
from approx_plugin.tflite.reader import read_graph

CORES = {"cortex-m4": "nucleo-l4r5zi", "cortex-m33": "nucleo-u575zi-q", "cortex-m7": "nucleo-h7a3zi-q"}


def made(root: Path, folder: Path, core: str, backend: str) -> tuple[Program, Code]:
    """The digits network unpacked, built for a core."""
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    platform = Platform.of(load_board(CORES[core]), backend)
    plans = ChosenPlans(graph, Market(platform, estimated(platform), "unpacked"), {})
    steps = [offer.plan for offer in plans.choice(()).steps]
    program = lower(graph, steps, platform, graph.macs, graph.macs)
    return program, read_code(build(program, folder, core, portable_subset()))


def proofs(program: Program, code: Code) -> dict[str, Proof]:
    """Of all steps."""
    names = step_functions(program, dict.fromkeys(code.functions, 0))
    return {step.last.name: prove(step, code, names[step.last.index]) for step in program.steps}


@pytest.fixture(scope="module")
def unpacked(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Code]:
    return made(root, tmp_path_factory.mktemp("unpacked"), "cortex-m33", "assembly")


def test_convolutions_are_proved(unpacked: tuple[Program, Code]) -> None:
    found = proofs(*unpacked)
    program, _ = unpacked
    for step in program.steps:
        if step.kernel == "unpacked":
            assert found[step.last.name].verdict == PROVED, found
            assert found[step.last.name].outputs == step.last.output.elements
    assert found["max_pool2d_1"].verdict == SAMPLED
    assert "MAX_POOL_2D" in found["max_pool2d_1"].why


@pytest.mark.parametrize(("core", "backend"), [("cortex-m7", "assembly"), ("cortex-m4", "c")])
def test_nothing_that_is_right_is_refuted(root: Path, tmp_path: Path, core: str, backend: str) -> None:
    """Compilers find ways of their own: what the proof does not follow it has to leave open."""
    program, code = made(root, tmp_path, core, backend)
    for proof in proofs(program, code).values():
        assert proof.verdict == PROVED or (proof.verdict == SAMPLED and proof.why), proof


def test_numbers_are_computed_as_a_core_does(unpacked: tuple[Program, Code]) -> None:
    """The same code with an image in the place of the symbols: every instruction that it has, on numbers."""
    program, code = unpacked
    values = np.random.default_rng(5).integers(-128, 128, program.graph.input_tensor.shape).astype(np.int8)
    for step in program.steps:
        (operator,) = step.operators
        if step.kernel == "pooled":
            # The proof does not follow SSUB8 and SEL: such layers are sampled.
            values = operator.compute([values])
            continue
        memory = Memory(code.image)
        memory.place(BUFFERS, [int(value) for value in values.reshape(-1)])
        machine = Machine(memory, code.content, HANDLERS)
        places = [BUFFERS + number * APART for number in range(3)]
        machine.call(code.functions[step.symbol], BUFFERS + 5 * APART, places, 10_000_000)
        values = operator.compute([values])
        assert [memory.byte(places[1] + number) for number in range(values.size)] == values.reshape(-1).tolist()


def _weight(conv: Conv2D) -> Conv2D:
    changed = conv.weights.copy()
    changed[3, 1, 1, 0] += 1
    return replace(conv, weights=changed)


def _bias(conv: Conv2D) -> Conv2D:
    changed = conv.bias.copy()
    changed[-1] -= 1
    return replace(conv, bias=changed)


def _multiplier(conv: Conv2D) -> Conv2D:
    first, *others = conv.multipliers
    return replace(conv, multipliers=(Multiplier(first.mantissa + (1 << 19), first.shift), *others))


def _zero_point(conv: Conv2D) -> Conv2D:
    (source,) = conv.inputs
    assert source.quantization is not None
    moved = replace(source.quantization, zero_point=(source.zero_point + 1,))
    return replace(conv, inputs=(replace(source, quantization=moved),))


def _limit(conv: Conv2D) -> Conv2D:
    """Which no few hundred random images would show."""
    return replace(conv, activation_max=126)


@pytest.mark.parametrize("change", [_weight, _bias, _multiplier, _zero_point, _limit])
def test_another_layer_is_refuted(unpacked: tuple[Program, Code], change: Callable[[Conv2D], Conv2D]) -> None:
    """The code stays, what it should compute is changed by the least that there is."""
    program, code = unpacked
    step = program.steps[0]
    (conv,) = step.operators
    assert isinstance(conv, Conv2D)
    other = change(conv)
    proof = prove(_with(step, other), code, step.symbol)
    assert proof.verdict == REFUTED, proof
    assert proof.why.startswith("output[")


def _with(step: Step, operator: Operator) -> Step:
    """The step, with another operator that it should compute."""

    class Other:
        operators = (operator,)

    return replace(step, plan=Other())  # type: ignore[arg-type]
