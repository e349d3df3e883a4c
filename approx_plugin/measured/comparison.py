"""The same lines twice, from a board and from its virtual board: side by side, and what speaks against comparing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from approx_plugin.boards.board import Board
from approx_plugin.build.console import RunResult
from approx_plugin.errors import ApproxError, ProjectError, VerificationError, raise_all

NO_KINDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Row:
    """A layer, or a microbenchmark (cycles of one copy). kind: the kernel of the layer, "" where it is not known."""

    name: str
    kind: str
    measured: float
    simulated: float

    @property
    def error(self) -> float | None:
        """Simulated against measured, relative; None where nothing was measured."""
        return self.simulated / self.measured - 1.0 if self.measured else None


def rows_of(real: RunResult, simulated: RunResult, kinds: Mapping[str, str] = NO_KINDS) -> tuple[Row, ...]:
    """Layer by layer, or benchmark by benchmark. kinds: kernel by layer. Both have passed `check`."""
    if simulated.benchmarks:
        found = {line.name: line.cycles for line in real.benchmarks}
        return tuple(Row(line.name, "", found[line.name], line.cycles) for line in simulated.benchmarks)
    return tuple(
        Row(mine.name, kinds.get(mine.name, ""), float(theirs.cycles or 0), float(mine.cycles or 0))
        for mine, theirs in zip(simulated.layers, real.layers)
    )


def check(real: RunResult, simulated: RunResult, board: Board, where: str) -> None:
    """Raise everything that keeps a board's console from being compared with the virtual board's, at once.

    where: the console's place. ProjectErrors: it belongs to other firmware, to another board, to a core that runs at
    another clock, or is no board's; VerificationError: the board computes something else than the integer reference.
    """
    raise_all(_problems(real, simulated, board, where))


def _problems(real: RunResult, simulated: RunResult, board: Board, where: str) -> Iterator[ApproxError]:
    if real.machine is None:
        what = "the console does not say which firmware it comes from"
        yield ProjectError(what, where=where, why="its first line is missing", hint="record it from a reset on")
        return
    if real.machine != board.printed_name:
        hint = f"take the console of that board, or name its board: board={real.machine.lower()}"
        yield ProjectError(
            f"the console is that of {real.machine}, not of {board.printed_name}", where=where, hint=hint
        )
    if real.network != simulated.network:
        what = f"the console is that of {_program(real)}; the project's is {_program(simulated)}"
        yield ProjectError(what, where=where, hint="measure the firmware of this very project")
    elif _names(real) != _names(simulated):
        why = f"it has {', '.join(_names(real)) or 'none'}; the project has {', '.join(_names(simulated))}"
        what = "the console tells of other layers than the project has"
        yield ProjectError(what, where=where, why=why, hint="flash the firmware of this very project, and record all")
    elif _cycles(real) == _cycles(simulated):
        yield ProjectError(
            "the console is the virtual board's own",
            where=where,
            why="every single figure is the simulated one, to the cycle",
            hint="run the firmware on the real board",
        )
    if any(line.cycles is None for line in real.layers):
        yield ProjectError("the console has no cycles", where=where, why="an emulator has no cycle counter")
    if real.clock_hz is not None and abs(real.clock_hz - board.clock_hz) >= 10**6:
        yield ProjectError(
            f"the core ran at {real.clock_hz // 10**6} MHz, not at {board.clock_hz // 10**6} MHz",
            where=where,
            why="an oscillator or the PLL did not start: flash wait states are not those of the virtual board",
        )
    if real.vectors is None:
        yield ProjectError(
            "the console ends before the firmware has come to its end", where=where, why="PASS or FAIL is missing"
        )
    elif real.passed != real.vectors or real.problems:
        why = "; ".join([*real.problems, *(f"vector {m.vector}: {m.detail}" for m in real.mismatches[:3])])
        yield VerificationError(f"{real.passed} of {real.vectors} vectors agree on the board", where=where, why=why)


def _program(run: RunResult) -> str:
    return f'the network "{run.network}"' if run.network is not None else "the self-test"


def _names(run: RunResult) -> tuple[str, ...]:
    return (*(line.name for line in run.layers), *(line.name for line in run.benchmarks))


def _cycles(run: RunResult) -> tuple[float | None, ...]:
    return (*(line.cycles for line in run.layers), *(line.cycles for line in run.benchmarks))


def text(rows: tuple[Row, ...], board: Board, unit: str) -> str:
    """A table for the terminal. unit: "layer" or "benchmark"."""
    digits = 0 if unit == "layer" else 2
    total = Row("total", "", sum(row.measured for row in rows), sum(row.simulated for row in rows))
    shown = [*rows, total] if unit == "layer" else list(rows)
    width = max(len(unit), *(len(row.name) for row in shown))
    kinds = max(len("kernel"), *(len(row.kind) for row in shown)) if any(row.kind for row in rows) else 0
    lines = [f"{board.printed_name} (measured) and its virtual board (simulated), cycles"]
    kernel = f"  {'kernel':<{kinds}}" if kinds else ""
    lines.append(f"{unit:<{width}}{kernel}  {'measured':>12}  {'simulated':>12}   error")
    for row in shown:
        kind = f"  {row.kind:<{kinds}}" if kinds else ""
        error = "n/a" if row.error is None else f"{row.error:+.1%}"
        figures = f"{row.measured:>12,.{digits}f}  {row.simulated:>12,.{digits}f}"
        lines.append(f"{row.name:<{width}}{kind}  {figures}  {error:>6}")
    return "\n".join(lines)
