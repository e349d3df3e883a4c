"""Benches as a page: `bench.html`, boards and networks side by side, one file without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from approx_plugin.bench.published import Published
from approx_plugin.bench.results import Bench, BoardResult, LayerResult, VariantResult
from approx_plugin.bench.text import NO_BASELINE, references_of, times, titles
from approx_plugin.laboratory.figures import Figures
from approx_plugin.report.data import per_mac
from approx_plugin.report.html.bars import Bar, BarChart, Group, Mark, Part, bar_chart
from approx_plugin.report.html.environment import render
from approx_plugin.report.layout import number
from approx_plugin.virtual_board.results import Stalls

STYLES = ("library", "exact", "made")
"""Of the variants, in their order."""

SHORT = {"library": "CMSIS-NN", "exact": "exact", "made": "approx."}
"""What stands after a bar, so that it is not told by its colour alone."""

STALLS = tuple(field.name for field in fields(Stalls))

MOST_GROUPS = 40
"""Layers of a board whose bars are drawn: those with most cycles. The table has all of them."""

IDEAL = "ideal-"
"""How the ids of boards begin whose memories never let the core wait."""


@dataclass(frozen=True)
class OnBoard:
    """A board of a bench. rows: of its layers, (layer, by variant: its result or None)."""

    result: BoardResult
    chart: BarChart
    rows: tuple[tuple[LayerResult, tuple[LayerResult | None, ...]], ...]
    left_out: int


@dataclass(frozen=True)
class Network:
    """A bench. title: by variant; styles: (style, title) of its variants; speeds: cycles per MAC on all boards."""

    bench: Bench
    titles: tuple[tuple[str, str], ...]
    styles: tuple[tuple[str, str], ...]
    speeds: BarChart
    boards: tuple[OnBoard, ...]
    references: bool


def html_text(benches: Sequence[Bench], published: Published) -> str:
    """The whole page; benches: at least one. Same benches, same bytes."""
    return render(
        "bench.html.j2",
        title=", ".join(dict.fromkeys(bench.network for bench in benches)),
        tool_version=benches[0].tool_version,
        verdict=" ".join(map(verdict, benches)),
        parts=tuple(_part(bench, published) for bench in benches),
        matrix=tuple(_matrix(benches)),
        boards=_boards(benches),
        no_baseline=NO_BASELINE[0] if not all(bench.is_baseline for bench in benches) else "",
        errors=tuple({board.core: board.model_error for bench in benches for board in bench.boards}.items()),
        published=published,
        stalls=STALLS,
        per_mac=per_mac,
        times=times,
    )


def verdict(bench: Bench) -> str:
    """What the quickest variant takes on the boards, and against what: one sentence."""
    found = [(min(board.variants, key=lambda v: v.total.cycles), board) for board in ranked(bench)]
    ms = [board.milliseconds(variant.total.cycles) for variant, board in found]
    place = f"on {found[0][1].name}" if len(found) == 1 else f"on {len(found)} boards"
    span = f"{ms[0]:.3f} ms" if len(found) == 1 else f"{min(ms):.3f} to {max(ms):.3f} ms"
    said = f"{bench.network} takes {span} (simulated) {place} with the quickest of its variants"
    speedups = [speedup for variant, board in found for speedup in [bench.speedup(board, variant)] if speedup]
    if not speedups:
        return f"{said}; nothing is claimed against CMSIS-NN."
    low, high = min(speedups), max(speedups)
    range_ = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return f"{said}, {range_} times as fast as exact CMSIS-NN on the same model."


def ranked(bench: Bench) -> list[BoardResult]:
    """Real boards, the quickest first; ideal ones after them."""
    return sorted(
        bench.boards,
        key=lambda b: (b.board.startswith(IDEAL), min(b.milliseconds(v.total.cycles) for v in b.variants), b.board),
    )


def _boards(benches: Sequence[Bench]) -> tuple[tuple[str, str], ...]:
    """(id, name) of all boards, in the order of the first bench that has them."""
    return tuple({board.board: board.name for bench in benches for board in ranked(bench)}.items())


def _matrix(benches: Sequence[Bench]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(network, variant, by board: milliseconds and speed-up): everything side by side."""
    for bench in benches:
        known = {board.board: board for board in bench.boards}
        for name, title in titles(bench).items():
            cells = []
            for identity, _ in _boards(benches):
                board = known.get(identity)
                found = board.of(name) if board else None
                cells.append(_cell(bench, board, found) if board and found else "-")
            yield bench.network, title, tuple(cells)


def _cell(bench: Bench, board: BoardResult, variant: VariantResult) -> str:
    speedup = bench.speedup(board, variant)
    said = f"{board.milliseconds(variant.total.cycles):.3f} ms"
    return said if speedup is None else f"{said} ({times(speedup)})"


def _part(bench: Bench, published: Published) -> Network:
    named = titles(bench)
    style = {name: STYLES[place % len(STYLES)] for place, name in enumerate(named)}
    boards = ranked(bench)
    return Network(
        bench,
        tuple(named.items()),
        tuple((style[name], title) for name, title in named.items()),
        bar_chart([_speeds(bench, board, published, style) for board in boards]),
        tuple(_on_board(board, tuple(named.items()), style) for board in boards),
        any(references_of(bench, board, published) for board in boards),
    )


def _speeds(bench: Bench, board: BoardResult, published: Published, style: dict[str, str]) -> Group:
    named = titles(bench)
    bars = []
    for variant in board.variants:
        value = per_mac(variant.total.cycles, bench.macs) or 0.0
        speedup = bench.speedup(board, variant)
        against = "" if speedup is None or speedup == 1 else f" ({times(speedup)})"
        title = f"{board.name}, {named[variant.variant]}: {variant.total.cycles:,} cycles"
        bars.append(Bar((Part(value, style[variant.variant], title),), f"{number(value)}{against}"))
    marks = tuple(Mark(r.low, r.high, f"{r.text} {r.engine}") for r in references_of(bench, board, published))
    return Group(f"{board.name}, {board.core}, {board.clock_hz / 1e6:g} MHz", tuple(bars), marks)


def _on_board(board: BoardResult, named: Sequence[tuple[str, str]], style: dict[str, str]) -> OnBoard:
    by_variant = {v.variant: {layer.index: layer for layer in v.layers} for v in board.variants}
    indexes = sorted({index for layers in by_variant.values() for index in layers})
    rows = []
    for index in indexes:
        found = tuple(by_variant.get(name, {}).get(index) for name, _ in named)
        rows.append((next(layer for layer in found if layer), found))
    most = sorted(rows, key=lambda row: (-max(layer.figures.cycles for layer in row[1] if layer), row[0].index))
    shown = {layer.index for layer, _ in most[:MOST_GROUPS]}
    groups = [
        Group(
            f"{first.index} {first.name} ({first.op})",
            tuple(_bar(layer, style[name], title) for layer, (name, title) in zip(found, named) if layer),
        )
        for first, found in rows
        if first.index in shown
    ]
    return OnBoard(board, bar_chart(groups), tuple(rows), len(rows) - len(groups))


def _bar(layer: LayerResult, style: str, title: str) -> Bar:
    figures = layer.figures
    waits = stalled(figures)
    causes = ", ".join(f"{name.replace('_', ' ')} {getattr(figures.stalls, name):,}" for name in STALLS)
    parts = (
        Part(figures.cycles - waits, style, f"{layer.name}, {title}: {figures.cycles - waits:,} cycles without stalls"),
        Part(waits, "stall", f"{layer.name}, {title}: {waits:,} cycles of stalls ({causes})"),
    )
    return Bar(parts, f"{figures.cycles:,} {SHORT[style]}: {layer.kernel}")


def stalled(figures: Figures) -> int:
    """Cycles in which nothing issued, all causes together."""
    return sum(getattr(figures.stalls, name) for name in STALLS)
