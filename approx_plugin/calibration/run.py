"""One board's calibration, from drawn layers to its costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from approx_plugin import __version__
from approx_plugin.boards.board import Board
from approx_plugin.build.toolchain import COMPILER, compiler_version, find_program
from approx_plugin.calibration import networks, simulation
from approx_plugin.calibration.document import Earlier, costs_text
from approx_plugin.calibration.fit import Errors, Point, fit, relative
from approx_plugin.calibration.memories import memories_of
from approx_plugin.calibration.simulation import PLACE, Sample
from approx_plugin.errors import ToolError
from approx_plugin.kernels.costs.counting import Memories
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.laboratory.drawing import REGISTERED, draw_layers, unpriced
from approx_plugin.library.provider import resolve
from approx_plugin.virtual_board.fingerprint import fingerprint
from approx_plugin.virtual_board.timing import load_timing

Kinds = Mapping[str, Mapping[str, float]]
"""Kind of kernel -> coefficients."""

NOTHING_KNOWN: Kinds = MappingProxyType({})

TRAINING_SEED, HELD_OUT_SEED = 1, 2
HELD_OUT_SHARE = 0.5
BACKEND = "assembly"


@dataclass(frozen=True, eq=False)
class Simulated:
    """The samples of a board."""

    board: Board
    fitted: Sequence[Sample]
    held_out: Sequence[Sample]
    networks: Sequence[Sample]


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted model with its errors: part -> kind -> errors; totals: network -> error of all its layers together."""

    model: CostModel
    errors: Mapping[str, Mapping[str, Errors]]
    totals: Mapping[str, float]


def simulate_board(
    board: Board,
    cmsis_nn: Path,
    models: Sequence[Path],
    folder: Path,
    workers: int,
    kernels: Sequence[Kernel] = REGISTERED,
    known: Kinds = NOTHING_KNOWN,
) -> Simulated:
    """Simulate everything that one board's calibration needs; `folder` keeps objects for the next time.

    kernels: those whose costs are wanted; known: what the other ones cost.
    """
    platform = unpriced(board, BACKEND)

    def drawn(seed: int, scale: float) -> list[Sample]:
        layers = draw_layers(seed, scale, platform, kernels)
        return simulation.run(layers, board, platform, cmsis_nn, folder, workers)

    fitted = drawn(TRAINING_SEED, 1.0)
    memories = memories_of(board, load_timing(board))
    priced = replace(platform, costs=CostModel(board.name, memories, {**known, **fit(points(fitted, memories))}))
    return Simulated(
        board,
        fitted,
        drawn(HELD_OUT_SEED, HELD_OUT_SHARE),
        networks.run(models, board, priced, cmsis_nn, folder, workers),
    )


def points(samples: Sequence[Sample], memories: Memories) -> list[Point]:
    """Counts and cycles."""
    return [(sample.work(memories), float(sample.cycles)) for sample in samples]


def calibrate(simulated: Simulated, known: Kinds = NOTHING_KNOWN) -> Calibration:
    """Fit and try. known: what is not fitted anew. Raises ToolError for work that was tried but not fitted."""
    board = simulated.board
    memories = memories_of(board, load_timing(board))
    parts = {
        "fitted": points(simulated.fitted, memories),
        "held_out": points(simulated.held_out, memories),
        "networks": points(simulated.networks, memories),
    }
    kinds = {**known, **fit(parts["fitted"])}
    model = CostModel(board.name, memories, {kind: kinds[kind] for kind in sorted(kinds)})
    unknown = sorted({work.kind for found in parts.values() for work, _ in found} - {*model.kinds})
    if unknown:
        raise ToolError(
            f"no drawn layer tells what costs {', '.join(unknown)}",
            where=board.folder,
            hint="draw layers for which a kernel offers such a plan: laboratory/layers.py",
        )
    errors = {part: relative(model, found) for part, found in parts.items() if found}
    return Calibration(model, errors, _totals(model, simulated.networks, parts["networks"]))


def _totals(model: CostModel, samples: Sequence[Sample], counted: Sequence[Point]) -> dict[str, float]:
    """The error of each network's sum, by the kernels of its convolutions."""
    predicted: dict[str, float] = defaultdict(float)
    simulated: dict[str, float] = defaultdict(float)
    names = _run_names(samples)
    for name, (work, cycles) in zip(names, counted):
        predicted[name] += model.cycles(work)
        simulated[name] += cycles
    return {name: predicted[name] / simulated[name] - 1.0 for name in predicted}


def _run_names(samples: Sequence[Sample]) -> list[str]:
    """The network's name, the first time a layer appears; with "(unpacked)" the second time."""
    seen: set[str] = set()
    names = []
    for sample in samples:
        network = sample.name.split()[0]
        names.append(f"{network} (unpacked)" if sample.name in seen else network)
        seen.add(sample.name)
    return names


def board_text(calibration: Calibration, board: Board, cmsis_nn: Path, earlier: Earlier | None = None) -> str:
    """costs.yaml. earlier: what stays of the file that there was."""
    tools = {
        "gcc": compiler_version(find_program(COMPILER)),
        "CMSIS-NN": resolve((), cmsis_nn, PLACE).version,
        "approx-plugin": __version__,
        "virtual_board": fingerprint(board),
    }
    errors, totals = calibration.errors, calibration.totals
    if earlier is not None:
        errors = {part: {**earlier.errors.get(part, {}), **errors.get(part, {})} for part in (*earlier.errors, *errors)}
        totals = {**earlier.totals, **totals}
    return costs_text(calibration.model, tools, errors, totals)
