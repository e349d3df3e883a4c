"""Runs what was measured on the virtual board."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.laboratory.figures import NOTHING
from approx_plugin.laboratory.firmware import Firmware
from approx_plugin.laboratory.measurement import simulate_elf, step_figures, verified
from approx_plugin.validation import firmware
from approx_plugin.validation.measurements import Measurement
from approx_plugin.validation.networks import network_graph
from approx_plugin.virtual_board.results import Simulation

Libraries = Mapping[str, tuple[Path, "Path | None"]]
"""Stack -> its library, and headers that it needs beside its own."""


@dataclass(frozen=True)
class Simulated:
    """cycles, ideal, instructions: of one inference; compiler: its version."""

    cycles: int
    ideal: int
    instructions: int
    compiler: str


@dataclass(frozen=True)
class Comparison:
    """A measurement and what the virtual board says.

    expected: cycles of the measured figure without those that its harness spends around the network.
    """

    measurement: Measurement
    macs: int
    expected: float
    simulated: Simulated

    @property
    def error(self) -> float:
        """Simulated against expected, relative."""
        return self.simulated.cycles / self.expected - 1.0


def compare(
    measurements: Iterable[Measurement],
    libraries: Libraries,
    models: Path | None,
    folder: Path,
    pool: Executor,
    say: Callable[[str], None],
) -> tuple[Comparison, ...]:
    """Build one firmware after the other while others are simulated. Leaves out measurements without their library.

    Raises what `networks.network_graph` and `firmware.make` raise, ToolError if a firmware does not come to its end,
    VerificationError if it computes something else than the integer reference.
    """
    started = list(_started(measurements, libraries, models, folder, pool))
    found = []
    for measurement, made, future in started:
        one = _comparison(measurement, made, future.result())
        say(line(one))
        found.append(one)
    return tuple(found)


def _started(
    measurements: Iterable[Measurement], libraries: Libraries, models: Path | None, folder: Path, pool: Executor
) -> Iterator[tuple[Measurement, Firmware, Future[Simulation]]]:
    whole = {stack: firmware.with_headers(*found, folder / stack / "library") for stack, found in libraries.items()}
    for measurement in measurements:
        stack, chip = measurement.stack, measurement.chip
        if stack.id not in whole:
            continue
        graph = network_graph(measurement.network, models)
        made = firmware.make(graph, stack, chip.board, whole[stack.id], folder / stack.id / chip.id, workers=1)
        functions = tuple(made.functions.values())
        yield measurement, made, pool.submit(simulate_elf, made.elf, made.board, functions, chip.memories)


def _comparison(measurement: Measurement, made: Firmware, simulation: Simulation) -> Comparison:
    """Raises what `measurement.verified` and `step_figures` raise."""
    verified(simulation, made.elf, made.vectors)
    # The layers, not the whole inference: in one of the firmware's runs a checksum is made behind every layer.
    total = sum(step_figures(simulation, made.elf, made.functions).values(), NOTHING)
    simulated = Simulated(total.cycles, total.ideal_cycles, total.instructions, made.built.compiler)
    graph = made.program.graph
    elements = graph.input_bytes + graph.output_bytes
    expected = measurement.cycles - measurement.stack.copies * elements
    return Comparison(measurement, graph.macs, expected, simulated)


def line(one: Comparison) -> str:
    """`NUCLEO-L4R5ZI, tflm, ResNet8: 48.70 measured, 45.64 simulated Mcycles (-6.3 %)`."""
    measurement = one.measurement
    return (
        f"{measurement.chip.title}, {measurement.stack.id}, {measurement.network.title}: "
        f"{one.expected / 1e6:.3f} measured, {one.simulated.cycles / 1e6:.3f} simulated Mcycles ({one.error:+.1%})"
    )


def band(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """The lowest and the highest error."""
    errors = [one.error for one in comparisons]
    return min(errors), max(errors)
