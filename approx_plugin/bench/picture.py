"""A bench as a picture: cycles per MAC, a group of bars for each board, published engines as lines across it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from approx_plugin.bench.published import Published, Reference
from approx_plugin.bench.results import Bench, BoardResult
from approx_plugin.bench.text import NO_BASELINE, references_of, times, titles
from approx_plugin.report.data import per_mac

WIDTH = 1000
MARGIN = 24
LEFT = 268
"""Where the bars begin."""

RIGHT = 760
"""Where the longest bar ends; its label goes on from there."""

BAR = 16
ROW = 20
GAP = 22
LINE = 18
FONT = 12
EM = 0.62
"""Width of a character as a share of the font's size, not less than that of common sans-serif fonts on average."""

COLOURS = ("#8a8f98", "#2b6cb0", "#d97706")
"""Of the variants, in their order: they differ in lightness, too."""

INK, FAINT, MARK = "#1a202c", "#e2e8f0", "#9b2c2c"
STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True)
class _Scale:
    """Cycles per MAC to x."""

    top: float
    step: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        largest = max(values, default=1.0) or 1.0
        step = next((s for s in STEPS if largest / s <= 10), largest / 10)
        return cls(step * math.ceil(largest / step), step)

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * value / self.top

    def ticks(self) -> list[float]:
        return [self.step * index for index in range(round(self.top / self.step) + 1)]


def svg_text(bench: Bench, published: Published) -> str:
    """The content of bench.svg."""
    groups = [(board, references_of(bench, board, published)) for board in bench.boards]
    figures = [per_mac(v.total.cycles, bench.macs) or 0.0 for b in bench.boards for v in b.variants]
    scale = _Scale.of([*figures, *(reference.high for _, references in groups for reference in references)])
    head = list(_head(bench))
    top = MARGIN + LINE * (len(head) + 2)
    body: list[str] = []
    y = float(top)
    for board, references in groups:
        body += _group(bench, board, references, scale, y)
        y += _height(board, references) + GAP
    foot = _wrapped(_foot(bench, groups, published))
    height = y + LINE * (len(foot) + 3) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif" font-size="{FONT}" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
        *(_text(MARGIN, MARGIN + LINE * row, line, bold=not row) for row, line in enumerate(head)),
        *_legend(bench, MARGIN + LINE * len(head) + 4),
        *_grid(scale, top - 6, y - GAP + 6),
        *body,
        _text((LEFT + RIGHT) / 2, y + LINE, "cycles per MAC of the exact network (simulated)", anchor="middle"),
        *(_text(MARGIN, y + LINE * (3 + row), line) for row, line in enumerate(foot)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(bench: Bench) -> Iterator[str]:
    yield f"{bench.network}: simulated cycles per MAC"
    yield from _wrapped(
        [
            f"{bench.macs:,} MACs; {bench.cmsis_nn_provider}, {bench.cmsis_nn_version}; {bench.compiler}. "
            "Simulated on models of the boards, not measured on hardware.",
            *(() if bench.is_baseline else (NO_BASELINE[0],)),
        ]
    )


def _foot(
    bench: Bench, groups: Sequence[tuple[BoardResult, Sequence[Reference]]], published: Published
) -> Iterator[str]:
    for core, error in {board.core: board.model_error for board in bench.boards}.items():
        yield f"Model of the {core}: {error}"
    for board in bench.boards:
        for name, why in board.missing:
            yield f"{board.name} cannot hold '{titles(bench)[name]}': {why}"
    if any(references for _, references in groups):
        yield f"Dashed: measured on hardware by others, with other compilers and libraries. {published.source}."


def _height(board: BoardResult, references: Sequence[Reference]) -> float:
    """Two lines stand on the left, bars and references on the right."""
    return max(2 * LINE, ROW * (len(board.variants) + len(references)))


def _group(
    bench: Bench, board: BoardResult, references: Sequence[Reference], scale: _Scale, top: float
) -> Iterator[str]:
    bottom = top + _height(board, references)
    yield _text(LEFT - 10, top + 13, board.name, bold=True, anchor="end")
    yield _text(LEFT - 10, top + 13 + LINE, f"{board.core}, {board.clock_hz / 1e6:g} MHz", anchor="end")
    order = [name for name, _ in bench.variants]
    for row, variant in enumerate(board.variants):
        value = per_mac(variant.total.cycles, bench.macs) or 0.0
        width = scale.x(value) - LEFT
        colour = COLOURS[order.index(variant.variant) % len(COLOURS)]
        y = top + ROW * row
        yield f'<rect x="{LEFT}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
    # Lines first, text above them.
    for row, reference in enumerate(references, len(board.variants)):
        y = top + ROW * row + BAR / 2
        for value in sorted({reference.low, reference.high}):
            yield (
                f'<line x1="{scale.x(value):.1f}" y1="{top - 4:.1f}" x2="{scale.x(value):.1f}" y2="{y + 5:.1f}" '
                f'stroke="{MARK}" stroke-dasharray="3 3"/>'
            )
        yield (
            f'<line x1="{scale.x(reference.low):.1f}" y1="{y:.1f}" x2="{scale.x(reference.high):.1f}" y2="{y:.1f}" '
            f'stroke="{MARK}" stroke-width="3" stroke-linecap="round"/>'
        )
    for row, variant in enumerate(board.variants):
        value = per_mac(variant.total.cycles, bench.macs) or 0.0
        speedup = bench.speedup(board, variant)
        label = f"{value:.2f} ({_milliseconds(board.milliseconds(variant.total.cycles))}"
        label += f", {times(speedup)})" if speedup else ")"
        yield _text(scale.x(value) + 6, top + ROW * row + 12.5, label, halo=True)
    for row, reference in enumerate(references, len(board.variants)):
        label = f"{reference.engine}: {reference.text}"
        yield _text(scale.x(reference.high) + 8, top + ROW * row + 12.5, label, colour=MARK, halo=True)
    yield f'<line x1="{LEFT}" y1="{top - 6:.1f}" x2="{LEFT}" y2="{bottom + 6:.1f}" stroke="{INK}"/>'


def _legend(bench: Bench, y: float) -> Iterator[str]:
    x = float(MARGIN)
    for colour, (_, title) in zip(COLOURS, titles(bench).items()):
        yield f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 18, y, title)
        x += 18 + text_width(title) + 24


def _grid(scale: _Scale, top: float, bottom: float) -> Iterator[str]:
    for value in scale.ticks():
        x = scale.x(value)
        yield f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{FAINT}"/>'
        yield _text(x, bottom + 15, f"{value:g}", anchor="middle")


def _milliseconds(value: float) -> str:
    return f"{value:.3f} ms" if value < 10 else f"{value:.1f} ms"


def text_width(text: str) -> float:
    """A bound on the width of a line of text."""
    return len(text) * FONT * EM


def _wrapped(lines: Iterator[str] | Sequence[str]) -> list[str]:
    columns = int((WIDTH - 2 * MARGIN) / (FONT * EM))
    return [part for line in lines for part in textwrap.wrap(line, columns)]


def _text(
    x: float, y: float, text: str, *, bold: bool = False, anchor: str = "start", colour: str = "", halo: bool = False
) -> str:
    style = ' font-weight="bold"' if bold else ""
    style += f" text-anchor={quoteattr(anchor)}" if anchor != "start" else ""
    style += f' fill="{colour}"' if colour else ""
    style += ' stroke="#ffffff" stroke-width="3" paint-order="stroke"' if halo else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}>{escape(text)}</text>'
