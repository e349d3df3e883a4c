"""What the firmware prints, as values. The lines are the same on a board and in the emulator."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class LayerLine:
    """`approx: layer 0 conv2d_0 cycles 12345`. cycles: average; None where the machine has no cycle counter."""

    index: int
    name: str
    cycles: int | None


@dataclass(frozen=True)
class Mismatch:
    """A vector whose answer is wrong, or missing because a layer failed.

    layer: the first wrong (or the failed) one, None if the firmware names none. detail: what it says about the vector.
    """

    vector: int
    layer: int | None
    detail: str


@dataclass(frozen=True)
class BenchmarkLine:
    """`approx: benchmark multiply_chain cycles 72 32 copies 60 20`. cycles: of a copy, from runs of many and of few."""

    name: str
    cycles: float


@dataclass(frozen=True)
class RunResult:
    """One run of the firmware.

    network, machine: as it introduces itself; None if it did not get that far.
    vectors, passed:  by its last line (PASS or FAIL); None if there is no such line.
    layers:           one for every layer with which a step of the network ends, in order; the others have no line.
    mismatches:       one for every wrong vector.
    agreed:           the vectors that it called ok.
    problems:         what it says about itself that keeps it from a result (too little scratch, a fault).
    performance:      title -> text of the performance lines ("CPU cycles" -> "10579924 (average)").
    raw:              everything that was printed.
    clock_hz:         the core's clock, to the megahertz; None where the machine has no clock to speak of.
    benchmarks:       of the self-test, in order; it has no layers, as a network has no benchmarks.
    """

    network: str | None
    machine: str | None
    vectors: int | None
    passed: int | None
    layers: tuple[LayerLine, ...]
    mismatches: tuple[Mismatch, ...]
    agreed: tuple[int, ...]
    problems: tuple[str, ...]
    performance: tuple[tuple[str, str], ...]
    raw: str
    clock_hz: int | None = None
    benchmarks: tuple[BenchmarkLine, ...] = ()


_START = re.compile(
    r'^approx: network "(?P<network>[^"]*)" on (?P<machine>.+), [0-9]+ layers?, [0-9]+ vectors?$',
)
_NUMBER = "[0-9]{1,10}"
"""Whole numbers of 32 bits: a garbled line may hold thousands of digits."""

_SELF_TEST = re.compile(rf"^approx: self-test on (?P<machine>\S+), {_NUMBER} benchmarks?$")
_BENCHMARK = re.compile(
    rf"^approx: benchmark (?P<name>\S+) cycles (?P<many>{_NUMBER}) (?P<few>{_NUMBER}) "
    rf"copies (?P<copies>{_NUMBER}) (?P<fewer>{_NUMBER})$"
)
_CLOCK = re.compile(rf'^(?:Results for ".*", {_NUMBER} inferences|approx: clock) @(?P<clock>{_NUMBER})MHz\b')
_LAYER = re.compile(rf"^approx: layer (?P<index>{_NUMBER}) (?P<name>\S+) cycles (?P<cycles>[0-9]{{1,20}}|n/a)(?!\w)")
_AGREED = re.compile(rf"^approx: vector (?P<vector>{_NUMBER}) ok$")
_WRONG = re.compile(
    rf"^approx: vector (?P<vector>{_NUMBER}) "
    rf"(?P<detail>(?:MISMATCH|FAILED) ?(?:layer (?P<layer>{_NUMBER})(?!\w))?.*)$",
)
_PROBLEM = re.compile(r"^approx: (?P<text>(?:SCRATCH|FAULT)\b.*)$")
_END = re.compile(rf"^approx: (?:PASS|FAIL) (?P<passed>{_NUMBER})/(?P<vectors>{_NUMBER})$")
_PERFORMANCE = re.compile(r"^(?P<title>duration|CPU cycles|CPU Workload|cycles/MACC|used stack)\s*: (?P<text>.*)$")


def parse_console(text: str) -> RunResult:
    """The run that a console's text tells of. Lines of another form are passed over."""
    network = machine = None
    vectors = passed = None
    layers, mismatches, agreed, problems, performance = [], [], [], [], []
    benchmarks, clock_hz = [], None
    for line in (line.rstrip() for line in text.splitlines()):
        if start := _START.match(line):
            network, machine = start["network"], start["machine"]
        elif self_test := _SELF_TEST.match(line):
            machine = self_test["machine"]
        elif clock := _CLOCK.match(line):
            clock_hz = int(clock["clock"]) * 10**6
        elif benchmark := _BENCHMARK.match(line):
            copies = int(benchmark["copies"]) - int(benchmark["fewer"])
            if copies > 0:
                of_one = (int(benchmark["many"]) - int(benchmark["few"])) / copies
                benchmarks.append(BenchmarkLine(benchmark["name"], of_one))
        elif layer := _LAYER.match(line):
            cycles = None if layer["cycles"] == "n/a" else int(layer["cycles"])
            layers.append(LayerLine(int(layer["index"]), layer["name"], cycles))
        elif wrong := _WRONG.match(line):
            index = int(wrong["layer"]) if wrong["layer"] else None
            mismatches.append(Mismatch(int(wrong["vector"]), index, wrong["detail"]))
        elif right := _AGREED.match(line):
            agreed.append(int(right["vector"]))
        elif problem := _PROBLEM.match(line):
            problems.append(problem["text"])
        elif end := _END.match(line):
            passed, vectors = int(end["passed"]), int(end["vectors"])
        elif figure := _PERFORMANCE.match(line):
            performance.append((figure["title"], figure["text"]))
    return RunResult(
        network,
        machine,
        vectors,
        passed,
        tuple(layers),
        tuple(mismatches),
        tuple(agreed),
        tuple(problems),
        tuple(performance),
        text,
        clock_hz,
        tuple(benchmarks),
    )


def joined(first: RunResult, second: RunResult, offset: int) -> RunResult:
    """Two complete runs of one firmware over different vectors as one. offset: number of the second's first vector."""
    assert first.vectors is not None and first.passed is not None
    assert second.vectors is not None and second.passed is not None
    return replace(
        first,
        vectors=first.vectors + second.vectors,
        passed=first.passed + second.passed,
        mismatches=(*first.mismatches, *(replace(m, vector=m.vector + offset) for m in second.mismatches)),
        problems=(*first.problems, *second.problems),
        agreed=(*first.agreed, *(vector + offset for vector in second.agreed)),
        raw=first.raw + second.raw,
    )
