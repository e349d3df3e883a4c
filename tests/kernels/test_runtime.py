"""Our own runtime: every operator's C code, compiled with sanitizers on the host and for an emulated core."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arm_call import ROOT, portable_subset, run_program
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from layer_cases import Case, graph_of
from operator_cases import STRATEGIES

from approx_plugin.errors import ModelError
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Plan, price
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.portable.assumed import ASSUMED
from approx_plugin.kernels.portable.kernel import Runtime
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.run import inputs_of
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run, sequence

CASES_A_PROGRAM = 40
GUARD = 16
PLATFORM = Platform("cortex-m4", True, "assembly")
QUIET: dict[str, Any] = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def graphs_of(cases: list[Case]) -> list[tuple[Graph, Case]]:
    """Those that are read."""
    found = []
    for case in cases:
        try:
            found.append((graph_of(case.content), case))
        except ModelError:
            continue
    return found


def plans_of(graph: Graph) -> list[Plan]:
    """The runtime's plans for the operators that it serves."""
    kernel = KERNELS[Runtime.name]
    runs = [(operator,) for operator in graph.operators if not operator.is_alias]
    return [kernel.plans(run_, PLATFORM)[0] for run_ in runs if kernel.suits(run_)]


def numbers(values: Any) -> str:
    return ", ".join(map(str, np.asarray(values).reshape(-1).tolist()))


class Program:
    """A C program that runs steps on buffers of exactly the right size and compares what comes out."""

    def __init__(self) -> None:
        system, own = ("stdio", "stdlib", "string"), ("approx_operators", "approx_runtime")
        self.parts = ["".join([*(f"#include <{n}.h>\n" for n in system), *(f'#include "{n}.h"\n' for n in own)])]
        self.calls: list[str] = []

    def add(self, plan: Plan, inputs: list[Any], expected: Any) -> None:
        number = len(self.calls)
        symbol = f"case_{number}"
        emission: Emission = plan.emit(symbol)
        assert not emission.sources and not emission.can_fail
        self.parts.append(emission.definitions)
        body = []
        for position, values in enumerate(inputs, 1):
            name = "input" if position == 1 else f"input_{position}"
            self.parts.append(f"static const int8_t {symbol}_{name}[] = {{{numbers(values)}}};\n")
            body.append(f"int8_t *{name} = malloc(sizeof {symbol}_{name});")
            body.append(f"memcpy({name}, {symbol}_{name}, sizeof {symbol}_{name});")
        self.parts.append(f"static const int8_t {symbol}_expected[] = {{{numbers(expected)}}};\n")
        body.append(f"int8_t *output = malloc(sizeof {symbol}_expected);")
        body.append(f"{emission.call};")
        body.append(f"const int wrong = memcmp(output, {symbol}_expected, sizeof {symbol}_expected) != 0;")
        names = ["input" if position == 1 else f"input_{position}" for position in range(1, len(inputs) + 1)]
        body += [f"free({name});" for name in (*names, "output")]
        body.append(f'if (wrong) {{ printf("{symbol} differs\\n"); }}\nreturn wrong;')
        self.parts.append(f"static int run_{symbol}(void)\n{{\n" + "\n".join(body) + "\n}\n")
        self.calls.append(f"run_{symbol}()")

    def text(self) -> str:
        return "\n".join([*self.parts, f"int main(void)\n{{\n    return {' + '.join(self.calls)} != 0;\n}}\n"])


STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{ROOT / 'Middlewares/Approx/Inc'}"]
SANITIZED = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compiled(*arguments: str) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    built = subprocess.run(["gcc", *STRICT, *SANITIZED, *arguments], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The object files of the runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    objects = []
    for source in sorted((ROOT / "Middlewares/Approx/Src").glob("*.c")):
        objects.append(str(folder / f"{source.stem}.o"))
        compiled("-c", str(source), "-o", objects[-1])
    return objects


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_c_code_equals_the_integer_reference(kind: str, runtime: list[str], tmp_path: Path) -> None:

    program = Program()

    @settings(max_examples=CASES_A_PROGRAM, phases=(Phase.generate,), **QUIET)
    @given(STRATEGIES[kind])
    def collect(drawn: Case) -> None:
        for graph, case in graphs_of([drawn]):
            # Of a network with states the last inference: its states are no longer the initial ones.
            values = list(sequence(graph, case.inputs if graph.states else case.inputs[:1]))[-1]
            for plan in plans_of(graph):
                (operator,) = plan.operators
                inputs = [values[tensor.index][0] for tensor in inputs_of(plan.operators)]
                program.add(plan, inputs, values[operator.output.index][0])

    collect()
    assert len(program.calls) > CASES_A_PROGRAM // 4
    source, binary = tmp_path / "cases.c", tmp_path / "cases"
    source.write_text(program.text())
    compiled(str(source), *runtime, "-o", str(binary))
    done = subprocess.run([str(binary)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_firmware_equals_the_integer_reference(kind: str, tmp_path: Path) -> None:
    """A network of each kind on an emulated Cortex-M4."""
    pytest.importorskip("unicorn")
    drawn: list[tuple[Graph, Case]] = []

    @settings(max_examples=20, phases=(Phase.generate,), **QUIET)
    @given(STRATEGIES[kind])
    def collect(case: Case) -> None:
        drawn.extend((graph, case) for graph, case in graphs_of([case]) if plans_of(graph))

    collect()
    graph, case = max(drawn, key=lambda pair: pair[0].output_tensor.elements)
    plans = [
        next(kernel for kernel in KERNELS.values() if kernel.suits((operator,))).plans((operator,), PLATFORM)[0]
        for operator in graph.operators
        if not operator.is_alias
    ]
    program = lower(graph, plans, PLATFORM, graph.macs, graph.macs)
    answers = run_program(program, tmp_path, "cortex-m4", case.inputs, portable_subset())
    np.testing.assert_array_equal(answers, run(graph, case.inputs))


def test_every_kind_of_work_has_assumed_costs_that_say_so() -> None:
    kinds = set()

    @settings(max_examples=8, phases=(Phase.generate,), **QUIET)
    @given(st.tuples(*STRATEGIES.values()))
    def collect(cases: tuple[Case, ...]) -> None:
        for graph, _ in graphs_of(list(cases)):
            for plan in plans_of(graph):
                (work,) = plan.work(PLATFORM.model.memories)
                assert set(work.counts) == set(ASSUMED[work.kind]) and min(work.counts.values()) >= 0
                kinds.add(work.kind)
                cost = price(plan, PLATFORM)
                assert cost.assumed and cost.cycles > 0

    collect()
    assert kinds == set(ASSUMED)


def test_the_library_comes_first_where_it_serves() -> None:
    """Two activations of one shape: CMSIS-NN adds them, and the runtime does not offer to."""
    from tflite_writer import ModelBuilder

    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2), 0.1)
    builder.output(builder.add(x, x, scale=0.2))
    graph = graph_of(builder.build())
    assert not plans_of(graph)
    assert covered_by(graph, KERNELS["cmsis_nn"], PLATFORM)
