"""Puts a report together from what the stages have made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from approx_plugin import __version__
from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.exploration.comparison import Comparison
from approx_plugin.exploration.search import Exploration
from approx_plugin.kernels.program import VIEW, Program, Step
from approx_plugin.library.provider import CmsisNn
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Tensor
from approx_plugin.report.data import Accuracy, Border, FrontPoint, LayerRow, MemoryUse, Report
from approx_plugin.spec.spec import Method, Spec, Target

INTERVAL_METHOD = "(paired, adjusted Wald)"


@dataclass(frozen=True, eq=False)
class Subject:
    """What is reported on. graph: the exact network; cost_model: what the estimated cycles were fitted to."""

    spec: Spec
    board: Board
    graph: Graph
    cost_model: str


def compose(
    subject: Subject,
    program: Program,
    notes: Mapping[int, str],
    provider: CmsisNn,
    built: BuildResult | None,
    exploration: Exploration | None,
    accuracy: Comparison | None,
    macs_kept: int,
) -> Report:
    """The report on a generated project.

    accuracy: on the confirmation images, None where there are none; exploration: None where nothing was searched.
    """
    spec, board, graph = subject.spec, subject.board, subject.graph
    return Report(
        network=graph.name,
        model_file=spec.model.name,
        model_sha256=graph.sha256,
        board=board.name,
        mcu=board.mcu,
        core=board.core,
        clock_hz=board.clock_hz,
        method=_method(spec.method),
        target=_target(spec.target) if exploration else "exact",
        cmsis_nn_provider=provider.provider,
        cmsis_nn_version=provider.version,
        tool_version=__version__,
        cost_model=subject.cost_model,
        compiler=f"{COMPILER} {built.compiler}" if built else "none found",
        input=_border(graph.input_tensor),
        output=_border(graph.output_tensor),
        accuracy=_accuracy("confirmation", accuracy, len(exploration.looks) if exploration else None),
        exploration_accuracy=_accuracy("exploration", exploration.exploration if exploration else None, 0),
        macs_exact=graph.macs,
        macs_kept=macs_kept,
        macs_computed=program.macs,
        memory=MemoryUse(
            arena=program.memory.size,
            ram=built.size.ram_bytes if built else None,
            flash=built.size.flash_bytes if built else None,
            ram_capacity=board.ram.length,
            flash_capacity=board.flash.length,
        ),
        layers=tuple(_layers(program, graph, notes, built, exploration)),
        front=_front(exploration),
        remarks=tuple(_remarks(provider, built, exploration)),
    )


def _method(method: Method) -> str:
    if method.name == "none":
        return "none (exact)"
    return f"{method.name}, {method.criterion}, by {method.granularity}"


def _target(target: Target | None) -> str:
    if target is None:
        return "none"
    if target.max_accuracy_drop is not None:
        return f"at most {target.max_accuracy_drop:g} points below the exact network"
    return f"at least {target.accuracy:g} %"


def _border(tensor: Tensor) -> Border:
    return Border(tensor.name, tensor.shape, tensor.scale, tensor.zero_point)


def _accuracy(name: str, comparison: Comparison | None, looks: int | None) -> Accuracy:
    if comparison is None:
        return Accuracy(None, None, 0, name)
    return Accuracy(
        comparison.exact,
        comparison.approximated,
        comparison.images,
        name,
        comparison.interval if looks is not None else None,
        INTERVAL_METHOD if looks is not None else "",
        looks or 0,
    )


def _layers(
    program: Program,
    graph: Graph,
    notes: Mapping[int, str],
    built: BuildResult | None,
    exploration: Exploration | None,
) -> Iterator[LayerRow]:
    """One row for each operator; the figures of a step stand at the operator with which it ends."""
    approximated = {c.layer for c in exploration.chosen.candidates} if exploration else set()
    producers = {op.output.index: op.name for op in graph.operators}
    steps = program.step_of()
    for operator in program.graph.operators:
        step = steps.get(operator.index)
        ends = step is not None and step.last is operator
        yield LayerRow(
            index=operator.index,
            name=operator.name,
            op=operator.kind,
            kernel=step.kernel if step else VIEW,
            shape=operator.output.shape,
            inputs=tuple(producers.get(tensor.index, "input") for tensor in operator.inputs),
            macs=operator.macs,
            macs_kept=step.cost.macs if step and operator.index in approximated else operator.macs,
            parameter_bytes=graph.operators[operator.index].parameter_bytes,
            flash_bytes=_flash(step, built) if step and ends else None if built is None else 0,
            estimated_cycles=step.cost.cycles if step and ends else 0.0,
            note=notes.get(operator.index, ""),
        )


def _flash(step: Step, built: BuildResult | None) -> int | None:
    """Code and constants that only this step has: every symbol of it carries its name."""
    if built is None:
        return None
    own = step.symbol
    symbols = built.size.symbols.items()
    # The compiler marks functions that it has specialised: approx_layer_03.constprop.0.
    return sum(size for name, size in symbols if name == own or name.startswith((f"{own}_", f"{own}.")))


def _front(exploration: Exploration | None) -> tuple[FrontPoint, ...]:
    if exploration is None:
        return ()
    chosen = exploration.chosen.point
    return tuple(
        FrontPoint(p.accuracy, p.macs_kept, p.cycles, p.flash_bytes, p.ram_bytes, p == chosen)
        for p in exploration.front.points
    )


def _remarks(provider: CmsisNn, built: BuildResult | None, exploration: Exploration | None) -> Iterator[str]:
    if exploration:
        yield f"{exploration.message} {exploration.evaluations} designs were measured."
    if not provider.is_baseline:
        yield (
            "Layers that are not unpacked run on the portable subset of the CMSIS-NN API, which is no baseline for "
            "speed; give cmsis_nn: (or CMSIS_NN_PATH) the directory of a CMSIS-NN."
        )
    if built is None:
        yield "No compiler was found: nothing was built, RAM and flash of the whole program are not known."
