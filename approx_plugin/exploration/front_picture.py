"""The front as a picture: cycles to the right, accuracy upwards, everything that was measured behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from approx_plugin.exploration.front import Front, Point

WIDTH, HEIGHT, MARGIN = 720, 420, 64
DOTS, LINE, CHOSEN, INK = "#a0aec0", "#2b6cb0", "#d97706", "#1a202c"
TICKS = 5


def svg_text(points: Sequence[Point], front: Front, chosen: Point | None) -> str:
    """The content of front.svg. points: all that were measured, at least one."""
    return "\n".join(_lines(points, front, chosen)) + "\n"


def _lines(points: Sequence[Point], front: Front, chosen: Point | None) -> Iterator[str]:
    shown = list(front.points) or list(points)
    left, right = _limits([point.cycles / 1e6 for point in shown])
    low, high = _limits([point.accuracy for point in shown])

    def x(cycles: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (cycles / 1e6 - left) / (right - left)

    def y(accuracy: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (accuracy - low) / (high - low)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif"'
    yield f' font-size="12" fill="{INK}"><title>Accuracy and cycles of what was measured</title>'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for step in range(TICKS + 1):
        cycles, accuracy = left + (right - left) * step / TICKS, low + (high - low) * step / TICKS
        at, up = x(1e6 * cycles), y(accuracy)
        yield f'<text x="{at:.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{cycles:.2f}</text>'
        yield f'<text x="{MARGIN - 8}" y="{up + 4:.1f}" text-anchor="end">{accuracy:.1f}</text>'
        yield f'<path d="M{MARGIN} {up:.1f}H{WIDTH - MARGIN}" stroke="#e2e8f0"/>'
    title = "millions of cycles per inference, estimated"
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 16}" text-anchor="middle">{title}</text>'
    yield f'<text x="{MARGIN - 40}" y="{MARGIN - 24}">top-1 in % on the exploration images</text>'
    for point in points:
        if left <= point.cycles / 1e6 <= right and low <= point.accuracy <= high:
            yield f'<circle cx="{x(point.cycles):.1f}" cy="{y(point.accuracy):.1f}" r="2.5" fill="{DOTS}"/>'
    way = " ".join(f"{x(point.cycles):.1f},{y(point.accuracy):.1f}" for point in front.points)
    yield f'<polyline points="{way}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
    for point in front.points:
        yield f'<circle cx="{x(point.cycles):.1f}" cy="{y(point.accuracy):.1f}" r="3.5" fill="{LINE}"/>'
    if chosen is not None:
        yield (
            f'<circle cx="{x(chosen.cycles):.1f}" cy="{y(chosen.accuracy):.1f}" r="7" fill="none" stroke="{CHOSEN}" '
            'stroke-width="2.5"/>'
        )
    yield "</svg>"


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """With some room around; never empty."""
    low, high = min(values), max(values)
    room = 0.05 * (high - low) or max(0.01 * abs(high), 0.01)
    return low - room, high + room
