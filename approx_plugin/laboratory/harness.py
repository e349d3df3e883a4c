"""Gives kernels drawn and extreme layers, and says which of their plans compute something wrong, or touch too much."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.errors import Location, ToolError
from approx_plugin.kernels.capacity import flash_budget
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.kernels.network import description
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Step
from approx_plugin.kernels.run import Run
from approx_plugin.laboratory.batch import Batch, Procedure, batches, has_room, lowered, no_vectors, program
from approx_plugin.laboratory.drawing import REGISTERED, Drawn, able, draw_plan
from approx_plugin.laboratory.examiner import PATTERNS, Random, Trial
from approx_plugin.laboratory.extremes import draw_extreme, draw_run, pick
from approx_plugin.laboratory.figures import Figures, per_call
from approx_plugin.laboratory.firmware import Firmware, Place, make
from approx_plugin.laboratory.layers import LOTS
from approx_plugin.laboratory.measurement import AFTER_FIRST_INFERENCE
from approx_plugin.laboratory.runtime_layers import FORMS, draw_runtime
from approx_plugin.library.provider import resolve
from approx_plugin.model.operator import Operator
from approx_plugin.virtual_board.results import Simulation
from approx_plugin.virtual_board.simulation import simulate
from approx_plugin.virtual_board.spy import Core, Spy

MARGIN = 64
PROCEDURE = Procedure(
    "laboratory", MARGIN, MARGIN, fills=False, rounds=len(PATTERNS), most=120, asks=True, overlapped=(0, 3)
)
PLACE = Location("--cmsis-nn")
CHECK_SCRATCH = "approx_network_check_scratch"

PER_MAC, PER_BYTE, PER_CALL = 100, 2000, 100_000
"""Instructions after which a kernel is held to be lost: generous for the slowest code there is."""

START_UP = 20_000_000
"""Instructions of all that is not a step."""

ATTEMPTS = 50
"""Runs to draw until a kernel that computes several operators at once is made for one of them."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One plan for one drawn run. number: which draw of the seed it is; a draw has a subject for every kernel."""

    number: int
    drawn: Drawn


@dataclass(frozen=True, eq=False)
class Stand:
    """What subjects run on. library: a CMSIS-NN, None for the portable subset; folder: for objects; workers: compilers
    at a time.
    """

    board: Board
    platform: Platform
    library: Path | None
    folder: Path
    workers: int | None = None


@dataclass(frozen=True)
class Fault:
    """Something that a plan does wrong. what: one sentence; the rest says how to see it again."""

    what: str
    kernel: str
    layer: str
    core: str
    backend: str
    seed: int
    number: int

    def __str__(self) -> str:
        """`unpacked: r7 is not what it was ... [conv2d_0 (CONV_2D), 3x3x1 -> ...; cortex-m4, c, seed 1, layer 17]`."""
        again = f"{self.core}, {self.backend}, seed {self.seed}, layer {self.number}"
        return f"{self.kernel}: {self.what} [{self.layer} {again}]"


@dataclass(frozen=True, eq=False)
class Measured:
    """A subject that ran to its end. figures: the average of its calls."""

    subject: Subject
    figures: Figures


@dataclass(frozen=True, eq=False)
class Verdict:
    """faults: in the order in which they were met; measured: whatever ran, right or wrong; left_out: subjects that the
    board's memories do not hold.
    """

    faults: tuple[Fault, ...]
    measured: tuple[Measured, ...]
    left_out: int

    def __add__(self, other: Verdict) -> Verdict:
        """Both together."""
        both = (self.faults + other.faults, self.measured + other.measured)
        return Verdict(*both, self.left_out + other.left_out)


NOTHING_SEEN = Verdict((), (), 0)


def draw_subjects(
    seed: int, numbers: Iterable[int], platform: Platform, kernels: Sequence[Kernel] = REGISTERED
) -> Iterator[Subject]:
    """The plans for the draws with these numbers: each layer once for every kernel that can compute it, and a run for
    every kernel that computes several operators at once.

    A layer depends on the seed and its number alone, a plan on these and its kernel: a new kernel changes nothing for
    the others.
    """
    for number in numbers:
        run = (_layer(np.random.default_rng((seed, number)), number),)
        for kernel in able(kernels, run, platform):
            yield Subject(number, draw_plan(_own(seed, number, kernel), kernel, run, platform))
        for kernel in kernels:
            random = _own(seed, number, kernel)
            longer = _longer(random, kernel, platform) if kernel.longest > 1 else None
            if longer is not None:
                yield Subject(number, draw_plan(random, kernel, longer, platform))


def _own(seed: int, number: int, kernel: Kernel) -> Random:
    return np.random.default_rng((seed, number, zlib.crc32(kernel.name.encode())))


def _layer(random: Random, number: int) -> Operator:
    """In turn as networks have them, extreme, and of one of the many kinds that the runtime serves."""
    if number % 3 == 0:
        return LOTS[int(random.integers(len(LOTS)))].draw(random, 1)[0]
    return draw_extreme(random) if number % 3 == 1 else draw_runtime(random, pick(random, tuple(FORMS)))


def _longer(random: Random, kernel: Kernel, platform: Platform) -> Run | None:
    """A run of several operators that the kernel can compute; None if none was drawn."""
    for _ in range(ATTEMPTS):
        run = draw_run(random, int(random.integers(2, kernel.longest + 1)))
        if able((kernel,), run, platform):
            return run
    return None


def examine(subjects: Iterable[Subject], stand: Stand, seed: int) -> Verdict:
    """Run every subject on the virtual board, PATTERNS in, and look at what each call leaves.

    seed: of junk and random inputs. Raises what building raises; ToolError if a firmware fails outside of its steps.
    """
    wanted = list(subjects)
    kept = [subject for subject in wanted if _fits(lowered(subject.drawn, 0, stand.platform), stand.board)]
    verdict = Verdict((), (), len(wanted) - len(kept))
    start = 0
    for batch in batches([subject.drawn for subject in kept], stand.board, stand.platform, PROCEDURE):
        part = kept[start : start + len(batch.steps)]
        verdict += _examine(batch, part, stand, seed)
        start += len(part)
    return verdict


def _fits(step: Step, board: Board) -> bool:
    return has_room(step, board, PROCEDURE) and step.cost.flash_bytes * 11 // 10 < flash_budget(board, 4096)


def _examine(batch: Batch, subjects: Sequence[Subject], stand: Stand, seed: int) -> Verdict:
    faults: list[Fault] = []

    def teller(subject: Subject, step: Step) -> Callable[[str], None]:
        def tell(what: str) -> None:
            layer, platform = description(step), stand.platform
            faults.append(Fault(what, step.kernel, layer, platform.core, platform.backend, seed, subject.number))

        return tell

    tellers = [teller(subject, step) for subject, step in zip(subjects, batch.steps)]
    trials = [
        Trial(step, tell, _own(seed, subject.number, subject.drawn.kernel), MARGIN)
        for subject, step, tell in zip(subjects, batch.steps, tellers)
    ]
    made = _firmware(batch, stand)
    failure = ""
    try:
        simulation = _simulated(made, trials, tellers, stand)
        if simulation.ended != "symbol":
            failure = f"it does not come to its end ({simulation.ended}): {simulation.console[-200:]}"
    except ToolError as error:
        failure = f"{error.what}: {error.why}"
    running = [index for index, trial in enumerate(trials) if trial.running]
    if failure and not running:
        raise ToolError("a firmware of the laboratory failed outside of its steps", where=made.elf, why=failure)
    if failure:
        # What came after it did not run, and what came before it will tell the same again.
        del faults[:]
        tellers[running[0]](failure)
        rest = [subject for index, subject in enumerate(subjects) if index != running[0]]
        return Verdict(tuple(faults), (), 0) + examine(rest, stand, seed)
    for trial, tell in zip(trials, tellers):
        if trial.calls != PROCEDURE.rounds:
            tell(f"it came back from {trial.calls} of {PROCEDURE.rounds} calls")
    measured = [Measured(s, per_call(cost)) for s, cost in zip(subjects, simulation.layers) if cost.calls]
    return Verdict(tuple(faults), tuple(measured), 0)


def _firmware(batch: Batch, stand: Stand) -> Firmware:
    made = program(batch, PROCEDURE)
    provider = resolve(made.cmsis_nn_functions, stand.library, PLACE)
    place = Place(stand.folder / "tree", stand.folder / "build")
    return make(made, stand.board, provider, no_vectors(batch), place, project=PROCEDURE.name, workers=stand.workers)


def _simulated(
    made: Firmware, trials: Sequence[Trial], tellers: Sequence[Callable[[str], None]], stand: Stand
) -> Simulation:
    steps = made.program.steps
    names = [made.functions[step.last.index] for step in steps]
    spies: dict[str, Spy] = dict(zip(names, trials))
    asked = {step.last.index: tell for step, tell in zip(steps, tellers)}
    spies[CHECK_SCRATCH] = _ScratchSpy(asked)
    limit = START_UP + PROCEDURE.rounds * sum(map(_patience, steps))
    return simulate(made.elf, stand.board, layers=names, until=AFTER_FIRST_INFERENCE, limit=limit, spies=spies)


def _patience(step: Step) -> int:
    elements = sum(t.elements for operator in step.operators for t in (*operator.inputs, operator.output))
    return PER_CALL + PER_MAC * sum(operator.macs for operator in step.operators) + PER_BYTE * elements


class _ScratchSpy(Spy):
    """Hears of the first step for which the library asks for more scratch than the plan has, and lets the rest run."""

    def __init__(self, tellers: Mapping[int, Callable[[str], None]]) -> None:
        """tellers: by the index of a step's last operator."""
        self._tellers = tellers

    def enter(self, core: Core) -> None:
        """See `Spy.enter`."""

    def leave(self, core: Core) -> None:
        """See `Spy.leave`."""
        status = core.register("r0")
        if status:
            self._tellers[status - 1]("the library asks for more scratch than the plan has")
            core.set_register("r0", 0)
